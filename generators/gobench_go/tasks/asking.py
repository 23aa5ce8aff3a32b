"""How any position is put to a video model, and what its answer says: for tasks, for matches and at the board.

Position --prompt, context--> model --frame--> reading.read --judge--> Verdict
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench.tasks import View
from gobench.types import Array, Json, Record
from gobench_go.game.position import NAMES, Position
from gobench_go.game.rules import RULES, Rules
from gobench_go.tasks import reading
from gobench_go.video.themes import Look, look

THEME = "videoworld"
COLOURS = ("", "black", "white")
NO_MOVE = -1
RULES_IN_WORDS = (
    "The game is Go on {rows}x{cols} points. Players take turns putting one stone on an empty point. Stones of the other "
    "colour that are left without an empty neighbouring point are taken off the board at once. No stone may be put where "
    "its own group would be without one, and no earlier board may come again."
)


class Verdict(NamedTuple):
    """What an answer says in a position."""

    kind: str  # a key of reading.KINDS
    move: int  # row * C + col, R*C is the pass; -1 where no move can be read
    why: str  # why it is no legal move: a key of game.position.REASONS, or the kind; empty for a legal one


def wording(rules: Rules, color: int) -> Mapping[str, str]:
    """Words for an instruction: whose move it is (1 black, 2 white), and the rules."""
    return {
        "to_move": COLOURS[color],
        "To_move": NAMES[color],
        "other": COLOURS[3 - color],
        "board": f"{rules.rows}x{rules.cols}",
        "rows": str(rules.rows),
        "cols": str(rules.cols),
        "rules": RULES_IN_WORDS.format(rows=rules.rows, cols=rules.cols),
    }


def square_look(name: str, theme: str, view: View, rules: Rules) -> Look:
    """How boards are drawn for a model. Raises UsageError for a view that is not square or too small."""
    if view.height != view.width:
        raise UsageError(
            f"{name} draws square pictures, but the model takes {view.height}x{view.width} pixels: "
            "give it a square frame_size, such as 256x256."
        )
    return look(theme, view.height, rules.rows, rules.cols)


def prompt(drawn: Look, boards: npt.ArrayLike, frames: int) -> Array:
    """The last ``frames`` of boards uint8 [T', R, C], drawn: uint8 [T, H, W, 3]."""
    from gobench_go.video import render

    return render.frames(drawn, np.asarray(boards)[-frames:])


def context(sample: str, task: str, ask: int, color: int) -> Record:
    """What a model may be told with a question; ``color`` is to move, ``ask`` counts from 0."""
    colour = COLOURS[color]
    return {
        "id": sample,
        "task": task,
        "ask": ask,
        "to_move": colour,
        "instruction": f"{colour.capitalize()} to move. Show the board after {colour}'s best move.",
    }


def public(rules: Rules, task: str, theme: str = THEME) -> Record:
    """What a model is told before the first position of a game."""
    return {
        "task": task,
        "rows": rules.rows,
        "cols": rules.cols,
        "theme": theme,
        "komi": rules.komi,
        "rules": _rule_set(rules),
    }


def judge(position: Position, answer: Mapping[str, Json]) -> Verdict:
    """Read an answer, as it stands in evidence, as a move of the side to move; an unchanged board is a pass.

    Raises:
        DataError: an answer that no reading can be.
    """
    rules = position.rules
    answers = reading.parse([answer], rules.points, [f"ply {position.plies}"])
    colors = np.array([position.to_move], np.int64)
    found = reading.changes(rules, position.board.reshape(1, -1), answers, colors)
    kind, move = reading.NAMES[int(found.kinds[0])], int(found.moves[0])
    if kind == "no-change":
        move = rules.points
    if move < 0:
        return Verdict(kind, NO_MOVE, kind)
    return Verdict(kind, move, position.why_illegal(move) or "")


def _rule_set(rules: Rules) -> str:
    """The name in the table; of rules that somebody made up, the first in the table with the same ko and suicide."""
    if rules.name in RULES:
        return rules.name
    same = [row.name for row in RULES.values() if (row.ko, row.suicide) == (rules.ko, rules.suicide)]
    return same[0] if same else next(iter(RULES))
