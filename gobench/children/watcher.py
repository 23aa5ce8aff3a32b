"""A small process that ends a group of processes when this one dies, however it dies.

Linux can end a child together with its parent, but not what the child itself has started (the program behind a
wrapper script). A shell waits at the end of a pipe whose other end only this process holds; when the pipe breaks, it
kills the group. What has left the group (``setsid``) is out of reach.
"""

from __future__ import annotations

import contextlib
import subprocess

SHELL = "/bin/sh"
WATCH = "trap '' HUP INT TERM; read -r word; kill -s KILL -- \"-$1\""


def watch(group: int) -> subprocess.Popen[bytes] | None:
    """Start to watch over a process group; None where there is no shell for it, or no room for a process."""
    try:
        return subprocess.Popen(
            [SHELL, "-c", WATCH, "gobench-watcher", str(group)], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    except OSError:
        return None


def dismiss(watcher: subprocess.Popen[bytes] | None) -> None:
    """End a watcher before its pipe breaks: the number of its group may soon be somebody else's."""
    if watcher is None:
        return
    watcher.kill()
    watcher.wait()
    with contextlib.suppress(OSError):
        assert watcher.stdin is not None
        watcher.stdin.close()
