"""Sweeps on workers: processes under every way to start them, and a Dask cluster of two, on loopback."""

import _thread
import multiprocessing
import os
import signal
import threading
import time
import warnings
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import pandas as pd
import psutil
import pytest
from distributed import Client, LocalCluster

from dscourse.exploration import sweep

GRID = {"load": [0.5, 0.9], "servers": [1, 2]}


def make_queue():
    """An experiment that no worker can import: a closure, as one from a notebook's cell in effect is."""
    import random

    def queue(seed, load, servers):
        if (seed, load) == (3, 0.9):
            raise ValueError("no route to n3")
        time.sleep(0.01 * (seed == 0))  # the first to be handed over is the last to be finished
        luck = random.Random(seed)
        return {"time": luck.expovariate(1.0) / (1.0 - load), "served": servers, "late": luck.random() < load}

    return queue


@pytest.fixture(scope="module")
def pool():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        yield executor


@pytest.fixture(scope="module")
def client():
    """Two worker processes, reached by loopback only, with no dashboard."""
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture(params=["processes", "dask"])
def executor(request):
    if request.param == "processes":
        return request.getfixturevalue("pool")
    return request.getfixturevalue("client").get_executor()


def test_the_same_tables_as_without_an_executor(executor):
    with pytest.warns(UserWarning, match="2 runs failed"):
        here = sweep(make_queue(), GRID, seeds=6)
    with pytest.warns(UserWarning, match="2 runs failed"):
        there = sweep(make_queue(), GRID, seeds=6, executor=executor)
    pd.testing.assert_frame_equal(there.rows, here.rows)
    pd.testing.assert_frame_equal(there.failures, here.failures)
    pd.testing.assert_frame_equal(there.summary(), here.summary())
    pd.testing.assert_frame_equal(there.differences({"servers": 1}), here.differences({"servers": 1}))
    assert len(there.rows) == 22


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_processes_however_they_are_started_run_the_experiment_as_it_is_now(method):
    """A function of a notebook that was changed after the workers began must not run as it was."""

    def experiment(version):
        def run(seed):
            return {"version": version, "pid": os.getpid()}

        run.__module__, run.__qualname__ = "__main__", "run"  # as in a notebook
        return run

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*use of fork", category=DeprecationWarning)
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as executor:
            for version in (1, 2):
                rows = sweep(experiment(version), {}, seeds=4, executor=executor).rows
                assert rows["version"].tolist() == [version] * 4
                assert os.getpid() not in rows["pid"].tolist()


class Backwards(Executor):
    """Waits until it has been given eight cells and finishes the last of them first."""

    _max_workers = 2

    def __init__(self):
        self.waiting = []

    def submit(self, fn, /, *args):
        self.waiting.append((Future(), fn, args))
        given = self.waiting[-1][0]
        if args[1] is None or len(self.waiting) == 8:
            while self.waiting:
                future, fn, args = self.waiting.pop()
                future.set_result(fn(*args))
        return given


def test_rows_come_in_order_whatever_finishes_first(tmp_path):
    def experiment(seed):
        with (tmp_path / "finished").open("a") as file:
            file.write(str(seed))
        return {"x": seed}

    assert sweep(experiment, {}, seeds=8, executor=Backwards()).rows["x"].tolist() == list(range(8))
    assert (tmp_path / "finished").read_text() == "76543210"


# --- workers that are killed ---


def lethal(folder, every_time=False):
    """An experiment whose seed 5 kills its worker, the first time or every time."""

    def experiment(seed, load):
        mark = folder / f"killed-{load}"
        if seed == 5 and (every_time or not mark.exists()):
            mark.write_text(str(os.getpid()))
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        return {"x": seed * load}

    return experiment


def test_a_dask_worker_is_killed_on_the_way_and_no_cell_is_lost(client, tmp_path):
    result = sweep(lethal(tmp_path), {"load": [1, 2]}, seeds=20, executor=client.get_executor())
    killed = {path.name: int(path.read_text()) for path in tmp_path.iterdir()}
    assert sorted(killed) == ["killed-1", "killed-2"]
    assert not any(psutil.pid_exists(pid) for pid in killed.values())
    assert result.rows["x"].tolist() == [seed * load for load in (1, 2) for seed in range(20)]
    assert result.failures.empty
    assert result.stopped == ""
    client.wait_for_workers(2, timeout=60)


def test_a_killed_process_breaks_its_pool_and_what_is_finished_is_kept(tmp_path):
    experiment = lethal(tmp_path)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        with pytest.warns(
            UserWarning, match=r"may have been killed.* At work were: load=1, seed=5\. Make a new"
        ):
            first = sweep(experiment, {"load": [1]}, seeds=9, executor=executor)
        assert first.rows["seed"].tolist() == [0, 1, 2, 3, 4]
        assert first.failures.empty
        with pytest.raises(RuntimeError, match="broke once stays broken"):
            sweep(experiment, {"load": [1]}, seeds=9, executor=executor, resume=first)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        assert len(sweep(experiment, {"load": [1]}, seeds=9, executor=executor, resume=first).rows) == 9


# --- interrupts and hangs ---


