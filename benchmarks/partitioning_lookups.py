"""How fast keys find their owner: ours beside uhashring and the C extension of jump-consistent-hash, in one run.

    python benchmarks/partitioning_lookups.py

Prints nanoseconds a look-up (the best of five rounds) and ratios. Ten nodes, 128 points each on both rings.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import jump
import numpy as np
from uhashring import HashRing
from xxhash import xxh3_64_intdigest

from dscourse.partitioning import (
    BoundedLoadRing,
    ConsistentHashRing,
    DirectoryPartitioner,
    JumpPartitioner,
    MaglevPartitioner,
    ModuloPartitioner,
    RangePartitioner,
    RendezvousPartitioner,
    hash_key,
    jump_hash,
)

NODES = [f"n{number}" for number in range(10)]
MANY = np.arange(1_000_000)
NAMES = np.array([f"user:{number}" for number in range(200_000)])
FEW_NUMBERS = list(range(20_000))
FEW_NAMES = [f"user:{number}" for number in FEW_NUMBERS]


def best(task: Callable[[], object], count: int, rounds: int = 5) -> float:
    """Return nanoseconds for each of `count` look-ups, in the best round."""
    fastest = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        task()
        fastest = min(fastest, time.perf_counter() - start)
    return fastest / count * 1e9


def one_by_one(look_up: Callable[[object], object], keys: list[object]) -> float:
    """Return nanoseconds for a single look-up."""

    def task() -> None:
        for key in keys:
            look_up(key)

    return best(task, len(keys))


def main() -> None:
    """Measure and print."""
    theirs = HashRing(nodes=NODES, vnodes=128)
    their_number, their_name = (
        one_by_one(theirs.get_node, FEW_NUMBERS),
        one_by_one(theirs.get_node, FEW_NAMES),
    )
    print(f"uhashring, one look-up: {their_number:.0f} ns a number, {their_name:.0f} ns a text\n")

    partitioners = [
        ModuloPartitioner(NODES),
        ConsistentHashRing(NODES),
        RendezvousPartitioner(NODES),
        JumpPartitioner(NODES),
        MaglevPartitioner(NODES),
        DirectoryPartitioner(NODES),
        BoundedLoadRing(NODES),
        RangePartitioner(list(range(100_000, 1_000_000, 100_000)), NODES),
    ]
    print(
        "                            array of numbers    array of texts   one number  one text   against uhashring:"
    )
    print(
        "                             ns   million/s     ns   million/s       ns         ns      array  number  text"
    )
    for p in partitioners:
        numbers, one = best(lambda p=p: p.owners(MANY), len(MANY)), one_by_one(p.owner, FEW_NUMBERS)
        line = f"{type(p).__name__:24} {numbers:7.1f} {1e3 / numbers:10.1f} "
        if isinstance(p, RangePartitioner):
            line += f"{'':20} {one:9.0f} {'':10} {their_number / numbers:10.1f}x {their_number / one:6.2f}x"
        else:
            texts, name = best(lambda p=p: p.owners(NAMES), len(NAMES)), one_by_one(p.owner, FEW_NAMES)
            line += (
                f"{texts:7.1f} {1e3 / texts:10.1f} {one:10.0f} {name:10.0f} {their_number / numbers:10.1f}x"
            )
            line += f" {their_number / one:6.2f}x {their_name / name:5.2f}x"
        print(line)

    encoded = [name.encode() for name in FEW_NAMES]
    raw, with_checks = one_by_one(xxh3_64_intdigest, encoded), one_by_one(hash_key, FEW_NAMES)
    print(
        f"\nhashing a text: xxhash alone, of bytes {raw:.0f} ns; ours, of a text, with checks {with_checks:.0f} ns"
    )

    hashes = [hash_key(key) for key in FEW_NUMBERS]
    ours, extension = (one_by_one(lambda key, f=f: f(key, 10), hashes) for f in (jump_hash, jump.hash))
    array = best(lambda: JumpPartitioner(NODES).owner_indices(MANY), len(MANY))
    print(
        f"jump hash, one key: ours {ours:.0f} ns, C extension {extension:.0f} ns (ratio {ours / extension:.1f})"
    )
    print(f"jump hash, an array: ours {array:.0f} ns a key with its hashing (ratio {array / extension:.1f})")


if __name__ == "__main__":
    main()
