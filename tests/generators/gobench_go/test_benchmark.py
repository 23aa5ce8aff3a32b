"""The tables of suites and protocols, and the suites that come out of them."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from gobench.canonical import dumps
from gobench.errors import DataError, UsageError
from gobench.tasks import View
from gobench_go.benchmark import PROTOCOLS, SUITES, open_suite
from gobench_go.domain import GoDomain
from gobench_go.judged.names import shipped


def test_the_shipped_lite_suite_is_the_default() -> None:
    assert next(iter(SUITES)) == "go9-lite" and set(PROTOCOLS) == {"standard", "paper", "zero-shot"}
    assert all(SUITES[name].about for name in SUITES) and all(PROTOCOLS[name].about for name in PROTOCOLS)
    assert list(GoDomain().suites()) == list(SUITES) and list(GoDomain().protocols()) == list(PROTOCOLS)


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


@pytest.mark.parametrize("name", [name for name in SUITES if SUITES[name].judged in shipped()])
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


def test_no_question_is_asked_twice() -> None:
    task = open_suite("go9-lite").tasks[0]
    prompts = set[bytes]()
    for sample in task.ids[::7]:
        asked = task.trial(sample, View(64, 64, 8)).ask()
        assert asked is not None
        prompts.add(asked.context["to_move"].encode() + asked.frames.tobytes())
    assert len(prompts) == len(task.ids[::7])


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
    assert set(paper.ids) < set(standard.ids) | set(paper.ids) and len(paper.ids) < len(standard.ids)
    assert settings["standard"]["judged"]["sha256"] == settings["paper"]["judged"]["sha256"]


def test_the_lite_suite_holds_what_its_card_says() -> None:
    task = open_suite("go9-lite").tasks[0]
    assert len(task.ids) == task.settings["samples"] == 6646
    assert (task.settings["repeats"], task.settings["best_is_pass"]) == (56, 509)
    table = task.table([{"id": i, "tries": [{"missing": True}]} for i in task.ids])
    assert len(np.unique(table.clusters)) == 110


@pytest.mark.parametrize("name", [name for name in SUITES if SUITES[name].judged in shipped()])
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
