"""Floors and ceilings: they see, choose and draw, and score what can be said of them beforehand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench.errors import DataError, UsageError
from gobench.evaluate.groups import play
from gobench.models import load
from gobench.report.floors import measured
from gobench.seeds import seed64
from gobench.statistics import Weights, estimate
from gobench.tasks import View
from gobench.types import VideoModel
from gobench_go import floors
from gobench_go.benchmark import open_suite
from gobench_go.floors.model import board_after
from gobench_go.floors.players import Oracle, RandomLegal, TeacherPlayer, legal_points, position_of
from gobench_go.floors.seeing import Prompt, boards, movers
from gobench_go.game import kernels
from gobench_go.game.position import board_of, text_of
from gobench_go.game.rules import Rules, named
from gobench_go.tasks import scores
from gobench_go.video import read, render
from gobench_go.video.themes import look

CARD = Path(__file__).parents[3] / "cards" / "benchmark.md"
NAMES = {"black": 1, "white": 2}
WORDS = ("", "black", "white")


@pytest.fixture(scope="module")
def task() -> Any:
    return open_suite("go9-lite").tasks[0]


def prompts(task: Any, chosen: list[str], frames: int = 8) -> tuple[np.ndarray, list[dict[str, str]]]:
    """Those of the chosen samples' prompts that are as long as the last one's."""
    pictures = [task.prompt(name, View(256, 256, frames)) for name in chosen]
    words = [{"to_move": WORDS[task.colors[task.places[name]]]} for name in chosen]
    return np.stack(pictures), words


def late(task: Any, step: int = 60) -> list[str]:
    return [name for name in task.ids if int(name[-3:]) >= 7][::step]


def scored(task: Any, name: str, samples: list[str]) -> tuple[Any, dict[str, float]]:
    model = load(name)
    model.begin(task.public)
    rows = [one.row for one in play(task, samples, model, View(256, 256, model.info.max_frames), 0)]
    table = task.table(rows)
    return table, {key: float(np.nanmean(column)) for key, column in table.columns.items()}


def test_legality_by_the_shown_boards_is_the_judges_everywhere(task: Any) -> None:
    for shown in (8, 6, 2):
        places = [place for place, name in enumerate(task.ids) if int(name[-3:]) >= shown - 1]
        games = [task.position(task.ids[place]) for place in places]
        seen = np.stack([game.boards[ply + 1 - shown : ply + 1].reshape(shown, -1) for game, ply in games])
        legal = legal_points(Prompt(task.judged.rules, seen, task.colors[places]))
        assert np.array_equal(legal, task.judgements.legal[places, :-1])


@pytest.mark.parametrize("ko", ["simple", "positional", "situational"])
@pytest.mark.parametrize("suicide", [False, True])
def test_legality_is_the_referees_where_all_boards_are_shown(ko: str, suicide: bool) -> None:
    rules = Rules(3, 4, ko, suicide)
    for seed in range(40):
        moves = kernels.random_game(rules, seed, 40)
        for plies in range(0, len(moves), 3):
            part = moves[:plies]
            if plies > 1 and part[-1] == part[-2] == rules.points:
                continue
            seen = kernels.replay(rules, None, part).boards.reshape(1, plies + 1, -1)
            mine = legal_points(Prompt(rules, seen, np.array([1 + plies % 2])))[0]
            assert np.array_equal(mine, kernels.legal_mask(rules, None, part)[:-1])


def test_random_legal_is_uniform_and_follows_its_seed() -> None:
    seen = np.zeros((20_000, 1, 9), np.uint8)
    seen[:, 0, [0, 1]] = 1, 2
    prompt = Prompt(Rules(3, 3), seen, np.full(len(seen), 1))
    seeds = np.array([seed64(0, i) for i in range(len(seen))], np.uint64)
    moves = RandomLegal().choose(prompt, seeds)
    counts = np.bincount(moves, minlength=9)
    assert counts[[0, 1]].sum() == 0
    assert abs(counts[2:] - len(seen) / 7).max() < 5 * (len(seen) / 7) ** 0.5
    turned = RandomLegal().choose(Prompt(prompt.rules, seen, prompt.colors), seeds[::-1].copy())
    assert np.array_equal(turned[::-1], moves)


def test_without_a_legal_point_the_frame_stays() -> None:
    rules = Rules(3, 3)
    shown = board_of("XXXX.XXXX", 3, 3).reshape(1, 1, 9)
    colors = np.array([1])
    moves = RandomLegal().choose(Prompt(rules, shown, colors), np.zeros(1, np.uint64))
    assert moves.tolist() == [-1]
    assert np.array_equal(board_after(rules, shown[:, 0], moves, colors), shown[:, 0])
    assert legal_points(Prompt(rules, shown, 3 - colors)).sum() == 1  # White takes all


@pytest.mark.parametrize(
    ("before", "move", "color", "after"),
    [
        (".XXOO....", 5, 2, ".XXOOO..."),
        (".XXOOO...", 0, 2, "O..OOO..."),
        (".X.X.....", 0, 2, "OX.X....."),  # no liberty: illegal, and drawn as a stone that stands
        ("OX.X.....", 8, 1, "OX.X....X"),  # a board that cannot be: what is dead there stays
        (".X.X.....", 1, 2, ".X.X....."),
        (".X.X.....", 9, 2, ".X.X....."),
    ],
)
def test_stones_are_drawn_and_those_they_take_are_not(before: str, move: int, color: int, after: str) -> None:
    found = board_after(
        Rules(3, 3), board_of(before, 3, 3).reshape(1, 9), np.array([move]), np.array([color])
    )
    assert text_of(found) == after


def test_boards_in_between_are_left_out_only_where_they_cannot_matter(task: Any) -> None:
    chosen = late(task, 40)
    frames, words = prompts(task, chosen)
    seen = look("videoworld", 256, 9, 9)
    quick, whole = boards(seen, frames, quick=True), boards(seen, frames)
    colors = movers(words, whole)
    left_out = (quick != whole).any(axis=(1, 2))
    assert 0.2 < left_out.mean() < 1
    one, other = (legal_points(Prompt(task.judged.rules, b, colors)) for b in (quick, whole))
    assert np.array_equal(one, other)


def test_who_is_to_move_is_told_or_guessed(task: Any) -> None:
    chosen = late(task)
    frames, words = prompts(task, chosen)
    shown = boards(look("videoworld", 256, 9, 9), frames)
    told = movers(words, shown)
    assert told.tolist() == [NAMES[row["to_move"]] for row in words]
    assert np.array_equal(movers(None, shown), told)
    assert movers([{}], np.zeros((1, 1, 9), np.uint8)).tolist() == [1]
    assert movers(None, np.array([[[1, 0, 0]]], np.uint8)).tolist() == [2]


@pytest.mark.parametrize("name", ["random-legal", "first-empty", "teacher:mcts:20", "oracle"])
def test_answers_depend_on_prompt_and_seed_alone(name: str, task: Any) -> None:
    chosen = late(task, 500)
    frames, words = prompts(task, chosen)
    model = load(name)
    assert isinstance(model.model, VideoModel)
    assert model.info.kind == ("floor" if name in ("random-legal", "first-empty") else "ceiling")
    model.begin(task.public)
    frames, seeds = frames[:, -model.info.max_frames :], np.arange(len(chosen), dtype=np.uint64)
    whole = model.ask(frames, 1, seeds, words)
    back = model.ask(frames[::-1].copy(), 1, seeds[::-1].copy(), words[::-1])
    alone = model.ask(frames[3:4], 1, seeds[3:4], words[3:4])
    assert np.array_equal(back[::-1], whole)
    assert np.array_equal(alone[0], whole[3])


def test_a_model_that_was_told_nothing_finds_board_and_look() -> None:
    rules = named("benchmark", 7)
    game = kernels.replay(rules, None, kernels.random_game(rules, 1, 12)).boards
    drawn = render.frames(look("wood", 160, 7, 7), game[-4:])[None]
    model = floors.random_legal()
    answer = model.generate(drawn, 3, np.array([5], np.uint64), None)
    assert answer.shape == (1, 3, 160, 160, 3)
    points, _ = read.boards(look("wood", 160, 7, 7), np.concatenate([drawn[0, -1:], answer[0]]))
    assert len(np.unique(points.reshape(4, -1), axis=0)) == 4
    told = {"rows": 7, "cols": 7, "theme": "wood", "rules": "benchmark", "komi": 9.0}
    model.begin(told)
    assert np.array_equal(model.generate(drawn, 3, np.array([5], np.uint64), None), answer)
    with pytest.raises(DataError, match="square"):
        model.generate(np.zeros((1, 1, 64, 96, 3), np.uint8), 1, np.zeros(1, np.uint64))


def test_several_plies_are_a_game(task: Any) -> None:
    model = floors.random_legal()
    model.begin(task.public)
    frames, words = prompts(task, late(task, 2000))
    answers = model.generate(frames, 6, np.arange(len(frames), dtype=np.uint64), words)
    assert answers.shape[1] == 6
    for prompt, answer, row in zip(frames, answers, words, strict=True):
        shown = boards(look("videoworld", 256, 9, 9), np.concatenate([prompt, answer])[None])[0]
        position = position_of(task.judged.rules, shown, NAMES[row["to_move"]])
        assert position is not None and position.plies == len(shown) - 1


def test_random_legal_is_always_legal_and_drawn_exactly(task: Any) -> None:
    table, means = scored(task, "random-legal", list(task.ids[::24]))
    assert means["legal_first_try"] == means["exact_frame"] == 1
    assert set(table.kinds) <= {"clean", "capture"}


def test_random_legal_scores_what_a_uniform_legal_mover_must(
    task: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Means over 24 seeds lie as near to the expectation as their spread lets them, and in the intervals of each."""
    expected, legal = floors.uniform_expectation(task), task.judgements.legal[:, :-1]
    monkeypatch.setattr("gobench_go.floors.players.legal_points", lambda prompt: legal)
    prompt = Prompt(task.judged.rules, task.boards[:, None], task.colors)
    weights, inside = Weights(task.clusters, draws=400, seed=0), list[bool]()
    found: dict[str, list[float]] = {}
    for seed in range(24):
        seeds = np.array([seed64(seed, task.name, name, 0) for name in task.ids], np.uint64)
        moves = RandomLegal().choose(prompt, seeds)
        assert legal[np.arange(len(moves)), moves].all()
        for name, column in scores.judged_columns(task.judgements, moves).items():
            found.setdefault(name, []).append(float(np.nanmean(column)))
            one = estimate(column, task.clusters, weights)
            assert one is not None
            inside.append(one.low <= expected[name] <= one.high)
    assert found.keys() | set(floors.expectation.ALWAYS) == expected.keys() == task.metrics.keys()
    for name, means in found.items():
        error = np.std(means, ddof=1) / len(means) ** 0.5
        assert abs(np.mean(means) - expected[name]) < 4 * error, name
    assert np.mean(inside) > 0.95  # games differ more than draws do, so that intervals over games hold more


