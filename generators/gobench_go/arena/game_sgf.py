"""A game of a match as SGF, with all that is needed to know what it was."""

from __future__ import annotations

from gobench.canonical import dumps
from gobench.types import Record
from gobench_go.arena.plan import Plan
from gobench_go.arena.result import ENDS, GameResult
from gobench_go.game import sgf


def sgf_of(game: GameResult, plan: Plan) -> bytes:
    """FF[4] in UTF-8. The comment of the root says who played, from what and how it ended."""
    rules = plan.rules
    return sgf.write(
        {
            "rows": rules.rows,
            "cols": rules.cols,
            "komi": rules.komi,
            "rules": rules.name,
            "black": game.black,
            "white": game.white,
            "result": game.result,
            "moves": game.moves,
            "colors": [1 + ply % 2 for ply in range(len(game.moves))],
            "name": game.game,
            "comment": _comment(game, plan),
        }
    )


def _comment(game: GameResult, plan: Plan) -> str:
    identities: dict[str, Record] = {entry.name: entry.identity for entry in plan.entries}
    rules = plan.rules
    lines = [
        f"Black: {_plain(identities[game.black])}",
        f"White: {_plain(identities[game.white])}",
        f"Pair: {game.pair}; {len(game.opening)} opening plies; seeds {game.seeds[0]} and {game.seeds[1]}",
        f"Rules: {rules.name}: {rules.ko} superko, suicide {'allowed' if rules.suicide else 'forbidden'}, area, "
        f"komi {rules.komi:g}",
        f"End: {game.end}: {ENDS[game.end]}",
        *([f"What happened: {game.message}"] if game.message else []),
        *(f"Played again after a crash of {('Black', 'White')[each.by - 1]} at ply {each.ply}: {each.message}"
          for each in game.voided),
    ]  # fmt: skip
    return "\n".join(lines)


def _plain(identity: Record) -> str:
    return dumps(identity).decode("utf-8")
