"""How a learner's node is examined: its errors, its loops, its peeking, and code that is no node."""

import pytest

from dscourse.exercises import (
    Call,
    CallExamination,
    CallSequence,
    ClusterExamination,
    NodeExercise,
    Requirement,
    Schedule,
    Unfit,
    WrongNode,
)
from dscourse.exercises._learner_code import run_answer
from dscourse.exercises.nodes.failure_detection import ask_somebody_else, suspect_the_silent
from dscourse.exercises.nodes.recovery import keep_the_fleet
from dscourse.exercises.nodes.start_here import greet_and_count
from dscourse.exploration import FaultMix
from dscourse.simulation import Crash, Network, Node, always, topology

RIGHT = greet_and_count.solution_code
GREETING = "            ctx.send(peer, Hello())"


def judged(*, begin="", before_greeting="", in_message="", in_class="", right=RIGHT):
    """Judge the right greeter with something put in."""
    code = begin + right
    code = code.replace("class Greeter(Node):\n", f"class Greeter(Node):\n{in_class}")
    code = code.replace(GREETING, f"{before_greeting}{GREETING}")
    signature = "    def on_message(self, ctx, sender, message):\n"
    code = code.replace(signature, signature + in_message)
    return greet_and_count.judge(run_answer(code))


def test_nothing_put_in_is_right():
    assert judged()


# ── Errors and loops ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_error_shows_the_learners_line_the_time_and_the_node_and_can_be_played():
    feedback = judged(in_message="        count = 1 / len(self.answered)\n")
    assert feedback.status == "stopped"
    assert feedback.message.startswith(
        "At 0.1 s, `on_message` of n1 raised ZeroDivisionError: division by zero (line "
    )
    assert feedback.code == "count = 1 / len(self.answered)"
    assert greet_and_count.counterexample.stopped == pytest.approx(0.1)
    assert "Traceback" not in repr(feedback)


def test_an_error_that_takes_a_fault_is_found_and_shrunk():
    feedback = judged(in_message="        assert ctx.now < 0.5\n")
    assert feedback.status == "stopped"
    assert "AssertionError" in feedback.message
    assert len(greet_and_count.counterexample.faults) == 1


def test_a_body_that_is_not_written_yet_is_not_attempted():
    assert judged(in_message="        raise NotImplementedError\n").status == "not attempted"


def test_a_handler_that_never_ends_is_stopped_and_told():
    feedback = judged(in_message="        while len(self.answered) < 9:\n            pass\n")
    assert feedback.status == "stopped"
    assert "never ends: it had not ended after 50000 lines" in feedback.message
    assert feedback.code in ("while len(self.answered) < 9:", "pass")


def test_a_constructor_that_never_ends_is_stopped_too():
    init = "    def __init__(self, node_id, peers):\n        while True:\n            pass\n\n"
    assert judged(in_class=init).status == "stopped"


def test_a_run_that_never_ends_is_told():
    endless = "        ctx.send(sender, Welcome())\n        ctx.set_timer('again', 0.0)\n"
    feedback = judged(
        in_message=endless,
        in_class="    def on_timer(self, ctx, name):\n        ctx.set_timer(name, 0.0)\n\n",
    )
    assert feedback.status == "wrong"
    assert "never ends" in feedback.message


def test_many_lines_are_no_endless_loop():
    assert judged(in_message="        for _ in range(1000):\n            pass\n")


def test_a_tracer_that_was_there_before_is_there_again():
    import sys

    before = sys.gettrace()
    judged()
    assert sys.gettrace() is before


# ── Peeking ───────────────────────────────────────────────────────────────────────────────────────────────────────────

