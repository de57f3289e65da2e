"""Node exercises: right nodes against thousands of schedules, and what a check costs.

    python benchmarks/node_exercises.py [SEEDS]

For each exercise: the CPU seconds of a check of the solution and of the slowest wrong node (aim: under 5), and whether
the right node and its equivalents survive SEEDS schedules of the search (10 000 unless given). Ends with 1 if one
doesn't.
"""

import importlib
import pkgutil
import sys
import time

from dscourse.exercises import NodeExercise, nodes
from dscourse.exercises._learner_code import run_answer


def exercises():
    """Every node exercise there is."""
    for found in pkgutil.iter_modules(nodes.__path__):
        for thing in vars(importlib.import_module(f"{nodes.__name__}.{found.name}")).values():
            if isinstance(thing, NodeExercise):
                yield thing


def seconds(work):
    """Seconds of CPU that some work takes."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def main(seeds):
    """Print a row for each exercise."""
    worst = 0
    for exercise in exercises():
        right = seconds(lambda one=exercise: one.judge(run_answer(one.solution_code)))
        first = seconds(
            lambda one=exercise: one.judge(run_answer(one.wrong_nodes[0].code))
        )  # learns all of them
        wrong = max(
            seconds(lambda one=exercise, code=wrong.code: one.judge(run_answer(code)))
            for wrong in exercise.wrong_nodes
        )
        needed = ", ".join(str(wrong.faults) for wrong in exercise.wrong_nodes)
        print(f"{exercise.name}: wrong nodes need {needed} faults")
        print(
            f"  check: right {right:.2f} s, first wrong {first:.2f} s, slowest wrong after that {wrong:.2f} s of CPU"
        )
        for code in (exercise.solution_code, *exercise.equivalents):
            found = exercise.examination.survives(run_answer(code), seeds)
            print(f"  {seeds} schedules: {'survived' if found is None else found.explanation}", flush=True)
            worst |= found is not None
    return int(worst)


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
