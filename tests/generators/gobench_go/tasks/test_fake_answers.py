"""Fake models, drawn, on a part of the shipped suite: what comes out is what went in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from gobench.tasks import Table, View
from gobench.types import Array, Record
from gobench_go.benchmark import open_suite
from gobench_go.game.kernels import replay
from gobench_go.tasks.next_move import NextMove
from gobench_go.video import render

VIEW = View(128, 128, 2)
EVERY = 41
Painter = Callable[[Array, int, np.random.Generator], Array | None]


@pytest.fixture(scope="module")
def task() -> NextMove:
    task = open_suite("go9-lite").tasks[0]
    assert isinstance(task, NextMove)
    return task


@pytest.fixture(scope="module")
def part(task: NextMove) -> list[str]:
    return list(task.ids[::EVERY])


def after(task: NextMove, sample: str, move: int) -> Array:
    """The board that the rules leave."""
    game, ply = task.position(sample)
    played = replay(task.judged.rules, None, [*game.moves[:ply], move], game.colors[: ply + 1])
    assert played.first_illegal < 0
    board: Array = played.boards[-1]
    return board


def run(task: NextMove, part: list[str], board: Callable[[str, int], Array]) -> Table:
    """Answers every sample, try by try, with a drawn board; ends as a table."""
    rows: list[Record] = []
    for sample in part:
        trial = task.trial(sample, VIEW)
        while (asked := trial.ask()) is not None:
            drawn = board(sample, asked.context["ask"])
            trial.tell(render.frames(task.look(VIEW), drawn[None]))
        rows.append({"id": sample, **trial.evidence()})
    return task.table(rows)


def means(table: Table) -> dict[str, float]:
    return {
        name: float(np.nanmean(column)) for name, column in table.columns.items() if np.isfinite(column).any()
    }


def test_the_judges_best_move_scores_everything(task: NextMove, part: list[str]) -> None:
    table = run(task, part, lambda sample, _: after(task, sample, task.judgements.best[task.places[sample]]))
    found = means(table)
    ones = (
        "legal_first_try",
        "legal_within_k",
        "accuracy",
        "accuracy_with_ties",
        "value_ratio",
        "exact_frame",
        "exact_capture",
    )
    assert {name: found[name] for name in ones} == dict.fromkeys(ones, 1.0)
    assert found["winrate_loss"] == found["score_loss"] == 0
    assert 0.6 < found["policy_ratio"] < 1
    assert set(table.kinds) == {"clean", "capture"} and table.clean.all()


def test_any_legal_stone_is_legal_and_worth_its_row_of_the_judgement(task: NextMove, part: list[str]) -> None:
    rng = np.random.default_rng(5)
    chosen = {s: int(rng.choice(np.flatnonzero(task.judgements.legal[task.places[s], :-1]))) for s in part}
    table = run(task, part, lambda sample, _: after(task, sample, chosen[sample]))
    assert (table.columns["legal_first_try"] == 1).all() and (table.columns["exact_frame"] == 1).all()
    for n, sample in enumerate(part):
        game, ply = task.position(sample)
        judged, move = game.positions[ply], chosen[sample]
        v, best = judged.value[move], judged.value[judged.best]
        assert table.columns["accuracy"][n] == (move == judged.best)
        assert table.columns["winrate_loss"][n] == pytest.approx(max(0, best - v))
        assert table.columns["score_loss"][n] == pytest.approx(
            max(0, judged.lead[judged.best] - judged.lead[move])
        )
        assert table.columns["policy_ratio"][n] == pytest.approx(judged.policy[move] / judged.policy.max())
        assert np.isnan(table.columns["value_ratio"][n]) == (best < 0.05)


def shown(task: NextMove, sample: str) -> tuple[Array, int, np.random.Generator]:
    game, ply = task.position(sample)
    return game.boards[ply].copy(), game.colors[ply], np.random.default_rng(task.places[sample])


def unchanged(board: Array, color: int, rng: np.random.Generator) -> Array:
    return board


def two_stones(board: Array, color: int, rng: np.random.Generator) -> Array:
    board.flat[rng.choice(np.flatnonzero(board == 0), 2, replace=False)] = color
    return board


def other_colour(board: Array, color: int, rng: np.random.Generator) -> Array:
    board.flat[rng.choice(np.flatnonzero(board == 0))] = 3 - color
    return board


@pytest.mark.parametrize(
    ("paint", "kind"),
    [(unchanged, "no-change"), (two_stones, "several-stones"), (other_colour, "wrong-colour")],
)
def test_answers_without_a_move_are_illegal(
    task: NextMove, part: list[str], paint: Painter, kind: str
) -> None:
    def board(sample: str, _: int) -> Array:
        painted = paint(*shown(task, sample))
        assert painted is not None
        return painted

    table = run(task, part, board)
    assert Counter(table.kinds) == {kind: len(part)} and not table.clean.any()
    found = means(table)
    assert (
        found["legal_first_try"] == found["legal_within_k"] == found["accuracy"] == found["value_ratio"] == 0
    )
    j = task.judgements
    places = [task.places[s] for s in part]
    worst = [max(0, j.value[p, j.best[p]] - np.nanmin(j.value[p])) for p in places]
    assert table.columns["winrate_loss"] == pytest.approx(worst)


def test_captures_that_were_not_drawn_are_told_from_clean_ones(task: NextMove) -> None:
    part = [s for s, captures in zip(task.ids, task.captures, strict=True) if captures.any()][::EVERY]
    places = [task.places[s] for s in part]
    legal = {
        s: np.flatnonzero(task.captures[p] & task.judgements.legal[p, :-1])
        for s, p in zip(part, places, strict=True)
    }
    part = [s for s in part if len(legal[s])]

    def board(sample: str, _: int) -> Array:
        before, color, _rng = shown(task, sample)
        before.flat[legal[sample][0]] = color
        return before

    table = run(task, part, board)
    assert len(part) > 20 and set(table.kinds) == {"capture-not-drawn"}
    assert (table.columns["legal_first_try"] == 1).all() and (table.columns["exact_capture"] == 0).all()
    assert (run(task, part, lambda s, _: after(task, s, legal[s][0])).columns["exact_capture"] == 1).all()


def test_points_that_ko_or_suicide_forbid_are_illegal(task: NextMove) -> None:
    empty = task.boards == 0
    forbidden = empty & ~task.judgements.legal[:, :-1]
    part = [task.ids[n] for n in np.flatnonzero(forbidden.any(axis=1)).tolist()][::EVERY]

    def board(sample: str, _: int) -> Array:
        before, color, _rng = shown(task, sample)
        before.flat[np.flatnonzero(forbidden[task.places[sample]])[0]] = color
        return before

    table = run(task, part, board)
    assert len(part) > 20 and (table.columns["legal_within_k"] == 0).all()
    assert set(table.kinds) <= {"clean", "capture-not-drawn"}  # read well, and against the rules


def test_a_legal_move_on_a_later_try_counts_within_k_alone(task: NextMove, part: list[str]) -> None:
    def board(sample: str, ask: int) -> Array:
        best = int(task.judgements.best[task.places[sample]])
        return after(task, sample, best) if ask == 9 else unchanged(*shown(task, sample))

    found = means(run(task, part[:30], board))
    assert (found["legal_first_try"], found["legal_within_k"], found["accuracy"]) == (0, 1, 0)


def test_every_truth_is_the_board_of_the_rules(task: NextMove, part: list[str]) -> None:
    for sample in part[::4]:
        want = after(task, sample, int(task.judgements.best[task.places[sample]]))
        assert np.array_equal(task.truth(sample, VIEW), render.frames(task.look(VIEW), want[None]))
