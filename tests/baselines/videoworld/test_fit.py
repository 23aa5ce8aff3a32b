"""The loop learns, logs, evaluates, and goes on bit for bit; slices of a batch are as good as the whole."""

from __future__ import annotations

import csv
import json
import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gobench.errors import BuildError, StoppedError, UsageError
from gobench_videoworld.train.checkpoints import read
from gobench_videoworld.train.fit import Fitted, fit
from gobench_videoworld.train.schedule import Plan
from gobench_videoworld.train.signals import listening

sys.path.insert(0, str(Path(__file__).parent))
from training_toys import Toy

PLAN = Plan(40, batch=8, lr=1e-2, save_every=7, evaluate_every=10, log_every=5, keep=2)


def run(folder: Path, stage: Toy | None = None, plan: Plan = PLAN, **more: Any) -> Fitted:
    return fit(stage or Toy(), plan, folder, progress=False, **more)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """All tensors of the newest checkpoint, the optimizer's too."""
    newest = max(p for p in (folder / "checkpoints").glob("*.safetensors") if p.stem.isdigit())
    return read(newest).tensors


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    run(folder)
    return folder


def test_it_learns_and_says_what_came_of_it(tmp_path: Path) -> None:
    stage = Toy()
    done = run(tmp_path, stage, Plan(150, batch=8, lr=1e-2))
    assert done.step == 150
    assert done.loss < 0.3
    assert done.metrics == {"right": 1.0}
    assert done.tokens == 150 * stage.tokens
    assert done.flops == 150 * stage.flops
    assert done.seconds > 0
    assert stage.looks == list(range(15, 151, 15))


def test_the_module_holds_the_weights_of_the_last_checkpoint(tmp_path: Path) -> None:
    stage = Toy()
    done = run(tmp_path, stage)
    own = stage.module.state_dict()
    found = read(done.weights).part("model/")
    assert same({name: t.detach() for name, t in own.items()}, found)


@pytest.mark.parametrize("at", [3, 12, 20, 39])
def test_stopped_and_gone_on_is_bit_for_bit_the_same(whole: Path, tmp_path: Path, at: int) -> None:
    with pytest.raises(StoppedError, match=r"after step \d+ of 40 \(SIGTERM\).*same command"):
        run(tmp_path, Toy(harm={at: "term"}))
    done = run(tmp_path, Toy(seed=5))
    assert done.step == 40
    assert same(weights(tmp_path), weights(whole))


def test_gone_on_logs_are_those_of_a_whole_training(whole: Path, tmp_path: Path) -> None:
    timed = {"tokens_per_second", "seconds", "mfu"}
    with pytest.raises(StoppedError):
        run(tmp_path, Toy(harm={16: "term"}))
    run(tmp_path)
    for name in ("log.csv", "log.jsonl"):
        rows = [
            [{k: v for k, v in row.items() if k not in timed} for row in table(folder / name)]
            for folder in (whole, tmp_path)
        ]
        assert rows[0] == rows[1]
        assert [int(row["step"]) for row in rows[0]] == list(range(5, 41, 5))


