"""Programs as models: the example client, and children that die, hang, flood, fork or talk nonsense."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from gobench.errors import ChildError, UsageError
from gobench.models import Loaded, command, load
from gobench.models.command import Command
from gobench.types import Array

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples" / "cmd_model.py"
Seeds = npt.NDArray[np.uint64]
Make = Callable[..., str]

PREAMBLE = """
import json, math, os, signal, struct, sys, time
IN, OUT = sys.stdin.buffer, sys.stdout.buffer
def receive():
    size = IN.read(4)
    if len(size) < 4: sys.exit(0)
    head = json.loads(IN.read(struct.unpack("<I", size)[0]))
    data = IN.read(math.prod(head["shape"])) if "shape" in head else b""
    return head, data
def send(head, data=b""):
    text = json.dumps(head).encode()
    OUT.write(struct.pack("<I", len(text)) + text + data); OUT.flush()
def hello(**more):
    receive(); send({"frame_size": [16, 24], **more})
"""


@pytest.fixture
def child(tmp_path: Path) -> Make:
    """A client of the given lines, after a preamble with receive, send and hello; returns the model's text."""

    def write(body: str) -> str:
        path = tmp_path / "client.py"
        path.write_text(PREAMBLE + body)
        return f"cmd:{sys.executable} {path}"

    return write


