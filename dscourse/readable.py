"""Numbers as people would write them."""

from __future__ import annotations

from decimal import Decimal

from dscourse.arguments import real


def readable_seconds(seconds: float) -> str:
    """Return a time in the unit that people would use, with three digits: 0.0123 is 12.3 ms."""
    number = real("seconds", seconds)
    if abs(number) >= 999.5:
        return f"{readable_number(number)} s"
    number = float(f"{number:.3g}")  # rounded first: 999.9 ms are 1 s
    for size, unit in ((1.0, "s"), (1e-3, "ms")):
        if abs(number) >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number / 1e-6:.3g} µs"


def readable_number(value: float) -> str:
    """Return a number with four digits, or all of those before the point, in groups of three: 12 345 or 0.1235.

    From 10¹⁵ on, where a float has no more digits to tell, it is written as 1e+15; so are whole numbers beyond all
    floats.
    """
    if isinstance(value, int) and abs(value) >= 10**15:
        return f"{Decimal(value).normalize():.4g}"
    number = real("value", value)
    if abs(number) >= 1e15:
        return f"{number:.4g}"
    return f"{number:,.0f}".replace(",", " ") if abs(number) >= 999.95 else f"{number:.4g}"


def readable_percent(share: float, digits: int = 0) -> str:
    """Return a share in per cent, with so many digits after the point: 0.093 is 9.3 % with one."""
    return f"{100 * real('share', share):.{digits}f} %"
