"""What the learner is asked: predictions before an experiment, exercises after it, and how far they have come.

    from dscourse.exercises import scaling_metrics as exercises
    exercises.linear_or_not            # a prediction: choose and commit; the run decides
    exercises.linear_or_not.compare()  # after the run: yours beside the result, and why
    exercises.usl_peak                 # an exercise: the task, with buttons for check, hint and solution
    exercises.usl_peak.check()         # judges what your notebook calls `usl_peak`; also .hint() and .solution()

    from dscourse.exercises import progress
    progress()

Each notebook has a module here that bears its name. The modules are imported one by one, never from here.
"""

from dscourse.exercises._call_examination import Call, CallExamination, CallSequence
from dscourse.exercises._cluster_examination import ClusterExamination, Requirement, Schedule
from dscourse.exercises._examiner_exercise import ExaminerExercise
from dscourse.exercises._exercise import Exercise, Mistake, Unfit
from dscourse.exercises._feedback import Feedback
from dscourse.exercises._function import FunctionExercise
from dscourse.exercises._learner_code import told
from dscourse.exercises._misconception import Misconception
from dscourse.exercises._node_exercise import NodeExercise, WrongNode
from dscourse.exercises._number import NumberExercise
from dscourse.exercises._prediction import Expectation, Prediction
from dscourse.exercises._prediction_choice import ChoicePrediction
from dscourse.exercises._prediction_curve import CurvePrediction
from dscourse.exercises._prediction_node import NodePrediction
from dscourse.exercises._prediction_number import NumberPrediction
from dscourse.exercises._progress import export_progress, import_progress, progress
from dscourse.exercises._trial import Rule, TrialExercise, tried_with

__all__ = [
    "Call",
    "CallExamination",
    "CallSequence",
    "ChoicePrediction",
    "ClusterExamination",
    "CurvePrediction",
    "ExaminerExercise",
    "Exercise",
    "Expectation",
    "Feedback",
    "FunctionExercise",
    "Misconception",
    "Mistake",
    "NodeExercise",
    "NodePrediction",
    "NumberExercise",
    "NumberPrediction",
    "Prediction",
    "Requirement",
    "Rule",
    "Schedule",
    "TrialExercise",
    "Unfit",
    "WrongNode",
    "export_progress",
    "import_progress",
    "progress",
    "told",
    "tried_with",
]
