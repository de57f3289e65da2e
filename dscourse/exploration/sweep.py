"""Run an experiment with every variant and every seed, on this machine or on many."""

from __future__ import annotations

import functools
import inspect
import itertools
import math
import pickle
import sys
import uuid
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from numbers import Integral, Real
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias

from dscourse.arguments import real, shown, whole
from dscourse.exploration.progress_bar import progress_bar
from dscourse.exploration.sweep_result import OWN_COLUMNS, Cell, Outcome, Sweep, Variant, same_variant

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

Experiment: TypeAlias = Callable[..., Mapping[str, float]]
Keep: TypeAlias = Callable[[Cell, Outcome], None]

_LOOK_UP = 0.5  # seconds between two looks at what hangs, at new workers, and for an interrupt
_PATIENCE = 5.0  # seconds without any worker until that is said
_AHEAD = 3  # cells handed over ahead for each worker, so that none waits for the next


def sweep(
    experiment: Experiment,
    parameters: Mapping[str, Iterable[Any]] | Iterable[Variant],
    *,
    seeds: int | Iterable[int],
    executor: Executor | None = None,
    progress: bool = False,
    cell_timeout: float | None = None,
    resume: Sweep | None = None,
) -> Sweep:
    """Run an experiment with every variant of its parameters and every seed.

    Every variant gets the same seeds: in a simulation that keeps one random stream for each purpose, variants then
    meet the same luck (common random numbers), and what differs is due to the parameters; ``Sweep.differences`` makes
    use of that. The table is the same, row by row, whichever executor did the work and whatever finished first.

    A run that raises an error is told in ``.failures``, with its parameters and seed, and the others go on. An
    interrupt (■ in Jupyter, Ctrl-C) returns what is finished; call ``sweep`` again with ``resume=`` to go on.

    The workers of an executor are sent the experiment itself, as it is now, by cloudpickle; so it may be defined in a
    cell of a notebook. What it uses must be something that can be sent: no open file, lock, widget or generator.

    Args:
        experiment: called as ``experiment(seed=…, load=…)``; it returns ``{name: number}``. True and False are fine:
            their mean is a share.
        parameters: ``{name: list of values}``, of which every combination is a variant; or a list of dicts, each a
            variant.
        seeds: how many (0, 1, 2, …), or which.
        executor: who does the work: None (this process), or any ``concurrent.futures.Executor``, such as a
            ``ProcessPoolExecutor`` or a Dask client's ``client.get_executor()``.
        progress: show a bar, once you have waited for two seconds.
        cell_timeout: seconds after which a run is given up and told in ``.failures``. Nothing can end it from outside,
            so its worker stays busy; when all are, the sweep stops. Without an executor you are the one who ends it:
            interrupt, and a run that has taken longer is not tried again by ``resume``.
        resume: a sweep of the same experiment, such as an interrupt returned. What it holds isn't run again; it may
            have fewer seeds or variants.

    Raises:
        TypeError: an argument of the wrong type, or an experiment that can't be called with these parameters or
            can't be sent to workers.
        ValueError: no variant, no seed, a seed twice, or a name that the tables use themselves.
        RuntimeError: the workers can't begin.

    Example:
        >>> def waiting(seed, load):
        ...     return {"time": load / (1 - load)}
        >>> sweep(waiting, {"load": [0.5, 0.9]}, seeds=3).rows["time"].round(2).tolist()
        [1.0, 1.0, 1.0, 9.0, 9.0, 9.0]
    """
    variants, numbers = _variants(parameters), _seeds(seeds)
    _check_experiment(experiment, variants)
    _check_executor(executor)
    limit = None if cell_timeout is None else real("cell_timeout", cell_timeout, above=0.0)
    result = Sweep(variants, numbers)
    if resume is not None:
        if not isinstance(resume, Sweep):
            raise TypeError(f"resume must be a Sweep, as `sweep` returned it, got {shown(resume)}")
        result.take_over(resume)
    cells = result.unfinished()
    total = len(variants) * len(numbers)
    with progress_bar(total, total - len(cells), shown=progress) as advance:

        def keep(cell: Cell, outcome: Outcome) -> None:
            result.keep(cell, outcome)
            advance(1, result.failed if isinstance(outcome, str) else 0)

        try:
            if executor is None:
                _run_here(experiment, result, cells, keep, limit)
            elif cells:
                workers = _Workers(executor, result, keep, limit)
                workers.send(experiment, variants)
                workers.run(cells, lambda: advance(0, result.failed))
        except _Stopped as stop:
            result.stopped = str(stop)
        except KeyboardInterrupt:
            result.stopped = "Interrupted"
    _tell(result)
    return result


