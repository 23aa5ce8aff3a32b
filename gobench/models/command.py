"""Models as programs: ``cmd:PROGRAM ARGS`` speaks frames on stdin and stdout (see ``framing``), never pickle."""

from __future__ import annotations

import contextlib
import math
import re
import shlex
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from gobench.canonical import sha256, sha256_file
from gobench.children import Child, GoneError, SilentError
from gobench.errors import ChildError, DataError, UsageError
from gobench.models.answers import shape_hint
from gobench.models.describe import ModelInfo, describe
from gobench.models.framing import LENGTH, PROTOCOL, GarbledError, header, header_length, pack, shape_of
from gobench.models.loaded import PATIENCE
from gobench.types import Array, Json, Record

DECLARED = (
    "name", "kind", "video_only", "frame_size", "max_frames", "context_keys", "parameters",
    "weights_sha256", "trained_on", "provenance",
)  # fmt: skip


INTERPRETERS = re.compile(r"(python|pypy|perl|ruby|node|julia|Rscript|sh|bash|dash|zsh|ksh|fish|env)[-.\d]*")
SYSTEM = (
    "/bin",
    "/usr/bin",
    "/sbin",
    "/usr/sbin",
    "/usr/local/sbin",
)  # folders of programs that nobody edits


def open_model(text: str, timeout: float) -> tuple[Command, ModelInfo]:
    """Start the program and say hello.

    Raises:
        UsageError: no program is named, or there is none of that name, or it declares what cannot be.
        ChildError: it died, hung, or said something else.
    """
    argv = _split(text)
    model = Command(argv, text, timeout)
    try:
        said = SimpleNamespace(**{key: model.declared[key] for key in DECLARED if key in model.declared})
        return model, describe(said, _name(argv), text, "cmd", code_sha256=_code(argv))
    except BaseException:
        model.close()
        raise


class Command:
    """A child process as a model."""

    own_deadline = True  # answers are awaited with a deadline here, and a child that hangs is killed

    def __init__(self, argv: Sequence[str], text: str, timeout: float) -> None:
        self.text = text
        self.timeout = timeout
        try:
            self._child = Child(argv)
        except OSError as error:
            raise UsageError(
                f"model {text!r}: the program {argv[0]!r} cannot be started ({error.strerror or error}). Give a program "
                "on the PATH or with its folder, as in cmd:./run.sh or cmd:python my_client.py."
            ) from error
        except (ValueError, TypeError) as error:
            raise UsageError(f"model {text!r} cannot be started: {error}.") from error
        self.declared = self._hello()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    @property
    def lost(self) -> bool:
        """Whether the child was ended, or ended itself."""
        return self._child.ended

    def begin(self, public: Mapping[str, Json]) -> None:
        """Pass on a task's public settings."""
        self._tell("begin", {"public": dict(public)})

    def generate(
        self,
        frames: Array,
        n: int,
        seeds: npt.NDArray[np.uint64],
        context: Sequence[Mapping[str, Json]] | None = None,
    ) -> Array:
        """uint8 [B, T, H, W, 3] -> uint8 [B, n, H, W, 3]; raises ChildError, and the child is ended then."""
        batch, prompt, height, width, _ = frames.shape
        until = time.monotonic() + self.timeout
        asked = {
            "shape": list(frames.shape), "n": n, "seeds": [str(int(seed)) for seed in seeds],
            "context": None if context is None else [dict(row) for row in context],
        }  # fmt: skip
        what = f"{n} frame(s) after each of {batch} clip(s) of {prompt} frame(s)"
        with self._blame(what):
            self._send("generate", asked, until)
            self._child.write(np.ascontiguousarray(frames).data, until)
            got = shape_of(self._receive("generate", until))
            want = (batch, n, height, width, 3)
            if got != want:
                raise GarbledError("answered with " + shape_hint(got, want, prompt).rstrip("."))
            data = self._child.read(math.prod(want), until)
        return np.frombuffer(data, np.uint8).reshape(want)

    def close(self) -> None:
        """Say goodbye, then make sure that the child and what it started have ended."""
        with contextlib.suppress(GoneError, SilentError, OSError):
            self._send("bye", {}, time.monotonic() + 0.5)
        self._child.end()

    def _tell(self, op: str, more: Record) -> Record:
        until = time.monotonic() + self.timeout
        with self._blame(f'"{op}"'):
            self._send(op, more, until)
            return self._receive(op, until)

    def _hello(self) -> Record:
        """What the program says of itself; ChildError for one that only repeats what it is told, as cat does."""
        found = self._tell("hello", {"protocol": PROTOCOL})
        if found.get("ok") is not True and not any(key in found for key in DECLARED):
            what = "repeated the question" if found.get("protocol") == PROTOCOL else "declared nothing"
            lost = GarbledError(
                f"{what}: is it a client of this protocol? It answers with what it is, at least "
                '{"frame_size": [256, 256]} or {"ok": true}; examples/cmd_model.py shows all of it'
            )
            raise self.fail(lost, '"hello"')
        return found

    def _send(self, op: str, more: Record, until: float) -> None:
        self._child.write(pack({"op": op, **more}), until)

    def _receive(self, op: str, until: float) -> Record:
        length = self._child.read(LENGTH.size, until)
        try:
            found = header(bytes(self._child.read(header_length(bytes(length)), until)))
        except GarbledError as error:
            more = self._child.leftover()[:80]
            raise GarbledError(f"{error}. It went on with {more!r}" if more else str(error)) from None
        if "error" in found:
            raise GarbledError(f"said that it cannot: {str(found['error'])[:500]}")
        if found.get("op", op) != op:
            raise GarbledError(f'answered "{found["op"]}" to "{op}"')
        return found

    def _blame(self, what: str) -> _Blame:
        return _Blame(self, what)

    def fail(self, error: Exception, what: str) -> ChildError:
        """End the child; the error that tells what it did."""
        late = isinstance(error, SilentError)
        did = f"did not answer within {self.timeout:g} s" if late else str(error)
        if isinstance(error, GoneError):
            self._child.end()
        else:
            self._child.kill()
        words = self._child.last_words()
        told = f" The last it wrote to stderr:\n  {words}" if words else " It wrote nothing to stderr."
        more = f" {PATIENCE}" if late else ""
        return ChildError(f"model {self.text!r} {did}, when it was asked for {what}.{more}{told}")


