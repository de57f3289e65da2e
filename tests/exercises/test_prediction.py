"""A prediction explains itself only to those who have committed."""

import pytest

from dscourse.exercises import Option, Prediction


def make(**changed):
    settings = {
        "question": "What does `n0` do?",
        "options": {"a": Option("it stops", "Explained A."), "b": Option("it goes on", "Explained B.")},
        "right": "b",
    }
    return Prediction("rings.stops", **{**settings, **changed})


def sent_to_the_page(prediction):
    return str(prediction.widget().get_state())


def commit(prediction, key):
    prediction.widget()._handle_custom_msg({"commit": key}, [])


def test_what_is_stored_shows_question_and_options_and_nothing_else():
    assert repr(make()) == (
        "What does `n0` do?\n\na) it stops\nb) it goes on\n\n"
        "To commit without buttons: exercises.stops.choose('a')"
    )
    bundle = make()._repr_mimebundle_()
    assert bundle["text/plain"] == repr(make())
    assert "<code>n0</code>" in bundle["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_what_is_stored_does_not_depend_on_what_was_done():
    before = make()
    untouched = before._repr_mimebundle_()
    before.choose("b")
    for prediction in (before, make()):  # the second one as after a restart
        bundle = prediction._repr_mimebundle_()
        assert bundle["text/plain"] == untouched["text/plain"]
        assert bundle["text/html"] == untouched["text/html"]
        assert "Explained" not in bundle["text/plain"] + bundle["text/html"]


def test_the_page_is_sent_no_explanation_before_a_commitment():
    prediction = make()
    assert "Explained" not in sent_to_the_page(prediction)
    prediction.widget()._handle_custom_msg({"others": True}, [])
    assert "Explained" not in sent_to_the_page(prediction)


def test_committing_tells_the_chosen_option_and_the_others_on_request():
    prediction = make()
    commit(prediction, "a")
    assert prediction.widget().told == [["a", "Explained A."]]
    assert "Explained B." not in sent_to_the_page(prediction)
    prediction.widget()._handle_custom_msg({"others": True}, [])
    assert prediction.widget().told == [["a", "Explained A."], ["b", "Explained B."]]


@pytest.mark.parametrize(
    "message", [{"commit": "z"}, {"commit": None}, {"commit": ["a"]}, {}, {"others": "yes"}, "a", None]
)
def test_other_messages_are_ignored(message):
    prediction = make()
    prediction.widget()._handle_custom_msg(message, [])
    assert prediction.widget().committed == ""


def test_a_commitment_is_remembered_after_a_restart_and_the_first_one_counts():
    commit(make(), "a")
    make().choose("b")
    again = make().widget()
    assert (again.committed, again.told) == ("a", [["a", "Explained A."]])


def test_a_remembered_option_that_is_no_more_is_no_commitment():
    make(options={"a": Option("x", "y"), "c": Option("x2", "y2")}, right="a").choose("c")
    assert make().widget().committed == ""


def test_the_door_for_those_without_buttons():
    told = make().choose(" B ")
    assert repr(told) == "You chose b) it goes on\nExplained B."
    assert "Explained B." in told._repr_html_()
    with pytest.raises(LookupError, match="choose one of a, b"):
        make().choose("z")
    with pytest.raises(LookupError, match="choose one of a, b"):
        make().choose(2)


def test_choosing_in_python_shows_in_the_widget_too():
    prediction = make()
    widget = prediction.widget()
    prediction.choose("a")
    assert widget.committed == "a"


def test_html_from_outside_stays_text():
    nasty = "<script>alert(1)</script>"
    prediction = make(question=nasty, options={"a": Option(nasty, nasty), "b": Option("x", "y")})
    assert "<script>" not in prediction._repr_html_()
    assert "<script>" not in prediction.choose("a")._repr_html_()


def test_its_front_end_puts_text_in_as_text():
    source = make().widget()._esm
    assert "innerHTML" not in source
    assert "insertAdjacentHTML" not in source


@pytest.mark.parametrize("key", ["", "c", None, 1, True, ["a"], {"a": 1}, ..., 10**400])
def test_what_is_no_option_is_no_commitment(key):
    prediction = make()
    with pytest.raises(LookupError, match=r"there is no option .*; choose one of a, b$"):
        prediction.choose(key)
    assert prediction.widget().committed == ""


def test_a_page_can_not_change_its_mind():
    """An old page, open in a second tab, still has its button."""
    prediction = make()
    commit(prediction, "a")
    commit(prediction, "b")
    assert prediction.widget().committed == "a"
    assert prediction.widget().told == [["a", "Explained A."]]


def test_what_is_wrong_with_the_progress_folder_stays_on_the_page(progress_folder):
    progress_folder.write_text("in the way")
    prediction = make()
    commit(prediction, "a")
    prediction.widget()._handle_custom_msg({"others": True}, [])
    assert "this session only" in prediction.widget().notice
    assert "this session only" in make().widget().notice