def test_the_constants_of_the_expectation_are_those_of_the_scores() -> None:
    assert (floors.expectation.TIE, floors.expectation.LEAST_VALUE) == (scores.TIE, scores.LEAST_VALUE)


@pytest.mark.parametrize("suite", ["go9-lite", "go7-lite", "go5-lite"])
def test_the_measured_random_legal_row_is_one_draw_of_a_uniform_legal_mover(suite: str) -> None:
    """Within 3.3 standard errors of independent draws, one a position: 1 in 1,000 rows of a metric would lie further off."""
    task: Any = open_suite(suite).tasks[0]
    players = measured()[suite]["standard"][task.name]["players"]
    expected, error = floors.uniform_expectation(task), floors.expectation.uniform_error(task)
    found, exact = players["random-legal"], players[floors.expectation.NAME]
    assert exact == {name: round(value, 6) for name, value in expected.items()}
    assert found.keys() == expected.keys()
    for name, value in found.items():
        assert abs(value - expected[name]) <= 3.3 * error[name] + 1e-6, name
    if suite == "go9-lite":
        off = (found["accuracy"] - expected["accuracy"]) / error["accuracy"]
        assert f"{-off:.1f} standard deviations low in `accuracy`" in " ".join(CARD.read_text().split())


def test_a_teacher_that_is_asked_for_a_next_move_plays_a_stone(task: Any) -> None:
    """5x5 where both live and nothing is left: it passes in a game, and shows its best stone where one is asked."""
    rules = named("benchmark", 5, komi=0.5)
    stones = board_of(".X.XO" + "XXXXO" + "OOOOO" + ".O.O." + "OOOO.", 5, 5)
    seen = look("videoworld", 120, 5, 5)
    frames = render.frames(seen, np.stack([stones, stones]))[None]  # the other side has just passed
    public = {"rows": 5, "cols": 5, "theme": "videoworld", "rules": rules.name, "komi": 0.5}
    words, seeds = [{"to_move": "white"}], np.zeros(1, np.uint64)
    model = floors.teacher_model("mcts:50")
    model.begin({**public, "task": "go5/rollout"})
    assert np.array_equal(model.generate(frames, 1, seeds, words)[0, 0], frames[0, -1])
    model.begin({**public, "task": "go5/next-move"})
    points, _ = read.boards(seen, model.generate(frames, 1, seeds, words)[0])
    assert ((points[0] == 2) & (stones == 0)).sum() == 1


