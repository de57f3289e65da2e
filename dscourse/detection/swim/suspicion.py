"""One suspicion in the mind of one SWIM member: who shares it, and how long the suspect still has to answer."""

from __future__ import annotations

from dscourse.detection.swim.theory import swim_suspicion_timeout


class OpenSuspicion:
    """Starts with the longest timeout, and gets shorter with each independent confirmation (memberlist's rule).

    Args:
        since: when it began, by the clock of the member that holds it.
        accuser: from whom it came; its own repetitions are no confirmation.
        expected: confirmations after which the shortest timeout holds.
        shortest: seconds.
        longest: seconds.
    """

    def __init__(self, since: float, accuser: str, expected: int, shortest: float, longest: float) -> None:
        self._since = since
        self._accusers = [accuser]
        self._expected = expected
        self._shortest = shortest
        self._longest = longest

    def confirm(self, accuser: str) -> bool:
        """Count one more accuser; False if it is known already or no more confirmations are needed."""
        if accuser in self._accusers or self._confirmations >= self._expected:
            return False
        self._accusers.append(accuser)
        return True

    def left(self, now: float) -> float:
        """Seconds until the suspect is declared faulty, at least 0."""
        whole = swim_suspicion_timeout(self._confirmations, self._expected, self._shortest, self._longest)
        return max(0.0, self._since + whole - now)

    @property
    def _confirmations(self) -> int:
        return len(self._accusers) - 1
