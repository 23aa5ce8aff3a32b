"""The tables of suites and protocols, and the suites that come out of them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench.canonical import dumps
from gobench.errors import DataError, UsageError
from gobench.tasks import MOST_FRAMES
from gobench_go.benchmark import PROTOCOLS, SUITES, open_suite
from gobench_go.domain import GoDomain
from gobench_go.game.position import text_of
from gobench_go.judged import open_set
from gobench_go.judged.names import shipped
from gobench_go.match_suites import MATCHES
from gobench_go.tasks.reading import READER, read
from gobench_go.tasks.samples import next_moves
from gobench_go.video import render
from gobench_go.video.themes import DRAWN, look

OPENED = [name for name in SUITES if SUITES[name].judged in shipped()]


def test_the_shipped_lite_suite_is_the_default() -> None:
    assert next(iter(SUITES)) == "go9-lite" and set(PROTOCOLS) == {"standard", "paper", "zero-shot"}
    assert all(SUITES[name].about for name in SUITES) and all(PROTOCOLS[name].about for name in PROTOCOLS)
    assert list(GoDomain().suites()) == [*SUITES, *MATCHES] and list(GoDomain().protocols()) == list(
        PROTOCOLS
    )


def test_unknown_names_are_told_with_what_exists() -> None:
    with pytest.raises(UsageError, match="go9-lite"):
        open_suite("go9-light")
    with pytest.raises(UsageError, match="standard"):
        open_suite("go9-lite", "usual")


def test_a_suite_that_is_not_shipped_says_how_to_make_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("GOBENCH_JUDGED", str(tmp_path))
    with pytest.raises(DataError, match="go9"):
        open_suite("go9")


@pytest.mark.parametrize("name", OPENED)
def test_every_shipped_suite_opens_with_unique_samples(name: str) -> None:
    suite = open_suite(name)
    assert suite is open_suite(name)
    for task in suite.tasks:
        assert len(set(task.ids)) == len(task.ids) > 20
        assert task.headline in task.metrics and task.name.startswith(f"{SUITES[name].prefix}/")
        assert dumps(dict(task.settings)) and dumps(dict(task.public)) and dumps(dict(task.oracle))
        assert task.public["suite"] == name and task.public["protocol"] == "standard"
        assert len(task.positions()) == len(task.ids)
        wording = task.wording(task.ids[0])
        assert wording["to_move"] in ("black", "white") and "{" not in wording["rules"]


def questions(task: Any, frames: int) -> Counter[bytes]:
    """What is asked by prompts of so many boards: who is to move and the boards -> how often."""
    found = Counter[bytes]()
    for sample in task.ids:
        game, ply = task.position(sample)
        boards = game.boards[max(0, ply + 1 - frames) : ply + 1]
        found[bytes([game.colors[ply]]) + boards.tobytes()] += 1
    return found


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", OPENED)
def test_no_question_of_eight_boards_is_asked_twice(name: str, protocol: str) -> None:
    for task in open_suite(name, protocol).tasks:
        assert max(questions(task, MOST_FRAMES).values()) == 1


def test_shorter_prompts_and_symmetry_repeat_as_the_card_says() -> None:
    task: Any = open_suite("go9-lite").tasks[0]
    again = len(task.ids) - len(questions(task, 1))
    _, same, times = np.unique(task.positions(), return_inverse=True, return_counts=True)
    games = {(kind, sample.game) for kind, sample in zip(same.tolist(), task.samples, strict=True)}
    in_games = Counter(kind for kind, _ in games)
    several = sum(times[kind] for kind, n in in_games.items() if n > 1)
    text = (Path(__file__).parents[3] / "cards" / "benchmark.md").read_text(encoding="utf-8")
    flat = " ".join(text.split())
    assert f"with one board (T = 1) {again} of the {len(task.ids):,} questions" in flat
    assert f"{several} of them are equal to one of another game" in flat


def test_settings_say_what_was_asked_drawn_and_read() -> None:
    standard, paper, zero_shot = (open_suite("go9-lite", name).tasks[0].settings for name in PROTOCOLS)
    rollout = open_suite("go9-lite").tasks[1].settings
    asked = {s["asked"] for s in (standard, paper, zero_shot, rollout)}
    assert len(asked) == 4 and all(len(digest) == 64 for digest in asked)
    for settings in (standard, paper, zero_shot, rollout):
        assert settings["most_frames"] == 8
        assert (settings["drawn"], settings["reader"]) == (DRAWN, READER)


def test_a_changed_picture_or_reading_raises_its_version() -> None:
    """What is drawn and read by these versions. Where this fails, raise DRAWN or READER and put the new digests here."""
    board = open_suite("go9-lite").tasks[0].position("g003-p041")
    seen = look("videoworld", 256, 9, 9)
    frame = render.frames(seen, board[0].boards[board[1]][None])[0]
    worn = ((frame.astype(int) * 3 + np.random.default_rng(0).integers(0, 256, frame.shape) * 4) // 7).astype(
        np.uint8
    )
    found = read(seen, worn)
    told = dumps([text_of(found.board), found.unsure])
    digests = [hashlib.sha256(data).hexdigest()[:16] for data in (frame.tobytes(), told)]
    assert (DRAWN, READER, *digests) == ("1", "1", "e15269de4eda909c", "06466e279ee34918")


def test_zero_shot_asks_a_fixed_part_of_all_games() -> None:
    part, whole = open_suite("go9-lite", "zero-shot").tasks[0], open_suite("go9-lite").tasks[0]
    judged = open_set("go9-lite")
    assert PROTOCOLS["zero-shot"].most == len(part.ids) == part.settings["samples"] == 500
    assert list(part.ids) == [name for name in whole.ids if name in set(part.ids)]
    assert next_moves(judged, (1, 2), 500) == next_moves(judged, (1, 2), 500)
    assert {s.id for s in next_moves(judged, (1, 2), 100).samples} < set(part.ids)
    games = Counter(name.split("-")[0] for name in part.ids)
    assert len(games) >= 107 and max(games.values()) < 15
    assert next_moves(judged, (1, 2), 10_000).samples == next_moves(judged, (1, 2)).samples


def test_protocols_ask_what_they_say() -> None:
    by_name = {name: open_suite("go9-lite", name).tasks for name in PROTOCOLS}
    assert [t.name for t in by_name["standard"]] == ["go9/next-move", "go9/rollout"]
    assert [t.name for t in by_name["paper"]] == [t.name for t in by_name["zero-shot"]] == ["go9/next-move"]
    settings = {name: tasks[0].settings for name, tasks in by_name.items()}
    assert [settings[p]["tries"] for p in ("standard", "paper", "zero-shot")] == [10, 10, 1]
    assert [settings[p]["scored_try"] for p in ("standard", "paper")] == ["first", "first-legal"]
    assert "video" in settings["zero-shot"] and settings["zero-shot"]["answer"] == "video"
    paper, standard = by_name["paper"][0], by_name["standard"][0]
    assert {paper.wording(sample)["to_move"] for sample in paper.ids} == {"black"}
    black = [name for name in standard.ids if standard.wording(name)["to_move"] == "black"]
    assert set(paper.ids) < set(standard.ids) and list(paper.ids) == black
    assert settings["standard"]["judged"]["sha256"] == settings["paper"]["judged"]["sha256"]


def test_the_lite_suite_holds_what_its_card_says() -> None:
    task = open_suite("go9-lite").tasks[0]
    assert len(task.ids) == task.settings["samples"] == 6646
    assert (task.settings["repeats"], task.settings["best_is_pass"]) == (56, 509)
    table = task.table([{"id": i, "tries": [{"missing": True}]} for i in task.ids])
    assert len(np.unique(table.clusters)) == 110


@pytest.mark.parametrize("name", OPENED)
def test_entropies_part_the_positions_in_three(name: str) -> None:
    task = open_suite(name).tasks[0]
    table = task.table([{"id": i, "tries": [{"missing": True}]} for i in task.ids])
    thirds = [mask.mean() for part, mask in table.slices.items() if part.startswith("entropy")]
    assert len(thirds) == 3 and all(0.28 < third < 0.39 for third in thirds)


def test_a_suite_is_the_same_in_every_process() -> None:
    code = (
        "from gobench_go.benchmark import open_suite; from gobench.canonical import dumps; import hashlib; "
        "print([hashlib.sha256(dumps([dict(t.settings), list(t.ids)])).hexdigest() for t in open_suite('go9-lite').tasks])"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    tasks = open_suite("go9-lite").tasks
    here = [hashlib.sha256(dumps([dict(t.settings), list(t.ids)])).hexdigest() for t in tasks]
    assert there.strip() == str(here)
