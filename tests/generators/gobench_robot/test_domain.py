"""Datasets of robot episodes: built, labelled in part, drawn again, refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gobench.build import build, configure
from gobench.dataset import open_dataset
from gobench.errors import UsageError
from gobench.registry import domain
from gobench.testing import check_record
from gobench.verify import verify
from gobench_robot.domain import RobotDomain, labelled
from gobench_robot.sources.record import actions_of, proprio_of

TASKS = ["drawer-close", "handle-press"]


def made(folder: Path, episodes: int = 4, workers: int = 1, **options: object) -> Path:
    source = {"kind": "expert", "tasks": TASKS, "noise": [0.1]} | dict(options.pop("source", {}))  # type: ignore[call-overload]
    config = configure(
        domain("robot"),
        "robot-tiny",
        {"episodes": episodes, "codec": "png", "shard_size": 2, "splits": {"train": 1.0}},
        {"size": 32, "label_fraction": 0.5, "sources": [source], **options},
    )
    build(domain("robot"), config, folder, workers=workers)
    return folder


@pytest.mark.usefixtures("needs_metaworld", "needs_gl")
def test_a_dataset_is_the_same_twice_and_is_drawn_again(tmp_path: Path) -> None:
    one, two = made(tmp_path / "one"), made(tmp_path / "two", workers=2)
    sums = [(folder / "SHA256SUMS").read_bytes() for folder in (one, two)]
    assert sums[0] == sums[1]
    found = verify(one)
    assert found.ok and found.drawn == 4
    records = [sample.record() for sample in open_dataset(one).samples("train")]
    assert [record["tasks"][0] for record in records] == TASKS * 2
    assert [record["labelled"] for record in records] == [False, False, True, True]
    for record in records:
        check_record(RobotDomain(), record)
        assert record["success"] and record["success_frame"] < record["frames"]
        if record["labelled"]:
            assert actions_of(record).shape == (record["frames"] - 1, 4)
            assert proprio_of(record).shape == (record["frames"], 4)
        else:
            assert not record["actions"] and not record["proprio"]


@pytest.mark.usefixtures("needs_metaworld")
def test_failures_are_kept_out_and_counted_or_kept_and_labelled() -> None:
    noisy = {"kind": "expert", "tasks": ["push"], "noise": [1.0]}
    room = RobotDomain()
    counts = {}
    for keep in (False, True):
        options = room.configure({"sources": [{**noisy, "keep_failures": keep}]})
        source = room.source(options, 3, seed=0)
        items = [item for unit in range(source.units) for item in source.unit(unit)]
        counts[keep] = [getattr(item, "reason", "kept") for item in items]
    assert counts[False].count("expert-failed") >= 2 and counts[True] == ["kept"] * 3


def test_every_task_has_its_share_of_labels() -> None:
    for fraction in (0.0, 0.1, 0.25, 1 / 3, 1.0):
        assert sum(labelled(n, fraction) for n in range(1000)) == pytest.approx(1000 * fraction, abs=1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sources": [{"kind": "expert", "tasks": ["drawer-opn"]}]}, "drawer-open"),
        ({"sources": [{"kind": "expert", "appearances": ["B"]}]}, "Known: A\\."),
        ({"sources": [{"kind": "expert", "noise": [2]}]}, "from 0 to 1"),
        ({"sources": [{"kind": "expert", "chain": 2}]}, "playtable"),
        ({"sources": [{"kind": "expert", "chain": 6, "tasks": ["playtable"]}]}, "0 to 5"),
        ({"sources": [{"kind": "lerobt"}]}, "lerobot"),
        ({"sources": [{"kind": "expert", "noise": []}]}, "at least one"),
        ({"sources": [{"kind": "expert", "tasks": ["calvin"]}]}, "calvin"),
        ({"sources": [{"kind": "expert", "chain": 2, "tasks": ["open-drawer"]}]}, "all tasks"),
        ({"size": 33}, "even"),
        ({"label_fraction": 1.5}, "label_fraction"),
        ({"camera": "top"}, "static"),
        ({"sise": 64}, "size"),
    ],
)
def test_options_that_cannot_be_are_named(options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        RobotDomain().configure(options)


def test_flags_change_options_or_say_why_not() -> None:
    room = RobotDomain()
    tiny = room.recipes()["robot-tiny"]["options"]
    changed = room.configure(room.override(tiny, {"keep_failures": True, "label_fraction": 1.0, "size": 64}))
    assert (
        changed["sources"][0]["keep_failures"] and changed["label_fraction"] == 1.0 and changed["size"] == 64
    )
    with pytest.raises(UsageError, match="--theme"):
        room.override(tiny, {"theme": "wood"})
    with pytest.raises(UsageError, match="--data"):
        room.override(tiny, {"data": "somewhere"})
    real = room.recipes()["robot-lerobot"]["options"]
    with pytest.raises(UsageError, match="--keep-failures"):
        room.override(real, {"keep_failures": True})
    assert room.override(real, {"data": "d", "camera": "top"})["sources"][0]["cameras"] == ["top"]
    with pytest.raises(UsageError, match="--data PATH"):
        room.source(room.configure(real), 0, seed=0)
    stored = room.public_options(room.configure(room.override(real, {"data": "/secret/place"})))
    assert "/secret" not in str(stored)


@pytest.mark.usefixtures("needs_metaworld", "needs_gl")
def test_frames_are_drawn_in_any_order() -> None:
    room = RobotDomain()
    options = room.configure({"size": 32, "sources": [{"kind": "expert", "tasks": ["handle-press"]}]})
    (episode,) = room.source(options, 1, seed=1).unit(0)
    record = room.finish(episode, "k", options, 0).record  # type: ignore[arg-type]
    clip = room.clip(record)
    last = clip.rgb(clip.length - 1)
    assert np.array_equal(last[0], room.clip(record).rgb()[-1])
    assert clip.rgb(3, 3).shape == (0, 32, 32, 3) and clip.yuv(0, 2).y.shape == (2, 32, 32)
