"""The cluster player: a run to look at, to move about in, and to break by hand.

    from dscourse.views import play
    play(run)            # or play(split, calm): two runs side by side, with the moment at which they part

The browser gets the whole trace once. It asks Python for two things only: another run with one more fault (or one
less), and what stands inside the nodes at a moment.
"""

from dscourse.views.player import lanes
from dscourse.views.player.tasks import Task, Visit
from dscourse.views.player.widget import Player, play

__all__ = ["Player", "Task", "Visit", "lanes", "play"]
