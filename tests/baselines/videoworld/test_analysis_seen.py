"""Which test positions a training split holds: on sources with known answers, and by the command."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from gobench.cli import cli
from gobench.dataset import open_dataset
from gobench.errors import DataError, UsageError
from gobench.evaluate import open_suite
from gobench.registry import domain
from gobench_videoworld.analysis.seen import Positions, last_seen, of_split, of_suite, rows


def test_training_positions_are_all_seen_and_strange_ones_are_not(go5: Path) -> None:
    data = open_dataset(go5)
    train = of_split(data, "train", domain("go"))
    strange = np.random.default_rng(0).integers(0, 2**63, 200).astype(np.uint64)
    other = Positions("strange", strange, np.arange(200) % 4, np.arange(200))
    table = rows(data, [train, other])
    whole = {row["source"]: row for row in table if row["ply"] == "all"}
    assert whole["go5/train"]["seen"] == 1.0 and whole["go5/train"]["positions"] == len(train.hashes)
    assert whole["strange"]["seen"] < 0.1 and whole["strange"]["games"] == 200
    assert [row["ply"] for row in table if row["source"] == "strange"] == [0, 1, 2, 3, "all"]
    assert last_seen(table, "go5/train") == train.plies.max() and last_seen(table, "strange") == -1


def test_suites_tell_positions_and_moves_made_before() -> None:
    (found,) = of_suite(open_suite("go5-lite"))
    assert found.source == "go5/next-move" and len(found.hashes) == len(found.plies) == len(found.games)
    assert 0 <= found.plies.min() < found.plies.max() and len(set(found.games.tolist())) > 10


def run(*words: object) -> Any:
    return CliRunner().invoke(cli, ["analyze", "seen", *map(str, words)])


def test_the_command_looks_up_suites_and_splits(go5: Path, tmp_path: Path) -> None:
    done = run("--data", go5, "--suite", "go5-lite", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    for source in ("go5/next-move", "go5/validation", "go5/test"):
        assert source in done.output
    table = list(csv.DictReader((tmp_path / "seen.csv").open()))
    assert all(row["seen"] == "1" for row in table if row["ply"] == "0")  # the empty board
    assert (tmp_path / "seen.png").exists()


def test_what_cannot_be_looked_up_is_refused(go5: Path, tmp_path: Path) -> None:
    done = run("--data", go5, "--split", "tset", "--out", tmp_path)
    assert isinstance(done.exception, UsageError) and "Did you mean 'test'" in str(done.exception)
    done = run("--data", tmp_path, "--out", tmp_path / "out")
    assert isinstance(done.exception, DataError)

    class Blind:
        name = "blind"

    with pytest.raises(UsageError, match="'blind' knows no positions"):
        of_split(open_dataset(go5), "test", Blind())
