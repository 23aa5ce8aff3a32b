"""A moment of a game as lines of text, for those who look on in a terminal."""

from __future__ import annotations

import math

from gobench_go.arena.referee import COLORS, Moment
from gobench_go.arena.result import DRAW, GameResult, other
from gobench_go.game import coords
from gobench_go.game.position import BLACK, EMPTY, WHITE

BY_AREA = {"passes": "two passes", "move-limit": "the limit of moves"}
DISCS = {EMPTY: ".", BLACK: "X", WHITE: "O"}


def lines_of(moment: Moment) -> list[str]:
    """A title, the board with its coordinates and the last stone in brackets, and what was said."""
    fixture = moment.fixture
    title = f"{fixture.game}  X {fixture.black}  –  O {fixture.white}"
    return [title, *_board(moment), _words(moment), ""]


def ending(game: GameResult) -> str:
    """How a game ended: ``g00000: White (mcts:200) wins by 12 points (two passes)``."""
    if game.winner == DRAW:
        return f"{game.game}: a draw ({BY_AREA[game.end]})"
    names = {BLACK: game.black, WHITE: game.white}
    winner, loser = game.winner, other(game.winner)
    wins = f"{game.game}: {COLORS[winner]} ({names[winner]}) wins"
    if game.end in BY_AREA:
        return f"{wins} by {abs(game.score):g} point{'s' * (abs(game.score) != 1)} ({BY_AREA[game.end]})"
    if game.end == "resign":
        return f"{wins}, {COLORS[loser]} ({names[loser]}) resigned"
    why = f": {game.message.partition(chr(10))[0]}" if game.message else ""
    return f"{wins}, {COLORS[loser]} ({names[loser]}) lost by {game.end}{why}"


def _board(moment: Moment) -> list[str]:
    position = moment.position
    rows, cols = position.rules.rows, position.rules.cols
    lines = []
    for row, points in enumerate(position.board.tolist()):
        cells = [_cell(DISCS[point], row * cols + col == position.last) for col, point in enumerate(points)]
        lines.append(f"{rows - row:>2} " + "".join(cells))
    return [*lines, "   " + "".join(f" {name} " for name in coords.COLUMNS[:cols])]


def _cell(disc: str, last: bool) -> str:
    return f"({disc})" if last else f" {disc} "


def _words(moment: Moment) -> str:
    position, reply = moment.position, moment.reply
    if reply is None:
        return f"{position.plies} opening plies; {COLORS[position.to_move]} to move"
    name = coords.gtp(reply.move, position.rules.rows, position.rules.cols)
    words = [f"{position.plies}. {COLORS[moment.color]} {name}"]
    if not math.isnan(reply.value):
        words.append(f"gives itself {reply.value:.0%}")
    if reply.illegal:
        words.append(f"after {len(reply.illegal)} illegal answers")
    if reply.said:
        words.append(reply.said)
    if position.over:
        words.append(f"the game is over: {_score(position.score())}")
    return ", ".join(words)


def _score(score: float) -> str:
    if score == 0:
        return "a draw"
    return f"{'B' if score > 0 else 'W'}+{abs(score):g}"
