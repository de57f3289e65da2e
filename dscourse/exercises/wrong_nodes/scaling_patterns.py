"""Right and wrong answers to the nodes of notebook 03: how a load balancer picks a server.

Each is a cell; what is wrong with it shows under one load, which the tests name.
"""

from __future__ import annotations

PICK_STUB = '''\
def pick(view, rng):
    """Return one of view.servers.

    view.open_requests[server] is a count that may be old, and only of this balancer's own requests;
    view.failures[server] of its last ten answers were failures; view.tried have failed this request.
    """
    ...

answer = pick
'''

PICK_RIGHT = """\
def pick(view, rng):
    rest = [server for server in view.servers if server not in view.tried] or view.servers
    first = rest[int(rng.random() * len(rest))]
    second = rest[int(rng.random() * len(rest))]
    load = {server: view.open_requests[server] + 10 * view.failures[server] for server in (first, second)}
    return first if load[first] <= load[second] else second

answer = pick
"""

# name: the cell, and what to say to it
PICK_WRONG = {
    "the least of an old view": (
        """\
def pick(view, rng):
    rest = [server for server in view.servers if server not in view.tried] or view.servers
    least = min(view.open_requests[server] + 10 * view.failures[server] for server in rest)
    best = [s for s in rest if view.open_requests[s] + 10 * view.failures[s] == least]
    return best[int(rng.random() * len(best))]

answer = pick
""",
        "Until the view is renewed everybody runs to the same few servers, which were the least loaded once.",
    ),
    "ties to the lowest": (
        """\
def pick(view, rng):
    rest = [server for server in view.servers if server not in view.tried] or view.servers
    return min(rest, key=lambda server: view.open_requests[server] + 10 * view.failures[server])

answer = pick
""",
        "min takes the first of equals. Many balancers with few requests of their own see nothing but equals.",
    ),
    "loves the one that fails fast": (
        """\
def pick(view, rng):
    rest = [server for server in view.servers if server not in view.tried] or view.servers
    first = rest[int(rng.random() * len(rest))]
    second = rest[int(rng.random() * len(rest))]
    return min(first, second, key=lambda server: view.open_requests[server])

answer = pick
""",
        "A server that fails at once has nothing open, and looks like the best of all: count its failures as load.",
    ),
    "tries the same server again": (
        """\
def pick(view, rng):
    first = view.servers[int(rng.random() * len(view.servers))]
    second = view.servers[int(rng.random() * len(view.servers))]
    if view.tried:
        return view.tried[-1]
    load = {server: view.open_requests[server] + 10 * view.failures[server] for server in (first, second)}
    return first if load[first] <= load[second] else second

answer = pick
""",
        "What has failed a moment ago will most likely fail again: somebody else should have a try.",
    ),
    "any of them": (
        """\
def pick(view, rng):
    return view.servers[int(rng.random() * len(view.servers))]

answer = pick
""",
        "It herds nowhere, and looks nowhere: some servers have a queue while others are idle.",
    ),
}
