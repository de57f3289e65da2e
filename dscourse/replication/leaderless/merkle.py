"""Merkle trees: two replicas find out in which keys they differ without sending all of them.

R. C. Merkle, A Digital Signature Based on a Conventional Encryption Function, CRYPTO 1987; between replicas as in
DeCandia et al., Dynamo, SOSP 2007.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from dscourse.arguments import instance, whole
from dscourse.simulation.messages import canonical_json, readable

DIGITS = "0123456789abcdef"


class MerkleTree:
    """Digests of digests: each node of the tree stands for all keys whose hash begins with its path.

    A path is the first hexadecimal digits of a key's hash, so the tree has 16 branches at each node. Two trees with the
    same digest at a node have the same items below it.

    Args:
        items: key → value, whatever may stand in a message.
        depth: how many levels there are below the root; trees of different depths can't be compared.
    """

    def __init__(self, items: Mapping[Any, Any], depth: int = 2) -> None:
        instance("items", items, Mapping, "a mapping, such as a dict of keys and values")
        self.depth = whole("depth", depth, at_least=0)
        self._leaves: dict[str, dict[Hashable, str]] = {}  # path → key → digest of key and value
        for key, value in items.items():
            text = canonical_json(readable(key))
            leaf = self._leaves.setdefault(_digest(text)[: self.depth], {})
            leaf[key] = _digest(canonical_json([text, readable(value)]))
        below = {path: _digest("".join(sorted(leaf.values()))) for path, leaf in self._leaves.items()}
        self._digests = dict(below)
        for level in range(self.depth - 1, -1, -1):
            parts: dict[str, list[str]] = {}
            for path in sorted(below):
                parts.setdefault(path[:level], []).append(path + below[path])
            below = {path: _digest("".join(each)) for path, each in parts.items()}
            self._digests |= below

    def digest(self, path: str = "") -> str:
        """The digest of the node at a path, the root by default; empty if no key is below it."""
        return self._digests.get(path, "")

    def children(self, path: str) -> tuple[tuple[str, str], ...]:
        """The nodes below a path: (path, digest), empty ones included."""
        return tuple((path + digit, self.digest(path + digit)) for digit in DIGITS)

    def keys(self, path: str) -> tuple[Any, ...]:
        """The keys in a leaf."""
        return tuple(self._leaves.get(path, ()))

    def differences(self, other: MerkleTree) -> list[Any]:
        """The keys that only one of the two has, or that have different values.

        Raises:
            ValueError: the other tree has another depth.
        """
        if other.depth != self.depth:
            raise ValueError(f"other must have depth {self.depth}, as this tree, got {other.depth}")
        found = []
        for path in self.differing_leaves(other):
            mine, others = self._leaves.get(path, {}), other._leaves.get(path, {})
            found += [key for key in {**mine, **others} if mine.get(key) != others.get(key)]
        return found

    def differing_leaves(self, other: MerkleTree, path: str = "") -> Iterator[str]:
        """The leaves below a path whose digests differ; where two digests agree, nothing below is looked at."""
        if self.digest(path) == other.digest(path):
            return
        if len(path) == self.depth:
            yield path
        else:
            for child, _ in self.children(path):
                yield from self.differing_leaves(other, child)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
