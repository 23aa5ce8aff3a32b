"""The process behind a client of KataGo's analysis engine: started, asked, read, watched, started again.

Answers are matched by id and turn. An engine that dies, floods or falls silent is started again and asked again what
was open, a limited number of times. A question is late when nothing asked before it has been answered for so long: a
long queue is no silence.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn

from gobench.children import Child, FloodError, GoneError, SilentError
from gobench.types import Json, Record
from gobench_go.engines.faults import EngineError, Fault
from gobench_go.engines.katago_queries import Query

RESTARTS = 3  # in a row without an answer in between, and for one question
SEND = 30.0  # seconds for a line to be taken
TICK = 0.2
LONGEST = 16 << 20  # bytes of a line
GARBAGE = 1000  # lines that mean nothing, without an answer in between

Answers = tuple[Record, ...]


class Facts(NamedTuple):
    """What the engine says of itself."""

    version: str  # "1.17.2"
    models: tuple[Record, ...]  # "internalName", "name", "usesHumanSLProfile", ...; empty before KataGo 1.14


class BrokenError(Exception):
    """The process is of no use any more."""

    def __init__(self, fault: Fault, how: str) -> None:
        super().__init__(how)
        self.fault: Fault = fault


@dataclass(slots=True, eq=False)
class Asked:
    """A question that is open."""

    number: int
    query: Query
    line: bytes
    seconds: float
    restarts: int
    future: Future[Answers]
    since: float  # when it was sent, or when the last question before it was answered
    process: int = 0  # the number of the process that it was sent to
    failures: int = 0
    found: dict[int, Record] = field(default_factory=dict)


class Loop:
    """The state, and the thread that starts the process and reads it: it lives as long as the process does."""

    def __init__(self, command: tuple[str, ...], name: str, start: float) -> None:
        self.command, self.name, self.start = command, name, start
        self.notes: Counter[str] = Counter()
        self.child: Child | None = None
        self.process = 0
        self._ready = False  # whether it has said who it is, and takes questions
        self.facts: Facts | None = None
        self._state = threading.Condition()  # guards everything here
        self._pipe = threading.RLock()  # held while a line is written, and while a process is ended
        self._open: dict[str, Asked] = {}
        self._thread: threading.Thread | None = None
        self._number = 0
        self._barren = 0  # restarts without an answer in between
        self._garbage = 0
        self._looked = 0.0  # when late questions were looked for
        self._owner = os.getpid()

    # --- for threads that ask ---

    def submit(self, query: Query, seconds: float, restarts: int) -> Future[Answers]:
        assert os.getpid() == self._owner, (
            "an engine does not survive a fork: open it in the process that asks"
        )
        future: Future[Answers] = Future()
        future.set_running_or_notify_cancel()
        with self._state:
            self._number += 1
            name = f"q{self._number}"
            line = json.dumps({"id": name, **query.record}, separators=(",", ":")).encode() + b"\n"
            asked = Asked(self._number, query, line, seconds, restarts, future, time.monotonic())
            self._open[name] = asked
            self._run()
            child = self.child if self._ready else None
            asked.process = self.process if child else 0
            self._state.notify_all()
        if child:
            self._send(child, [asked])
        return future

    def facts_of_it(self) -> Facts:
        if self.facts is None:
            self.submit(Query({"action": "query_version"}, (), "its version"), self.start, 0).result()
        assert self.facts is not None
        return self.facts

    def close(self) -> None:
        with self._state:
            thread, self._thread = self._thread, None
            child, self.child, self._ready = self.child, None, False
            failed, self._open = list(self._open.values()), {}
            self._state.notify_all()
        self._end(child)
        for asked in failed:
            _give(asked, EngineError("crash", f"{self.name} was closed."))
        if thread and thread is not threading.current_thread():
            thread.join(SEND)

    def _run(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._serve, name="gobench-katago", daemon=True)
            self._thread.start()

    def _send(self, child: Child, questions: Sequence[Asked]) -> None:
        """Write lines. What goes wrong is for the thread that reads: the questions are open."""
        with self._pipe, contextlib.suppress(GoneError):
            try:
                for asked in questions:
                    child.write(asked.line, time.monotonic() + SEND)
            except SilentError:  # perhaps half a line is written: nothing more can be
                self._signal(child)

    # --- the thread that reads ---

    def _serve(self) -> None:
        while self._wanted():
            try:
                child = self._begin()
            except BrokenError as error:
                return self._fail(EngineError(error.fault, str(error)))
            if broken := self._read(child):
                words = child.last_words()
                self._drop()
                self._broken(broken, words)
        return None

    def _read(self, child: Child) -> BrokenError | None:
        """Until the process is of no use, or the engine is closed."""
        try:
            while self._mine():
                self._step(child)
        except BrokenError as broken:
            return broken
        return None

    def _mine(self) -> bool:
        """Whether this is still the thread of the engine, which has not been closed."""
        return self._thread is threading.current_thread()

    def _wanted(self) -> bool:
        """Wait until something is asked; False when closed."""
        with self._state:
            self._state.wait_for(lambda: self._open or not self._mine())
            return self._mine()

    def _begin(self) -> Child:
        """A process that has said who it is, and was asked what is open."""
        try:
            child = Child(self.command)
        except OSError as error:
            raise BrokenError(
                "crash", f"cannot start {self.command[0]}: {error.strerror or error}."
            ) from None
        with self._state:
            if mine := self._mine():
                self.child, self._garbage, self.process = child, 0, self.process + 1
            process = self.process
        if not mine:
            child.kill()
        facts = self._greet(child)
        with self._state:
            self.facts, self._ready = facts, self._mine()
            again = [asked for asked in self._open.values() if asked.process != process]
            for asked in again:
                asked.process, asked.since = process, time.monotonic()
                asked.found.clear()
        threading.Thread(
            target=self._send, args=(child, again), daemon=True
        ).start()  # it may answer before it reads on
        return child

    def _greet(self, child: Child) -> Facts:
        until = time.monotonic() + self.start
        try:
            version = self._said(child, "query_version", until)
            models = self._said(child, "query_models", until)
        except GoneError as error:
            self._give_up("crash", child, str(error))
        except SilentError:
            self._give_up("late", child, f"did not say its version in {self.start:g} seconds")
        except FloodError:
            self._give_up("malformed", child, f"wrote a line of more than {LONGEST:,} bytes")
        listed = models.get("models")
        kept = [model for model in listed if isinstance(model, dict)] if isinstance(listed, list) else []
        return Facts(str(version.get("version", "")), tuple(kept))

    def _said(self, child: Child, action: str, until: float) -> Record:
        """The answer to an action; empty where the engine does not know it."""
        with self._pipe:
            child.write(json.dumps({"id": action, "action": action}).encode() + b"\n", until)
        while True:
            record = _record(child.line(until, LONGEST))
            if record is not None and record.get("id") == action:
                return record
            if record is not None and "error" in record:  # an unknown action: the error names no question
                return {}
            if record is None:
                self.notes["a line that is no JSON"] += 1

    def _give_up(self, fault: Fault, child: Child, how: str) -> NoReturn:
        raise BrokenError(fault, self._text(how, "its version", child.last_words()))

    def _step(self, child: Child) -> None:
        """One line, or a moment of silence. Raises BrokenError."""
        try:
            self._take(child.line(time.monotonic() + TICK, LONGEST))
        except SilentError:
            pass
        except GoneError as error:
            if not self._mine():
                return
            raise BrokenError("crash", str(error)) from None
        except FloodError:
            raise BrokenError("malformed", f"wrote a line of more than {LONGEST:,} bytes") from None
        self._look_for_late()
        if self._garbage >= GARBAGE:
            raise BrokenError("malformed", f"wrote {GARBAGE} lines that answer nothing")

    def _look_for_late(self) -> None:
        now = time.monotonic()
        if now - self._looked < TICK:
            return
        self._looked = now
        with self._state:
            late = [asked for asked in self._open.values() if now - asked.since > asked.seconds]
            for asked in late[:1]:
                asked.failures += 1
                raise BrokenError("late", f"did not answer for {asked.seconds:g} seconds")

    def _take(self, line: bytes) -> None:
        """Understand one line."""
        record = _record(line)
        if record is None:
            return self._note("a line that is no JSON")
        asked = self._open.get(str(record.get("id")))
        if "warning" in record:
            return self._warned(record, asked)
        if "error" in record:
            return self._refused(record, asked)
        if asked is None:
            return self._note("an answer to no open question")
        if record.get("isDuringSearch") is True:
            return None
        return self._answered(record, asked)

    def _note(self, text: str) -> None:
        self.notes[text] += 1
        self._garbage += 1

    def _warned(self, record: Record, asked: Asked | None) -> None:
        where = f" ({record['field']})" if "field" in record else ""
        self.notes[f"warning{where}: {str(record['warning'])[:200]}"] += 1
        if asked and record.get("field") == "rules":  # it would judge by other rules
            self._settle(
                asked,
                EngineError("refused", self._text(f"warned: {record['warning']}", asked.query.what, "")),
            )

    def _refused(self, record: Record, asked: Asked | None) -> None:
        """An error names its question, or can only be of the one that is open."""
        text = f"{record['error']}" + (f" ({record['field']})" if "field" in record else "")
        with self._state:
            alone = len(self._open) == 1 and "id" not in record
            only = next(iter(self._open.values())) if alone else None
        if (asked := asked or only) is None:
            return self._note(f"error: {text[:200]}")
        return self._settle(
            asked, EngineError("refused", self._text(f"refused: {text}", asked.query.what, ""))
        )

    def _answered(self, record: Record, asked: Asked) -> None:
        if not asked.query.turns:  # an action
            return self._settle(asked, (record,))
        turn = record.get("turnNumber")
        if record.get("noResults") is True or not isinstance(record.get("rootInfo"), dict):
            how = "answered without a result"
            return self._settle(asked, EngineError("malformed", self._text(how, asked.query.what, "")))
        if isinstance(turn, bool) or turn not in asked.query.turns or turn in asked.found:
            return self._note("an answer that was not asked for")
        asked.found[turn], asked.since = record, time.monotonic()
        if len(asked.found) == len(asked.query.turns):
            self._settle(asked, tuple(asked.found[turn] for turn in asked.query.turns))
        return None

    # --- ends ---

    def _settle(self, asked: Asked, result: Answers | EngineError) -> None:
        """Answer a question; those after it have something to wait for again."""
        now = time.monotonic()
        with self._state:
            if self._open.pop(f"q{asked.number}", None) is None:
                return
            self._barren = self._garbage = 0
            for other in self._open.values():
                if other.number > asked.number:
                    other.since = now
        _give(asked, result)

    def _broken(self, broken: BrokenError, words: str) -> None:
        """After a process of no use: who has been asked often enough fails, the others are asked again."""
        with self._state:
            if not self._mine():
                return
            self._barren += bool(self._open)
            first = next(iter(self._open.values()), None)
            if first and broken.fault != "late":
                first.failures += 1
            all_fail = self._barren > RESTARTS
            failed = [a for a in self._open.values() if all_fail or a.failures > a.restarts]
            for asked in failed:
                del self._open[f"q{asked.number}"]
            if self._open:
                self.notes["started again"] += 1
            self._barren = 0 if all_fail else self._barren
        for asked in failed:
            _give(asked, EngineError(broken.fault, self._text(str(broken), asked.query.what, words)))

    def _fail(self, error: EngineError) -> None:
        """After a process that could not be started: nobody is asked again."""
        self._drop()
        with self._state:
            if not self._mine():
                return
            failed, self._open = list(self._open.values()), {}
            self._thread = None  # whoever asks from now on starts another
        for asked in failed:
            _give(asked, error)

    def _drop(self) -> None:
        """End the process, where that has not been done by closing."""
        with self._state:
            if not self._mine():
                return
            child, self.child, self._ready = self.child, None, False
        self._end(child)

    def _end(self, child: Child | None) -> None:
        if child:
            self._signal(child)
            with self._pipe:
                child.kill()

    def _signal(self, child: Child) -> None:
        if not child.ended:
            with contextlib.suppress(OSError):
                os.killpg(child.pid, signal.SIGKILL)

    def _text(self, how: str, what: str, words: str) -> str:
        said = f" It said:\n  {words}" if words else ""
        return f"{self.name}, asked for {what}, {how}.{said}"


def _give(asked: Asked, result: Answers | EngineError) -> None:
    if isinstance(result, EngineError):
        asked.future.set_exception(EngineError(result.fault, str(result)))
    else:
        asked.future.set_result(result)


def _record(line: bytes) -> Record | None:
    """A line as a JSON table; None for anything else."""
    try:
        found: Json = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)
