"""Maglev hashing: a look-up table that the nodes fill in turn, each in its own order of preference.

D. E. Eisenbud and others, *Maglev: a fast and reliable software network load balancer*, NSDI 2016, section 3.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import gcd, isqrt

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

from dscourse.arguments import real, whole
from dscourse.partitioning.fleet import Fleet
from dscourse.partitioning.keys import Hashes, mix
from dscourse.partitioning.partitioner import HashPartitioner, walk_table

_LARGEST_TABLE = 1 << 24


def maglev_table(
    offsets: Sequence[int], skips: Sequence[int], size: int, weights: Sequence[float] | None = None
) -> npt.NDArray[np.int32]:
    """Fill a look-up table as in pseudocode 1 of the paper.

    Backend i prefers the slots offset, offset + skip, offset + 2·skip … modulo size. In every round each backend takes
    the best slot on its list that is still free. With weights, a backend of half the highest weight gets a turn
    in every second round.

    Args:
        offsets: where each backend's list begins, 0 … size − 1.
        skips: the step of each list, 1 … size − 1, without a common divisor with `size`.
        size: of the table; a prime allows every skip.
        weights: one above 0 for each backend; all equal if None.

    Returns:
        The index of a backend for each slot.

    Raises:
        ValueError: lists of different length, no backend, or a number outside its range.
    """
    slots = whole("size", size, at_least=1, at_most=_LARGEST_TABLE)
    if not len(offsets) == len(skips) > 0:
        raise ValueError(
            f"Give one offset and one skip for each backend, got {len(offsets)} and {len(skips)}"
        )
    cursors = [whole("an offset", offset, at_least=0, at_most=slots - 1) for offset in offsets]
    steps = [whole("a skip", skip, at_least=1, at_most=max(1, slots - 1)) for skip in skips]
    for step in steps:
        if gcd(step, slots) != 1:
            raise ValueError(
                f"A skip of {step} never reaches all {slots} slots: they have {gcd(step, slots)} as a common divisor"
            )
    table = [-1] * slots
    turns = _turns(_checked_weights(weights, len(cursors)))
    for _ in range(slots):
        backend = next(turns)
        slot, step = cursors[backend], steps[backend]
        while table[slot] >= 0:
            slot = (slot + step) % slots
        table[slot] = backend
        cursors[backend] = (slot + step) % slots
    return np.array(table, dtype=np.int32)


def _checked_weights(weights: Sequence[float] | None, backends: int) -> list[float]:
    if weights is None:
        return [1.0] * backends
    if len(weights) != backends:
        raise ValueError(f"Give one weight for each backend: {backends}, got {len(weights)}")
    return [real("a weight", weight, above=0.0) for weight in weights]


def _turns(weights: list[float]) -> Iterator[int]:
    """Return whose turn it is, for ever: each backend as often as its weight says, the heaviest in every round."""
    shares = [weight / max(weights) for weight in weights]
    credit = [0.0] * len(shares)
    while True:
        for backend, share in enumerate(shares):
            credit[backend] += share
            if credit[backend] >= 1.0 - 1e-9:
                credit[backend] -= 1.0
                yield backend


class MaglevPartitioner(HashPartitioner["npt.NDArray[np.int32]"]):
    """Hashes a key to a slot of a table; the table says who owns the slot.

    One step a look-up, and balanced to within a slot or so. On a change the table is filled anew and comes out nearly
    the same: a few keys move between nodes that have nothing to do with the change.

    Args:
        nodes: names; their order doesn't matter.
        table_size: a prime, 65537 as in the paper. More slots than 100 for each node keep the balance within 1 %.
        weights: {node: weight}; 1 where nothing is said.

    Raises:
        ValueError: if the size isn't a prime, there are fewer slots than nodes, or a node weighs so little that it
            would own none.
    """

    def __init__(
        self, nodes: Iterable[str], table_size: int = 65537, weights: Mapping[str, float] | None = None
    ) -> None:
        self._size = whole("table_size", table_size, at_least=3, at_most=_LARGEST_TABLE)
        if any(self._size % divisor == 0 for divisor in range(2, isqrt(self._size) + 1)):
            raise ValueError(
                f"table_size must be a prime, or some nodes can't reach all slots; got {self._size}. 65537 is one."
            )
        super().__init__(nodes, weights)

    @property
    def table_size(self) -> int:
        """Slots in the table."""
        return self._size

    @property
    def table(self) -> npt.NDArray[np.int32]:
        """The look-up table: for each slot the place of its owner in `nodes` (a copy)."""
        return self._table.copy()

    @property
    def table_bytes(self) -> int:
        """4 bytes for each slot."""
        return self._table.nbytes

    def _make_table(self, fleet: Fleet) -> npt.NDArray[np.int32]:
        if len(fleet.nodes) > self._size:
            raise ValueError(f"{len(fleet.nodes)} nodes need as many slots, but table_size is {self._size}")
        # In order of name, so that every load balancer makes the same table whatever it learnt first.
        order = sorted(range(len(fleet.nodes)), key=lambda place: fleet.nodes[place])
        names = [fleet.nodes[place].encode("utf-8", "surrogatepass") for place in order]
        hashes = [xxh3_64_intdigest(name) for name in names]
        offsets = [hashed % self._size for hashed in hashes]
        skips = [mix(hashed) % (self._size - 1) + 1 for hashed in hashes]
        table = maglev_table(offsets, skips, self._size, [fleet.weights[place] for place in order])
        places: npt.NDArray[np.int32] = np.array(order, dtype=np.int32)[table]
        for node, weight, held in zip(
            fleet.nodes, fleet.weights, np.bincount(places, minlength=len(order)), strict=True
        ):
            if held == 0:
                raise ValueError(
                    f"{node!r} would own none of the {self._size} slots: its weight is {weight:g} of "
                    f"{sum(fleet.weights):g}. Give it more weight, or take more slots"
                )
        return places

    def _index_of(self, hashed: int) -> int:
        return int(self._table[hashed % self._size])

    def _indices_of(self, hashed: Hashes) -> npt.NDArray[np.intp]:
        slots = (hashed % np.uint64(self._size)).astype(np.intp)
        return self._table[slots].astype(np.intp, copy=False)

    def _preference(self, hashed: int) -> Iterator[int]:
        return walk_table(self._table, hashed % self._size, len(self.nodes))
