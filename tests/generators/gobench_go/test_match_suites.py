"""The suites of games from the run to the result: nothing depends on workers or kills, and evidence alone tells it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gobench import evidence
from gobench.canonical import sha256_file
from gobench.cli.evaluate import suites
from gobench.errors import DataError, UsageError
from gobench.evaluate import evaluate, open_suite, score
from gobench.evaluate.begin import Plan
from gobench.models import load
from gobench.report import write
from gobench.results import Result, read_result
from gobench_go.arena import ladder, outcomes, rating
from gobench_go.domain import GoDomain
from gobench_go.match_suites import MATCHES
from gobench_go.tasks import rungs

SUITE, TASK = "go5-match", "go5/match"
GAMES = 24  # of the suite's, in two groups
MODEL = '''
"""Plays at random, passes now and then, and sometimes draws two stones; dies once if a file says so."""
import os
from pathlib import Path
import numpy as np
from gobench_go import floors


class Wild:
    frame_size = (64, 64)
    context_keys = ("to_move", "id", "task")

    def __init__(self):
        self.random = floors.random_legal("")
        self.context_keys = tuple(sorted({*self.context_keys, *self.random.context_keys}))
        self.seen = set()

    def begin(self, public):
        self.random.begin(public)

    def generate(self, frames, n, seeds, context=None):
        mark, new = Path(__file__).with_name("die"), {each["id"] for each in context} - self.seen
        again = len(self.seen) >= 16 and not new  # in the middle of the second group
        self.seen |= new
        if again and len(self.seen) > 16 and mark.exists():
            mark.unlink()
            os.kill(os.getpid(), 9)
        answer = self.random.generate(frames, n, seeds, context).copy()
        for i, seed in enumerate(seeds):
            if int(seed) % 11 == 0:
                answer[i] = frames[i, -1:]
            elif int(seed) % 7 == 0:
                answer[i, :, 12:50, 12:50] = 90
        return answer
'''


@pytest.fixture(scope="module", autouse=True)
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A commit made during the tests would be another environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_DIR", str(tmp_path_factory.mktemp("nowhere")))
        yield


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("wild") / "wild.py"
    place.write_text(MODEL)
    return f"{place}:Wild"


@pytest.fixture(scope="module")
def whole(model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a part of the games."""
    return evaluate(model, suite=SUITE, out=tmp_path_factory.mktemp("whole") / "run", limit=GAMES)


def hashes(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(folder)): sha256_file(path) for path in files}


def test_two_workers_change_no_byte(model: str, whole: Path, tmp_path: Path) -> None:
    again = evaluate(model, suite=SUITE, out=tmp_path / "two", limit=GAMES, workers=2)
    assert hashes(again) == hashes(whole)


def test_a_kill_in_the_middle_changes_no_byte(model: str, whole: Path, tmp_path: Path) -> None:
    mark = Path(model.rpartition(":")[0]).with_name("die")
    mark.touch()
    words = [
        "evaluate",
        model,
        "--suite",
        SUITE,
        "--out",
        str(tmp_path / "run"),
        "--limit",
        str(GAMES),
        "--no-report",
    ]
    first = subprocess.run([sys.executable, "-m", "gobench", *words], capture_output=True, timeout=300)
    assert first.returncode == -9 and not mark.exists()
    _, rows = evidence.read(tmp_path / "run", TASK, torn=True)
    assert 0 < len(rows) < GAMES
    evaluate(model, suite=SUITE, out=tmp_path / "run", limit=GAMES)
    assert hashes(tmp_path / "run") == hashes(whole)