def test_a_teacher_is_legal_in_every_position_asked(task: Any) -> None:
    table, means = scored(task, "teacher:mcts:20", list(task.ids[-400::4]))
    assert means["legal_first_try"] == 1 and set(table.kinds) <= {"clean", "capture"}


def test_the_oracle_is_perfect(task: Any) -> None:
    _, means = scored(task, "oracle", list(task.ids[::24]))
    perfect = (
        "legal_first_try",
        "accuracy",
        "accuracy_with_ties",
        "value_ratio",
        "exact_frame",
        "exact_capture",
    )
    assert {name: means[name] for name in perfect} == dict.fromkeys(perfect, 1.0)
    assert means["winrate_loss"] == means["score_loss"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("suite", ["go9-lite", "go7-lite", "go5-lite"])
def test_the_card_tells_how_often_the_oracle_falls_back_in_rollouts(
    suite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollouts: Any = open_suite(suite).tasks[1]
    asked, stand_in = [0, 0], TeacherPlayer.move
    choose = Oracle.choose

    def counted(self: Oracle, prompt: Prompt, seeds: Any) -> Any:
        asked[0] += len(prompt.boards)
        return choose(self, prompt, seeds)

    def fell_back(self: TeacherPlayer, *given: Any) -> int:
        asked[1] += 1
        return stand_in(self, *given)

    monkeypatch.setattr(Oracle, "choose", counted)
    monkeypatch.setattr(TeacherPlayer, "move", fell_back)
    scored(rollouts, "oracle", list(rollouts.ids))
    card = " ".join(CARD.read_text().split())
    assert re.search(rf"{asked[1] / asked[0]:.0%} (of its plies )?on {suite}", card)


def test_the_oracle_needs_a_judged_set(task: Any) -> None:
    frames, words = prompts(task, late(task, 3000))
    seeds = np.zeros(len(frames), np.uint64)
    with pytest.raises(UsageError, match="begin"):
        floors.oracle().generate(frames, 1, seeds, words)
    with pytest.raises(UsageError, match="judged set"):
        floors.oracle().begin({"rows": 9})


def test_the_oracle_plays_on_where_the_judge_has_not_looked(task: Any) -> None:
    model = floors.oracle()
    model.begin(task.public)
    strange = np.zeros((1, 9, 9), np.uint8)
    strange[0, 0, :2] = 1, 2
    frames = render.frames(look("videoworld", 256, 9, 9), strange)[None]
    answer = model.generate(frames, 1, np.zeros(1, np.uint64), [{"to_move": "black"}])
    points, _ = read.boards(look("videoworld", 256, 9, 9), answer[0])
    assert (points[0] == 1).sum() == 2


def test_first_empty_plays_there_whatever_the_rules_say() -> None:
    stones = board_of(".X.X.....", 3, 3)[None]
    seen = look("wood", 96, 3, 3)
    model = floors.first_empty()
    model.begin({"rows": 3, "cols": 3, "theme": "wood", "rules": "benchmark", "komi": 9.0})
    answer = model.generate(
        render.frames(seen, stones)[None], 1, np.zeros(1, np.uint64), [{"to_move": "white"}]
    )
    points, _ = read.boards(seen, answer[0])
    assert points[0].reshape(-1).tolist() == board_of("OX.X.....", 3, 3).reshape(-1).tolist()


def test_a_teacher_passes_after_a_pass_that_settles_the_game() -> None:
    rules = named("benchmark", 5, komi=0.5)
    stones = board_of("." * 5 + "X" * 5 + "O" * 5 + "." * 5 + "O" * 5, 5, 5)
    seen = look("videoworld", 120, 5, 5)
    model = floors.teacher_model("mcts:50")
    model.begin({"rows": 5, "cols": 5, "theme": "videoworld", "rules": rules.name, "komi": 0.5})
    over = render.frames(seen, np.stack([stones, stones, stones]))[None]
    answer = model.generate(over, 1, np.zeros(1, np.uint64), [{"to_move": "black"}])
    assert np.array_equal(answer[0, 0], over[0, -1])  # two passes: nothing is left to play


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("random-legal:3", "takes no argument"),
        ("first-empty:x", "takes no argument"),
        ("oracle:mcts", "takes no argument"),
        ("teacher", "teacher:mcts:200"),
        ("teacher:alphago", "alphago"),
        ("teacher:mcts:0", "mcts:0"),
    ],
)
def test_bad_arguments_are_told(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load(name)