def test_an_interrupt_keeps_what_the_workers_have_finished(executor, tmp_path):
    def experiment(seed):
        time.sleep(0.02)
        (tmp_path / str(seed)).touch()
        return {"x": seed}

    def interrupt_after_some():  # workers on a busy machine may take seconds until they begin
        while len(list(tmp_path.iterdir())) < 30:
            time.sleep(0.01)
        if hasattr(signal, "pthread_kill"):  # it wakes the main thread from whatever it waits for
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        else:
            _thread.interrupt_main()

    threading.Thread(target=interrupt_after_some, daemon=True).start()
    with pytest.warns(UserWarning, match="^Interrupted. .* runs are not done; go on with `resume=`"):
        first = sweep(experiment, {}, seeds=1000, executor=executor)
    finished = len(first.rows)
    assert 0 < finished < 1000
    whole = sweep(experiment, {}, seeds=finished + 5, executor=executor, resume=first)
    assert whole.rows["x"].tolist() == list(range(finished + 5))


def hanging(folder, *seeds):
    """An experiment that hangs with these seeds until the test is over."""

    def experiment(seed):
        while seed in seeds and not (folder / "over").exists():
            time.sleep(0.01)
        return {"x": seed}

    return experiment


def test_a_run_that_hangs_is_named_and_given_up(executor, tmp_path):
    try:
        with pytest.warns(UserWarning, match="1 runs failed .* seed=2: no result after 1 s: given up"):
            result = sweep(hanging(tmp_path, 2), {}, seeds=8, executor=executor, cell_timeout=1)
    finally:
        (tmp_path / "over").touch()
    assert result.rows["x"].tolist() == [0, 1, 3, 4, 5, 6, 7]
    assert result.failures.to_dict("records") == [{"seed": 2, "error": "no result after 1 s: given up"}]
    assert result.stopped == ""


def test_when_every_worker_hangs_the_sweep_stops_and_can_go_on_elsewhere(executor, tmp_path):
    experiment = hanging(tmp_path, 1, 2)
    try:
        with pytest.warns(UserWarning, match="Every worker is busy with a run that was given up after 1 s"):
            first = sweep(experiment, {}, seeds=30, executor=executor, cell_timeout=1)
    finally:
        (tmp_path / "over").touch()
    assert first.failures["seed"].tolist() == [1, 2]
    assert 0 < len(first.unfinished()) < 28
    with pytest.warns(UserWarning, match="2 runs failed"):
        whole = sweep(experiment, {}, seeds=30, resume=first)
    assert whole.rows["seed"].tolist() == [0, *range(3, 30)]


def test_waiting_for_a_worker_is_no_hanging():
    """Six cells of 0.3 s on one worker: the last waits for 1.5 s and is not given up after 1 s."""
    with ThreadPoolExecutor(1) as one:
        result = sweep(lambda seed: time.sleep(0.3) or {"x": seed}, {}, seeds=6, executor=one, cell_timeout=1)
    assert len(result.rows) == 6


def test_a_cluster_without_workers_is_waited_for_and_told(client, monkeypatch):
    """Its workers come after a second and a half; patience is shortened, so that the test needs none."""
    monkeypatch.setitem(sweep.__globals__, "_PATIENCE", 0.4)
    client.cluster.scale(0)
    while client.nthreads():
        time.sleep(0.05)
    timer = threading.Timer(1.5, client.cluster.scale, [2])
    timer.start()
    with pytest.warns(UserWarning, match="The cluster has no workers, and the sweep waits for one"):
        result = sweep(make_queue(), GRID, seeds=2, executor=client.get_executor(), cell_timeout=60)
    assert len(result.rows) == 8
    timer.join()
    client.wait_for_workers(2, timeout=60)


# --- what can't be sent ---


@pytest.mark.parametrize("make", [threading.Lock, lambda: (n for n in range(3))], ids=["lock", "generator"])
def test_what_can_t_be_sent_is_told_in_plain_words_before_anything_runs(pool, make):
    held = make()
    with pytest.raises(
        TypeError, match=r"can't be sent to workers: .*make it inside the experiment, or leave `executor`"
    ):
        sweep(lambda seed: {"x": held is None}, {}, seeds=2, executor=pool)


def from_this_module(seed):
    return {"x": seed}


def test_a_module_that_workers_lack_is_told_once(executor):
    with pytest.raises(
        RuntimeError, match=r"The workers can't begin: .*the modules that your experiment imports"
    ):
        sweep(from_this_module, {}, seeds=100, executor=executor)
    assert len(sweep(make_queue(), GRID, seeds=1, executor=executor).rows) == 4  # and they work on


def test_a_pool_that_was_shut_down_is_told():
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(
        RuntimeError, match="can't begin: RuntimeError: cannot schedule new futures after shutdown"
    ):
        sweep(from_this_module, {}, seeds=2, executor=executor)


def test_a_dask_client_is_no_executor_and_the_message_says_how_to_get_one(client):
    with pytest.raises(TypeError, match=r"write client.get_executor\(\)"):
        sweep(from_this_module, {}, seeds=2, executor=client)


def test_the_cluster_listens_on_loopback_only(client):
    listening = [
        one.laddr.ip
        for process in [psutil.Process(), *psutil.Process().children(recursive=True)]
        for one in process.net_connections()
        if one.status == psutil.CONN_LISTEN
    ]
    assert set(listening) == {"127.0.0.1"}
