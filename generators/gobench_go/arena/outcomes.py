"""The user's files of games -> outcomes: match folders, files of games, and SGF of anybody's tournaments.

A match's ``plan.json`` says who its players are exactly: one name for two players becomes two, the second in the order of
the paths with "#2" behind it. Games that a crash undid are no games. A game of an SGF file is a pair of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gobench.canonical import dumps, read_json, sha256
from gobench.errors import DataError
from gobench.types import Record
from gobench_go.arena.games import GAMES, read_games
from gobench_go.arena.result import FORFEITS, GameResult
from gobench_go.game import sgf
from gobench_go.game.position import BLACK, WHITE
from gobench_go.game.sgf import SgfError, SgfGame
from gobench_go.sources.archives import MemberError
from gobench_go.sources.members import list_members
from gobench_go.sources.sgf_files import MAX_BYTES, SUFFIXES

EVALUATED = "games"  # below the folder of an evaluation
PLAN = "plan.json"
UNRATED: Mapping[str, str] = {
    "no-result": "the file does not say who won",
    "no-names": "the file does not name both players, or names them alike",
    "handicap": "stones were set up, or a handicap is stated",
    "unreadable": "no game could be read",
    "forfeit": "ended by a forfeit, and those were to be left out",
}
"""Why a game is not rated."""


class Outcome(NamedTuple):
    """A finished game, as far as ratings care."""

    black: str
    white: str
    points: float  # of Black
    pair: str  # games that belong together
    forfeit: bool
    moves: str  # hash of players' board, opening and moves: equal for equal games


class Faced(NamedTuple):
    """A player of an evaluation."""

    task: str
    rules: Record  # of the board
    name: str  # there
    identity: Record


class Games(NamedTuple):
    """What was found in the user's files."""

    outcomes: Sequence[Outcome]
    unrated: Mapping[str, int]  # key of UNRATED -> how many
    renamed: Sequence[str] = ()  # players whose name another one had
    faced: Sequence[tuple[str, Faced]] = ()  # players of evaluations, by what they are called here


def read(paths: Sequence[str]) -> Games:
    """The games of match folders, ``games.jsonl`` files, and SGF files, folders, globs and archives.

    Raises:
        UsageError: a path that does not exist or holds no games.
        DataError: a broken file of games.
    """
    outcomes, unrated, known, faced = list[Outcome](), Counter[str](), _Known(), list[tuple[str, Faced]]()
    for number, path in enumerate(paths):
        places = matches_of(Path(path).expanduser())
        for place in places:
            games = read_games(place)
            plan = _plan(place)
            names = known.names(games, _identities(plan))
            faced += [(names[one.name], one) for one in _faced(plan) if one.name in names]
            outcomes += [_called(of_game(game, f"{number}/"), names) for game in games]
        if not places:
            for found in _of_sgf(path):
                if isinstance(found, Outcome):
                    outcomes.append(found)
                else:
                    unrated[found] += 1
    return Games(outcomes, unrated, known.renamed, faced)


def matches_of(path: Path) -> list[Path]:
    """The folders or the file with the games of a match or an evaluation; empty where there is none."""
    if path.suffix == ".jsonl" or (path / GAMES).is_file():
        return [path]
    return sorted(file.parent for file in (path / EVALUATED).glob(f"*/{GAMES}"))


class _Known:
    """Names of players, and who they were when they first came."""

    def __init__(self) -> None:
        self.identities: dict[str, Record | None] = {}
        self.renamed: list[str] = []

    def names(self, games: Sequence[GameResult], identities: Mapping[str, Record]) -> dict[str, str]:
        """What the players of a match are called here: their names there -> their names."""
        there = sorted({name for game in games for name in (game.black, game.white)})
        return {name: self._name(name, identities.get(name)) for name in there}

    def _name(self, name: str, identity: Record | None) -> str:
        fresh, number = name, 1
        while self.identities.setdefault(fresh, identity) not in (None, identity) and identity is not None:
            number += 1
            fresh = f"{name}#{number}"
        if fresh != name and fresh not in self.renamed:
            self.renamed.append(fresh)
        return fresh


def _plan(place: Path) -> Record:
    """What a match says of itself; empty without a plan."""
    plan = place / PLAN
    if not place.is_dir() or not plan.is_file():
        return {}
    table = read_json(plan)
    players = table.get("players") if isinstance(table, dict) else None
    if not isinstance(players, list) or not all(isinstance(p, dict) and "as" in p for p in players):
        raise DataError(f"{plan} names no players: it is no plan of a match.")
    found: Record = table
    return found


def _identities(plan: Record) -> dict[str, Record]:
    """Who the players of a match are, by its plan."""
    return {
        player["as"]: {key: value for key, value in player.items() if key != "as"}
        for player in plan.get("players", ())
    }


def _faced(plan: Record) -> Iterator[Faced]:
    """The players of an evaluation: a plan that says of which task it is."""
    if "task" in plan and isinstance(plan.get("rules"), dict):
        for name, identity in _identities(plan).items():
            yield Faced(str(plan["task"]), plan["rules"], name, identity)


def _called(game: Outcome, names: Mapping[str, str]) -> Outcome:
    return game._replace(black=names[game.black], white=names[game.white])


def of_game(game: GameResult, prefix: str = "") -> Outcome:
    """A game of a match; ``prefix`` keeps pairs of unlike matches apart."""
    return Outcome(
        game.black, game.white, game.points(game.black), prefix + game.pair,
        game.end in FORFEITS, sha256(dumps([list(game.opening), list(game.moves)])),
    )  # fmt: skip


def _of_sgf(path: str) -> Iterator[Outcome | str]:
    """Each game of SGF files, or why it is not rated."""
    listing = list_members([path], SUFFIXES, "GAMES")
    for index in range(len(listing)):
        container, member = listing.find(index)
        origin = container.origin(member)
        try:
            data = container.read(member, MAX_BYTES)
        except MemberError:
            yield "unreadable"
            continue
        for number, game in enumerate(sgf.read(data)):
            yield _of_file(game, f"{path}\x1f{origin}#{number}")


def _of_file(game: SgfGame | SgfError, pair: str) -> Outcome | str:
    if isinstance(game, SgfError):
        return "unreadable"
    if game.setup.strip(".") or game.handicap >= 2:
        return "handicap"
    if not (game.black and game.white) or game.black == game.white:
        return "no-names"
    winner = {"0": 0, "B": BLACK, "W": WHITE}.get(game.result[:1])
    if winner is None:
        return "no-result"
    points = {0: 0.5, BLACK: 1.0, WHITE: 0.0}[winner]
    moves = sha256(dumps([game.rows, game.cols, list(game.colors), list(game.moves)]))
    return Outcome(game.black, game.white, points, pair, game.result[2:] in ("F", "T"), moves)
