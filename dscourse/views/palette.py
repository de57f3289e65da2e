"""One palette that colour-blind readers can tell apart, and how a node's state looks.

The colours are those of M. Okabe and K. Ito, Color Universal Design (2008), put in an order in which neighbours differ
in lightness too, so that they also survive a grey printout. A state is never told by colour alone: it has a shape and
a label as well.
"""

from __future__ import annotations

from dataclasses import dataclass

BLACK = "#000000"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
GREY = "#6E6E6E"
LIGHT_GREY = "#C8C8C8"

#: For lines and areas, in this order; pair each with a marker of `MARKERS` or a dash of `DASHES`.
SERIES = (BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE, BLACK, YELLOW)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))


@dataclass(frozen=True)
class Look:
    """How a state is drawn: fill colour, colour of the text on it, shape, and what it is called."""

    colour: str
    text: str
    shape: str  # matplotlib marker
    label: str


#: How a status is drawn that a node records of itself, by its name. A protocol with words of its own puts them here;
#: any other gets a look by its letters. A belief ("suspect", "faulty") never looks like the fact ("crashed").
STATES: dict[str, Look] = {
    "up": Look(SKY, BLACK, "o", "up"),
    "leader": Look(GREEN, BLACK, "*", "leader"),
    "follower": Look(SKY, BLACK, "o", "follower"),
    "candidate": Look(ORANGE, BLACK, "D", "candidate"),
    "paused": Look(LIGHT_GREY, BLACK, "s", "paused"),
    "stale": Look(YELLOW, BLACK, "p", "stale"),
    "suspected": Look(YELLOW, BLACK, "h", "suspected"),
    "suspect": Look(YELLOW, BLACK, "^", "suspect"),
    "faulty": Look(PURPLE, BLACK, "D", "declared faulty"),
    "left": Look(LIGHT_GREY, BLACK, "H", "has left"),
    "primary": Look(BLUE, "#FFFFFF", "*", "primary"),
    "backup": Look(SKY, BLACK, "s", "backup"),
    "off": Look(GREY, "#FFFFFF", "P", "switched off"),
    "in doubt": Look(ORANGE, BLACK, "p", "in doubt"),
    "suspicious": Look(ORANGE, BLACK, "^", "suspicious"),  # of somebody else
    "convinced": Look(VERMILION, BLACK, "D", "convinced"),  # that somebody else is faulty
    "crashed": Look("#FFFFFF", BLACK, "X", "crashed"),
}


def look(status: str) -> Look:
    """Return how a status looks; a status that a topic invents gets a look of its own, always the same one."""
    if status in STATES:
        return STATES[status]
    place = sum(ord(letter) for letter in status)
    spare = ((PURPLE, "v"), (ORANGE, "^"), (YELLOW, "P"), (SKY, "H"))
    colour, shape = spare[place % len(spare)]
    return Look(colour, BLACK, shape, status)


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, definition of contrast ratio)."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
