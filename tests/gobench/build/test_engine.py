"""Workers and what they share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from gobench.build.engine import THREADS, Processes
from gobench.workers import cores


@dataclass(frozen=True)
class Threads:
    """Writes how many threads torch takes in a worker."""

    folder: Path

    def name(self, index: int) -> str:
        return f"piece {index}"

    def __call__(self, index: int) -> None:
        import torch

        (self.folder / str(index)).write_text(
            f"{os.getpid()} {os.environ[THREADS]} {torch.get_num_threads()}"
        )


@pytest.mark.parametrize("given", [None, "3"])
def test_workers_share_the_cores_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    monkeypatch.delenv(THREADS, raising=False)
    if given:
        monkeypatch.setenv(THREADS, given)
    Processes(2).run(Threads(tmp_path), [0, 1], lambda index: None)
    found = [(tmp_path / str(index)).read_text().split() for index in (0, 1)]
    assert str(os.getpid()) not in {pid for pid, _, _ in found}
    assert [told for _, told, _ in found] == [given or str(max(1, cores() // 2))] * 2
    assert all(int(taken) <= int(told) for _, told, taken in found)
