"""A game from anywhere -> the stage-1 record, after every ply has passed our own referee.

The record has always the same keys: ``KEYS``. What is decided here for all sources:

- ``captures`` are the stones each ply took off; ``score`` is black minus white with komi by area on the last
  board, every stone counting as alive; ``over`` says whether two passes ended the game.
- ``result`` is the source's own word where it has one (``?`` is none), else the score's when the game is over, else ``?``.
- ``targets`` and ``values`` are as long as ``moves`` or empty; a target of -1 says that none is known at that
  ply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench.types import Episode, Json, Record, Rejection
from gobench_go.game import coords, kernels
from gobench_go.game.position import NAMES, Position, board_of
from gobench_go.game.position import REASONS as ILLEGAL
from gobench_go.game.rules import Rules

KEYS = (
    *("rows", "cols", "rules", "ko", "suicide", "komi", "setup", "moves", "colors", "captures"),
    *(
        "result",
        "score",
        "over",
        "source",
        "origin",
        "black",
        "white",
        "teacher",
        "targets",
        "values",
        "seed",
    ),
)
REASONS = {
    "illegal-move": "a move that the rules of the game forbid",
    "setup-dead": "stones set up without liberties",
}
NO_TARGET = -1
UNKNOWN = "?"  # the result of a game of which nobody says how it ended

Ints = Sequence[int] | npt.NDArray[np.integer[Any]]
Floats = Sequence[float] | npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Game:
    """What a source knows of a game. ``setup`` is empty or R*C characters of ``.XO``."""

    rules: Rules
    moves: Ints
    colors: Ints
    source: str
    origin: str
    setup: str = ""
    result: str = ""
    black: str = ""
    white: str = ""
    teacher: str = ""
    targets: Ints = ()
    values: Floats = ()
    seed: int = 0


def episode(game: Game) -> Episode | Rejection:
    """The game as an Episode, or why it is none ("illegal-move", "setup-dead")."""
    try:
        replay = kernels.replay(
            game.rules,
            setup_board(game.setup, game.rules),
            game.moves,
            game.colors,
        )
    except UsageError as error:
        return Rejection(game.origin, "setup-dead", str(error), 0)
    if replay.first_illegal >= 0:
        return _illegal(game, replay.first_illegal)
    return Episode(_record(game, replay))


def _record(game: Game, replay: kernels.Replay) -> Record:
    rules = game.rules
    moves = np.asarray(game.moves).tolist()
    over = len(moves) > 1 and moves[-1] == moves[-2] == rules.points
    score = kernels.score(rules, replay.boards[-1])
    return {
        "rows": rules.rows,
        "cols": rules.cols,
        "rules": rules.name,
        "ko": rules.ko,
        "suicide": rules.suicide,
        "komi": rules.komi,
        "setup": game.setup,
        "moves": moves,
        "colors": np.asarray(game.colors).tolist(),
        "captures": replay.captures.tolist(),
        "result": _result(game.result, score, over),
        "score": score,
        "over": over,
        "source": game.source,
        "origin": game.origin,
        "black": game.black,
        "white": game.white,
        "teacher": game.teacher,
        "targets": np.asarray(game.targets, np.int64).tolist(),
        "values": rounded(game.values),
        "seed": game.seed,
    }


def _result(said: str, score: float, over: bool) -> str:
    if said not in ("", UNKNOWN):
        return said
    return result_text(score) if over else UNKNOWN


def rounded(values: Floats) -> list[float]:
    """Values to four digits, never -0.0."""
    return (np.round(np.asarray(values, np.float64), 4) + 0.0).tolist()  # type: ignore[no-any-return]


def result_text(score: float) -> str:
    """``B+3.5``, ``W+1`` or ``0``."""
    return f"{'B' if score > 0 else 'W'}+{abs(score):g}" if score else "0"


def setup_board(setup: str, rules: Rules) -> npt.NDArray[np.uint8] | None:
    """The start position as uint8 [R, C]; None for the empty board. Raises UsageError for no such text."""
    return board_of(setup, rules.rows, rules.cols) if setup else None


def start_of(record: Mapping[str, Json], rules: Rules) -> Position:
    """The Position before ply 0 of a record, the colour of its first ply to move."""
    first = int(record["colors"][0]) if len(record["colors"]) else 1
    if not record["setup"]:
        return Position.setup(rules, to_move=first)
    return Position.of_text(rules, record["setup"], first)


def rules_of(record: Mapping[str, Json]) -> Rules:
    """The Rules that a record was checked against."""
    return Rules(
        record["rows"], record["cols"], record["ko"], record["suicide"], record["komi"], record["rules"]
    )


def _illegal(game: Game, ply: int) -> Rejection:
    """Say why a ply is illegal, by the readable referee."""
    rules, move, color = game.rules, int(game.moves[ply]), int(game.colors[ply])
    position = start_of({"setup": game.setup, "colors": game.colors}, rules)
    for earlier, mover in zip(game.moves[:ply], game.colors[:ply], strict=True):
        position = position.play(int(earlier), int(mover))
    why = position.why_illegal(move, color) or "unknown"
    where = coords.gtp(move, rules.rows, rules.cols)
    detail = f"{NAMES[color]} {where}: {ILLEGAL.get(why, why)} ({why}, rules {rules.name})"
    return Rejection(game.origin, "illegal-move", detail, ply)
