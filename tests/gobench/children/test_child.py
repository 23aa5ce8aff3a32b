"""Child processes: lines with a deadline and a limit, and an end that leaves nothing open."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from gobench.children import Child, FloodError, GoneError, SilentError


def child(code: str, **more: str) -> Child:
    lines = "import os, sys, time\ndef say(b): os.write(1, b)\n"
    return Child([sys.executable, "-S", "-c", lines + code], more, grace=0.3)


def soon(seconds: float = 10.0) -> float:
    return time.monotonic() + seconds


def test_lines_however_they_come() -> None:
    one = child("for part in (b'a', b'b\\nsecond\\n\\nth', b'ird', b'\\nrest'): say(part); time.sleep(0.05)")
    assert [one.line(soon()) for _ in range(4)] == [b"ab", b"second", b"", b"third"]
    assert bytes(one.read(2, soon())) == b"re", "what was held is read first"
    with pytest.raises(GoneError, match="ended with exit code 0"):
        one.line(soon())
    assert one.leftover() == b"st"
    one.end()


def test_a_long_line_and_a_late_one() -> None:
    long = child("say(b'x' * 3000); time.sleep(60)")
    with pytest.raises(FloodError):
        long.line(soon(), limit=1000)
    long.kill()
    whole = child("say(b'x' * 3000 + b'\\n'); time.sleep(60)")
    with pytest.raises(FloodError):
        whole.line(soon(), limit=1000)
    whole.kill()
    late = child("say(b'half'); time.sleep(60)")
    with pytest.raises(SilentError):
        late.line(soon(0.3))
    late.kill()
    endless = child("while True: say(b'y' * 100)")
    with pytest.raises((SilentError, FloodError)):
        endless.line(soon(0.3), limit=1 << 30)
    endless.kill()


def test_the_environment_is_added_to() -> None:
    one = child("say(os.environ['WORD'].encode() + b' ' + os.environ['PATH'].encode() + b'\\n')", WORD="yes")
    assert one.line(soon()).decode() == f"yes {os.environ['PATH']}"
    one.end()


def test_grace_is_how_long_it_takes() -> None:
    stubborn = child("import signal; signal.signal(15, signal.SIG_IGN); say(b'\\n'); time.sleep(60)")
    stubborn.line(soon())
    start = time.monotonic()
    stubborn.end()
    assert 0.5 < time.monotonic() - start < 3
    with pytest.raises(GoneError, match="has been ended before"):
        stubborn.line(soon())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")
def test_a_pipe_that_others_hold_open_is_closed_here(tmp_path: Path) -> None:
    """A process that has left the group lives on and holds stderr; nothing here waits for it or leaks."""
    before, mark = sorted(os.listdir("/proc/self/fd")), tmp_path / "pid"
    code = f"""
if not os.fork():
    os.setsid(); open({str(mark)!r}, "w").write(str(os.getpid())); time.sleep(60)
while not os.path.exists({str(mark)!r}): time.sleep(0.01)
say(b"\\n")
"""
    one = child(code)
    one.line(soon())
    start = time.monotonic()
    one.kill()
    assert time.monotonic() - start < 3 and sorted(os.listdir("/proc/self/fd")) == before
    os.kill(int(mark.read_text()), 9)