def gone(pid: int, seconds: float = 5.0) -> bool:
    """Whether a process has ended (or is a zombie of someone else) within some seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.02)
    return False


def pid_of(model: Loaded) -> int:
    assert isinstance(model.model, Command)
    return model.model.pid


def test_the_example_is_short_and_needs_numpy_only() -> None:
    text = EXAMPLE.read_text()
    assert len(text.splitlines()) <= 45
    wanted = {line.split()[1] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert wanted == {"json", "struct", "sys", "numpy"}


def test_the_example_answers(prompt: Array, seeds: Seeds) -> None:
    model = load(f"cmd:{sys.executable} {EXAMPLE}", timeout=30)
    assert (model.info.name, model.info.form, model.info.frame_size) == ("cmd_model", "cmd", (256, 256))
    assert model.info.code_sha256
    model.begin({"task": "go9/next-move", "rows": 9})
    for n in (1, 3):
        assert np.array_equal(model.ask(prompt, n, seeds, [{}] * 4), np.repeat(prompt, n, axis=1))
    large = np.random.default_rng(1).integers(0, 256, (8, 4, 256, 256, 3), np.uint8)
    assert np.array_equal(model.ask(large, 1, np.zeros(8, np.uint64)), large[:, -1:])
    pid = pid_of(model)
    model.close()
    assert gone(pid)


ECHO = """
hello(max_frames=2, context_keys=["to_move"], name="Echo", kind="state", parameters=7, trained_on="x")
head, data = receive(); assert head["op"] == "begin" and head["public"] == {"task": "t"}, head; send({"op": "begin"})
head, data = receive()
assert head["op"] == "generate" and head["n"] == 1 and head["shape"] == [1, 2, 16, 24, 3]
assert head["seeds"] == ["18446744073709551615"] and head["context"] == [{"to_move": "white"}], head
send({"op": "generate", "shape": [1, 1, 16, 24, 3]}, data[16 * 24 * 3:])
assert receive()[0]["op"] == "bye"
open(sys.argv[0] + ".bye", "w").close()
"""


def test_everything_is_passed_on(child: Make, tmp_path: Path) -> None:
    model = load(child(ECHO), timeout=20)
    info = model.info
    assert (info.name, info.kind, info.max_frames, info.parameters) == ("Echo", "state", 2, 7)
    assert info.provenance == {"trained_on": "x"} and not info.video_only
    model.begin({"task": "t"})
    frames = np.arange(2 * 16 * 24 * 3, dtype=np.uint8).reshape(1, 2, 16, 24, 3)
    answer = model.ask(frames, 1, np.array([2**64 - 1], np.uint64), [{"to_move": "white", "id": "a"}])
    assert np.array_equal(answer[:, 0], frames[:, 1])
    model.close()
    assert (tmp_path / "client.py.bye").exists()


AT_START = {
    "dies": ("sys.stderr.write('no weights here\\n'); sys.exit(3)", r"ended with exit code 3.*\"hello\".*no weights"),
    "raises": ("import nothing_of_this_name", "exit code 1.*ModuleNotFoundError"),
    "killed": ("os.kill(os.getpid(), 9)", "SIGKILL: perhaps it had no memory"),
    "ends": ("", "exit code 0.*nothing to stderr"),
    "prints": ("print('Loading the model, please wait ...', flush=True); time.sleep(9)", "print to stdout.*ng the model"),
    "short-garbage": ("receive(); OUT.write(b'ab'); OUT.flush()", r"exit code 0 in the middle of an answer \(2 of 4"),
    "oversized": ("OUT.write(struct.pack('<I', 2**31)); OUT.flush(); time.sleep(9)", "length of a header"),
    "no-json": ("OUT.write(struct.pack('<I', 5) + b'hello'); OUT.flush(); time.sleep(9)", "not JSON.*b'hello'"),
    "deep-json": ("OUT.write(struct.pack('<I', 99999) + b'[' * 99999); OUT.flush(); time.sleep(9)", "not JSON"),
    "no-object": ("OUT.write(struct.pack('<I', 2) + b'[]'); OUT.flush(); time.sleep(9)", "not a JSON object"),
    "other-op": ("receive(); send({'op': 'goodbye'}); time.sleep(9)", 'answered "goodbye" to "hello"'),
    "echo": ("head, _ = receive(); send(head); time.sleep(9)", 'repeated the question.*"hello"'),
    "says-nothing": ("receive(); send({}); time.sleep(9)", "declared nothing.*frame_size.*ok"),
    "error": ("receive(); send({'error': 'no GPU'}); time.sleep(9)", "it cannot: no GPU"),
    "closes": ("os.close(1); time.sleep(9)", "closed its stdout"),
}  # fmt: skip


@pytest.mark.parametrize("kind", AT_START)
def test_a_bad_start(child: Make, kind: str) -> None:
    body, match = AT_START[kind]
    text = child(body)
    with pytest.raises(ChildError, match="(?s)" + match) as error:
        load(text, timeout=8)
    assert f"model {text!r}" in str(error.value)


def test_a_program_that_only_copies_is_no_model() -> None:
    with pytest.raises(ChildError, match="'cmd:cat' repeated the question: is it a client"):
        load("cmd:cat", timeout=8)


def test_a_program_may_say_ok_alone(child: Make) -> None:
    model = load(child("receive(); send({'ok': True}); receive()"), timeout=20)
    assert model.info.frame_size == (256, 256)
    model.close()


def test_declarations_of_a_program_are_checked(child: Make) -> None:
    with pytest.raises(UsageError, match="max_frames = 99"):
        load(child("hello(max_frames=99); receive()"), timeout=8)


AT_WORK = {
    "dies": ("receive(); sys.exit(7)", "ended with exit code 7.*1 frame.*4 clip"),
    "dies-unread": ("IN.read(100); os.close(0); sys.exit(7)", "exit code 7"),
    "half": ("receive(); send({'shape': [4, 1, 16, 24, 3]}, b'x' * 100)", r"middle of an answer \(100 of 4,608"),
    "wrong-shape": ("receive(); send({'shape': [4, 1, 3, 16, 24]}); time.sleep(9)", "colours stand before the pixels"),
    "huge-shape": ("receive(); send({'shape': [2**40, 1, 16, 24, 3]}); time.sleep(9)", "answers for 1099511627776"),
    "odd-shape": ("receive(); send({'shape': [4.0, 'x']}); time.sleep(9)", "without a shape"),
    "no-shape": ("receive(); send({}); time.sleep(9)", "without a shape"),
    "floats": ("receive(); send({'shape': [4, 1, 16, 24, 3], 'dtype': 'float32'}); time.sleep(9)", "float32 instead"),
    "prints": ("receive(); print('step 1', flush=True); time.sleep(9)", r"began its answer with b'step'"),
}  # fmt: skip


@pytest.mark.parametrize("kind", AT_WORK)
def test_a_bad_answer(child: Make, prompt: Array, seeds: Seeds, kind: str) -> None:
    body, match = AT_WORK[kind]
    model = load(child("hello()\n" + body), timeout=8)
    pid = pid_of(model)
    with pytest.raises(ChildError, match="(?s)" + match) as error:
        model.ask(prompt, 1, seeds)
    assert f"model {model.info.text!r}" in str(error.value)
    assert model.lost and gone(pid)
    with pytest.raises(ChildError, match="ended before"):
        model.ask(prompt, 1, seeds)


@pytest.mark.parametrize("stubborn", ["", "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"])
def test_a_child_that_hangs_is_killed(child: Make, prompt: Array, seeds: Seeds, stubborn: str) -> None:
    model = load(
        child(f"{stubborn}hello()\nreceive(); sys.stderr.write('thinking'); time.sleep(60)"), timeout=8
    )
    quick = Loaded(model.model, model.info, 0.5)
    assert isinstance(model.model, Command)
    model.model.timeout = 0.5
    start = time.monotonic()
    with pytest.raises(ChildError, match=r"(?s)did not answer within 0\.5 s.*--timeout.*thinking"):
        quick.ask(prompt, 1, seeds)
    assert time.monotonic() - start < 4 and gone(pid_of(model))


def test_a_child_that_does_not_read_is_killed(child: Make) -> None:
    model = load(child("hello()\ntime.sleep(60)"), timeout=8)
    assert isinstance(model.model, Command)
    model.model.timeout = 0.5
    with pytest.raises(ChildError, match=r"did not answer within 0\.5 s"):
        model.ask(np.zeros((4, 1, 256, 256, 3), np.uint8), 1, np.zeros(4, np.uint64))
    assert gone(pid_of(model))


def test_a_flood_on_stderr_is_drained(child: Make, prompt: Array, seeds: Seeds) -> None:
    body = """
