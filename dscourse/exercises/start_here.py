"""Predictions of notebook 00."""

from dscourse.exercises import Option, Prediction

all_machines_up = Prediction(
    "start_here.all_machines_up",
    question=(
        "A service needs all of its 100 machines at once. Each is up 99.9 % of the time, and they fail independently of "
        "each other. How much of the time is the service up?"
    ),
    options={
        "a": Option(
            "about 99.9 %, like each of them",
            "That holds for each machine taken alone. The service needs all 100 at the same moment. Run it and see what "
            "becomes of the chances when they have to come true together.",
        ),
        "b": Option(
            "about 99 %",
            "You expect some loss, and there is some. Each machine takes away a tenth of a percent, and there are a hundred "
            "of them. Run it.",
        ),
        "c": Option(
            "about 90 %",
            "Yes. A hundred small chances of being down, hardly ever at the same time, add up to almost a tenth. What would "
            "a thousand machines give?",
        ),
    },
    right="c",
)

crash_the_leader = Prediction(
    "start_here.crash_the_leader",
    question=(
        "Five nodes greet each other twice a second and follow n0. At 3 s n0 crashes, without a word. "
        "When do the others follow a new leader?"
    ),
    options={
        "a": Option(
            "at once: they notice that n0 is gone",
            "How would they notice? A crashed node sends nothing, and silence looks the same as a message that is late. "
            "Look at how long the others go on following n0.",
        ),
        "b": Option(
            "after a while: when n0 has been silent for too long",
            "Yes. Nobody sees a crash; the others only stop hearing from n0. How long they wait is a choice, and "
            "notebook 08 is about nothing else.",
        ),
        "c": Option(
            "never: somebody has to tell them",
            "Nobody outside is watching here. But the nodes have agreed on a rule about silence. Run it and see the rule "
            "at work.",
        ),
    },
    right="b",
)

cut_the_network = Prediction(
    "start_here.cut_the_network",
    question=(
        "All five nodes are up. At 3 s the network is cut: n0 and n1 on one side, n2, n3 and n4 on the other. "
        "How many leaders are there a few seconds later?"
    ),
    options={
        "a": Option(
            "none: without the whole cluster nobody leads",
            "That would be careful, but the rule here asks no one how many nodes they can reach. Look at the colours.",
        ),
        "b": Option(
            "one: n0 is up and goes on leading",
            "n0 does go on leading, on its own side. What do the three nodes see that no longer hear from it?",
        ),
        "c": Option(
            "two: one on each side",
            "Yes. To n2, n3 and n4 a cut looks exactly like a crash of n0 and n1, so they apply the same rule. This is "
            "called split brain, and notebook 09 mends it.",
        ),
    },
    right="c",
)
