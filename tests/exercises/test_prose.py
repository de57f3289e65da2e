"""Short texts: wrapped, escaped, and no line that ends in the middle of a number."""

from dscourse.exercises._prose import plain, rich


def test_no_line_ends_in_the_middle_of_a_number():
    text = " ".join(["80 000 users at 5 % of 1 000 000"] * 20)
    lines = plain(text).splitlines()
    assert len(lines) > 3
    assert not any(line.endswith(("80", "5", "1", "1\N{NO-BREAK SPACE}000")) for line in lines)
    assert "80&nbsp;000" in rich(text).replace("\N{NO-BREAK SPACE}", "&nbsp;")


def test_backticks_mark_code_and_everything_else_is_escaped():
    assert rich("`a < b` & <b>") == "<code>a &lt; b</code> &amp; &lt;b&gt;"