hello()
head, data = receive()
for k in range(3000): sys.stderr.write(f"line {k} " + "x" * 1990 + "\\n")
sys.stderr.flush()
send({"shape": [4, 1, 16, 24, 3]}, data)
receive()
sys.stderr.write("the very last\\n"); sys.exit(1)
"""
    model = load(child(body), timeout=20)
    assert np.array_equal(model.ask(prompt, 1, seeds), prompt)
    with pytest.raises(ChildError, match="the very last") as error:
        model.ask(prompt, 1, seeds)
    assert len(str(error.value)) < 6000


def test_a_child_that_forks_leaves_nobody(child: Make, prompt: Array, seeds: Seeds, tmp_path: Path) -> None:
    body = """
hello()
receive()
pid = os.fork()
if not pid:
    signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)
open(sys.argv[0] + ".pid", "w").write(str(pid))
sys.exit(4)
"""
    model = load(child(body), timeout=20)
    start = time.monotonic()
    with pytest.raises(ChildError, match="exit code 4"):
        model.ask(prompt, 1, seeds)
    assert time.monotonic() - start < 6
    assert gone(int((tmp_path / "client.py.pid").read_text()))


def test_a_closed_child_leaves_nobody(child: Make) -> None:
    model = load(child("hello()\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)"), timeout=20)
    model.close()
    model.close()
    assert gone(pid_of(model))


def test_a_forgotten_model_ends_its_child(child: Make) -> None:
    model = load(child("hello()\nreceive()"), timeout=20)
    pid = pid_of(model)
    del model
    assert gone(pid)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs PR_SET_PDEATHSIG")
def test_children_of_a_killed_parent_die(child: Make) -> None:
    text = child("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nhello()\nreceive(); time.sleep(60)")
    code = (
        "import numpy as np; from gobench.models import load\n"
        f"m = load({text!r}, timeout=50); print(m.model.pid, flush=True)\n"
        "m.ask(np.zeros((1, 1, 16, 24, 3), np.uint8), 1, np.zeros(1, np.uint64))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    assert gone(pid)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_what_a_wrapper_started_dies_with_a_killed_parent(child: Make, tmp_path: Path) -> None:
    text = child(
        "open(sys.argv[0] + '.pid', 'w').write(str(os.getpid()))\nhello()\nreceive(); time.sleep(60)"
    )
    wrapper = tmp_path / "run.sh"
    wrapper.write_text(f"#!/bin/sh\n{text.removeprefix('cmd:')}\necho never\n")
    wrapper.chmod(0o755)
    code = (
        "import numpy as np; from gobench.models import load\n"
        f"m = load('cmd:{wrapper}', timeout=50); print(m.model.pid, m.model._child._watcher.pid, flush=True)\n"
        "m.ask(np.zeros((1, 1, 16, 24, 3), np.uint8), 1, np.zeros(1, np.uint64))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        shell, watcher = map(int, parent.stdout.readline().split())
        inner = int((tmp_path / "client.py.pid").read_text())
        assert inner != shell and not gone(inner, 0.1)
        parent.send_signal(signal.SIGKILL)
    assert gone(shell) and gone(inner) and gone(watcher)


def test_a_watcher_goes_with_its_child(child: Make) -> None:
    model = load(child("hello()\nreceive()"), timeout=20)
    assert isinstance(model.model, Command)
    watcher = model.model._child._watcher
    assert watcher is not None and watcher.poll() is None
    model.close()
    assert watcher.returncode is not None and gone(watcher.pid, 0.2)


def test_names_tell_arguments_apart(child: Make, tmp_path: Path) -> None:
    text = child("hello()\nreceive()")
    names, codes = [], set()
    settings = tmp_path / "small.json"
    settings.write_text("1")
    for more in ("", " --size 3", " --size 5", f" --config={settings}"):
        model = load(text + more, timeout=20)
        model.close()
        names.append(model.info.name)
        codes.add(model.info.code_sha256)
    assert names == ["client", "client --size 3", "client --size 5", f"client --config={settings}"]
    assert len(codes) == 2, "a file of settings is part of the code"


def test_an_edited_program_is_noticed(child: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client, wrapper = child("hello()\nreceive()").removeprefix("cmd:"), tmp_path / "run-mine.sh"
    codes = []
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for line in ("", "# edited\n"):
        wrapper.write_text(f"#!/bin/sh\n{line}exec {client}\n")
        wrapper.chmod(0o755)
        for text in (f"cmd:{wrapper}", "cmd:run-mine.sh"):
            model = load(text, timeout=20)
            model.close()
            assert model.info.name == "run-mine.sh"
            codes.append(model.info.code_sha256)
    assert codes[0] == codes[1] != codes[2] == codes[3]
    assert command._code(["python3", "-c", "1"]) is None and command._code(["cat"]) is None


def test_no_shell_is_involved(child: Make, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    model = load(
        child("hello(name=' '.join(sys.argv[1:]))\nreceive()") + f" 'a b' $HOME ; touch {marker}", timeout=20
    )
    assert model.info.name == f"a b $HOME ; touch {marker}"
    model.close()
    assert not marker.exists()


def test_programs_that_cannot_be_started(tmp_path: Path) -> None:
    for text, match in {
        "cmd:": "needs a program",
        "cmd:   ": "needs a program",
        "cmd:no-such-program --x": "'no-such-program' cannot be started",
        "cmd:python 'x": "quotes",
        f"cmd:{tmp_path}": "cannot be started",
    }.items():
        with pytest.raises(UsageError, match=match):
            load(text)


def test_descriptors_do_not_pile_up(child: Make) -> None:
    text = child("hello()\nreceive()")
    load(text, timeout=20).close()
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    for _ in range(5):
        load(text, timeout=20).close()
    assert not before or len(os.listdir("/proc/self/fd")) <= before
