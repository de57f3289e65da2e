"""A prediction records and tells nothing; after the run it is held against the result."""

import math

import networkx as nx
import pytest

from dscourse import progress
from dscourse.exercises import (
    ChoicePrediction,
    CurvePrediction,
    Expectation,
    Misconception,
    NodePrediction,
    NumberPrediction,
)

MEMORY = Misconception("rings.memory", "It remembers.", "Does it remember?", "No.")


def choice(name="rings.stops", **changed):
    settings = {
        "question": "What does `n0` do?",
        "right": Expectation("it goes on", "Explained right."),
        "wrong": (
            Expectation("it stops", "Explained stop.", MEMORY),
            Expectation("it waits", "Explained wait."),
        ),
    }
    return ChoicePrediction(name, **{**settings, **changed})


def number(**changed):
    settings = {
        "question": "Which share moves?",
        "scale": (0, 1),
        "step": 0.05,
        "unit": "of the keys",
        "near": 0.05,
        "right": "Explained right.",
        "typical": {0.2: Expectation("a fifth", "Explained fifth.", MEMORY)},
        "otherwise": "Explained other.",
    }
    return NumberPrediction("rings.share", **{**settings, **changed})


def curve():
    return CurvePrediction(
        "rings.curve",
        question="How does it run?",
        at=(1, 2, 4),
        scale=(0, 10),
        step=0.5,
        across="nodes",
        along="requests/s",
        near=1,
        right="Explained right.",
        otherwise=Expectation("a line", "Explained line.", MEMORY),
    )


def node():
    return NodePrediction(
        "rings.first",
        question="Who is first?",
        graph=nx.path_graph(["n0", "n1", "n2"]),
        right="Explained right.",
        typical={"n0": Expectation("n0", "Explained n0.", MEMORY)},
        otherwise="Explained other.",
    )


# (prediction, a right answer, a wrong one of the misconception, what is measured)
KINDS = [
    (choice, "it goes on", "it stops", None),
    (number, 0.8, 0.2, 0.8),
    (curve, [1, 2, 3], [1, 2, 9], (1, 2.5, 3)),
    (node, "n2", "n0", "n2"),
]
each_kind = pytest.mark.parametrize(
    ("make", "right", "wrong", "measured"), KINDS, ids=lambda value: str(value)[:20]
)


def sent_to_the_page(prediction):
    return str(prediction.widget().get_state())


def commit(prediction, answer):
    prediction.widget()._handle_custom_msg({"commit": answer}, [])


