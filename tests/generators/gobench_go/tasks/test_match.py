"""Games of a match task: what is asked, what counts, who loses, and that evidence alone tells it all again."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gobench.errors import ChildError, DataError, UsageError
from gobench.tasks import View
from gobench.types import Array, Record
from gobench_go.arena import outcomes, rating
from gobench_go.arena.names import open_player
from gobench_go.arena.openings import find
from gobench_go.arena.player import NOTHING, RESIGN, Reply
from gobench_go.arena.referee import Fixture
from gobench_go.arena.referee import play as referee
from gobench_go.engines.faults import EngineError
from gobench_go.game import sgf
from gobench_go.game.position import Position
from gobench_go.game.rules import named
from gobench_go.tasks import rungs
from gobench_go.tasks.game import ENDS
from gobench_go.tasks.match import METRICS, Match
from gobench_go.tasks.rungs import Ladder, Rung
from gobench_go.video import render
from gobench_go.video.themes import look

RULES = named("benchmark", 5, 5)
VIEW = View(80, 80, 3)
TRIES = 3
MODEL: Record = {
    "name": "tester", "kind": "video", "weights_sha256": None, "code_sha256": None,
    "context_keys": [], "frame_size": [80, 80], "max_frames": 3,
}  # fmt: skip


def made(*players: str, embedded: bool = True) -> Match:
    own = Ladder("for tests", tuple(Rung(p.replace(":", "-"), p, 4) for p in players), embedded)
    openings = find("5x5", RULES)
    settings: Record = {"rules": {"rows": 5, "cols": 5, "komi": RULES.komi}, "openings": openings.record}
    return Match("t/match", RULES, own, openings.lines, TRIES, settings, {}, {"random": 0.0})


@pytest.fixture(scope="module")
def task() -> Match:
    return made("random", "mcts:1")


def draw(board: Array) -> Array:
    return render.frames(look("videoworld", VIEW.height, 5, 5), np.asarray(board, np.uint8)[None])


Choose = Callable[[Position, int], Array]


def after(position: Position, move: int) -> Array:
    return draw(position.play(move).board)


def at_random(position: Position, ask: int) -> Array:
    """A legal move by a fixed rule, sometimes a pass."""
    legal = [move for move in range(26) if position.is_legal(move)]
    return after(position, legal[(7 * ask + 3 * position.plies) % len(legal)])


def two_stones(position: Position, ask: int) -> Array:
    board = position.board.copy().reshape(-1)
    board[np.flatnonzero(board == 0)[:2]] = position.to_move
    return draw(board.reshape(5, 5))


def still(position: Position, ask: int) -> Array:
    return draw(position.board)


def played(
    task: Match, sample: str, choose: Choose, everything: bool = True
) -> tuple[Record, dict[str, Array]]:
    """The row of a game, as the core writes it, and the kept frames."""
    trial = task.trial(sample, VIEW)
    asked = 0
    while (question := trial.ask()) is not None:
        assert question.frames.shape == (min(3, trial.game.position.plies + 1), 80, 80, 3)
        assert question.context["ask"] == asked and question.n == 1
        trial.tell(choose(trial.game.position, asked))
        asked += 1
    return {"id": sample, **trial.evidence()}, dict(trial.kept(everything))


def numbers(task: Match, row: Record) -> dict[str, float]:
    return {name: float(values[0]) for name, values in task.table([row]).columns.items()}


def test_samples_are_pairs_of_games_of_each_opponent(task: Match) -> None:
    assert task.ids[:5] == (
        "random-o000-b",
        "random-o000-w",
        "random-o001-b",
        "random-o001-w",
        "mcts-1-o000-b",
    )
    rows = [played(task, sample, still)[0] for sample in task.ids]
    table = task.table(rows[::-1])
    assert list(table.ids) == list(task.ids)
    assert table.clusters.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert table.slices["opponent: mcts:1"].tolist() == [False] * 4 + [True] * 4
    assert table.slices["colour: white"].tolist() == [False, True] * 4
    assert set(table.columns) == set(METRICS) and set(table.kinds) <= set(ENDS)
    assert task.difficulty().tolist() == [0] * 4 + [1] * 4


@pytest.mark.parametrize("sample", ["random-o000-b", "random-o001-w", "mcts-1-o000-w", "mcts-1-o001-b"])
def test_a_game_is_the_one_that_a_referee_would_have_seen(task: Match, sample: str) -> None:
    row, _ = played(task, sample, at_random)

    class Scripted:
        """Plays what the model played."""

        name, identity = "tester", MODEL

        def begin(self, rules: object, seed: int) -> None: ...

        def reply(self, position: Position, seed: int) -> Reply:
            return Reply(row["moves"][position.plies])

        def close(self) -> None: ...

    black = row["color"] == "black"
    opponent = open_player(row["opponent"])
    seeds = (0, row["seed"]) if black else (row["seed"], 0)
    names = ("tester", row["opponent"]) if black else (row["opponent"], "tester")
    pair = f"tester/{row['opponent']}/{sample.split('-')[-2]}"
    fixture = Fixture(sample, pair, *names, tuple(row["opening"]), seeds)
    players = (Scripted(), opponent) if black else (opponent, Scripted())
    expected = referee(fixture, RULES, players)
    game = task.followed(row)
    assert game.result(sample, pair, "tester", row["opponent"], row["seed"]) == expected
    assert row["result"] == expected.result


def test_an_unchanged_frame_is_a_pass_and_two_passes_end_the_game(task: Match) -> None:
    row, _ = played(task, "mcts-1-o000-b", still)
    assert 25 in row["moves"] and row["end"] in ("passes", "move-limit")
    found = numbers(task, row)
    assert (found["legal_first_try"], found["illegal_answers"], found["forfeited"]) == (1, 0, 0)
    assert math.isfinite(found["margin"]) and math.isnan(found["plies_before_forfeit"])


def test_no_legal_move_in_all_tries_loses_the_game(task: Match) -> None:
    row, frames = played(task, "mcts-1-o000-b", two_stones, everything=False)
    assert (row["end"], row["result"]) == ("illegal", "W+F")
    assert len(row["answers"]) == 1 and len(row["answers"][0]) == TRIES == len(frames)
    found = numbers(task, row)
    assert (found["score"], found["forfeited"], found["legal_first_try"]) == (0, 1, 0)
    assert (found["illegal_answers"], found["plies_before_forfeit"]) == (TRIES, len(row["opening"]))
    assert not task.table([row]).clean[0]
    assert row["identity"]["teacher"].startswith("mcts@"), "the opponent is known, though it never moved"
    (faced,) = task.games([row])
    assert (faced.points, faced.illegal, faced.forfeit, faced.first) == (0, TRIES, True, True)


def test_a_second_try_may_be_legal_and_the_first_one_counts(task: Match) -> None:
    def second(position: Position, ask: int) -> Array:
        return two_stones(position, ask) if ask == 0 else at_random(position, ask)

    row, frames = played(task, "random-o000-b", second, everything=False)
    assert [len(tries) for tries in row["answers"]][:2] == [2, 1]
    assert set(frames) == {"t00n0"}
    found = numbers(task, row)
    assert found["illegal_answers"] == 1 and 0 < found["legal_first_try"] < 1 and found["forfeited"] == 0


def test_nothing_answered_counts_as_no_move(task: Match) -> None:
    row, frames = played(task, "random-o000-b", lambda position, ask: np.zeros((0, 80, 80, 3), np.uint8))
    assert row["end"] == "illegal" and row["answers"] == [[{"missing": True}] * TRIES] and not frames


def test_the_same_answers_make_the_same_game(task: Match) -> None:
    assert played(task, "mcts-1-o001-w", at_random)[0] == played(task, "mcts-1-o001-w", at_random)[0]


def change(row: Record, **changed: object) -> Record:
    return {**copy.deepcopy(row), **changed}


def test_evidence_that_cannot_be_is_refused(task: Match) -> None:
    row, _ = played(task, "random-o000-b", at_random)
    lost, _ = played(task, "random-o000-b", two_stones)
    turned = "W" + row["result"][1:] if row["result"][0] == "B" else "B" + row["result"][1:]
    empty = {**row["answers"][0][0], "board": "." * 25}
    wrong = [
        (change(row, result=turned), "result is"),
        (change(row, end="move-limit" if row["end"] == "passes" else "passes"), "end is"),
        (change(row, seed=row["seed"] + 1), "seed is"),
        (change(row, opening=[1, 2]), "opening is"),
        (change(row, opponent="mcts:5000"), "opponent is"),
        (change(row, moves=row["moves"][:-1]), "ends within|not those of one game"),
        (change(row, moves=[*row["moves"], 25]), "not those of one game"),
        (change(row, moves=[row["moves"][0]] * len(row["moves"])), "not legal|not those"),
        (change(row, answers=row["answers"][:-1]), "ends within"),
        (change(row, answers=[*row["answers"], []]), "not those of one game"),
        (change(row, answers=[[empty], *row["answers"][1:]]), "ends within"),
        (change(lost, answers=[lost["answers"][0][:-1]]), "ends within the model's turn"),
        (change(lost, answers=[[*lost["answers"][0], empty]]), "answers after"),
        (change(row, answers=[[{"board": "x"}], *row["answers"][1:]]), "no board of 25 points"),
        (change(row, answers="x"), "answers"),
        (change(row, id="random-o009-b"), "has no sample"),
    ]
    for changed, words in wrong:
        with pytest.raises(DataError, match=words):
            task.table([changed])
    with pytest.raises(DataError, match="two rows"):
        task.table([row, row])


def test_kept_frames_read_again_give_the_row(task: Match) -> None:
    row, frames = played(task, "mcts-1-o000-w", at_random)
    assert task.reread("mcts-1-o000-w", row, frames) == row
    assert task.reread("mcts-1-o000-w", row, {}) == row
    frames["t00n0"] = two_stones(Position.start(RULES), 0)[0]
    assert task.reread("mcts-1-o000-w", row, frames) != row


class Flaky:
    """A random player that breaks down so many times first, and says what became of it."""

    name = "flaky"
    left = 0
    log: list[str]

    def __init__(self) -> None:
        self.inner = open_player("random")

    @property
    def identity(self) -> Record:
        return {"name": "flaky", "kind": "engine", "version": "1"}

    def begin(self, rules: object, seed: int) -> None:
        Flaky.log.append("begin")

    def reply(self, position: Position, seed: int) -> Reply:
        if Flaky.left:
            Flaky.left -= 1
            raise EngineError("crash", "flaky has died")
        return self.inner.reply(position, seed)

    def close(self) -> None:
        Flaky.log.append("close")


@pytest.fixture
def flaky(monkeypatch: pytest.MonkeyPatch) -> Iterator[Match]:
    monkeypatch.setattr(rungs, "open_player", lambda text, conditions: Flaky())
    Flaky.log, Flaky.left = [], 0
    yield made("random", embedded=False)


def test_an_opponent_that_breaks_down_is_started_again_and_nobody_loses_by_it(flaky: Match) -> None:
    calm, _ = played(flaky, "random-o000-w", at_random)
    Flaky.log, Flaky.left = [], 3
    row, _ = played(flaky, "random-o000-w", at_random)
    assert row == calm
    assert (
        Flaky.log[:6] == ["begin", "close", "begin", "close", "begin", "close"] and Flaky.log[-1] == "close"
    )


def test_an_opponent_that_cannot_be_had_ends_the_run(flaky: Match) -> None:
    Flaky.left = 1000
    with pytest.raises(
        ChildError, match=r"random-o000-w: the opponent random does not play, in 4 attempts: flaky"
    ):
        played(flaky, "random-o000-w", at_random)
    assert Flaky.log.count("begin") <= Flaky.log.count("close")


def test_an_illegal_move_of_an_opponent_counts_for_nobody(
    flaky: Match, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Flaky, "reply", lambda self, position, seed: Reply(NOTHING))
    with pytest.raises(ChildError, match="no legal move"):
        played(flaky, "random-o000-w", at_random)


def test_an_opponent_may_give_up(flaky: Match, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Flaky, "reply", lambda self, position, seed: Reply(RESIGN))
    row, _ = played(flaky, "random-o000-b", at_random)
    assert (row["end"], row["result"]) == ("resign", "B+R")
    assert numbers(flaky, row)["score"] == 1
    with pytest.raises(DataError, match="ends within the game"):
        flaky.table([change(row, end="passes")])


def test_opponents_that_are_not_here_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(text: str, conditions: object) -> None:
        raise UsageError(f"{text}: apt install it.")

    monkeypatch.setattr(rungs, "open_player", gone)
    other = made("gnugo:1", embedded=False)
    assert other.optional and "gnugo:1 is not here: gnugo:1: apt install it." in other.unavailable()
    assert not made("random").optional and made("random").unavailable() == ""


def test_games_are_written_as_those_of_a_match(task: Match, tmp_path: Path) -> None:
    rows = [played(task, sample, two_stones if n == 3 else at_random)[0] for n, sample in enumerate(task.ids)]
    files = task.records(rows, MODEL)
    assert files == task.records(rows[::-1], MODEL)
    for name, data in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    found = outcomes.read([str(tmp_path)])
    assert len(found.outcomes) == 8 and len({game.pair for game in found.outcomes}) == 4
    assert sum(game.forfeit for game in found.outcomes) == 1
    ladder = rating.climb(found, draws=100)
    assert {player.name for player in ladder.ratings.players} == {"random", "mcts:1", "tester"}
    (game,) = sgf.read((tmp_path / "sgf" / "mcts-1-o000-w.sgf").read_bytes())
    assert not isinstance(game, sgf.SgfError)
    assert (game.black, game.white, game.result) == ("mcts:1", "tester", rows[5]["result"])
    assert list(game.moves) == rows[5]["moves"]
    twin = task.records(rows[:1], {**MODEL, "name": "random"})
    assert b"random (model)" in twin["games.jsonl"]


def test_exhibits_show_boards_and_the_answers_that_lost(task: Match) -> None:
    row, frames = played(task, "mcts-1-o000-b", two_stones)
    shown = task.exhibit("mcts-1-o000-b", row, frames)
    captions = [caption for caption, _ in shown.pictures]
    assert captions[0].startswith("the opening") and "try 1 of 3, as generated" in captions
    assert shown.facts["the last answer"] == "several-stones" and "W+F" in shown.title
    again = task.exhibit("mcts-1-o000-b", row, {})
    assert "try 1 of 3, drawn again from what was read" in [caption for caption, _ in again.pictures]
    assert len(task.exhibit("mcts-1-o000-b", None, {}).pictures) == 1
    assert all(
        picture.shape == (256, 256, 3) for _, picture in task.exhibit("mcts-1-o000-b", row, {}).pictures
    )


def test_the_contract_beside_the_games(task: Match) -> None:
    assert len(task.positions()) == 0
    assert task.truth("random-o000-b", VIEW).shape == (1, 80, 80, 3)
    assert task.wording("random-o000-w")["to_move"] == "white"
    with pytest.raises(DataError, match="no sample"):
        task.trial("nobody-o000-b", VIEW)
    with pytest.raises(UsageError, match="square"):
        task.trial("random-o000-b", View(80, 64, 1))
    assert replace(rungs.LADDERS["go9/match"].rungs[0]).name == "clumsy:0"
