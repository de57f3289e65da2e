"""Rendezvous hashing: every node makes a bid for the key, the highest one wins.

D. G. Thaler, C. V. Ravishankar, *Using name-based mappings to increase hit rates*, IEEE/ACM ToN 6(1), 1998. The
weighted form, −weight / ln(bid), is the logarithmic method of C. Schindelhauer, G. Schomaker, *Weighted distributed
hash tables*, SPAA 2005.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from xxhash import xxh3_64_intdigest

from dscourse.partitioning.fleet import Fleet
from dscourse.partitioning.keys import Hashes, mix_all
from dscourse.partitioning.partitioner import HashPartitioner

_CHUNK = 1 << 14  # keys at a time: their bids fit into a processor's cache


@dataclass(frozen=True)
class Bidders:
    """A number for each node that sets its bids apart from the others', and its weight (None if all are equal)."""

    seeds: Hashes
    weights: npt.NDArray[np.float64] | None


class RendezvousPartitioner(HashPartitioner[Bidders]):
    """Each node's bid for a key is a hash of both; the highest bid owns the key.

    No ring, no table but the nodes themselves, and keys move only to a newcomer or from a leaver. The price: a look-up
    asks all n nodes. The second highest bidder is the natural second replica.

    Args:
        nodes: names; their order doesn't matter.
        weights: {node: weight}; 1 where nothing is said. When a weight changes, keys move only to or from that node.
    """

    def __init__(self, nodes: Iterable[str], weights: Mapping[str, float] | None = None) -> None:
        super().__init__(nodes, weights)

    @property
    def table_bytes(self) -> int:
        """A seed of 8 bytes for each node, and a weight where they differ."""
        weights = self._table.weights
        return self._table.seeds.nbytes + (0 if weights is None else weights.nbytes)

    def _make_table(self, fleet: Fleet) -> Bidders:
        names = (node.encode("utf-8", "surrogatepass") for node in fleet.nodes)
        seeds = np.fromiter(map(xxh3_64_intdigest, names), dtype=np.uint64, count=len(fleet.nodes))
        equal = len(set(fleet.weights)) == 1
        return Bidders(seeds, None if equal else np.array(fleet.weights))

    def _index_of(self, hashed: int) -> int:
        return int(np.argmax(self._scores(np.uint64(hashed))))

    def _indices_of(self, hashed: Hashes) -> npt.NDArray[np.intp]:
        owner = np.zeros(len(hashed), dtype=np.intp)
        for start in range(0, len(hashed), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            owner[chunk] = self._winners(hashed[chunk])
        return owner

    def _winners(self, hashed: Hashes) -> npt.NDArray[np.intp]:
        seeds, weights = self._table.seeds, self._table.weights
        winner = np.zeros(len(hashed), dtype=np.intp)
        best = self._bid(hashed, seeds[0], None if weights is None else weights[0])
        for node in range(1, len(seeds)):
            bid = self._bid(hashed, seeds[node], None if weights is None else weights[node])
            higher = bid > best
            winner[higher] = node
            np.maximum(bid, best, out=best)
        return winner

    def _preference(self, hashed: int) -> Iterator[int]:
        scores = self._scores(np.uint64(hashed))
        # Highest bid first; among equal bids the node that comes first, as argmax has it.
        return iter(np.lexsort((np.arange(len(scores)), scores.max() - scores)).tolist())

    def _scores(self, hashed: np.uint64) -> npt.NDArray[np.uint64] | npt.NDArray[np.float64]:
        return self._bid(hashed, self._table.seeds, self._table.weights)

    @staticmethod
    def _bid(
        hashed: object, seeds: object, weights: object
    ) -> npt.NDArray[np.uint64] | npt.NDArray[np.float64]:
        drawn = mix_all(np.bitwise_xor(hashed, seeds))  # type: ignore[call-overload]
        if weights is None:
            return drawn  # whole numbers: the order of the bids is exact on every machine
        fraction = ((drawn >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52  # in (0, 1), never an end
        scores: npt.NDArray[np.float64] = -np.asarray(weights) / np.log(fraction)
        return scores