PEEKS = {
    "a module": (
        {"begin": "import random\n", "in_message": "        random.random()\n"},
        "Your code uses `random`",
    ),
    "a function": (
        {"begin": "from time import time\n", "in_message": "        time()\n"},
        "Your code uses `time`",
    ),
    "an import inside": ({"in_message": "        import datetime\n"}, "Your code uses `datetime`"),
    "numpy": ({"begin": "import numpy as np\n", "in_message": "        np.random.rand()\n"}, "`np.random`"),
    "a helper": (
        {
            "begin": "import time\ndef clock():\n    return time.monotonic()\n",
            "in_message": "        clock()\n",
        },
        "Your code uses `time`",
    ),
    "a global": (
        {"begin": "SEEN = []\n", "in_message": "        SEEN.append(sender)\n"},
        "in the global `SEEN`",
    ),
    "the class": (
        {"in_class": "    seen = []\n", "in_message": "        self.seen.append(sender)\n"},
        "in the class attribute `Greeter.seen`",
    ),
    "a count in the class": (
        {"in_class": "    runs = 0\n", "before_greeting": "            Greeter.runs += 1\n"},
        "in the class attribute `Greeter.runs`",
    ),
    "a default argument": (
        {
            "in_class": "    def note(self, who, seen=[]):\n        seen.append(who)\n\n",
            "in_message": "        self.note(sender)\n",
        },
        "in a default argument of `note`",
    ),
    "node objects": (
        {"begin": "ALL = {}\n", "before_greeting": "            ALL[self.node_id] = self\n"},
        "in the global `ALL`",
    ),
    "luck from the system": (
        {
            "begin": "import os\n",
            "in_message": "        ctx.record('luck', number=int.from_bytes(os.urandom(4)[:3], 'big'))\n",
        },
        "Your code is not deterministic",
    ),
}


@pytest.mark.parametrize("name", PEEKS)
def test_a_node_that_looks_or_keeps_something_outside_itself_is_told(name):
    changes, words = PEEKS[name]
    feedback = judged(**changes)
    assert feedback.status == "wrong"
    assert words in feedback.message


def test_the_order_of_a_set_is_told():
    feedback = judged(right=RIGHT.replace("for peer in self.peers", "for peer in set(self.peers)"))
    assert feedback.status == "wrong"
    assert "The order of a set differs" in feedback.message


def test_a_set_that_is_kept_and_gone_through_later_is_told_too():
    kept = RIGHT.replace(
        "for peer in self.peers", "self.others = set(self.peers)\n        for peer in self.others"
    )
    assert kept != RIGHT
    assert "use `sorted(…)` or a list" in judged(right=kept).message
    assert judged(right=kept.replace("in self.others", "in sorted(self.others)"))


def test_constants_and_own_luck_are_no_peeking():
    assert judged(
        begin="PATIENCE = 3\nLIMITS = [1, 2]\n",
        in_message="        PATIENCE + LIMITS[0] + ctx.rng.random()\n",
    )


# ── What is no answer, and what has other words ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "answer", [5, "Greeter", int, Node, Node("n0", ()), lambda node_id, peers: 5, [Node]]
)
def test_what_is_no_class_of_nodes_is_told_so(answer):
    feedback = greet_and_count.judge(answer)
    assert feedback.status == "wrong"
    assert feedback.message.startswith("The answer is your class of nodes")


def test_a_wrong_node_that_nobody_has_thought_of_is_told_what_broke():
    code = RIGHT.replace(
        "for peer in self.peers", "for peer in self.peers[:1] if ctx.now == 0 else self.peers"
    )
    code = code.replace("self.peers[:1] if ctx.now == 0", "self.peers if ctx.now == 0").replace(
        "else self.peers", "else []"
    )
    feedback = greet_and_count.judge(run_answer(code))  # it greets nobody after a restart
    assert feedback.message == "“a node that starts greets every peer”: that does not hold yet."
    assert "n0 starts and greets nobody" in feedback.found
    assert ("each greeting is answered", True) in feedback.held


def test_a_detector_that_never_suspects_is_not_told_that_it_has_one_timer_for_all():
    silent = suspect_the_silent.solution_code.replace("self.suspected.append(name)", "return")
    message = suspect_the_silent.judge(run_answer(silent)).message
    assert "whoever is silent for three seconds" in message
    assert "one timer" not in message


def test_the_same_wrong_in_other_code_gets_the_words_of_the_known_one():
    code = RIGHT.replace("elif sender not in self.answered:", "else:").replace(
        "self.answered.append(sender)", "self.answered = self.answered + [sender]"
    )
    assert greet_and_count.judge(run_answer(code)).message == greet_and_count.wrong_nodes[1].message


