"""Workshops of three lengths: what is taught when, with the minutes that the notebooks themselves give."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

TIME = re.compile(r"\*\*Time\*\*: (?:core )?(\d+) min")
BREAK = 15
LUNCH = 60
INTRO = """# Timetables

The minutes are those of the notebooks' core paths, which count reading, playing and answering. With a group, let
everybody commit to a prediction before anybody runs the cell; the minutes allow for it. When you are late, leave out
what each notebook's notes name, never the case that closes it."""
LONGEST_STRETCH = 100  # minutes of work after which there is a break


@dataclass(frozen=True)
class Workshop:
    """A workshop.

    Attributes:
        title: how long it is.
        promise: what its learners can do afterwards.
        days: for each day, the numbers of the notebooks whose core is taught.
    """

    title: str
    promise: str
    days: tuple[tuple[str, ...], ...]


WORKSHOPS = (
    Workshop(
        "Half a day",
        "Learners can say why a silent machine and a slow one look the same, why two sides must not both decide, and "
        "what a majority costs. Needs nothing but programming.",
        (("00", "08", "09"),),
    ),
    Workshop(
        "One day",
        "From measuring load to losing acknowledged writes, to a majority that doesn't, to the overload that stays.",
        (("00", "01", "05", "09", "11"),),
    ),
    Workshop(
        "Two days",
        "The whole road, with a game day at its end that the groups play against each other.",
        (("00", "01", "03", "04", "05", "06"), ("07", "08", "09", "10", "11", "12")),
    ),
)


def core_minutes(notebooks: Path) -> dict[str, tuple[str, int]]:
    """Return, by number, each notebook's file name without its ending and the minutes of its core path.

    Raises:
        ValueError: if a title cell doesn't say them.
    """
    found = {}
    for path in sorted(notebooks.glob("*.ipynb")):
        title = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
        time = TIME.search(title)
        if time is None:
            raise ValueError(f"the first cell of {path.name} doesn't say how long its core takes")
        found[path.stem[:2]] = (path.stem, int(time[1]))
    return found


def timetable(workshop: Workshop, minutes: dict[str, tuple[str, int]], begin: int = 9 * 60) -> str:
    """Return a workshop's timetable as Markdown; each day begins at so many minutes after midnight."""
    lines = [f"## {workshop.title}", "", workshop.promise]
    for number, day in enumerate(workshop.days, 1):
        lines += [
            "",
            f"### Day {number}" if len(workshop.days) > 1 else "",
            "",
            "| from | to | what |",
            "|---|---|---|",
        ]
        now, since_break, had_lunch = begin, 0, False
        for place, notebook in enumerate(day):
            stem, length = minutes[notebook]
            if place and since_break + length > LONGEST_STRETCH:
                lunch = not had_lunch and now >= begin + 150
                pause = LUNCH if lunch else BREAK
                lines.append(f"| {clock(now)} | {clock(now + pause)} | *{'lunch' if lunch else 'break'}* |")
                now, since_break, had_lunch = now + pause, 0, had_lunch or lunch
            lines.append(
                f"| {clock(now)} | {clock(now + length)} | [{stem.replace('-', ' ')}]({stem}.ipynb), core |"
            )
            now, since_break = now + length, since_break + length
        lines.append(f"| {clock(now)} | {clock(now + 15)} | what surprised us; questions |")
    return "\n".join(lines)


def clock(minutes: int) -> str:
    """Return minutes after midnight as a time of day."""
    return f"{minutes // 60}:{minutes % 60:02d}"


def page(notebooks: Path) -> str:
    """Return the page of all timetables that can be kept with the notebooks that are there, as Markdown."""
    minutes = core_minutes(notebooks)
    kept = [one for one in WORKSHOPS if all(number in minutes for day in one.days for number in day)]
    return "\n\n".join([INTRO, *(timetable(one, minutes) for one in kept)]) + "\n"