def table(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    with path.open() as file:
        return list(csv.DictReader(file))


def test_evaluation_does_not_disturb_what_is_learnt(whole: Path, tmp_path: Path) -> None:
    run(tmp_path, plan=replace(PLAN, evaluate_every=3, log_every=1, save_every=0, keep=1))
    assert same(weights(tmp_path), weights(whole))


def test_the_seed_decides_what_is_dropped(whole: Path, tmp_path: Path) -> None:
    run(tmp_path, plan=replace(PLAN, seed=1))
    assert not same(weights(tmp_path), weights(whole))


def test_slices_add_up_to_the_whole_batch(tmp_path: Path) -> None:
    losses = []
    for parts in (1, 2, 8):
        stage = Toy()
        for layer in stage.module.layers:
            layer.dropout.p = 0.0
        losses.append(run(tmp_path / str(parts), stage, Plan(20, batch=8, accumulate=parts, lr=1e-2)).loss)
    assert losses == pytest.approx([losses[0]] * 3, abs=1e-5)


def test_a_finished_training_only_loads_its_weights(whole: Path) -> None:
    said: list[str] = []
    stage = Toy(seed=5, harm=dict.fromkeys(range(40), "data"))
    before = {p: p.read_bytes() for p in whole.rglob("*") if p.is_file()}
    done = run(whole, stage, resume="must", report=said.append)
    assert done.step == 40
    assert said == ["toy: going on from step 40 of 40."]
    assert stage.looks == []
    assert {p: p.read_bytes() for p in whole.rglob("*") if p.is_file()} == before


def test_pictures_are_kept(whole: Path) -> None:
    from PIL import Image

    names = sorted(p.name for p in (whole / "samples").iterdir())
    assert names == [f"{step:08d}.png" for step in (10, 20, 30, 40)]
    assert np.asarray(Image.open(whole / "samples" / names[0])).shape == (4, 6, 3)


def test_never_starts_anew_and_keeps_what_was_there(whole: Path, tmp_path: Path) -> None:
    run(tmp_path)
    said: list[str] = []
    run(tmp_path, plan=Plan(5, batch=8), resume="never", report=said.append)
    assert same(weights(tmp_path / "earlier-1"), weights(whole))
    assert "earlier-1" in said[0]
    assert [row["step"] for row in table(tmp_path / "log.jsonl")] == [1, 2, 3, 4, 5]
    run(tmp_path, plan=Plan(5, batch=8), resume="never")
    assert (tmp_path / "earlier-2" / "log.csv").exists()


def test_must_needs_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no checkpoint to go on from"):
        run(tmp_path, resume="must")


def test_resume_is_one_of_three_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown resume 'yes'.*auto, never, must"):
        run(tmp_path, resume="yes")


def test_a_folder_belongs_to_one_training(tmp_path: Path) -> None:
    inner: list[Exception] = []

    class Nested(Toy):
        def evaluate(self, step: int) -> dict[str, float]:
            with pytest.raises(BuildError, match="another training is at work") as found:
                run(tmp_path)
            inner.append(found.value)
            return {}

    run(tmp_path, Nested(), Plan(2, batch=8, evaluate_every=0))
    assert len(inner) == 1


def test_compiled_it_learns_the_same(whole: Path, tmp_path: Path) -> None:
    torch._dynamo.reset()
    stage = Toy()
    for layer in stage.module.layers:
        layer.dropout.p = 0.0
    plain = run(tmp_path / "plain", stage, Plan(5, batch=8))
    seen: list[Any] = []
    before = torch.compile
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "compile", lambda m: seen.append(m) or before(m, backend="eager"))
        stage = Toy()
        for layer in stage.module.layers:
            layer.dropout.p = 0.0
        compiled = run(tmp_path / "compiled", stage, Plan(5, batch=8, compile=True))
    assert len(seen) == 1
    assert compiled.loss == pytest.approx(plain.loss, abs=1e-5)
    assert {k.split("/")[1] for k in weights(tmp_path / "compiled")} >= {"head.weight"}


def test_bf16_is_used_when_asked_for(tmp_path: Path) -> None:
    stage, kinds = Toy(), set()
    stage.module.layers[0].linear.register_forward_hook(lambda m, i, out: kinds.add(out.dtype))
    stage.evaluate = lambda step: {}  # type: ignore[method-assign]
    run(tmp_path, stage, Plan(3, batch=8, precision="bf16"))
    assert kinds == {torch.bfloat16}
    assert weights(tmp_path)["model/head.weight"].dtype == torch.float32


def test_signals_are_a_wish_and_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with listening() as wish:
        assert not wish
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)  # an echo: from the terminal, and from torchrun
        assert wish.signal == "SIGINT"
        wish.since -= 60
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait(1)
    assert signal.getsignal(signal.SIGTERM) == before


def test_outside_the_main_thread_it_trains_without_listening(tmp_path: Path) -> None:
    done: list[Fitted] = []
    thread = threading.Thread(target=lambda: done.append(run(tmp_path, plan=Plan(3, batch=8))))
    thread.start()
    thread.join()
    assert done[0].step == 3
