"""Ten thousand game days over the thirty designs: does the score tell naive, sensible and careful ones apart?

python benchmarks/game_days.py [days of each level, 112 by default: 30 × 3 × 112 = 10 080]
"""

from __future__ import annotations

import statistics
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from dscourse.chaos import GROUPS, LEVELS, GameDay

DESIGNS = {name: design for group in GROUPS.values() for name, design in group.items()}


def played(name: str, level: int, days: int) -> list[tuple[int, str]]:
    """Play a design on so many days and return score and grade of each."""
    results = [GameDay(level, seed).play(DESIGNS[name]) for seed in range(days)]
    return [(result.score, result.grade) for result in results]


def main() -> None:
    """Play all, tell each design's mean score and grades, and each group's mean."""
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 112
    winners = list(DESIGNS)
    with ProcessPoolExecutor() as executor:
        for level in LEVELS:
            every = dict(
                zip(DESIGNS, executor.map(partial(played, level=level, days=days), DESIGNS), strict=True)
            )
            means = {name: statistics.mean(score for score, _ in told) for name, told in every.items()}
            for group, designs in GROUPS.items():
                for name in designs:
                    grades = "".join(grade for _, grade in every[name])
                    counts = ", ".join(f"{grades.count(grade)} {grade}" for grade in "ABCD")
                    print(f"level {level}  {group:9}{name:30}{means[name]:7.1f}   {counts}")
            groups = {
                group: statistics.mean(means[name] for name in designs) for group, designs in GROUPS.items()
            }
            print(f"level {level}  " + ", ".join(f"{group} {mean:.1f}" for group, mean in groups.items()))
            winners = [name for name in winners if all(grade != "D" for _, grade in every[name])]
            best = [min(told[day][1] for told in every.values()) for day in range(days)]
            print(
                f"level {level}  has won every day so far: {winners or 'none'}; "
                f"best grade of a day: {', '.join(f'{best.count(g)} {g}' for g in 'ABCD')}"
            )
            assert groups["naive"] < groups["sensible"] < groups["careful"] > groups["lavish"]
    assert not winners


if __name__ == "__main__":
    main()
