"""Many changes in one breath give one redraw with the last value, in a real kernel too."""

import asyncio
import json
import time

import pytest

from dscourse.views import debounce
from dscourse.views.debounce import Debounce


def test_a_change_made_by_code_is_followed_at_once():
    seen = []
    one = Debounce(lambda: seen.append("drawn"))
    one.changed()
    one.changed()
    assert seen == ["drawn", "drawn"]


def in_a_loop(monkeypatch, scene):
    async def played():
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(debounce, "_loop_of_the_page", lambda: loop)
        await scene()

    asyncio.run(played())


def test_a_burst_from_the_page_is_followed_once_with_the_latest_value(monkeypatch):
    drawn, value = [], [0]
    one = Debounce(lambda: drawn.append(value[0]))

    async def scene():
        for value[0] in range(30):
            one.changed()
            await asyncio.sleep(0)
        assert drawn == [0]  # the first didn't wait
        await asyncio.sleep(0.05)

    in_a_loop(monkeypatch, scene)
    assert drawn == [0, 29]


def test_a_slider_that_never_rests_is_followed_all_the_same(monkeypatch):
    drawn, value = [], [0]
    one = Debounce(lambda: drawn.append(value[0]))

    async def scene():
        until = time.monotonic() + 0.4
        while time.monotonic() < until:
            value[0] += 1
            one.changed()
            await asyncio.sleep(0.001)
        assert 1 <= len(drawn) < value[0] / 2
        await asyncio.sleep(0.1)

    in_a_loop(monkeypatch, scene)
    assert drawn[-1] == value[0]


@pytest.fixture(scope="module")
def kernel():
    manager = pytest.importorskip("jupyter_client.manager")
    running, client = manager.start_new_kernel(kernel_name="python3", extra_arguments=["--log-level=40"])
    yield client
    client.stop_channels()
    running.shutdown_kernel(now=True)


def printed(client, code):
    shown = []

    def listen(message):
        if message["msg_type"] == "stream":
            shown.append(message["content"]["text"])
        assert message["msg_type"] != "error", message["content"]

    client.execute_interactive(code, timeout=30, output_hook=listen)
    return "".join(shown)


SCENE = """
import time
from dscourse.views import interactive_figure
drawn = []
def draw(figure, load):
    time.sleep(0.03)
    drawn.append(load)
    return f"load {load}"
shown = interactive_figure(draw, load=(0, 100))
print(shown.controls["load"].model_id)
"""


def test_thirty_messages_of_a_slider_do_not_queue_thirty_redraws(kernel):
    comm = printed(kernel, SCENE).strip()
    for value in range(1, 31):
        data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
        kernel.shell_channel.send(kernel.session.msg("comm_msg", {"comm_id": comm, "data": data}))
    for _ in range(100):
        drawn = json.loads(printed(kernel, "print(drawn)"))
        if drawn[-1] == 30:
            break
        time.sleep(0.02)
    assert drawn[-1] == 30
    assert len(drawn) - 1 <= 8, drawn  # usually one or two
    assert printed(kernel, "print(shown.picture.alt)") == "load 30\n"


def test_in_a_cell_the_picture_follows_at_once(kernel):
    assert printed(kernel, "shown.controls['load'].value = 77\nprint(shown.picture.alt)") == "load 77\n"
