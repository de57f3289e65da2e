"""How likely it is that data is lost, and what the time to repair has to do with it.

Three views of the same question: many nodes fail at once (copysets), a group of disks loses one after another while
repair goes on (an exact Markov chain), and shards of which a few may be missing (erasure coding). All take failures for
independent, but for what they say about it; `lost_groups` plays them, and lets a rack take its disks along.

Sources:

- A. Cidon, S. Rumble, R. Stutsman, S. Katti, J. Ousterhout, M. Rosenblum, *Copysets: Reducing the Frequency of Data
  Loss in Cloud Storage*, USENIX ATC 2013, section 2.
- D. A. Patterson, G. Gibson, R. H. Katz, *A Case for Redundant Arrays of Inexpensive Disks (RAID)*, SIGMOD 1988, whose
  mean time to failure of an array is the first term of what `mean_time_to_data_loss` gives.
- Backblaze, *Backblaze Durability Calculates at 99.999999999%*, 2018 (backblaze.com/blog/cloud-storage-durability):
  shards, with the chance of too many failures in one rebuild.
"""

from __future__ import annotations

import math

import numpy as np

from dscourse.arguments import one_of, real, whole

REPAIRERS = ("one", "each")
_DAYS_A_YEAR = 365.0
_TERMS = 24  # of the series for a step in which at most one change is expected


def copyset_loss_probability(nodes: int, failed: int, copies: int, copysets: int) -> float:
    """Return the chance that some data is lost when nodes fail at the same time, which ones by chance.

    A copyset is a set of nodes that together hold all copies of some data: data is lost if all of one are among the
    failed. Copysets are taken for drawn independently (Cidon et al., 2013, section 2).

    Args:
        nodes: in the cluster.
        failed: of these, at once.
        copies: of everything, each on another node.
        copysets: how many different sets are in use. Copies put anywhere soon use nearly all there are.
    """
    whole("nodes", nodes, at_least=1)
    whole("failed", failed, at_least=0, at_most=nodes)
    whole("copies", copies, at_least=1, at_most=nodes)
    whole("copysets", copysets, at_least=1, at_most=math.comb(nodes, copies))
    one = math.comb(failed, copies) / math.comb(nodes, copies)
    return -math.expm1(copysets * math.log1p(-one)) if one < 1 else 1.0


