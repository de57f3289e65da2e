"""What the tests of Raft share: scripts on few members, and what came of them."""

import pytest

from dscourse.consensus import RaftNode, watched
from dscourse.exploration import script


class Members:
    """Runs steps on members with timeouts that need no luck."""

    def __call__(self, steps, *, kind=RaftNode, count=5, **settings):
        node = watched(kind)

        def member(node_id, peers):
            return node(node_id, peers, election_timeout=(0.2, 0.2), **settings)

        return script(member, [f"n{place}" for place in range(count)], steps, skip=True)

    @staticmethod
    def logs(run, time=None):
        """Each member's log in words: term and command, "-" for a leader's own entry."""
        nodes = run.at(run.until if time is None else time).nodes
        return {
            name: " ".join(f"{entry.term}{entry.command or '-'}" for entry in fields["log"])
            for name, fields in nodes.items()
        }


@pytest.fixture(scope="session")
def members():
    return Members()
