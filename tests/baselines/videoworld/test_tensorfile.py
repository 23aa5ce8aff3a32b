"""What is written tensor by tensor is what safetensors reads."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
import safetensors
import torch
from safetensors.torch import load_file

from gobench.errors import BuildError
from gobench_videoworld.train.tensorfile import NAMES, write_tensors


def test_safetensors_reads_every_kind(tmp_path: Path) -> None:
    tensors = {f"a.{name}": torch.arange(-3, 4).to(dtype) for dtype, name in NAMES.items()}
    whole = torch.arange(12.0).view(3, 4)
    tensors |= {"view": whole.t(), "part": whole[:, 1:3], "one": torch.tensor(2.5), "none": torch.empty(0, 3)}
    tied = torch.nn.Parameter(torch.ones(2))
    tensors |= {"tied": tied, "Ünicode": tied}
    write_tensors(tmp_path / "x.safetensors", tensors, {"training": '{"step": 3}'})
    found = load_file(tmp_path / "x.safetensors")
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor)
    with safetensors.safe_open(tmp_path / "x.safetensors", "pt") as file:
        assert file.metadata() == {"training": '{"step": 3}'}


def test_nothing_at_all_can_be_written(tmp_path: Path) -> None:
    write_tensors(tmp_path / "x.safetensors", {})
    assert load_file(tmp_path / "x.safetensors") == {}


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.safetensors"
    write_tensors(path, {"a": torch.ones(2)})

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BuildError, match="no room to write"):
        write_tensors(path, {"a": torch.zeros(2)})
    assert torch.equal(load_file(path)["a"], torch.ones(2))
    assert [p.name for p in tmp_path.iterdir()] == ["x.safetensors"]
