"""Two processes train as one does: DDP and FSDP2 over gloo, in real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gobench.errors import UsageError
from gobench_videoworld.train import logs
from gobench_videoworld.train.checkpoints import read
from gobench_videoworld.train.fit import fit
from gobench_videoworld.train.parallel import Parallel, choose_device, started

sys.path.insert(0, str(Path(__file__).parent))
import training_worlds as worlds
from ranks import HERE, run_ranks


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One process."""
    folder = tmp_path_factory.mktemp("alone")
    worlds.curves(Parallel(torch.device("cpu")), folder)
    worlds.video(Parallel(torch.device("cpu")), folder)
    return folder


@pytest.fixture(scope="module", params=[False, True], ids=["ddp", "fsdp"])
def two(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two processes, which also check how they are stopped and refused."""
    folder = tmp_path_factory.mktemp("two")
    run_ranks("training_worlds:everything", folder, shared=request.param)
    return folder


def losses(folder: Path) -> list[float]:
    return [row["loss"] for row in logs.read(folder)]


@pytest.mark.parametrize("name", ["plain", "slices", "dropout", "video"])
def test_loss_curves_are_equal(alone: Path, two: Path, name: str) -> None:
    assert len(losses(two / name)) == 50
    assert losses(two / name) == pytest.approx(losses(alone / name), abs=1e-4)
    assert losses(alone / name)[-1] < 0.9 * losses(alone / name)[0]


def test_metrics_and_evaluations_are_equal(alone: Path, two: Path) -> None:
    for key in ("right", "grad_norm", "lr", "tokens", "eval/right"):
        a, b = ([row.get(key) for row in logs.read(f / "plain")] for f in (alone, two))
        assert b == pytest.approx(a, abs=1e-4)
    for key in ("eval/codes", "eval/tokens", "code1", "frame"):
        a, b = ([row.get(key) for row in logs.read(f / "video")] for f in (alone, two))
        assert b == pytest.approx(a, abs=1e-3)
    assert json.loads((two / "looks.json").read_text()) == [25, 50]


def test_checkpoints_are_whole_and_alike(alone: Path, two: Path) -> None:
    """They hold the same tensors whoever wrote them, so that a training may go on in another world."""
    a, b = (read(f / "dropout" / "checkpoints" / "00000040.safetensors").tensors for f in (alone, two))
    assert {name: t.shape for name, t in a.items()} == {name: t.shape for name, t in b.items()}
    for name in a:
        assert torch.allclose(a[name], b[name], atol=1e-4), name
    state = torch.load(two / "state.pt", weights_only=True)
    last = read(two / "dropout" / "checkpoints" / "00000050.safetensors").part("model/")
    assert state.keys() == last.keys()
    assert all(torch.equal(state[name], last[name]) for name in last)


def test_one_goes_on_where_two_stopped(alone: Path, two: Path, tmp_path: Path) -> None:
    place = tmp_path / "checkpoints"
    place.mkdir()
    name = "00000040.safetensors"
    (place / name).write_bytes((two / "plain" / "checkpoints" / name).read_bytes())
    said: list[str] = []
    fit(worlds.toy(), worlds.PLAN, tmp_path, progress=False, report=said.append)
    assert "processes was 2, is 1" in said[0]
    assert losses(tmp_path) == pytest.approx(losses(alone / "plain")[40:], abs=1e-4)


def test_broken_data_of_one_rank_is_said(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        run_ranks("training_worlds:data_that_breaks_for_one", tmp_path)
    assert (tmp_path / "said").read_text().startswith("step 4: shard 3 is broken.")


def test_alone_without_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with started("cpu") as own:
        assert (own.rank, own.world, own.main, own.distributed) == (0, 1, True, False)
        assert own.agreed("x") == "x"
        assert own.mean(torch.tensor([3.0])).item() == 3.0
    with pytest.raises(UsageError, match="torchrun --nproc-per-node N"), started("cpu", shared=True):
        pass


def test_the_device_is_chosen() -> None:
    assert choose_device("cpu").type == "cpu"
    assert choose_device().type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.slow
def test_torchrun_itself(alone: Path, tmp_path: Path) -> None:
    argv = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "--log-dir",
        str(tmp_path / "torchrun"),
        str(HERE / "ranks.py"),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*argv, "training_worlds:curves", str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert losses(tmp_path / "plain") == pytest.approx(losses(alone / "plain"), abs=1e-4)
