"""Where pieces are made: in this process, its threads, or worker processes of this machine.

An engine only schedules. It never knows what a piece is, and the pieces do not depend on it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext, SpawnProcess
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Any, Protocol

from gobench.build.stages import Job
from gobench.errors import BuildError, GobenchError, UsageError, family
from gobench.workers import cores

PATIENCE = 5.0  # seconds a worker may take to stop before it is killed
THREADS = "OMP_NUM_THREADS"  # of numeric libraries; read when they are imported


class Engine(Protocol):
    """Makes pieces. A package adds one by the entry-point group ``gobench.engines``."""

    def run(self, job: Job, indices: Sequence[int], done: Callable[[int], None]) -> None:
        """Call ``job(i)`` once for every index, in any order and process, and ``done(i)`` here after each.

        Raises:
            GobenchError: the first thing that went wrong, after all workers have stopped.
        """
        ...


@dataclass(frozen=True)
class Inline:
    """Everything in this process, in order."""

    def run(self, job: Job, indices: Sequence[int], done: Callable[[int], None]) -> None:
        for index in indices:
            failure = _attempt(job, index)
            if failure is not None:
                raise failure
            done(index)


@dataclass(frozen=True)
class Processes:
    """``workers`` processes, one piece at a time each; started afresh (spawn), so they inherit nothing.

    They share the cores: where the environment does not say otherwise, numeric libraries get so many threads in each that
    they do not fight.
    """

    workers: int

    def run(self, job: Job, indices: Sequence[int], done: Callable[[int], None]) -> None:
        context = multiprocessing.get_context("spawn")
        queue = list(reversed(indices))
        many = min(self.workers, len(queue))
        crew = [_Worker(context, _pickled(job), max(1, cores() // many)) for _ in range(many)]
        try:
            for worker in crew:
                worker.next(queue)
            while busy := [worker for worker in crew if worker.index is not None]:
                wait([worker.pipe for worker in busy])
                for worker in busy:
                    if worker.pipe.poll():
                        done(worker.result(job))
                        worker.next(queue)
        finally:
            _stop(crew)


@dataclass(frozen=True)
class Threads:
    """``workers`` pieces at once in this process, for pieces that wait for programs of others.

    A job that has ``close()`` lets go of those programs: called until the threads have stopped when something went
    wrong or somebody interrupts, so that none waits for an answer that nobody wants any more.
    """

    workers: int

    def run(self, job: Job, indices: Sequence[int], done: Callable[[int], None]) -> None:
        queue, results = SimpleQueue[int | None](), SimpleQueue[tuple[int, GobenchError | None]]()
        for index in indices:
            queue.put(index)
        crew = [
            threading.Thread(target=_work_in_thread, args=(job, queue, results), daemon=True)
            for _ in range(min(self.workers, len(indices)))
        ]
        for thread in crew:
            thread.start()
        try:
            for _ in indices:
                index, failure = results.get()
                if failure is not None:
                    raise failure
                done(index)
        except BaseException:
            _dismiss(crew, queue, getattr(job, "close", lambda: None))
            raise
        _dismiss(crew, queue, lambda: None)


def _work_in_thread(job: Job, queue: SimpleQueue[int | None], results: SimpleQueue[Any]) -> None:
    while (index := queue.get()) is not None:
        results.put((index, _attempt(job, index)))


def _dismiss(
    crew: Sequence[threading.Thread], queue: SimpleQueue[int | None], close: Callable[[], None]
) -> None:
    """Let threads end, whatever is left in the queue; those that do not within ``PATIENCE`` are left to themselves."""
    with contextlib.suppress(Empty):
        while True:
            queue.get_nowait()
    for _ in crew:
        queue.put(None)
    until = time.monotonic() + PATIENCE
    while any(thread.is_alive() for thread in crew) and time.monotonic() < until:
        close()
        for thread in crew:
            thread.join(0.1)


def engine(workers: int) -> Engine:
    """The local engine for so many workers. Raises UsageError below 1."""
    if workers < 1:
        raise UsageError(f"workers is {workers}; allowed is a whole number of at least 1.")
    return Inline() if workers == 1 else Processes(workers)


class _Worker:
    """The coordinator's end of one worker process."""

    def __init__(self, context: SpawnContext, job: bytes, threads: int) -> None:
        self.pipe, theirs = context.Pipe()
        self.index: int | None = None
        self.process: SpawnProcess = context.Process(target=_work, args=(theirs, job, threads), daemon=True)
        self.process.start()
        theirs.close()

    def next(self, queue: list[int]) -> None:
        """Hand over the next index, if there is one."""
        self.index = queue.pop() if queue else None
        if self.index is not None:
            with contextlib.suppress(BrokenPipeError):  # died in between: told when its answer is read
                self.pipe.send(self.index)

    def result(self, job: Job) -> int:
        """The index that was made; raises what went wrong, BuildError if the process died."""
        assert self.index is not None
        try:
            failure: GobenchError | None = self.pipe.recv()
        except (EOFError, ConnectionResetError) as error:
            self.process.join(PATIENCE)
            raise BuildError(_obituary(self.process, job.name(self.index))) from error
        if failure is not None:
            raise failure
        return self.index


def _obituary(process: SpawnProcess, piece: str) -> str:
    code = process.exitcode
    how = f"ended with exit code {code}"
    if code is not None and code < 0:
        how = f"was ended by {signal.Signals(-code).name}"
        if code == -signal.SIGKILL:
            how += " (is there too little memory?)"
    return (
        f"the worker process {process.pid} {how} while it made {piece}. Finished pieces are kept: "
        "run the same command again to go on, with fewer --workers if memory is short."
    )


def _pickled(job: Job) -> bytes:
    try:
        return pickle.dumps(job)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise UsageError(
            f"this domain cannot be sent to worker processes ({error}): use 1 worker."
        ) from error


def _stop(crew: Sequence[_Worker]) -> None:
    for worker in crew:
        worker.pipe.close()  # an idle worker ends by itself
        if worker.index is not None and worker.process.is_alive():
            worker.process.terminate()
    for worker in crew:
        worker.process.join(PATIENCE)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        worker.process.close()


def _work(pipe: Connection, pickled: bytes, threads: int) -> None:
    """A worker's life: indices come in, failures or None go out, until the coordinator is gone."""
    os.environ.setdefault(THREADS, str(threads))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells everybody; the coordinator decides
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_follow, daemon=True).start()
    job: Job = pickle.loads(pickled)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            index = pipe.recv()
            pipe.send(_attempt(job, index))


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)  # so that temporary files are removed on the way out


def _follow() -> None:
    """End with the coordinator, also if it is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _attempt(job: Job, index: int) -> GobenchError | None:
    """Make a piece; returns what went wrong as an error that can travel between processes."""
    try:
        job(index)
    except GobenchError as error:
        return _portable(family(error), str(error), error)
    except MemoryError as error:
        text = f"no memory left for {job.name(index)}. Run the same command again with fewer --workers."
        return _portable(BuildError, text, error)
    except Exception as error:
        return _portable(BuildError, f"{job.name(index)} failed: {type(error).__name__}: {error}", error)
    return None


def _portable(kind: type[GobenchError], text: str, error: BaseException) -> GobenchError:
    failure = kind(text)
    failure.add_note("".join(traceback.format_exception(error)))
    return failure


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Make SIGTERM stop this process the way Ctrl-C does, with everything cleaned up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
