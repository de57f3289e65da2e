"""A picture shows its figure, its alt text and nothing that a browser would run."""

import base64
import io

import pytest
from PIL import Image

from dscourse.views import Picture, new_axes, new_figure


def drawn():
    axes = new_axes(4, 2)
    axes.plot([1, 2, 3], [1, 4, 9])
    return axes


def test_a_picture_is_a_png_with_its_alt_text_and_a_caption():
    picture, caption = Picture(drawn(), alt="a parabola")._outputs()
    assert set(picture) == {"image/png", "text/plain"}
    assert picture["text/plain"] == "a parabola"
    image = Image.open(io.BytesIO(base64.b64decode(picture["image/png"])))
    assert image.size == (576, 288)
    assert ">a parabola</p>" in caption["text/html"]
    assert caption["text/plain"] == "a parabola"


def test_the_caption_says_what_is_drawn_and_the_rest_is_folded_behind_it():
    alt = "Requests/s against nodes, 1 to 1.5: from 5 to 7. It falls."
    picture, caption = Picture(drawn(), alt)._outputs()
    assert picture["text/plain"] == alt
    assert caption["text/plain"] == "Requests/s against nodes, 1 to 1.5"
    visible, folded = caption["text/html"].split("</summary>")
    assert "<details" in visible
    assert "falls" not in visible
    assert alt in folded
    assert Picture(drawn(), alt, caption="A curve")._outputs()[1]["text/plain"] == "A curve"


def test_its_repr_is_the_alt_text_so_that_stored_outputs_stay_the_same():
    assert repr(Picture(drawn(), alt="  a\n parabola ")) == "a parabola"


def test_html_and_mathematics_in_a_caption_stay_text():
    shown = Picture(drawn(), alt="<script>alert(1)</script> costs $5 and $6 \\(x\\)")._outputs()[1][
        "text/html"
    ]
    assert "<script>" not in shown
    assert "<span>$</span>5 and <span>$</span>6" in shown
    assert "\\(" not in shown


def test_no_line_of_a_caption_ends_in_the_middle_of_a_number():
    alt = "users at once 1 641 600, 97 % wait, in 2024 1000 of 5 6"
    picture, caption = Picture(drawn(), alt=alt)._outputs()
    assert (
        ">users at once 1&nbsp;641&nbsp;600, 97&nbsp;% wait, in 2024 1000 of 5 6</p>" in caption["text/html"]
    )
    assert picture["text/plain"] == caption["text/plain"] == alt


def test_the_same_figure_gives_the_same_bytes():
    assert Picture(drawn(), alt="x").png() == Picture(drawn(), alt="x").png()


def test_the_bytes_are_those_that_matplotlib_itself_would_save():
    figure = drawn().figure
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=144, metadata={"Software": None})
    assert Picture(figure, alt="x").png() == buffer.getvalue()
    assert figure.get_dpi() == new_figure().get_dpi()


def test_axes_of_a_figure_within_a_figure_show_the_whole_figure():
    figure = new_figure()
    axes = figure.subfigures(1, 2)[0].subplots()
    assert Picture(axes, alt="x").figure is figure


def test_it_is_shown_at_fewer_pixels_than_it_has_so_that_it_stays_sharp(monkeypatch):
    shown = []
    monkeypatch.setattr(
        "dscourse.views.picture.display", lambda *parts, **settings: shown.append((parts, settings))
    )
    Picture(drawn(), alt="x")._ipython_display_()
    assert shown[0][1]["metadata"] == {"image/png": {"width": 384}}
    assert len(shown) == 2


def test_pyplot_knows_nothing_of_our_figures():
    import matplotlib.pyplot as plt

    Picture(drawn(), alt="x").png()
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("figure", "alt", "error"),
    [
        ("figure", "x", TypeError),
        (None, "x", TypeError),
        (new_figure(), 3, TypeError),
        (new_figure(), "  ", ValueError),
    ],
)
def test_unfit_arguments_are_refused(figure, alt, error):
    with pytest.raises(error):
        Picture(figure, alt)