class _Blame:
    """Turns what goes wrong with a child into a ChildError that names it."""

    def __init__(self, model: Command, what: str) -> None:
        self.model, self.what = model, what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, GoneError | SilentError | GarbledError):
            raise self.model.fail(error, self.what) from None
        if error is not None:  # Ctrl-C in the middle of an answer: nothing after it would make sense
            self.model._child.kill()


def _split(text: str) -> list[str]:
    try:
        argv = shlex.split(text.removeprefix("cmd:"))
    except ValueError as error:
        raise UsageError(f"model {text!r}: its quotes do not match ({error}).") from error
    if not argv:
        raise UsageError("cmd: needs a program, as in cmd:python my_client.py.")
    return argv


def _script(argv: Sequence[str]) -> int:
    """The place of what is run: the script that an interpreter is given, else the program itself."""
    if not INTERPRETERS.fullmatch(Path(argv[0]).name):
        return 0
    places = range(1, len(argv))
    return next((i for i in places if not argv[i].startswith("-") and Path(argv[i]).is_file()), 0)


def _name(argv: Sequence[str]) -> str:
    """The script or program without folder and ending, then its arguments: other arguments make another model."""
    place = _script(argv)
    return " ".join([Path(argv[place]).stem if place else Path(argv[0]).name, *argv[place + 1 :]])


def _code(argv: Sequence[str]) -> str | None:
    """A hash over the files that the command line names: the program where it is the user's own, scripts, settings."""
    named = [word.partition("=")[2] if word.startswith("-") else word for word in argv[1:]]
    found = []
    for path in (_own_program(argv[0]), *map(Path, filter(None, named))):
        try:
            if path is not None and path.is_file():
                found.append(sha256_file(path))
        except (OSError, DataError, ValueError):
            continue
    return sha256("".join(found).encode()) if found else None


def _own_program(word: str) -> Path | None:
    """The file of a program, None for interpreters and what belongs to the system."""
    place = shutil.which(word)
    if place is None or INTERPRETERS.fullmatch(Path(place).name):
        return None
    path = Path(place).absolute()
    return None if str(path.parent) in SYSTEM else path
