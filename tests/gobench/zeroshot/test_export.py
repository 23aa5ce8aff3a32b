"""Exported folders: repeatable, resumable, loadable, and never mixed with what is not theirs."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gobench.errors import BuildError, UsageError
from gobench.evaluate import open_suite
from gobench.evaluate.protocol import order
from gobench.tasks import View
from gobench.types import Record
from gobench.zeroshot.export import Order, export
from gobench.zeroshot.files import read_frames
from gobench.zeroshot.prompts import HOLD
from gobench.zeroshot.wordings import instruction, wordings

FOLDER = "go5-next-move"
SUITE = "go5-lite"


def small(**more: object) -> Order:
    return Order(**({"suite": SUITE, "limit": 5, "size": 128} | more))  # type: ignore[arg-type]


def content(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != ".lock"
    }


def rows(folder: Path) -> list[Record]:
    return [json.loads(line) for line in (folder / "prompts.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def task():  # type: ignore[no-untyped-def]
    return open_suite(SUITE, "zero-shot").tasks[0]


@pytest.mark.parametrize("form", ["frames", "vbvr"])
def test_the_same_export_has_the_same_bytes(tmp_path: Path, form: str) -> None:
    for name in ("a", "b"):
        export(small(form=form), tmp_path / name)
    assert content(tmp_path / "a") == content(tmp_path / "b")


def test_frames_hold_the_prompt(tmp_path: Path, task) -> None:  # type: ignore[no-untyped-def]
    done = export(small(frames=3), tmp_path / "out")
    assert done["samples"] == 5 and done["tasks"] == {"go5/next-move": 5}
    for row in rows(tmp_path / "out"):
        shown = task.trial(row["id"], View(128, 128, 3)).ask().frames
        home = tmp_path / "out" / FOLDER / row["id"]
        stills = np.stack([read_frames(home / f"{t:03d}.png")[0] for t in range(len(shown))])
        assert np.array_equal(stills, shown) and np.array_equal(read_frames(home / "prompt.mp4"), shown)
        assert row["shown"] == len(shown) and row["frames"] == 3 and row["to_move"] in ("black", "white")
        assert (home / "prompt.txt").read_text().strip() == row["instruction"]
        assert Image.open(io.BytesIO((home / "000.png").read_bytes())).mode == "RGB"


def test_vbvr_folders_hold_prompt_truth_and_words(tmp_path: Path, task) -> None:  # type: ignore[no-untyped-def]
    export(small(form="vbvr"), tmp_path / "out")
    view = View(128, 128, 1)
    for row in rows(tmp_path / "out"):
        assert task.ids[int(row["number"])] == row["id"]
        home = tmp_path / "out" / FOLDER / row["number"]
        names = ["final_frame.png", "first_frame.png", "ground_truth.mp4", "prompt.txt"]
        assert sorted(p.name for p in home.iterdir()) == names
        first, final = (read_frames(home / f"{k}_frame.png")[0] for k in ("first", "final"))
        assert np.array_equal(first, task.trial(row["id"], view).ask().frames[-1])
        assert np.array_equal(final, task.truth(row["id"], view)[-1])
        film = read_frames(home / "ground_truth.mp4")
        assert film.shape == (2 * HOLD, 128, 128, 3)
        assert (
            np.abs(film[0].astype(int) - first).mean() < 6 and np.abs(film[-1].astype(int) - final).mean() < 6
        )


def test_the_index_names_every_file_with_its_hash(tmp_path: Path) -> None:
    export(small(form="vbvr"), tmp_path / "out")
    found = content(tmp_path / "out" / FOLDER)
    assert {name: value for row in rows(tmp_path / "out") for name, value in row["files"].items()} == found


def test_the_index_says_what_it_was_made_for(tmp_path: Path) -> None:
    export(small(), tmp_path / "out")
    made = {(row["suite"], row["protocol"], row["limit"]) for row in rows(tmp_path / "out")}
    assert made == {(SUITE, "zero-shot", 5)}


def test_a_limit_takes_the_samples_that_an_evaluation_takes(tmp_path: Path, task) -> None:  # type: ignore[no-untyped-def]
    export(small(), tmp_path / "out")
    assert sorted(row["id"] for row in rows(tmp_path / "out")) == sorted(order(SUITE, task, 5))


def test_an_export_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    export(small(), tmp_path / "whole")
    export(small(), tmp_path / "stopped")
    home = tmp_path / "stopped" / FOLDER
    done = sorted(p for p in home.iterdir() if p.is_dir())
    half = done[0].rename(home / f".{done[0].name}.tmp-sample")
    (half / "000.png").write_bytes(b"half")
    kept = (done[1] / "000.png").stat().st_mtime_ns
    for name in ("prompts.jsonl", "metadata.jsonl", "README.md"):
        (tmp_path / "stopped" / name).unlink()
    export(small(), tmp_path / "stopped")
    assert content(tmp_path / "stopped") == content(tmp_path / "whole")
    assert (done[1] / "000.png").stat().st_mtime_ns == kept


def test_other_settings_are_refused_and_named(tmp_path: Path) -> None:
    export(small(), tmp_path / "out")
    with pytest.raises(BuildError, match="size: 128 there, 64 now"):
        export(small(size=64), tmp_path / "out")
    with pytest.raises(BuildError, match="kind: 'prompts' there, 'answers' now"):
        export(small(answers="true"), tmp_path / "out")


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(BuildError, match=r"not empty and holds no export \(thesis\.txt\)"):
        export(small(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"form": "laserdisc"}, "unknown format"),
        ({"answers": "best"}, "unknown kind of answers"),
        ({"frames": 9}, "1 to 8"),
        ({"limit": 0}, "1 or more"),
        ({"size": 5}, "16 to 4096"),
        ({"wording": "rude"}, "unknown wording"),
        ({"suite": "chess"}, "unknown suite"),
        ({"protocol": "loose"}, "unknown protocol"),
    ],
)
def test_wrong_orders_leave_nothing_behind(tmp_path: Path, wrong: Record, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        export(small(**wrong), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_chained_tasks_are_left_out_and_named(tmp_path: Path) -> None:
    chained = [t.name for t in open_suite(SUITE, "standard").tasks if t.chained]
    done = export(small(protocol="standard", limit=2), tmp_path / "out")
    assert done["left_out"] == chained and not set(chained) & set(done["tasks"])


def test_every_wording_fills_in_every_sample(task) -> None:  # type: ignore[no-untyped-def]
    for wording in wordings():
        for sample in task.ids[:20]:
            text = instruction(wording, task, sample)
            assert task.wording(sample)["to_move"] in text
            assert "{" not in text and "\n" not in text and "  " not in text


def test_frames_load_with_the_library_datasets(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    export(small(frames=3), tmp_path / "out")
    code = f"""
from datasets import load_dataset
data = load_dataset({str(tmp_path / "out")!r})["test"]
print(len(data), data[0]["image"].size, data[0]["task"], sorted(data["id"]))
"""
    env = {**os.environ, "HF_HOME": str(tmp_path / "hf"), "HF_DATASETS_OFFLINE": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=120)
    assert done.returncode == 0, done.stderr
    ids = sorted(row["id"] for row in rows(tmp_path / "out"))
    assert done.stdout.strip() == f"5 (128, 128) go5/next-move {ids}"
