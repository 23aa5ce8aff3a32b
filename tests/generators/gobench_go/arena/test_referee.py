"""The referee: how games end, what each fault makes of them, and what is replayed."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gobench.errors import UsageError
from gobench.types import Record
from gobench_go.arena.games import read_games, write_games
from gobench_go.arena.names import Conditions, open_player
from gobench_go.arena.player import NOTHING, RESIGN, Reply
from gobench_go.arena.referee import VERDICTS, Fixture, Limits, Moment, play
from gobench_go.arena.result import ENDS, FORFEITS, GameResult
from gobench_go.engines.faults import FAULTS, EngineError, Fault
from gobench_go.game.position import BLACK, WHITE, Position
from gobench_go.game.rules import Rules

RULES = Rules(3, 3, komi=2.0)
PASS = RULES.points
HOSTILE = Path(__file__).parent.parent / "engines" / "hostile.py"


@dataclass
class Scripted:
    """Answers what it was given, move by move, and then passes; a fault breaks it so many games in a row."""

    answers: list[int | Reply | Fault] = field(default_factory=list)
    faulty_games: int = 1000
    name: str = "scripted"
    seeds: list[int] = field(default_factory=list)
    begun: int = 0
    closed: int = 0

    @property
    def identity(self) -> Record:
        return {"name": self.name, "kind": "teacher", "version": "1"}

    def begin(self, rules: Rules, seed: int) -> None:
        self.begun += 1
        self.left = list(self.answers)

    def reply(self, position: Position, seed: int) -> Reply:
        self.seeds.append(seed)
        answer = self.left.pop(0) if self.left else PASS
        if isinstance(answer, str):
            if self.begun <= self.faulty_games:
                raise EngineError(answer, f"{self.name} was {answer}")
            answer = PASS
        return answer if isinstance(answer, Reply) else Reply(answer)

    def close(self) -> None:
        self.closed += 1


def fixture(opening: tuple[int, ...] = ()) -> Fixture:
    return Fixture("g00000", "a/b/o000", "a", "b", opening, (11, 12))


def game(
    black: Scripted, white: Scripted, opening: tuple[int, ...] = (), limits: Limits | None = None
) -> GameResult:
    return play(fixture(opening), RULES, (black, white), limits)


def test_two_passes_end_a_game_and_the_area_decides() -> None:
    ended = game(Scripted([4]), Scripted())
    assert (ended.end, ended.winner, ended.result, ended.score) == ("passes", BLACK, "B+7", 7.0)
    assert ended.moves == (4, PASS, PASS) and ended.asked == (2, 1)
    assert game(Scripted(), Scripted()).result == "W+2"


def test_equal_area_is_a_draw() -> None:
    ended = play(fixture(), Rules(3, 3, komi=9.0), (Scripted([4]), Scripted()))
    assert (ended.winner, ended.result, ended.points("a"), ended.points("b")) == (0, "0", 0.5, 0.5)


def test_the_limit_of_plies_counts_the_opening_and_leaves_the_area_as_it_stands() -> None:
    ended = game(Scripted([0]), Scripted([8]), (4, 3), Limits(max_plies=3))
    assert (ended.end, ended.moves, ended.asked) == ("move-limit", (4, 3, 0), (1, 0))
    assert ended.score == Position.start(RULES).play(4).play(3).play(0).score()


def test_the_limit_is_three_times_the_points_unless_given() -> None:
    assert Limits().plies(RULES) == 27 and Limits(5).plies(RULES) == 5
    with pytest.raises(UsageError, match="-1 plies"):
        Limits(-1)


def test_resigning_loses() -> None:
    assert game(Scripted([RESIGN]), Scripted()).result == "W+R"
    ended = game(Scripted([4]), Scripted([RESIGN]))
    assert (ended.end, ended.winner, ended.moves) == ("resign", BLACK, (4,))


@pytest.mark.parametrize(
    ("move", "why"), [(4, "occupied"), (99, "outside"), (-7, "outside"), (NOTHING, "no move")]
)
def test_an_illegal_move_loses_and_is_counted(move: int, why: str) -> None:
    ended = game(Scripted([4]), Scripted([move]))
    assert (ended.end, ended.result, ended.illegal) == ("illegal", "B+F", (0, 1))
    assert why in ended.message and ended.moves == (4,)


def test_answers_that_did_not_count_are_counted_though_the_last_one_was_legal() -> None:
    ended = game(Scripted([Reply(4, 3, ("occupied", "ko"))]), Scripted([Reply(4, 2, ("unread",))]))
    assert ended.illegal == (2, 2) and ended.end == "illegal"


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"crash"}))
def test_every_fault_but_a_crash_is_a_forfeit(fault: Fault) -> None:
    assert VERDICTS[fault] == "forfeit" and fault in FORFEITS
    white = Scripted([fault])
    ended = game(Scripted([4]), white)
    assert (ended.end, ended.winner, ended.message) == (fault, BLACK, f"scripted was {fault}")
    assert ended.result == ("B+T" if fault == "late" else "B+F") and white.begun == 1


def test_each_fault_has_a_verdict_and_each_verdict_is_an_end() -> None:
    assert set(VERDICTS) == set(FAULTS) and set(VERDICTS) <= set(ENDS)


def test_a_crash_undoes_the_game_which_is_played_again_from_the_same_opening_and_seeds() -> None:
    black, white = Scripted([0, 1]), Scripted([8, "crash"], faulty_games=2)
    ended = game(black, white, (4, 3))
    assert (ended.end, [(v.by, v.ply) for v in ended.voided]) == ("passes", [(WHITE, 5)] * 2)
    assert white.begun == 3 and (white.closed, black.closed) == (2, 0)
    assert white.seeds[:2] == white.seeds[2:4] == white.seeds[4:6]
    assert ended.asked == (3, 2), "those of the game that counts"


def test_a_game_that_crashes_in_every_replay_is_lost() -> None:
    white = Scripted(["crash"])
    ended = game(Scripted([4]), white, limits=Limits(replays=2))
    assert (ended.end, ended.result, len(ended.voided), white.begun) == ("crash", "B+F", 2, 3)
    assert game(Scripted(["crash"]), Scripted(), limits=Limits(replays=0)).voided == ()


def test_seeds_differ_by_ply_and_colour_and_follow_from_the_game() -> None:
    black, white = Scripted([4, 0]), Scripted([8])
    game(black, white)
    assert len({*black.seeds, *white.seeds}) == len(black.seeds) + len(white.seeds)
    again = Scripted([4, 0])
    game(again, Scripted([8]))
    assert again.seeds == black.seeds


def test_whoever_looks_on_sees_every_legal_move() -> None:
    seen: list[Moment] = []
    clock = [0.0, 0.0]
    play(fixture((4,)), RULES, (Scripted(), Scripted([4])), watch=seen.append, clock=clock)
    assert [(m.color, m.position.plies) for m in seen] == [(0, 1)] and min(clock) >= 0 < clock[1]


def test_an_opening_must_be_legal() -> None:
    with pytest.raises(UsageError, match="occupied"):
        game(Scripted(), Scripted(), (4, 4))


def test_games_are_read_as_they_were_written(tmp_path: Path) -> None:
    games = [game(Scripted([4]), Scripted(["crash"], 1), (0,)), game(Scripted([RESIGN]), Scripted())]
    write_games(tmp_path / "games.jsonl", games)
    assert read_games(tmp_path) == read_games(tmp_path / "games.jsonl") == games


@pytest.mark.parametrize(
    ("mode", "end"),
    [("other-colour", "illegal"), ("off-board", "malformed"), ("refuse-genmove", "refused"), ("half", "late"),
     ("crash-middle", "crash"), ("resign", "resign")],
)  # fmt: skip
def test_a_hostile_process_loses_by_the_right_rule(mode: str, end: str) -> None:
    text = f"gtp:{sys.executable} -S -E {HOSTILE} {mode} --after 2 --seed {{seed}}"
    bad, good = open_player(text, Conditions(seconds=0.6)), open_player("random")
    try:
        ended = play(fixture(), Rules(5, 5, komi=0.5), (bad, good), Limits(replays=1))
    finally:
        bad.close()
    assert (ended.end, ended.winner) == (end, WHITE)
    assert len(ended.voided) == (end == "crash") and len(ended.moves) >= 4