class _Stopped(Exception):  # noqa: N818 - no error: what is finished is returned
    """Why no further cell can be run."""


def _tell(result: Sweep) -> None:
    """Warn of what the tables alone would not show."""
    told = []
    if result.stopped:
        result.stopped += (
            f". {len(result.unfinished())} runs are not done; go on with `resume=` and this result."
        )
        told.append(result.stopped)
    if result.failed:
        told.append(f"{result.failed} runs failed and are in none of the means; see `.failures`.")
        told.append(result.first_failure())
    if told:
        warnings.warn(" ".join(told), stacklevel=3)


# --- one run ---


def run_cell(experiment: Experiment, variant: Variant, seed: int) -> Outcome:
    """Run the experiment once; the result is its numbers, or in words why there are none."""
    try:
        return _numbers(experiment(seed=seed, **variant), variant)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - one run must not take the others with it
        return _in_words(error)


def _numbers(result: object, variant: Variant) -> dict[str, float]:
    if not isinstance(result, Mapping):
        raise TypeError(f"the experiment must return {{name: number}}, got {shown(result)}")
    plain = {}
    for name, value in result.items():
        if not isinstance(name, str) or name == "seed" or name in variant:
            raise ValueError(
                f"a result needs a name that no parameter has, and not 'seed', got {shown(name)}"
            )
        plain[name] = _plain(name, value)
    return plain


def _plain(name: str, value: object) -> float:
    """Return Python's own bool, int or float: the same from every worker."""
    if type(value).__name__ in ("bool", "bool_"):  # NumPy's is no Integral
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    raise TypeError(f"the result {name!r} must be a number, got {shown(value)}")


def _in_words(error: BaseException) -> str:
    try:
        words = f"{type(error).__name__}: {error}".strip(": ")
    except Exception:  # noqa: BLE001 - an error that can't be written is still told
        words = type(error).__name__
    return words + _place(error.__traceback__)


def _place(traceback: TracebackType | None) -> str:
    """Return the innermost line of the experiment, without its file: a worker may know that by another name."""
    found = ""
    while traceback is not None:
        frame, line = traceback.tb_frame, traceback.tb_lineno
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        library = package in sys.stdlib_module_names and package != "__main__"
        if not library and package != "dscourse" and "site-packages" not in frame.f_code.co_filename:
            found = f" (line {line}, in {frame.f_code.co_name})"
        traceback = traceback.tb_next
    return found


# --- in this process ---


def _run_here(
    experiment: Experiment,
    result: Sweep,
    cells: list[Cell],
    keep: Keep,
    limit: float | None,
) -> None:
    from time import monotonic

    for cell in cells:
        started = monotonic()
        try:
            outcome = run_cell(experiment, result.variants[cell[0]], cell[1])
        except KeyboardInterrupt:
            seconds = monotonic() - started
            if limit is not None and seconds > limit:
                keep(cell, _given_up(limit))
            raise _Stopped(f"Interrupted after {seconds:.1f} s of the run {result.label(cell)}") from None
        keep(cell, outcome)


def _given_up(limit: float) -> str:
    return f"no result after {limit:g} s: given up"


# --- on workers ---


@functools.lru_cache(maxsize=1)
def _unpack(payload: bytes) -> tuple[Experiment, tuple[Variant, ...]]:
    unpacked: tuple[Experiment, tuple[Variant, ...]] = pickle.loads(payload)  # noqa: S301 - we have packed it
    return unpacked


def run_sent_cell(payload: bytes, cell: Cell | None, _token: str) -> Outcome:
    """Run one cell, on a worker; with no cell, only see whether the experiment can be unpacked."""
    experiment, variants = _unpack(payload)
    return {} if cell is None else run_cell(experiment, variants[cell[0]], cell[1])


