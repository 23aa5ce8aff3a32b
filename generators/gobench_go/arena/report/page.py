"""``index.html`` of a match: one file with tables, ladder and games, that needs no network.

Names and messages come from engines of others: the template escapes them, and the player shows them as text only.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from gobench import pages
from gobench.preview.clips import THUMB, difference, webp
from gobench.preview.page import Words, document
from gobench.preview.pictures import fitted
from gobench.types import Array, Episode, Record
from gobench_go.arena import tables
from gobench_go.arena.report.ladder import rungs
from gobench_go.arena.result import ENDS, GameResult
from gobench_go.game.position import board_of
from gobench_go.replay import game_table
from gobench_go.sources.record import Game, episode

if TYPE_CHECKING:
    from gobench_go.arena.matches import Match

MOST = 1000  # games that are shown, all others lie in sgf/ and games.jsonl
WORDS = Words("game", "games", "pairing", "pairings", "The games lie in sgf/ as well.")


def render(match: Match) -> str:
    """The page of a finished match."""
    found, rules = match.summary, match.plan.rules
    facts = [
        f"{found['games']:,} games",
        f"{rules.rows}×{rules.cols}, komi {rules.komi:g}",
        f"openings {match.plan.openings.name}",
        f"{found['unique_games']:,} unique",
        f"{found['voided']:,} replayed after a crash",
    ]
    if found["games"] > MOST:
        facts.append(f"the first {MOST:,} are shown")
    shown = [_episode(game, match) for game in match.games[:MOST]]
    return document(_title(match), facts, shown, WORDS, pages.fragment(__package__, **_values(match)))


def _title(match: Match) -> str:
    names = [entry.name for entry in match.plan.entries]
    return f"{names[0]} against {names[1]}" if len(names) == 2 else f"Match of {len(names)} players"


def _values(match: Match) -> dict[str, Any]:
    found = match.summary
    return {
        "cross": tables.cross(found),
        "players": found["players"],
        "pairings": [each for each in found["pairings"] if each["games"]],
        "events": tables.other_events(found),
        "sprt": tables.sprt_words(found["sprt"]) if found["sprt"] else "",
        "ladder": rungs(found["ladder"] | {"players": tables.rungs_of(found)}) if found["ladder"] else None,
        "elo_words": tables.elo_words,
        "enough": tables.enough,
        "notes": [*filter(None, [tables.ladder_note(found), tables.hint(found)])],
        "identities": {entry.name: entry.identity for entry in match.plan.entries},
        "ends": [(end, count, ENDS[end]) for end, count in found["ends"].items()],
        "colors": found["colors"],
    }


def _episode(game: GameResult, match: Match) -> Record:
    colors = [1 + ply % 2 for ply in range(len(game.moves))]
    made = episode(Game(match.plan.rules, list(game.moves), colors, "match", game.game))
    assert isinstance(made, Episode), "the referee let an illegal move pass"
    table = game_table(made.record)
    boards: list[str] = table.pop("boards")
    steps = [difference(old, new) for old, new in pairwise(boards)]
    return {
        "key": game.game,
        "split": " – ".join(sorted((game.black, game.white))),
        "title": f"{game.result} · {game.black} – {game.white}",
        "facts": _facts(game, match),
        "opens": len(game.opening) or len(game.moves),  # an empty board tells nothing
        "thumb": _thumbnail(boards[-1], table["last"][-1], match),
        "board": table | {"start": boards[0], "steps": steps},
    }


def _facts(game: GameResult, match: Match) -> list[list[str]]:
    identities = {entry.name: entry.identity for entry in match.plan.entries}
    found = [
        ("Black", _who(game.black, identities[game.black])),
        ("White", _who(game.white, identities[game.white])),
        ("result", game.result),
        ("end", f"{game.end}: {ENDS[game.end]}"),
        ("what happened", game.message),
        ("opening", f"{len(game.opening)} plies, {game.pair.rpartition('/')[2]}"),
        ("plies", f"{len(game.moves)}"),
        ("illegal answers", _both(game.illegal)),
        *(("replayed", f"{('Black', 'White')[v.by - 1]} broke down at ply {v.ply}: {v.message}") for v in game.voided),
    ]  # fmt: skip
    return [[name, text] for name, text in found if text]


def _who(name: str, identity: Record) -> str:
    return f"{name} ({identity['kind']}, version {identity['version']})"


def _both(counts: Sequence[int]) -> str:
    return f"Black {counts[0]}, White {counts[1]}" if any(counts) else ""


def _thumbnail(board: str, last: int, match: Match) -> str:
    rules = match.plan.rules
    return webp(fitted(_drawn(board_of(board, rules.rows, rules.cols), last), THUMB))


def _drawn(board: Array, last: int) -> Array:
    from gobench_go.video.render import GoClip
    from gobench_go.video.themes import look

    style = look("wood", THUMB, board.shape[0], board.shape[1], last_move=True)
    frames = GoClip(style, board[None], np.array([last])).rgb()
    return np.ascontiguousarray(frames[0])
