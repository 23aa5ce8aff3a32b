"""Plans, learning rates, which weights decay, and minutes as steps."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from gobench.errors import StoppedError, UsageError
from gobench_videoworld.train import budget
from gobench_videoworld.train.checkpoints import read
from gobench_videoworld.train.fit import fit
from gobench_videoworld.train.optimizer import adamw, clip, decays
from gobench_videoworld.train.parallel import choose_device
from gobench_videoworld.train.schedule import Plan, check_slices, own_slices, rate

sys.path.insert(0, str(Path(__file__).parent))
from training_toys import Net, Toy


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("steps", 0, "steps must be a whole number >= 1"),
        ("batch", 2.5, "batch must be a whole number"),
        ("lr", 0.0, "lr must be above 0"),
        ("lr", float("nan"), "lr must be a number"),
        ("betas", (0.9, 1.0), "betas"),
        ("warmup", 1.5, "warmup must be a number from 0 to 1"),
        ("minutes", float("inf"), "minutes must be a number from 0"),
        ("clip", -1, "clip must be a number from 0"),
        ("precision", "fp16", "range needs losses to be scaled. Take bf16"),
        ("precision", "f64", "unknown precision 'f64'"),
        ("keep", 0, "keep must be a whole number >= 1"),
    ],
)
def test_values_that_cannot_be_are_refused(name: str, value: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Plan(**{name: value})


def test_batches_are_cut_into_equal_slices() -> None:
    assert check_slices(Plan(batch=12, accumulate=3), 2) == 6
    with pytest.raises(UsageError, match=r"64 cannot be cut into 6 equal slices.*Take --batch 66"):
        check_slices(Plan(batch=64, accumulate=3), 2)


def test_slices_have_a_multiple_of_the_rows_that_they_need() -> None:
    assert check_slices(Plan(batch=24, accumulate=3), 2, 4) == 6
    assert check_slices(Plan(batch=10), 1, 4) == 1  # a whole batch is what it is
    with pytest.raises(
        UsageError, match=r"64 cannot be cut into 32 equal slices, of a multiple of 4.*--batch 128"
    ):
        check_slices(Plan(batch=64, accumulate=16), 2, 4)


@pytest.mark.parametrize(
    ("batch", "accumulate", "world", "found"),
    [(16, 1, 1, (16, 1)), (16, 4, 1, (16, 4)), (16, 3, 1, (16, 2)), (16, 99, 1, (16, 16)), (16, 2, 3, (18, 2)),
     (16, 1, 24, (24, 1)), (32, 4, 7, (35, 1)), (8, 4, 5, (10, 2))],
)  # fmt: skip
def test_a_stages_own_batch_is_cut_without_being_asked(
    batch: int, accumulate: int, world: int, found: tuple[int, int]
) -> None:
    made = own_slices(batch, accumulate, world)
    assert made == found
    check_slices(Plan(batch=made[0], accumulate=made[1]), world)


def test_the_rate_rises_and_falls() -> None:
    plan = Plan(100, lr=2.0, warmup=0.1, floor=0.25)
    rates = [rate(plan, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert rates[9] == pytest.approx(2.0)
    assert rates[10] == pytest.approx(2.0)
    assert rates[99] == pytest.approx(0.5)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rate(Plan(1, lr=1.0, warmup=0.0), 0) == 1.0


def test_only_what_decides_the_weights_is_hashed() -> None:
    plan = Plan()
    assert (
        plan.hash()
        == replace(plan, log_every=1, keep=9, save_minutes=1, compile=True, accumulate=2, wandb="x").hash()
    )
    assert (
        len(
            {
                replace(plan, **{k: v}).hash()
                for k, v in {"lr": 1.0, "seed": 1, "steps": 9, "batch": 8}.items()
            }
        )
        == 4
    )


def test_evaluations_are_ten_unless_it_is_said() -> None:
    assert Plan(1000).evaluation_steps == 100
    assert Plan(3).evaluation_steps == 1
    assert Plan(1000, evaluate_every=7).evaluation_steps == 7
    assert Plan(1000, evaluate_every=0).evaluation_steps == 1000


def test_matrices_decay_and_nothing_else() -> None:
    net = Net()
    net.scale.requires_grad_(False)
    net.position_embeddings = torch.nn.Parameter(torch.zeros(3, 3))
    assert {name for name, decay in decays(net).items() if decay} == {
        "layers.0.linear.weight",
        "layers.1.linear.weight",
        "head.weight",
    }
    assert "scale" not in decays(net)
    groups = adamw(net, Plan(weight_decay=0.3), torch.device("cpu")).param_groups
    assert sorted((len(g["params"]), g["weight_decay"]) for g in groups) == [(3, 0.3), (7, 0.0)]


def test_gradients_are_clipped_and_measured() -> None:
    net = Net()
    net.head.weight.grad = torch.full_like(net.head.weight, 3.0)
    long = 3.0 * net.head.weight.numel() ** 0.5
    assert clip(net, 0.0).item() == pytest.approx(long)
    assert clip(net, 1.0).item() == pytest.approx(long)
    assert net.head.weight.grad.norm().item() == pytest.approx(1.0, abs=1e-4)


def test_devices_that_are_not_there_are_refused() -> None:
    with pytest.raises(UsageError, match="device 'abacus' cannot be used"):
        choose_device("abacus")
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="Take cpu, cuda or auto"):
            choose_device("cuda")


def test_minutes_become_steps_once(tmp_path: Path) -> None:
    """The number is settled by timing, kept through a stop, and the training is that of so many steps."""
    plan = Plan(30, minutes=1.0, batch=8, lr=1e-2, save_every=5)
    said: list[str] = []
    with pytest.raises(StoppedError):
        fit(Toy(harm={12: "term"}), plan, tmp_path / "a", progress=False, report=said.append)
    assert said == ["toy: 30 steps fit into 1 minutes."]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget, "settle", lambda *_: pytest.fail("timed again"))
        done = fit(Toy(seed=3), plan, tmp_path / "a", progress=False)
    assert done.step == 30
    plain = fit(Toy(), replace(plan, minutes=0.0), tmp_path / "b", progress=False)
    a, b = (read(d.weights).tensors for d in (done, plain))
    assert all(torch.equal(a[name], b[name]) for name in b)


def test_minutes_are_kept(tmp_path: Path) -> None:
    class Slow(Toy):
        def batch(self, step: int, rank: int, world: int) -> Any:
            time.sleep(0.02)
            return super().batch(step, rank, world)

    since = time.monotonic()
    done = fit(Slow(), Plan(10**6, minutes=2 / 60, batch=8, evaluate_every=0), tmp_path, progress=False)
    assert 10 <= done.step <= 100
    assert time.monotonic() - since < 8


def test_a_look_is_timed_with_all_that_it_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage that remembers a step's answers draws them anew for each timed look, and for its picture, too."""

    class Remembering(Toy):
        answered = -1

        def evaluate(self, step: int) -> dict[str, float]:
            if step != self.answered:
                self.answered = step
                time.sleep(0.05)
            return super().evaluate(step)

        def picture(self, step: int) -> Any:
            time.sleep(0.05)
            return super().picture(step)

    found: list[float] = []
    monkeypatch.setattr(budget, "_steps", lambda left, step, look, *rest: found.append(look) or 3)
    stage = Remembering()
    assert fit(stage, Plan(50, minutes=1.0, batch=8, evaluate_every=1), tmp_path, progress=False).step == 3
    assert 0.1 <= found[0] < 0.5
    assert stage.looks == [51, 52, 1, 2, 3]