class _Workers:
    """Cells on an executor's workers: at work, finished, or given up."""

    def __init__(self, executor: Executor, result: Sweep, keep: Keep, limit: float | None) -> None:
        self.executor = executor
        self.label = result.label
        self.keep = keep
        self.limit = limit
        self.at_work: dict[Future[Outcome], tuple[Cell, float]] = {}  # and since when
        self.hanging: set[Future[Outcome]] = set()
        self.workers = 0
        self.missed_since: float | None = None  # when there was no worker first

    def send(self, experiment: Experiment, variants: tuple[Variant, ...]) -> None:
        """Pack the experiment and have one worker unpack it: better one message now than one for every cell."""
        from concurrent.futures import wait

        self.payload = _pack(experiment, variants)
        # Dask takes two calls with the same arguments for one and the same, also those of an earlier sweep.
        self.token = uuid.uuid4().hex
        with _told_plainly():
            first = self._submit(None)
        while not wait([first], timeout=_LOOK_UP).done:  # in slices: so an interrupt is heard on every system
            self._count()
        with _told_plainly():
            first.result()

    def run(self, cells: list[Cell], redraw: Callable[[], None]) -> None:
        """Keep every worker busy until all cells have an outcome."""
        from concurrent.futures import FIRST_COMPLETED, wait
        from time import monotonic, sleep

        waiting, looked = deque(cells), -_LOOK_UP
        try:
            while waiting or self.at_work:
                if monotonic() - looked >= _LOOK_UP:
                    looked = monotonic()
                    self._count()
                    redraw()
                self._hand_over(waiting, monotonic())
                if self.at_work:
                    self._collect(wait(self.at_work, timeout=_LOOK_UP, return_when=FIRST_COMPLETED).done)
                    self._give_up(monotonic())
                else:
                    self._stop_if_all_hang()
                    sleep(_LOOK_UP)  # for a first worker
        finally:
            self._end()

    def _count(self) -> None:
        """Count the workers, of which a cluster may have more or fewer by now, and say so if none comes."""
        from time import monotonic

        try:
            self.workers = _count_workers(self.executor)
        except OSError as error:
            raise _Stopped(f"The cluster can't be reached any more: {error}") from error
        if self.workers:
            self.missed_since = None
        elif self.missed_since is None:
            self.missed_since = monotonic()
        elif monotonic() - self.missed_since > _PATIENCE:
            self.missed_since = math.inf  # said once
            warnings.warn(
                "The cluster has no workers, and the sweep waits for one. If none will come, interrupt it and make a "
                "new cluster. (Jupyter's interrupt ends the workers of a LocalCluster, too.)",
                stacklevel=5,
            )

    def _submit(self, cell: Cell | None) -> Future[Outcome]:
        return self.executor.submit(run_sent_cell, self.payload, cell, self.token)

    def _hand_over(self, waiting: deque[Cell], now: float) -> None:
        from concurrent.futures import BrokenExecutor

        # With a limit, a cell is handed over only when a worker is free: its time begins at once.
        ahead = 1 if self.limit is not None else 1 + _AHEAD
        while waiting and len(self.at_work) < ahead * self.workers - len(self.hanging):
            try:
                self.at_work[self._submit(waiting[0])] = waiting[0], now
            except BrokenExecutor:
                if self.at_work:
                    return  # whose outcome tells more
                raise _Stopped(
                    "A worker has been killed, or was out of memory. Make a new executor"
                ) from None
            except RuntimeError as error:  # shut down
                raise _Stopped(f"The executor takes no more work: {error}") from error
            waiting.popleft()

    def _collect(self, done: Iterable[Future[Outcome]]) -> None:
        from concurrent.futures import BrokenExecutor, CancelledError

        broken: Exception | None = None
        for future in done:
            cell, _ = self.at_work[future]
            try:
                outcome = future.result()
            except (BrokenExecutor, CancelledError) as error:
                broken = error
                continue
            except Exception as error:  # noqa: BLE001 - such as Dask's KilledWorker: this cell's alone
                outcome = _in_words(error)
            del self.at_work[future]
            self.keep(cell, outcome)
        if broken is not None:
            first = list(self.at_work.values())[: self.workers]  # the rest was waiting
            raise _Stopped(
                f"The executor gave up ({type(broken).__name__}): a worker may have been killed, or out of memory. "
                f"At work were: {'; '.join(self.label(cell) for cell, _ in first)}. Make a new executor"
            ) from broken

    def _give_up(self, now: float) -> None:
        self.hanging = {future for future in self.hanging if not future.done()}
        for future, (cell, since) in list(self.at_work.items()):
            if self.limit is not None and now - since > self.limit:
                del self.at_work[future]
                self.hanging.add(future)
                self.keep(cell, _given_up(self.limit))

    def _stop_if_all_hang(self) -> None:
        if self.hanging and len(self.hanging) >= self.workers:
            raise _Stopped(
                f"Every worker is busy with a run that was given up after {self.limit:g} s. Make a new executor"
            )

    def _end(self) -> None:
        """Take back what hasn't begun, and keep what was finished meanwhile."""
        for future in self.at_work.keys() | self.hanging:
            future.cancel()
        for future, (cell, _) in self.at_work.items():
            if future.done() and not future.cancelled() and future.exception() is None:
                self.keep(cell, future.result())


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Say what it takes to begin when workers can't."""
    from concurrent.futures import BrokenExecutor

    try:
        yield
    except BrokenExecutor as error:
        raise RuntimeError(
            f"The workers ended before they could begin: {error} An executor that broke once stays broken: make a new "
            "one. In a script, make it under `if __name__ == '__main__':`."
        ) from error
    except Exception as error:
        raise RuntimeError(
            f"The workers can't begin: {type(error).__name__}: {error}. Each needs dscourse, in this version, and the "
            'modules that your experiment imports; Dask sends one with `client.upload_file("mine.py")`.'
        ) from error


