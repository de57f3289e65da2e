"""Why rare slowness becomes common when one request asks many servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dscourse.arguments import numbers, probability, shown

if TYPE_CHECKING:
    from dscourse.arguments import Floats


def fan_out_tail(slow_probability: float, servers: float | Sequence[float] | Floats) -> Any:
    """Return the chance that at least one of ``servers`` answers slowly: 1 − (1 − p)ⁿ.

    J. Dean and L. A. Barroso, *The Tail at Scale*, CACM 56(2), 2013. Assumes that the servers are slow
    independently of each other.

    Args:
        slow_probability: the chance that one server is slow, 0 to 1.
        servers: how many are asked, a whole number from 0; one number or an array.

    Raises:
        TypeError: not numbers.
        ValueError: a chance outside 0 to 1; a negative or broken number of servers.

    Example:
        >>> round(fan_out_tail(0.01, 100), 3)
        0.634
    """
    slow = probability("slow_probability", slow_probability)
    count = numbers("servers", servers, at_least=0.0)
    if (count != np.floor(count)).any():
        raise ValueError(f"servers must be whole numbers, got {shown(servers)}")
    certain = np.where(count > 0, 1.0, 0.0)
    result = certain if slow == 1.0 else -np.expm1(count * np.log1p(-slow))  # exact even where p is tiny
    return float(result) if result.ndim == 0 else result
