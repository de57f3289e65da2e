"""The course's site, from disk: its pages draw, its players play, and nothing is asked of the network.

DSCOURSE_SITE names a site that was built before (`make site`); without it one notebook's page is built here.
"""

import pytest

LARGEST_FIRST_PAGE = 3_000_000  # bytes, with what it loads
PATIENCE = 30_000  # milliseconds


@pytest.fixture
def open_page(site, new_page):
    """Return a function that opens a page of the site, from disk."""
    opened = []

    def open_(name, **options):
        page = new_page(viewport={"width": 1280, "height": 800}, **options)
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        file = name.partition("#")[0].partition("?")[0]
        page.goto((site / file).as_uri() + name.removeprefix(file))
        opened.append(page)
        return page

    yield open_
    for page in opened:
        assert page.problems == []
        assert all(url.startswith(("file:", "data:", "blob:")) for url in page.asked)


def test_every_page_draws_all_that_lives_on_it_and_asks_nothing_of_the_network(site, open_page):
    names = sorted(path.name for path in site.glob("*.html"))
    assert {"index.html", "gallery.html", "glossary.html", "00-start-here.html"} <= set(names)
    for name in names:
        page = open_page(name)
        places = page.locator("[data-live]")
        for place in range(places.count()):
            live = places.nth(place)
            live.scroll_into_view_if_needed()
            drawn = ".dscourse-player[data-ready=yes], .dscourse-figure img[src^=data]"
            live.locator(drawn).first.wait_for(timeout=PATIENCE)
        page.context.close()


def test_a_player_plays_steps_and_ticks_tasks_and_says_what_needs_python(open_page):
    page = open_page("00-start-here.html")
    player = page.locator(".dscourse-player").first
    player.scroll_into_view_if_needed()
    page.wait_for_selector(".dscourse-player[data-ready=yes]")
    player.get_by_role("button", name="▶ Play").click()
    page.wait_for_function("() => Number(document.querySelector('.dscourse-player').dataset.time) > 100000")
    player.get_by_role("button", name="❚❚ Pause").click()
    player.get_by_role("button", name="next event").click()
    player.get_by_role("button", name="Diagram").click()
    assert player.locator("section[aria-label='space-time diagram'] canvas").first.is_visible()
    player.focus()
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    player.get_by_text("Crash").first.click()
    player.get_by_role("alert").get_by_text("To break it you need Python").wait_for()
    page.problems.clear()  # the player also warns in the console


def test_a_link_of_the_gallery_opens_at_the_moment_that_decides(open_page):
    page = open_page("gallery.html#split-brain@11.5")
    page.wait_for_function(
        "() => document.querySelector('#split-brain .dscourse-player')?.dataset.time === '11500000'"
    )
    page = open_page("gallery.html")
    page.locator("a[href='#figure-8@95']").click()
    page.wait_for_function(
        "() => document.querySelector('#figure-8 .dscourse-player')?.dataset.time === '95000000'"
    )


def test_a_page_is_a_set_of_slides(open_page):
    page = open_page("00-start-here.html?slides")
    where = page.locator(".dscourse-where")
    first = where.inner_text()
    assert first.startswith("1 / ")
    assert page.locator(".dscourse-slides article section:visible").count() >= 1
    page.keyboard.press("ArrowRight")
    assert where.inner_text().startswith("2 / ")
    page.keyboard.press("PageUp")
    assert where.inner_text() == first


def test_the_first_page_is_small(site):
    page = (site / "index.html").read_text("utf-8")
    loaded = [name for name in (site / "_static").rglob("*") if name.is_file() and name.name in page]
    assert len(page.encode()) + sum(path.stat().st_size for path in loaded) < LARGEST_FIRST_PAGE
