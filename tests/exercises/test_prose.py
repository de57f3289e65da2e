"""Short texts: wrapped, escaped, and no line that ends in the middle of a number."""

from dscourse.exercises._prose import plain, rich, shortened


def test_no_line_ends_in_the_middle_of_a_number():
    text = " ".join(["80 000 users at 5 % of 1 000 000"] * 20)
    lines = plain(text).splitlines()
    assert len(lines) > 3
    assert not any(line.endswith(("80", "5", "1", "1\N{NO-BREAK SPACE}000")) for line in lines)
    assert "80&nbsp;000" in rich(text).replace("\N{NO-BREAK SPACE}", "&nbsp;")


def test_backticks_mark_code_and_everything_else_is_escaped():
    assert rich("`a < b` & <b>") == "<code>a &lt; b</code> &amp; &lt;b&gt;"


def test_a_text_is_cut_only_when_it_is_longer_than_allowed():
    assert shortened("x" * 10, 10) == "x" * 10
    assert shortened("x" * 11, 10) == "x" * 10 + " …"


def test_two_numbers_side_by_side_are_not_taken_for_one():
    assert rich("5 1000") == "5 1000"
    assert rich("5 100") == "5\N{NO-BREAK SPACE}100"
