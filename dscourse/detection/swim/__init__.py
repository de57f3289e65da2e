"""SWIM: a few members watch each member by turns, and news of a crash spreads like a rumour."""

from dscourse.detection.swim.member import SwimMember

__all__ = ["SwimMember"]
