"""Machines and their prices: one bigger machine, or more of them?

    scale_up_cost(300).price, scale_out_cost(300).price

Prices are those of one provider on one day (data set ``scaling/machine_prices``): an example and no law. Every function
takes other machines.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dscourse import datasets
from dscourse.arguments import instance, items, keep, real, text, whole
from dscourse.scaling.laws import USL

if TYPE_CHECKING:
    import pandas as pd

HOURS_PER_MONTH = 730.0
_MOST_MACHINES = 100_000


@dataclass(frozen=True)
class Machine:
    """A machine that can be rented.

    Attributes:
        name: what it is called.
        cores: virtual processors as the provider counts them (mostly two to a physical core), at least 1.
        memory: GiB.
        price: dollars an hour.
        family: machines of one kind in several sizes.
    """

    name: str
    cores: int
    memory: float
    price: float
    family: str = ""

    def __post_init__(self) -> None:
        text("name", self.name)
        keep(
            self,
            cores=whole("cores", self.cores, at_least=1),
            memory=real("memory", self.memory, above=0.0),
            price=real("price", self.price, at_least=0.0),
        )

    def capacity(self, contention: float = 0.0) -> float:
        """What it does, in single cores' worth, if a share `contention` of the work queues inside it (see `USL`)."""
        return self.cores / (1.0 + contention * (self.cores - 1))


@dataclass(frozen=True)
class Bill:
    """What a requirement costs.

    Attributes:
        machine: of which kind; None if no machine can do it.
        count: how many.
        price: dollars an hour, licences and operation included; infinite if it can't be done.
    """

    machine: Machine | None
    count: int
    price: float

    @property
    def per_month(self) -> float:
        """Dollars a month of 730 hours."""
        return self.price * HOURS_PER_MONTH

    def __repr__(self) -> str:
        if self.machine is None:
            return "Bill(no machine is big enough)"
        return f"Bill({self.count} × {self.machine.name}: {self.price:,.2f} dollars an hour)"


@functools.cache
def machines(family: str | None = None) -> tuple[Machine, ...]:
    """Return the machines of the price table, or of one family ("m8i", "r8i", "x8i", "u7i"), the smallest first.

    Raises:
        LookupError: no such family.
    """
    table = datasets.load("scaling/machine_prices").to_dict("records")
    found = [Machine(row["name"], row["cores"], row["memory"], row["price"], row["family"]) for row in table]
    known = list(dict.fromkeys(machine.family for machine in found))
    if family is not None and family not in known:
        raise LookupError(f"There is no family {family!r}. There are: {', '.join(known)}.")
    chosen = [machine for machine in found if family in (None, machine.family)]
    return tuple(sorted(chosen, key=lambda machine: (machine.cores, machine.memory)))


def machine_named(name: str) -> Machine:
    """Return a machine of the price table.

    Raises:
        LookupError: there is none of that name.
    """
    known = _by_name()
    if instance("name", name, str, "the name of a machine") not in known:
        raise LookupError(f"There is no machine {name!r} in the price table, such as {next(iter(known))!r}.")
    return known[name]


def scale_up_cost(
    cores: float,
    memory: float = 0.0,
    *,
    choices: Sequence[Machine] | None = None,
    contention: float = 0.0,
    spare: int = 0,
    licence_per_core: float = 0.0,
) -> Bill:
    """Return the cheapest way to do some work on one machine.

    Args:
        cores: work, in cores that are busy all the time.
        memory: GiB that it needs.
        choices: machines to choose from; by default all of the price table.
        contention: share of the work that queues for something inside the machine (see `USL`).
        spare: as many more of the same machine stand by, in case one fails.
        licence_per_core: dollars an hour, of software that is paid by the core, for every machine that stands there.
    """
    need, room = real("cores", cores, above=0.0), real("memory", memory, at_least=0.0)
    extra = whole("spare", spare, at_least=0)
    licence = real("licence_per_core", licence_per_core, at_least=0.0)
    return _cheapest(
        Bill(machine, 1 + extra, (1 + extra) * (machine.price + licence * machine.cores))
        for machine in _given(choices)
        if machine.capacity(contention) >= need and machine.memory >= room
    )


