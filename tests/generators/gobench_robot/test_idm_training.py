"""Training of inverse dynamics and of the labelled policy on a few drawn episodes, to the last byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from gobench import models
from gobench.build import build, configure
from gobench.cli import cli
from gobench.errors import ChildError, DataError, UsageError
from gobench.registry import domain
from gobench_robot.catalogue import CORE
from gobench_robot.idm import load
from gobench_robot.idm.cloning import clone
from gobench_robot.idm.episodes import material
from gobench_robot.idm.inverse import train
from gobench_robot.idm.policy import RobotPolicy
from gobench_robot.idm.training import Options, rate

TASKS = ["drawer-close", "handle-press"]
SIZE = 32


def quiet(stage: str, done: int, total: int) -> None:
    assert 0 < done <= total


def built(folder: Path, fraction: float = 1.0) -> Path:
    config = configure(
        domain("robot"),
        "robot-tiny",
        {"episodes": 8, "shard_size": 4, "splits": {"train": 0.6, "test": 0.4}},
        {
            "size": SIZE,
            "label_fraction": fraction,
            "sources": [{"kind": "expert", "tasks": TASKS, "noise": [0.1]}],
        },
    )
    build(domain("robot"), config, folder, workers=1)
    return folder


@pytest.fixture(scope="module")
def data(needs_metaworld: None, needs_gl: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("idm") / "labelled")


def asked(data: Path, **given: Any) -> Options:
    return Options(**{"data": data, "size": SIZE, "steps": 3, **given})


def test_the_same_seed_gives_the_same_bytes(data: Path, tmp_path: Path) -> None:
    one = train(asked(data), tmp_path / "one.safetensors", quiet)
    train(asked(data), tmp_path / "two.safetensors", quiet)
    train(asked(data, seed=1), tmp_path / "other.safetensors", quiet)
    files = [(tmp_path / f"{name}.safetensors").read_bytes() for name in ("one", "two", "other")]
    assert files[0] == files[1] != files[2]
    assert one.measures["actions"] > 0
    assert [row["action"] for row in one.measures["each"]] == ["dx", "dy", "dz", "close"]
    assert one.provenance["steps"] == 3 and one.provenance["trained_on"][0]["recipe"] == "robot-tiny"
    assert load(one.path).actions(np.zeros((3, SIZE, SIZE, 3), np.uint8)).shape == (2, 4)


def test_what_is_learnt_from_is_labelled_and_what_is_measured_on_is_held_out(data: Path) -> None:
    own = material(data, SIZE, 0, 0, quiet)
    keys = [{one.key for one in side} for side in (own.train, own.held)]
    assert keys[0] and keys[1] and not keys[0] & keys[1]
    assert own.train[0].frames.shape[1:] == (SIZE, SIZE, 3)
    for one in (*own.train, *own.held):
        assert len(one.frames) == len(one.tasks) == len(one.proprio) == len(one.actions) + 1
    few = material(data, SIZE, 2, 0, quiet)
    assert len(few.train) == 2 and {one.key for one in few.train} <= keys[0]
    assert {one.key for one in few.held} == keys[1]


def test_steps_lower_the_error_of_what_is_learnt_from(data: Path, tmp_path: Path) -> None:
    own = material(data, SIZE, 0, 0, quiet)
    errors = []
    for steps in (1, 60):
        made = load(train(asked(data, steps=steps), tmp_path / f"{steps}.safetensors", quiet).path)
        errors.append(np.mean([np.abs(made.actions(one.frames) - one.actions).mean() for one in own.train]))
    assert errors[1] < 0.8 * errors[0]


def test_a_policy_is_a_model_that_acts(data: Path, tmp_path: Path) -> None:
    found = clone(asked(data), tmp_path / "one.pt", quiet)
    clone(asked(data), tmp_path / "two.pt", quiet)
    assert (tmp_path / "one.pt").read_bytes() == (tmp_path / "two.pt").read_bytes()
    assert found["actions"] > 0
    model = models.load(str(tmp_path / "one.pt"))
    assert model.acts and model.info.kind == "ceiling" and not model.info.video_only
    assert model.info.frame_size == (SIZE, SIZE) and model.info.context_keys == ("instruction",)
    clips, seeds = np.zeros((3, 2, SIZE, SIZE, 3), np.uint8), np.zeros(3, np.uint64)
    said = [
        CORE[task].wordings[n] for task, n in (("drawer-close", 0), ("drawer-close", 1), ("handle-press", 0))
    ]
    clips[2] = 200
    rows = [{"instruction": words} for words in said]
    told = model.act(clips, 12, seeds, rows)
    assert told.shape == (3, 12, 4) and (np.abs(told) <= 1).all()
    assert np.array_equal(told[0], told[1]) and not np.array_equal(told[0], told[2])
    assert np.array_equal(told[2:], model.act(clips[2:], 12, seeds[2:], rows[2:]))
    assert model.ask(clips, 2, seeds, rows).shape == (3, 2, SIZE, SIZE, 3)
    with pytest.raises((UsageError, ChildError), match="open the drawer"):
        model.act(clips[:1], 2, seeds[:1], [{"instruction": "open the drawer"}])
    with pytest.raises(UsageError, match="playtable"):
        model.begin({"scene": "playtable"})
    assert RobotPolicy(str(tmp_path / "one.pt")).weights_sha256 == model.info.weights_sha256


def test_without_labels_or_with_wrong_sizes_nothing_is_trained(data: Path, tmp_path: Path) -> None:
    silent = built(tmp_path / "silent", 0.0)
    with pytest.raises(DataError, match="label-fraction"):
        train(asked(silent), tmp_path / "x.safetensors", quiet)
    for wrong in ({"size": 8}, {"labels": -1}, {"steps": 0}, {"minutes": -1.0}, {"seed": -1}):
        with pytest.raises(UsageError):
            train(asked(data, **wrong), tmp_path / "x.safetensors", quiet)
    with pytest.raises(DataError, match="folder"):
        train(asked(tmp_path / "none"), tmp_path / "x.safetensors", quiet)
    assert not (tmp_path / "x.safetensors").exists()


def test_the_commands(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.safetensors"
    words = ["--data", str(data), "--size", str(SIZE), "--steps", "2"]
    made = CliRunner().invoke(
        cli, ["train", "idm", *words, "--out", str(out), "--json"], catch_exceptions=False
    )
    assert made.exit_code == 0, made.output
    shown = CliRunner().invoke(cli, ["robot", "idm", str(out)], catch_exceptions=False)
    assert json.loads(made.stdout)["sha256"] in shown.stdout and "right sign" in shown.stdout
    policy = ["train", "policy", *words, "--out", str(tmp_path / "policy.pt")]
    assert "wrote" in CliRunner().invoke(cli, policy, catch_exceptions=False).stdout


def test_the_rate_rises_and_falls() -> None:
    rates = [rate(step, 200) for step in range(200)]
    assert max(rates) == pytest.approx(2e-3, rel=0.2) and rates[0] < rates[20] > rates[-1] > 0