def test_evidence_alone_gives_the_result_and_the_games(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(whole, folder)
    shutil.rmtree(folder / "games")
    (folder / "result.json").unlink()
    score(folder, reread=True)
    assert hashes(folder) == hashes(whole)
    path = evidence.path_of(folder, TASK)
    path.write_text(path.read_text().replace('"result":"W+', '"result":"B+', 1))
    with pytest.raises(DataError, match="result is 'B"):
        score(folder)


def test_the_result_says_how_each_match_went(whole: Path) -> None:
    result = read_result(whole)
    task = result.task(TASK)
    assert (result.status, task.n, sum(m.games for m in result.matches)) == ("partial", GAMES, GAMES)
    assert [m.opponent for m in result.matches] == [rung.name for rung in rungs.LADDERS[TASK].rungs]
    points, forfeited = task.metrics["score"], task.metrics["forfeited"]
    assert points and forfeited
    assert sum(m.wins + m.draws / 2 for m in result.matches) == pytest.approx(GAMES * points.value, abs=1e-3)
    assert sum(m.forfeits for m in result.matches) == pytest.approx(GAMES * forfeited.value, abs=1e-3)
    assert sum(m.illegal for m in result.matches) > 0 and all(m.timeouts == 0 for m in result.matches)
    for match in result.matches:
        assert sha256_file(whole / match.path) == match.sha256 and match.elo is not None
    standing = result.standing
    assert standing is not None and standing.anchors["random"] == 0 and standing.elo.n == GAMES
    assert set(standing.anchors) == {m.opponent for m in result.matches}


def test_the_rating_is_that_of_the_command(whole: Path) -> None:
    standing = read_result(whole).standing
    assert standing is not None
    found = rating.climb(outcomes.read([str(whole)]), standing.anchors, colour=False).ratings.of("Wild")
    assert found.elo == pytest.approx(standing.elo.value, abs=1e-3)
    assert standing.elo.interval == pytest.approx((found.low, found.high), abs=1e-3)


def test_the_report_has_the_ladder_and_games(whole: Path, tmp_path: Path) -> None:
    text = write(whole, tmp_path / "page.html", most=6).read_text()
    assert 'id="ladder"' in text and 'href="games/go5-match/"' in text
    assert "after ply" in text and "mcts:200" in text
    assert "Lost games, those that were lost soonest first" in text and "games only" in text


def test_games_are_played_in_small_groups(model: str) -> None:
    suite = open_suite(SUITE)
    loaded = load(model)
    plan = Plan(suite, "standard", loaded, 0, 32, None, "cpu", "float32")
    assert {len(group) for group in plan.groups(suite.tasks[0])} == {16, 8}
    loaded.close()


@pytest.mark.parametrize("name", MATCHES)
def test_suites_are_offered_and_their_ladders_are_of_todays_players(name: str) -> None:
    assert name in GoDomain().suites()
    suite = open_suite(name)
    (own,) = [task for task in suite.tasks if not getattr(task, "optional", False)]
    assert set(own.ladder) == {rung.name for rung in rungs.LADDERS[own.name].rungs}  # type: ignore[attr-defined]
    assert own.ladder["random"] == 0  # type: ignore[attr-defined]
    assert all(evidence.check_slug(sample) for task in suite.tasks for sample in task.ids)
    for task in suite.tasks:
        assert (
            len(set(task.ids)) == len(task.ids) == sum(rung.games for rung in rungs.LADDERS[task.name].rungs)
        )
    with pytest.raises(UsageError, match="no task under the protocol 'paper'"):
        open_suite(name, "paper")


def test_a_ladder_of_other_versions_is_refused() -> None:
    rungs_ = ladder.read(5, 5)
    now = {"mcts:1": {**rungs_.identities["mcts:1"], "teacher": "mcts@999:1"}}
    with pytest.raises(
        DataError, match=r"the opponent mcts:1 is mcts@999:1, and ladder-5x5\.json rates mcts@"
    ):
        ladder.rated(rungs_, now, "5x5")
    with pytest.raises(DataError, match="does not rate it"):
        ladder.rated(rungs_, {"mcts:9": {"teacher": "mcts@1:9"}}, "5x5")
    with pytest.raises(DataError, match="there is no ladder for 3x4"):
        ladder.read(3, 4)


def test_a_ladder_is_made_of_a_match(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gobench_go.arena.matches import play_match
    from gobench_go.arena.names import Conditions
    from gobench_go.arena.openings import find
    from gobench_go.arena.plan import Plan, enter
    from gobench_go.game.rules import named

    rules = named("benchmark", 5, 5)
    plan = Plan(enter(["random", "mixed:50"], Conditions()), rules, find("auto", rules), games=20)
    play_match(plan, tmp_path / "match")
    monkeypatch.setattr(ladder, "HOME", tmp_path)
    ladder.read.cache_clear()
    ladder.main([str(tmp_path / "match")])
    made = ladder.read(5, 5)
    assert made.ratings["random"] == 0 and made.identities["mixed:50"]["kind"] == "teacher"
    assert made.table["games"] == 20
    before = (tmp_path / "ladder-5x5.json").read_bytes()
    ladder.main([str(tmp_path / "match")])
    assert (tmp_path / "ladder-5x5.json").read_bytes() == before
    ladder.read.cache_clear()


def test_engines_that_are_not_here_are_missing_and_the_result_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(rungs, "open_rung", _gone)
    folder = evaluate(
        "copy-frame", suite="go9-match", out=tmp_path / "run", tasks=["match-gnugo", "match-katago"]
    )
    result = read_result(folder)
    for name in ("go9/match-gnugo", "go9/match-katago"):
        task = result.task(name)
        assert task.n == 0 and "is not here: get it" in (task.missing or "")
    assert result.status == "partial" and result.matches == () and result.standing is None
    run = json.loads((folder / "run.json").read_text())
    assert set(run["tasks"]) == {"go9/match-gnugo", "go9/match-katago"}


def _gone(rung: rungs.Rung) -> None:
    raise UsageError("get it")


def test_a_result_is_complete_without_optional_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {
        name: rungs.Ladder(row.about, tuple(_short(row)), row.embedded) for name, row in rungs.LADDERS.items()
    }
    monkeypatch.setattr(rungs, "LADDERS", few)
    monkeypatch.setattr(rungs, "missing", lambda own: "" if own.embedded else "no engine")
    from gobench_go import benchmark

    benchmark.open_suite.cache_clear()
    result = _complete(tmp_path)
    assert result.status == "complete" and result.task("go9/match").complete
    assert result.task("go9/match-gnugo").missing == "no engine"
    assert result.standing is not None and result.standing.elo.bound in ("<=", None)
    benchmark.open_suite.cache_clear()


def _short(row: rungs.Ladder) -> list[rungs.Rung]:
    return [rungs.Rung(rung.slug, rung.player, 2, rung.shown) for rung in row.rungs[:2]]


def _complete(place: Path) -> Result:
    return read_result(evaluate("copy-frame", suite="go9-match", out=place / "run"))


def test_suites_name_opponents_with_their_elo() -> None:
    shown = CliRunner().invoke(suites, ["go5-match"])
    elo = ladder.read(5, 5).ratings["mcts:200"]
    assert "random (Elo 0), mixed:50" in shown.output and f"mcts:200 (Elo {elo:.0f})" in shown.output