def test_steps_that_fit() -> None:
    assert budget._steps(100, 0.1, 0, None, 10) == 1000
    assert budget._steps(100, 0.1, 2, None, 10) == 800
    assert budget._steps(100, 0.1, 2, 20, 10) == 500
    assert budget._steps(100, 0.1, 20, 0, 10) == 800
    assert budget._steps(1, 0.1, 20, None, 1) == 0


def test_looks_that_are_dear_are_few() -> None:
    assert budget._looks(100, 2) == budget._looks(100, 0) == 10
    assert budget._looks(100, 5) == 5 and budget._looks(100, 40) == 1 and budget._looks(-3, 4) == 1


@pytest.mark.parametrize(("most", "done"), [(10**6, 30), (20, 20)])
def test_a_stage_takes_its_least_where_looks_eat_the_minutes(tmp_path: Path, most: int, done: int) -> None:
    class Dear(Toy):
        def evaluate(self, step: int) -> dict[str, float]:
            time.sleep(0.2)
            return super().evaluate(step)

    said: list[str] = []
    stage = Dear()
    plan = Plan(most, minutes=0.1 / 60, least=30, batch=8)
    assert fit(stage, plan, tmp_path, progress=False, report=said.append).step == done
    assert "the least that teach it" in said[0] and len(stage.looks) == 2 + 1