def _pack(experiment: Experiment, variants: tuple[Variant, ...]) -> bytes:
    import cloudpickle

    try:
        packed: bytes = cloudpickle.dumps((experiment, variants))
    except Exception as error:
        raise TypeError(
            f"The experiment and its parameters can't be sent to workers: {error}. An open file, a lock, a widget or a "
            "generator has to stay in its process: make it inside the experiment, or leave `executor` out."
        ) from error
    return packed


def _count_workers(executor: Executor) -> int:
    """Return how many cells an executor works on at once; it has no public way to say so."""
    client = getattr(executor, "_client", None)
    if client is not None:  # Dask's
        return sum(client.nthreads().values())
    most = getattr(executor, "_max_workers", None)
    return most if isinstance(most, int) and most > 0 else 1


# --- what a learner may have got wrong ---


def _variants(parameters: object) -> tuple[Variant, ...]:
    if isinstance(parameters, Mapping):
        lists = [_values(f"parameters[{name!r}]", values) for name, values in parameters.items()]
        variants = [dict(zip(parameters, values, strict=True)) for values in itertools.product(*lists)]
    elif isinstance(parameters, Iterable) and not isinstance(parameters, str):
        variants = list(parameters)
    else:
        raise TypeError(
            f"parameters must be {{name: list of values}} or a list of dicts, got {shown(parameters)}"
        )
    if not variants:
        raise ValueError("parameters must hold at least one variant, got none")
    for variant in variants:
        if not isinstance(variant, Mapping) or not all(isinstance(name, str) for name in variant):
            raise TypeError(f"a variant must be a dict of parameters by name, got {shown(variant)}")
        for name in variant:
            if name in OWN_COLUMNS:
                raise ValueError(
                    f"a parameter can't be named {name!r}: the tables have a column of that name"
                )
    made = tuple(dict(variant) for variant in variants)
    for place, variant in enumerate(made):
        if any(same_variant(variant, other) for other in made[:place]):
            raise ValueError(f"parameters hold a variant twice: {shown(variant)}")
    return made


def _values(name: str, values: object) -> list[Any]:
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise TypeError(f"{name} must be a list of values, got {shown(values)}")
    listed: list[Any] = values.tolist() if hasattr(values, "tolist") else list(values)
    if not listed:
        raise ValueError(f"{name} must hold at least one value, got none")
    return listed


def _seeds(seeds: object) -> tuple[int, ...]:
    if isinstance(seeds, Iterable) and not isinstance(seeds, str):
        listed = [whole("each of seeds", seed, at_least=0) for seed in seeds]
        if not listed:
            raise ValueError("seeds must hold at least one seed, got none")
        if len(set(listed)) < len(listed):
            raise ValueError(
                "seeds must differ: the same seed gives the same run again, which tells nothing new"
            )
        return tuple(listed)
    if isinstance(seeds, Integral):
        return tuple(range(whole("seeds", seeds, at_least=1)))
    raise TypeError(f"seeds must be a count or a list of whole numbers, got {shown(seeds)}")


def _check_experiment(experiment: object, variants: tuple[Variant, ...]) -> None:
    if not callable(experiment):
        raise TypeError(f"experiment must be a function, got {shown(experiment)}")
    try:
        signature = inspect.signature(experiment)
    except (TypeError, ValueError):  # not every callable can tell
        return
    for variant in variants:
        try:
            signature.bind(seed=0, **variant)
        except TypeError as error:
            call = ", ".join(f"{name}=…" for name in ("seed", *variant))
            raise TypeError(f"experiment must accept the call experiment({call}): {error}") from None


def _check_executor(executor: object) -> None:
    from concurrent.futures import Executor

    if executor is None or isinstance(executor, Executor):
        return
    if hasattr(executor, "get_executor"):
        raise TypeError("executor must be an Executor, got a Dask client: write client.get_executor()")
    raise TypeError(
        f"executor must be a concurrent.futures.Executor, such as ProcessPoolExecutor(), got {shown(executor)}"
    )