def test_a_verdict_is_the_same_every_time():
    code = greet_and_count.wrong_nodes[1].code
    first, second = (greet_and_count.judge(run_answer(code)) for _ in range(2))
    assert first == second


def test_what_is_shown_holds_the_stub_as_text_and_a_button_in_a_page():
    assert greet_and_count.stub.code in repr(greet_and_count)
    shown = greet_and_count.stub._repr_mimebundle_()
    assert shown["text/plain"] == greet_and_count.stub.code
    assert "application/vnd.jupyter.widget-view+json" in shown
    feedback = greet_and_count.judge(run_answer(greet_and_count.wrong_nodes[0].code))
    assert ["text", feedback.found] in feedback.parts()
    assert ["text", "✓ holds: each greeting is answered"] in feedback.parts()
    html = feedback._repr_html_()
    assert "✗ broken:" in html
    assert "✓ holds:" in html


# ── A part of a node, and what is no node ─────────────────────────────────────────────────────────────────────────────


def in_a_node(pick):
    """A node of the exercise's own around a function of the learner's."""
    if not callable(pick):
        raise Unfit

    class Sender(Node):
        def on_start(self, ctx):
            self.chosen = pick(list(self.peers))

    return Sender


PICK = NodeExercise(
    "rings.pick",
    task="Pick a peer.",
    expects="a function of the peers",
    success="Yes.",
    hints=("Any.",),
    stub="def pick(peers):\n    ...\n\nanswer = pick\n",
    solution="def answer(peers):\n    return peers[-1]\n",
    wrong_nodes=(
        WrongNode("picks the first", "def answer(peers):\n    return peers[0]\n", "Not the first.", 0),
    ),
    examination=ClusterExamination(
        network=Network(topology.full_mesh(3), latency=0.1),
        until=1.0,
        as_node=in_a_node,
        requirements=(
            Requirement(
                always(
                    lambda now: all(f["chosen"] in ("n1", "n2") for f in now.nodes.values() if f),
                    name="n0 is left alone",
                ),
                "Rings",
            ),
        ),
        schedules=(Schedule("nothing goes wrong"), Schedule("n2 is dead", (Crash("n2", 0.5),))),
        faults=FaultMix(most=1),
        seeds=5,
    ),
)


def test_a_function_is_put_into_a_node_of_the_exercises_own():
    assert (
        PICK.judge(run_answer(PICK.stub.code.replace("pick = pick", "answer = pick"))).status
        == "not attempted"
    )
    assert PICK.judge(run_answer(PICK.wrong_nodes[0].code)).message == "Not the first."
    assert PICK.counterexample.nodes == ("n0", "n1", "n2")
    assert PICK.judge(5).status == "wrong"
    looping = PICK.judge(run_answer("def answer(peers):\n    while True:\n        peers = peers\n"))
    assert (looping.status, looping.code) == ("stopped", "peers = peers")


BREAKER = """\
class answer:
    def __init__(self, limit):
        self.limit, self.failures, self.since = limit, 0, 0.0

    def record(self, now, ok):
        self.failures, self.since = (0, now) if ok else (self.failures + 1, now)

    def allow(self, now):
        return self.failures < self.limit or now >= self.since + 5
"""
SEQUENCES = (
    CallSequence("it begins closed", "Breakers", (Call("allow", (0.0,)),)),
    CallSequence(
        "failures open it",
        "Breakers",
        (
            *(Call("record", (float(t), False)) for t in range(3)),
            Call("allow", (4.0,)),
            Call("allow", (6.9,)),
        ),
    ),
    CallSequence(
        "a success forgives",
        "Breakers",
        (
            Call("record", (0.0, False)),
            Call("record", (1.0, True)),
            Call("record", (2.0, False)),
            Call("allow", (3.0,)),
        ),
    ),
)


