"""The broadcast node that a learner writes, as five processes."""

import time

from dscourse.exercises._learner_code import run_answer
from dscourse.exercises.nodes.game_day import tell_everybody
from dscourse.live import LiveCluster
from dscourse.simulation import topology

BOUND = 20.0  # seconds
FIVE = ("n0", "n1", "n2", "n3", "n4")


def everybody_has(cluster, nodes, values):
    """Whether each of these nodes shows all values in time."""
    limit = time.monotonic() + BOUND
    while time.monotonic() < limit:
        answers = [cluster.ask(node, ("read",)).value or () for node in nodes]
        if all(sorted(answer) == values for answer in answers):
            return True
        cluster.sleep(0.1)
    return False


def test_the_node_that_a_learner_writes_runs_as_five_processes_and_survives_its_hub():
    graph = topology.star(5)
    graph.add_edges_from((FIVE[1 + place], FIVE[1 + (place + 1) % 4]) for place in range(4))
    with LiveCluster(run_answer(tell_everybody.solution_code), graph) as cluster:
        for value in range(3):
            assert cluster.ask(FIVE[value], ("broadcast", value)).outcome == "ok"
        assert everybody_has(cluster, FIVE, [0, 1, 2])
        cluster.partition([FIVE[:3], FIVE[3:]])
        cluster.ask("n3", ("broadcast", 3))
        cluster.ask("n1", ("broadcast", 4))
        cluster.sleep(0.5)
        assert 3 not in cluster.ask("n0", ("read",)).value
        cluster.heal()
        assert everybody_has(cluster, FIVE, [0, 1, 2, 3, 4])
        cluster.kill("n0")
        cluster.ask("n2", ("broadcast", 5))
        assert everybody_has(cluster, FIVE[1:], [0, 1, 2, 3, 4, 5])
        cluster.restart("n0")
        assert everybody_has(cluster, FIVE, [0, 1, 2, 3, 4, 5])
    run = cluster.run
    assert sorted(run.at(run.until).nodes["n4"]["values"]) == [0, 1, 2, 3, 4, 5]
