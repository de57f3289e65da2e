"""What each pattern is worth in an incident: every combination of switches, with the same luck for each.

table = ablation("retry storm", seeds=10).table()
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

from dscourse.arguments import items, one_of, whole
from dscourse.exploration import Sweep, sweep
from dscourse.exploration.sweep_result import student
from dscourse.resilience.incidents.design import LEVELS, Design
from dscourse.resilience.incidents.incident import INCIDENTS, LOAD, Incident, run_incident

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import pandas as pd

#: Six switches of the service level, which `ablation` takes if it isn't told others.
PATTERNS = ("timeout", "deadline", "retry_budget", "breaker", "bulkhead", "shedding")
ABLATION_SECONDS = 32.0  # that a run of an ablation lasts


@dataclass(frozen=True)
class Ablation:
    """Every combination of some switches in one incident.

    Attributes:
        incident: the incident's name.
        switches: which were switched.
        sweep: all runs; results `goodput` (share of the requests), `p99` and `recovers`.
    """

    incident: str
    switches: tuple[str, ...]
    sweep: Sweep

    def table(self, result: str = "goodput", level: float = 0.95) -> pd.DataFrame:
        """Return what each switch adds, with confidence bands: a row a switch.

        Columns: `alone`: added to the design with none of them; `on average`: over all combinations of the others;
        `left out`: what is missing when it alone is switched off. Each with `low` and `high`, Student's t on the
        differences of runs with the same seed.

        Args:
            result: which result.
            level: the confidence of each band.
        """
        import pandas as pd

        found = {
            (tuple(row[name] for name in self.switches), row["seed"]): float(row[result])
            for row in self.sweep.rows.to_dict("records")
        }
        seeds = sorted({seed for _, seed in found})
        parts: dict[str, dict[tuple[str, str], float]] = {}
        for place, switch in enumerate(self.switches):
            gaps = [
                [
                    found[(*rest[:place], True, *rest[place:]), seed]
                    - found[(*rest[:place], False, *rest[place:]), seed]
                    for seed in seeds
                ]
                for rest in product((False, True), repeat=len(self.switches) - 1)
            ]
            average = [sum(column) / len(gaps) for column in zip(*gaps, strict=True)]
            ways = {"alone": gaps[0], "on average": average, "left out": gaps[-1]}
            parts[switch] = {
                (way, name): value
                for way, values in ways.items()
                for name, value in zip(("gain", "low", "high"), student(values, level), strict=True)
            }
        return pd.DataFrame(parts).T

    def mean(self, *switched_on: str, result: str = "goodput") -> float:
        """Return the mean of a result with these switches on and the others off."""
        names = {one_of("switch", name, self.switches) for name in switched_on}
        rows = self.sweep.rows
        for switch in self.switches:
            rows = rows[rows[switch] == (switch in names)]
        return float(rows[result].mean())


def ablation(
    incident: Incident | str,
    switches: Sequence[str] = PATTERNS,
    *,
    design: Design | None = None,
    seeds: int | Iterable[int] = 10,
    load: float = LOAD,
    executor: Executor | None = None,
    progress: bool = False,
) -> Ablation:
    """Run an incident with every combination of some switches.

    Args:
        incident: one of `INCIDENTS`, its name, or one of your own.
        switches: names of switches of `Design`; n of them make 2ⁿ designs.
        design: what else is switched on, always; None: nothing but retries.
        seeds: how many runs a design, or their seeds.
        load: requests a second.
        executor: who does the work, as for `dscourse.exploration.sweep`.
        progress: show a bar.

    Raises:
        ValueError: there is no such incident or switch.
    """
    known = ("retry", *(name for names in LEVELS.values() for name in names))
    names = tuple(one_of("each of switches", name, known) for name in items("switches", switches, "a list"))
    what = (
        incident
        if isinstance(incident, Incident)
        else INCIDENTS[one_of("incident", incident, tuple(INCIDENTS))]
    )
    if not isinstance(seeds, Iterable):
        whole("seeds", seeds, at_least=1)
    experiment = partial(_one_run, what, design or Design(), load)
    result = sweep(
        experiment,
        dict.fromkeys(names, (False, True)),
        seeds=seeds,
        executor=executor,
        progress=progress,
    )
    return Ablation(what.name, names, result)


def _one_run(
    incident: Incident, design: Design, load: float, *, seed: int, **switches: bool
) -> Mapping[str, Any]:
    outage = run_incident(
        incident, replace(design, **switches), load=load, seed=seed, seconds=ABLATION_SECONDS
    )
    return {"goodput": outage.goodput_share, "p99": outage.p99, "recovers": outage.recovers}
