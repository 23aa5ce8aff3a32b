"""A program ``katago`` on the PATH that speaks KataGo's protocol, and networks for it."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SERVER = Path(__file__).parent / "engines" / "katago_server.py"
Katago = Callable[..., str]


@pytest.fixture
def katago(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Katago]:
    """``katago(fault=value, …)`` says how it behaves (see ``katago_server``), and gives the name of a teacher."""
    program, nets = tmp_path / "bin" / "katago", tmp_path / "nets"
    program.parent.mkdir()
    nets.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{SERVER}" "$@"\n')
    program.chmod(0o755)
    for name in ("tiny.bin.gz", "other.txt.gz", "b18c384nbt-humanv0.bin.gz"):
        (nets / name).write_bytes(name.encode())
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("GOBENCH_NETS", str(nets))
    monkeypatch.setenv("GOBENCH_JUDGEMENTS", str(tmp_path / "judgements"))

    def behave(name: str = "katago:tiny", **faults: Any) -> str:
        monkeypatch.setenv("KATAGO_SERVER", json.dumps(faults))
        return name

    behave()
    yield behave
    gc.collect()  # engines end when they are forgotten
