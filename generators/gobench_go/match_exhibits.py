"""A game of a match task drawn for people: where it began, moments of it, the last board, and the answers that lost it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gobench.tasks import Chosen, Exhibit, Table
from gobench.types import Array, Record
from gobench_go.game import coords
from gobench_go.game.position import NAMES, board_of
from gobench_go.tasks import asking
from gobench_go.tasks.game import Game
from gobench_go.video.themes import Look, look

if TYPE_CHECKING:
    from gobench_go.tasks.match import Match

SIDE = 256  # pixels of a picture
MOMENTS = 3  # boards between the opening and the end
FAILED = 2  # answers of the turn that lost a game
LAST_MOVES = 8


def exhibit(task: Match, sample: str, row: Record | None, frames: Mapping[str, Array]) -> Exhibit:
    """A game.

    Args:
        row: its evidence, None where it was not played.
        frames: what was kept of it; boards are those of the rules, only answers that lost the game are shown as drawn.

    Raises:
        DataError: an unknown sample, or a row that the task cannot have written.
    """
    found, terms = task.sample(sample), task.terms(sample)
    drawn = look(asking.THEME, SIDE, task.rules.rows, task.rules.cols)
    game = Game(terms) if row is None else task.followed(row)
    who = f"the model is {NAMES[found.color]}"
    facts = {"sample": sample, "opponent": found.rung.name, "colour of the model": NAMES[found.color]}
    pictures = list(_boards(drawn, game))
    if row is not None:
        facts |= _facts(task, game, row)
        pictures += _failed(drawn, game, frames)
    outcome = f": {row['result']}" if row is not None else ""
    return Exhibit(f"against {found.rung.name}, {who}{outcome}", pictures, facts)


def chosen(table: Table, rows: Sequence[Record]) -> Mapping[str, Chosen]:
    """Which games a report shows as the worst and the strangest."""
    plies = {row["id"]: len(row["moves"]) for row in rows}
    lost, illegal = table.columns["score"] == 0, table.columns["illegal_answers"]
    soonest = sorted(np.flatnonzero(lost).tolist(), key=lambda n: (plies[table.ids[n]], n))
    strange = sorted(np.flatnonzero(illegal).tolist(), key=lambda n: (-illegal[n], n))
    return {
        "worst": Chosen("lost games, those that were lost soonest first", soonest),
        "strangest": Chosen("games with answers that were no legal move, the most of them first", strange),
    }


def _boards(drawn: Look, game: Game) -> Iterator[tuple[str, Array]]:
    boards, start = game.position.boards(), len(game.terms.opening)
    last = len(boards) - 1
    between = np.linspace(start, last, MOMENTS + 2).round().astype(int).tolist()
    for ply in sorted({start, last, *between}):
        words = "the opening" if ply == start else f"after ply {ply}"
        yield (f"{words}, the last board" if ply == last else words), _draw(drawn, boards[ply])


def _failed(drawn: Look, game: Game, frames: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """The first answers of the turn that lost the game."""
    if game.end != "illegal":
        return
    turn = len(game.answers) - 1
    for number, answer in enumerate(game.answers[turn][:FAILED]):
        words = f"try {number + 1} of {len(game.answers[turn])}"
        if (kept := frames.get(f"t{turn:02d}n{number}")) is not None:
            yield f"{words}, as generated", kept
        elif "board" in answer:
            board = board_of(answer["board"], game.terms.rules.rows, game.terms.rules.cols)
            yield f"{words}, drawn again from what was read", _draw(drawn, board)


def _facts(task: Match, game: Game, row: Record) -> dict[str, str]:
    rules, moves = game.terms.rules, game.moves
    names = [coords.gtp(move, rules.rows, rules.cols) for move in moves[-LAST_MOVES:]]
    facts = {
        "result": f"{row['result']}: {'a draw' if not game.winner else 'won' if game.points == 1 else 'lost'}",
        "it ended by": f"{game.end}: {task.kinds[game.end]}",
        "plies": f"{len(moves)}, {len(game.terms.opening)} of them the opening",
        "last moves": " ".join(names),
        "illegal answers": f"{game.illegal} in {game.turns} turns",
        "game": f"sgf/{row['id']}.sgf in the folder of games",
    }
    if game.end == "illegal":
        facts["the last answer"] = game.why
    return facts


def _draw(drawn: Look, board: Array) -> Array:
    return np.asarray(asking.prompt(drawn, np.asarray(board)[None], 1)[0], np.uint8)
