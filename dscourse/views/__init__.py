"""Pictures and widgets: how the course shows what the models below have computed.

    from dscourse.views import Picture, interactive_figure, live_figure, new_axes, palette

A cell that ends with a `Picture` shows a figure and its caption; one that ends with `interactive_figure(...)` or
`live_figure(...)` shows a figure with controls. What a topic draws stands in the module of that name: `draw_x(...)`
returns a `Picture` and takes `ax=None`, `explore_x(...)` returns a figure with controls.
"""

from dscourse.views import palette
from dscourse.views.adversary import Adversary, adversary
from dscourse.views.axes import new_axes, new_figure, tidy
from dscourse.views.cluster import cluster_map, space_time
from dscourse.views.inevitability import draw_inevitability
from dscourse.views.interactive import InteractiveFigure, interactive_figure, live_figure
from dscourse.views.picture import Picture
from dscourse.views.player import Player, Task, Visit, lanes, play

__all__ = [
    "Adversary",
    "InteractiveFigure",
    "Picture",
    "Player",
    "Task",
    "Visit",
    "adversary",
    "cluster_map",
    "draw_inevitability",
    "interactive_figure",
    "lanes",
    "live_figure",
    "new_axes",
    "new_figure",
    "palette",
    "play",
    "space_time",
    "tidy",
]