def scale_out_cost(
    cores: float,
    memory: float = 0.0,
    *,
    choices: Sequence[Machine] | None = None,
    contention: float = 0.0,
    coherency: float = 0.0,
    spare: int = 0,
    licence_per_core: float = 0.0,
    operation: float = 0.0,
) -> Bill:
    """Return the cheapest way to do some work on several equal machines, which share it by the scalability law.

    Args:
        cores: work, in cores that are busy all the time.
        memory: GiB in all, divided among them.
        choices: machines to choose from; by default all of the price table.
        contention: share of the work that queues for something that all machines share.
        coherency: price of each pair of machines that must agree: then there is a largest useful number.
        spare: how many may fail without less being done.
        licence_per_core: dollars an hour, of software that is paid by the core.
        operation: dollars an hour for whoever keeps many machines going, whatever their number.
    """
    need, room = real("cores", cores, above=0.0), real("memory", memory, at_least=0.0)
    extra, law = whole("spare", spare, at_least=0), USL(contention, coherency)
    licence = real("licence_per_core", licence_per_core, at_least=0.0)
    people = real("operation", operation, at_least=0.0)
    bills = []
    for machine in _given(choices):
        count = max(_least_count(need / machine.cores, law), math.ceil(room / machine.memory) if room else 1)
        if count <= min(_MOST_MACHINES, law.peak_load):
            total = count + extra
            bills.append(Bill(machine, total, total * (machine.price + licence * machine.cores) + people))
    return _cheapest(bills)


def break_even(
    sizes: Sequence[float], *, up: dict[str, Any] | None = None, out: dict[str, Any] | None = None
) -> tuple[float, pd.DataFrame]:
    """Return from which size on scaling out is cheaper, for good, and the two prices at each size.

    Args:
        sizes: work in cores, rising.
        up: settings for `scale_up_cost`: `{"spare": 1}`.
        out: settings for `scale_out_cost`.

    Returns:
        The smallest of the sizes from which on scaling out costs less (nan if it doesn't at the largest), and a table
        with columns `up` and `out`, dollars an hour.
    """
    import pandas as pd

    given = [real("a size", size, above=0.0) for size in items("sizes", sizes, "a list of numbers")]
    rows = {
        size: {
            "up": scale_up_cost(size, **(up or {})).price,
            "out": scale_out_cost(size, **(out or {})).price,
        }
        for size in given
    }
    table = pd.DataFrame(rows).T.rename_axis("cores")
    first = math.nan
    for size in reversed(given):
        if not rows[size]["out"] < rows[size]["up"]:
            break
        first = size
    return first, table


def spare_capacity(total: int, lost: int = 1) -> float:
    """Return what must be bought beyond the need, as a share of it, so that `lost` of n equal machines may fail.

    n machines in all, n − lost of which must suffice: lost / (n − lost).

    Args:
        total: n, more than `lost`.
        lost: how many may fail at once.
    """
    failed = whole("lost", lost, at_least=0)
    return failed / (whole("total", total, at_least=failed + 1) - failed)


def _least_count(ratio: float, law: USL) -> int:
    """The smallest number of machines that do `ratio` times what one does; more than allowed if none does."""

    def enough(count: int) -> bool:  # in plain numbers: a curve asks some ten thousand times
        waits = 1.0 + law.contention * (count - 1) + law.coherency * count * (count - 1)
        return count / waits >= ratio

    low, high = 1, int(min(law.peak_load, _MOST_MACHINES))
    if not enough(high):
        return _MOST_MACHINES + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


def _given(choices: Sequence[Machine] | None) -> tuple[Machine, ...]:
    if choices is None:
        return machines()
    found = items("choices", choices, "a list of machines", Machine)
    if not found:
        raise ValueError("choices must not be empty")
    return found


def _cheapest(bills: Any) -> Bill:
    return min(bills, key=lambda bill: bill.price, default=Bill(None, 0, math.inf))


@functools.cache
def _by_name() -> dict[str, Machine]:
    return {machine.name: machine for machine in machines()}