# ── Before the run ────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_stored_shows_question_and_options_and_nothing_else():
    first, second, third = (option.text for option in choice().options.values())
    assert repr(choice()) == (
        f"What does `n0` do?\n\na) {first}\nb) {second}\nc) {third}\n\n"
        "To commit without buttons: exercises.stops.choose('a')"
    )
    bundle = choice()._repr_mimebundle_()
    assert bundle["text/plain"] == repr(choice())
    assert "<code>n0</code>" in bundle["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle


@each_kind
def test_nothing_is_told_before_the_run(make, right, wrong, measured):
    for answer in (None, right, wrong):
        prediction = make()
        if answer is not None:
            told = prediction.choose(answer)
            assert "The run decides." in repr(told) + told._repr_html_()
            assert "Explained" not in repr(told) + told._repr_html_()
        bundle = prediction._repr_mimebundle_()
        assert "Explained" not in bundle["text/plain"] + bundle["text/html"] + sent_to_the_page(prediction)


@each_kind
def test_what_is_stored_does_not_depend_on_what_was_done(make, right, wrong, measured):
    untouched = make()._repr_mimebundle_()
    prediction = make()
    prediction.choose(wrong)
    for one in (prediction, make()):  # the second as after a restart
        bundle = one._repr_mimebundle_()
        assert (bundle["text/plain"], bundle["text/html"]) == (
            untouched["text/plain"],
            untouched["text/html"],
        )


@each_kind
def test_the_first_commitment_counts_also_after_a_restart_and_from_an_old_page(make, right, wrong, measured):
    prediction = make()
    commit(prediction, wrong)
    commit(prediction, right)
    assert "What you expected first counts" in repr(make().choose(right))
    again = make().widget()
    assert again.committed == prediction.widget().committed == wrong
    assert again.expected == prediction.widget().expected != ""


@pytest.mark.parametrize(
    "message", [{"commit": "z"}, {"commit": None}, {"commit": ["a"]}, {}, {"others": 1}, "a", None]
)
@pytest.mark.parametrize("make", [choice, number, curve, node])
def test_other_messages_are_ignored(make, message):
    prediction = make()
    prediction.widget()._handle_custom_msg(message, [])
    assert prediction.widget().committed is None


UNFIT = [
    "",
    "d",
    None,
    1,
    True,
    ["a"],
    {"a": 1},
    ...,
    10**400,
    math.nan,
    [1, 2],
    [1, 2, math.inf],
    [1, 2, 30],
    1.5,
]


@pytest.mark.parametrize("make", [choice, number, curve, node])
def test_what_is_no_answer_is_refused_and_no_commitment(make):
    for answer in UNFIT:
        if make is number and answer == 1 and answer is not True:
            continue
        prediction = make()
        with pytest.raises((LookupError, TypeError, ValueError), match=r"must|there is no"):
            prediction.choose(answer)
        assert progress.predictions_made() == {}


def test_an_option_may_be_typed_as_it_is_lettered():
    key = next(key for key, option in choice().options.items() if option.text == "it stops")
    assert repr(choice().choose(f" {key.upper()} ")) == "You expect: it stops. The run decides."


def test_a_remembered_option_that_is_no_more_is_no_commitment():
    choice(right=Expectation("it sleeps", "x")).choose("it sleeps")
    assert choice().widget().committed is None
    assert repr(choice().compare()).startswith("You made no prediction.")


def test_choosing_in_python_shows_in_the_widget_too():
    prediction = choice()
    widget = prediction.widget()
    prediction.choose("it stops")
    assert (widget.committed, widget.expected) == ("it stops", "it stops")


# ── After the run ─────────────────────────────────────────────────────────────────────────────────────────────────


@each_kind
def test_without_a_commitment_the_result_and_why(make, right, wrong, measured):
    comparison = make().compare(measured)
    for told in (repr(comparison), comparison._repr_html_()):
        assert "You made no prediction." in told
        assert "Explained right." in told
    assert "Explained right." not in repr(comparison.others)
    assert "✓" not in comparison._repr_html_()
    assert progress.misconceptions_shown() == {}


@each_kind
def test_a_wrong_one_stands_beside_the_result_with_why_one_would_think_so(make, right, wrong, measured):
    make().choose(wrong)
    comparison = make().compare(measured)
    told, hidden, visible = (
        repr(comparison),
        repr(comparison.others),
        comparison._repr_html_().split("<details>")[0],
    )
    for text in (told, visible):
        assert "You expected: " in text
        assert "The run: " in text
        assert "Explained right." not in text
        assert "Explained" in text
    assert "Explained right." in hidden
    assert not comparison.outcome.right
    assert progress.misconceptions_shown() == {"rings.memory": False}


@each_kind
def test_a_right_one_is_borne_out_and_overcomes_what_was_shown_before(make, right, wrong, measured):
    make().choose(right)
    make().compare(measured)
    assert progress.misconceptions_shown() == {}  # it was never shown
    progress.record_misconception("rings.memory", overcome=False)
    comparison = make().compare(measured)
    assert comparison.outcome.right
    assert "✓" in comparison._repr_html_()
    assert "Explained right." in repr(comparison)
    assert progress.misconceptions_shown() == {"rings.memory": True}


def test_what_was_measured_stands_beside_the_right_option():
    assert "The run: it goes on (measured: 0.797)." in repr(choice().compare(0.7968))
    assert "The run: it goes on (measured: 69)." in repr(choice().compare(69))
    assert "The run: it goes on." in repr(choice().compare())


def test_a_number_is_near_the_result_or_a_typical_one_or_neither():
    said = {}
    for answer in (0.84, 0.22, 0.5):
        for path in progress._folder().glob("*"):
            path.unlink()
        number().choose(answer)
        said[answer] = repr(number().compare(0.8)).splitlines()[:3]
    assert said[0.84] == ["You expected: 0.84 of the keys.", "The run: 0.8 of the keys.", "Explained right."]
    assert said[0.22][2] == "Explained fifth."
    assert said[0.5][2] == "Explained other."


def test_the_run_decides_and_not_the_author():
    """Who has changed the experiment is held against their own run."""
    number().choose(0.2)
    assert number().compare(0.21).outcome.right


@pytest.mark.parametrize(
    ("make", "measured"), [(number, None), (number, "x"), (curve, [1, 2]), (curve, 5), (node, "n9")]
)
def test_a_measurement_of_another_kind_is_refused(make, measured):
    with pytest.raises((LookupError, TypeError, ValueError), match=r"must be|there is no node"):
        make().compare(measured)


def test_both_curves_are_drawn_and_told():
    curve().choose([1, 2, 9])
    drawn = curve().compare([1, 2, 30])._repr_html_()
    assert drawn.count("<polyline") == 2
    assert "Predicted: 1, 2, 9. Run: 1, 2, 30." in drawn
    assert "cy='10" in drawn  # what lies beyond the scale stands at its edge


def test_typical_numbers_that_would_be_taken_for_each_other_are_refused():
    close = {0.2: Expectation("a", "b"), 0.24: Expectation("c", "d")}
    with pytest.raises(ValueError, match="taken for each other"):
        number(typical=close)


# ── Options stand in an order that gives nothing away ─────────────────────────────────────────────────────────────


def test_the_order_follows_from_the_name_alone():
    assert list(choice().options.values()) == list(choice().options.values())
    orders = {tuple(option.text for option in choice(f"rings.p{k}").options.values()) for k in range(40)}
    assert len(orders) == 6


def test_the_right_option_stands_at_every_place_alike():
    places = [
        next(key for key, option in prediction.options.items() if option is prediction.right)
        for prediction in (choice(f"rings.p{number}") for number in range(900))
    ]
    assert all(260 < places.count(key) < 340 for key in "abc")


# ── In the page ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_html_from_outside_stays_text():
    nasty = "<script>alert(1)</script>"
    prediction = choice(question=nasty, right=Expectation(nasty, nasty))
    prediction.choose(nasty)
    assert "<script>" not in prediction._repr_html_() + prediction.compare(nasty)._repr_html_()


def test_its_front_end_puts_text_in_as_text():
    source = choice().widget()._esm
    assert "innerHTML" not in source
    assert "insertAdjacentHTML" not in source


def test_what_is_wrong_with_the_progress_folder_stays_on_the_page(progress_folder):
    progress_folder.write_text("in the way")
    prediction = choice()
    commit(prediction, "it stops")
    assert "this session only" in prediction.widget().notice
    assert "this session only" in choice().widget().notice