def copysets_in_use(nodes: int, copies: int, scatter_width: int, *, random: bool) -> int:
    """Return how many copysets there are if a node shares its data with ``scatter_width`` others.

    Args:
        nodes: in the cluster.
        copies: of everything.
        scatter_width: among how many others the other copies of one node's data are; so many can help to repair it.
        random: copies go to any of a window of that width (each combination is used), or by permutations, which need as
            few copysets as can be (Cidon et al., 2013, sections 2 and 3).
    """
    whole("nodes", nodes, at_least=2)
    whole("copies", copies, at_least=2, at_most=nodes)
    whole("scatter_width", scatter_width, at_least=copies - 1, at_most=nodes - 1)
    if random:
        return min(nodes * math.comb(scatter_width, copies - 1), math.comb(nodes, copies))
    permutations = math.ceil(scatter_width / (copies - 1))
    return permutations * (nodes // copies)


def erasure_loss_probability(
    data: int, parity: int, yearly_failure_rate: float, rebuild_days: float
) -> float:
    """Return the chance in a year that a group of shards loses more than its parity makes up for.

    In each period of one rebuild every shard fails with the same chance, independently; a year has 365 / rebuild_days
    such periods (Backblaze, 2018).

    Args:
        data: shards that are needed.
        parity: shards more than that.
        yearly_failure_rate: of a disk, such as 0.00405.
        rebuild_days: until a failed shard has been made anew.
    """
    whole("data", data, at_least=1)
    whole("parity", parity, at_least=0)
    rate = real("yearly_failure_rate", yearly_failure_rate, at_least=0.0)
    days = real("rebuild_days", rebuild_days, above=0.0, at_most=_DAYS_A_YEAR)
    shards = data + parity
    fails = -math.expm1(-rate * days / _DAYS_A_YEAR)
    too_many = sum(
        math.comb(shards, count) * fails**count * (1 - fails) ** (shards - count)
        for count in range(parity + 1, shards + 1)
    )
    return 1.0 if too_many >= 1 else -math.expm1(_DAYS_A_YEAR / days * math.log1p(-too_many))


def mean_time_to_data_loss(
    copies: int, mttf: float, mttr: float, *, needed: int = 1, repairers: str = "one"
) -> float:
    """Return the mean time until fewer than ``needed`` of a group's copies live, in the unit of the arguments.

    Exact for the Markov chain: copies fail independently at a constant rate, repairs take exponentially distributed
    times, and a repaired copy is as good as new. For two copies it is (3 · mttr + mttf) · mttf / (2 · mttr).

    Args:
        copies: or disks, shards.
        mttf: mean time to the failure of one.
        mttr: mean time to its repair.
        needed: copies that must live: 1 of a mirror; of RAID-5 with 8 disks 7, of RAID-6 with 8 disks 6.
        repairers: "one" copy is made anew at a time, or "each" failed one, all at once. With three copies it is a
            factor of two.
    """
    fail, repair = _rates(copies, mttf, mttr, needed, repairers)
    total = to_next = 0.0  # from this number of failures to one more
    for down, up in zip(fail, repair, strict=True):
        to_next = (1.0 + up * to_next) / down
        total += to_next
    return total


def probability_of_data_loss(
    copies: int, mttf: float, mttr: float, duration: float, *, needed: int = 1, repairers: str = "one"
) -> float:
    """Return the chance that a group has lost data by ``duration``; arguments as in `mean_time_to_data_loss`.

    Exact, and good to many digits however small it is: the chain is uniformized (A. Jensen, 1953), so that nothing is
    subtracted from 1.
    """
    fail, repair = _rates(copies, mttf, mttr, needed, repairers)
    span = real("duration", duration, at_least=0.0)
    size = len(fail) + 1  # the last state is the loss
    rate = max(down + up for down, up in zip(fail, repair, strict=True))
    step = np.zeros((size, size))
    for state, (down, up) in enumerate(zip(fail, repair, strict=True)):
        step[state, state + 1] = down / rate
        if state:
            step[state, state - 1] = up / rate
        step[state, state] = 1.0 - (down + up) / rate
    step[-1, -1] = 1.0
    halvings = max(0, math.ceil(math.log2(rate * span))) if rate * span > 1 else 0
    changes = rate * span / 2**halvings
    moved, power = np.zeros((size, size)), np.eye(size)
    for count in range(_TERMS):
        moved += math.exp(-changes) * changes**count / math.factorial(count) * power
        power = power @ step
    for _ in range(halvings):
        moved = moved @ moved
    return float(moved[0, -1])


def lost_groups(
    copies: int,
    mttf: float,
    mttr: float,
    duration: float,
    *,
    needed: int = 1,
    repairers: str = "one",
    groups: int = 100_000,
    racks: int | None = None,
    rack_mttf: float | None = None,
    seed: int = 0,
) -> float:
    """Play the failures of many groups and return the share that has lost data by ``duration``.

    Without racks it is what `probability_of_data_loss` says, within the error of sampling. With racks, a failing rack
    takes all of its copies with it, for good: then the formula errs, by far.

    Args:
        copies: of each group.
        mttf: mean time to the failure of one.
        mttr: mean time to its repair.
        duration: how long it goes on.
        needed: copies that must live.
        repairers: "one" copy is made anew at a time, or "each" failed one.
        groups: how many are played.
        racks: among how many the copies of each group are spread, in turn; None: nothing is shared.
        rack_mttf: mean time to the failure of a rack.
        seed: of the draws.
    """
    _rates(copies, mttf, mttr, needed, repairers)
    span = real("duration", duration, at_least=0.0)
    whole("groups", groups, at_least=1)
    spread = 1 if racks is None else whole("racks", racks, at_least=1, at_most=copies)
    rack_rate = 0.0 if racks is None else 1.0 / real("rack_mttf", rack_mttf, above=0.0)
    sizes = np.array([len(range(rack, copies, spread)) for rack in range(spread)])
    rng = np.random.default_rng(seed)
    failed = np.zeros((groups, spread), dtype=int)
    clock, lost, at_risk = np.zeros(groups), 0, groups
    while at_risk:
        down = failed.sum(axis=1)
        busy = np.minimum(down, 1) if repairers == "one" else down
        failing, mending, racking = (
            (copies - down) / mttf,
            busy / mttr,
            np.full(len(down), rack_rate * spread),
        )
        rate = failing + mending + racking
        clock = clock + rng.exponential(1.0 / rate)
        what, where = rng.random(len(rate)) * rate, rng.random(len(rate))
        fails, mends = what < failing, (what >= failing) & (what < failing + mending)
        failed[np.flatnonzero(fails), _rack_of_one(fails, where, sizes - failed)] += 1
        failed[np.flatnonzero(mends), _rack_of_one(mends, where, failed)] -= 1
        hit = np.flatnonzero(~fails & ~mends)
        rack = (where[hit] * spread).astype(int)
        failed[hit, rack] = sizes[rack]
        late = clock >= span
        gone = ~late & (copies - failed.sum(axis=1) < needed)
        lost += int(gone.sum())
        failed, clock = failed[~late & ~gone], clock[~late & ~gone]
        at_risk = len(clock)
    return lost / groups


def _rack_of_one(chosen: np.ndarray, where: np.ndarray, copies: np.ndarray) -> np.ndarray:
    """Return for each chosen group the rack of one of ``copies``, each of which is as likely as any."""
    total = np.cumsum(copies[chosen], axis=1)
    return (where[chosen, None] * total[:, -1:] >= total).sum(axis=1)  # type: ignore[no-any-return]


def _rates(
    copies: int, mttf: float, mttr: float, needed: int, repairers: str
) -> tuple[list[float], list[float]]:
    """Return the rate of one more failure, and of one fewer, for 0, 1, … failures that are still no loss."""
    whole("copies", copies, at_least=1)
    whole("needed", needed, at_least=1, at_most=copies)
    life, repair = real("mttf", mttf, above=0.0), real("mttr", mttr, above=0.0)
    one_of("repairers", repairers, REPAIRERS)
    bearable = range(copies - needed + 1)
    busy = [min(down, 1) if repairers == "one" else down for down in bearable]
    return [(copies - down) / life for down in bearable], [count / repair for count in busy]
