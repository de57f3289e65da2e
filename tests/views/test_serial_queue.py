"""One action at a time in whatever thread, and none is ever forgotten."""

import sys
import threading
import time

import pytest

from dscourse.views.serial_queue import SerialQueue


def test_an_action_is_carried_out_at_once():
    done = []
    SerialQueue().run(lambda: done.append(1))
    assert done == [1]


def test_an_action_within_an_action_comes_after_it():
    queue, done = SerialQueue(), []

    def outer():
        queue.run(lambda: done.append("inner"))
        done.append("outer")

    queue.run(outer)
    assert done == ["outer", "inner"]


def test_whoever_comes_while_another_thread_is_busy_does_not_wait():
    queue, done, begun, go_on = SerialQueue(), [], threading.Event(), threading.Event()

    def slow():
        begun.set()
        go_on.wait(10)
        done.append("slow")

    busy = threading.Thread(target=queue.run, args=(slow,))
    busy.start()
    begun.wait(10)
    queue.run(lambda: done.append("left"))
    assert done == []
    go_on.set()
    busy.join()
    assert done == ["slow", "left"]


def test_an_error_gives_the_turn_back_and_nothing_left_is_lost():
    queue, done = SerialQueue(), []

    def failing():
        queue.run(lambda: done.append("left"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        queue.run(failing)
    queue.run(lambda: done.append("next"))
    assert done == ["left", "next"]


def test_many_threads_never_meet_and_every_action_is_done():
    queue, inside, most, done = SerialQueue(), [], [], []

    def action():
        inside.append(1)
        most.append(len(inside))
        time.sleep(0)
        inside.pop()
        done.append(1)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=lambda: [queue.run(action) for _ in range(300)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert max(most) == 1
    assert len(done) == 1200