def drawn(luck):
    time, calls = 0.0, []
    for _ in range(12):
        time += round(luck.random() * 4, 1)
        calls.append(
            Call("record", (time, luck.random() < 0.3)) if luck.random() < 0.6 else Call("allow", (time,))
        )
    return calls


BREAK = NodeExercise(
    "rings.breaker",
    task="Write a breaker.",
    expects="a class with record(now, ok) and allow(now)",
    success="Yes.",
    hints=("Count.",),
    stub=BREAKER.replace("return self.failures < self.limit or now >= self.since + 5", "..."),
    solution=BREAKER,
    wrong_nodes=(
        WrongNode(
            "never forgives", BREAKER.replace("(0, now) if ok", "(self.failures, now) if ok"), "Forgive.", 4
        ),
        WrongNode(
            "never opens", BREAKER.replace("self.failures < self.limit or now", "True or now"), "Open.", 3
        ),
    ),
    examination=CallExamination(sequences=SEQUENCES, solution=BREAKER, draw=drawn, settings=(2,)),
)


def test_a_class_that_is_no_node_is_driven_by_calls_and_the_failing_ones_are_shown():
    assert BREAK.judge(run_answer(BREAKER))
    assert BREAK.judge(run_answer(BREAK.stub.code)).status == "not attempted"
    for wrong in BREAK.wrong_nodes:
        feedback = BREAK.judge(run_answer(wrong.code))
        assert (feedback.status, feedback.message) == ("wrong", wrong.message)
        assert BREAK.report.faults == wrong.faults
    assert repr(BREAK.counterexample) == (
        "  record(1.0, False)\n  record(2.0, False)\n→ allow(4.0) returned True; right is False"
    )
    assert "“failures open it”: after 2 calls `allow(4.0)` returned True; right is False." in feedback.found
    assert dict(feedback.held) == {
        "it begins closed": True,
        "failures open it": False,
        "a success forgives": True,
    }


def test_what_no_named_sequence_shows_a_search_does():
    late = BREAKER.replace("self.since + 5", "self.since + (5 if self.failures < 4 else 6)")
    feedback = BREAK.judge(run_answer(late))
    assert feedback.status == "wrong"
    assert feedback.found.startswith("“a search”")
    assert len(BREAK.counterexample.calls) == 5


def test_calls_too_are_stopped_told_and_refused():
    assert (
        BREAK.judge(
            run_answer(BREAKER.replace("        return", "        while True: pass\n        return"))
        ).status
        == "stopped"
    )
    assert BREAK.judge(
        run_answer("import time\n" + BREAKER.replace("now >=", "time.time() >="))
    ).message.startswith("Your code uses `time`")
    assert BREAK.judge(int).message.startswith("The answer is a class with record(now, ok)")
    shared = BREAKER.replace("    def __init__", "    seen = []\n\n    def __init__").replace(
        "        return", "        self.seen.append(now)\n        return"
    )
    assert "`answer.seen`" in BREAK.judge(run_answer(shared)).message


def test_what_broke_first_is_said_with_the_time_the_nodes_and_the_section():
    feedback = ask_somebody_else.judge(run_answer(ask_somebody_else.wrong_nodes[0].code))
    assert feedback.found == (
        "Schedule “a link is cut”. “nobody suspects a node that is well” breaks at 1.3 s: n0 suspects n1, which is "
        "well. Before that, at 0 s the link n0 – n1 is cut. Section “Ask somebody else: SWIM” "
        "says why it must hold. To see it: `play(exercises.ask_somebody_else.counterexample)`"
    )


def test_a_machine_that_nobody_needed_is_found_by_the_orders_alone_and_who_repeats_a_lost_order_early_is_right():
    vain = next(wrong for wrong in keep_the_fleet.wrong_nodes if wrong.name == "waits for half as long")
    broken = keep_the_fleet.examination.broken(run_answer(vain.code))
    assert broken == (
        (
            "a machine stands still for nine seconds",
            "no more are ordered than died, were silent too long or lost",
        ),
    )
    sooner = keep_the_fleet.solution_code.replace(">= 20", ">= 12")
    assert keep_the_fleet.examination.broken(run_answer(sooner)) == ()
