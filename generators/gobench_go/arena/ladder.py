"""Ratings of opponents that stay as they are: the ladder that a model is placed on.

``data/ladder-9x9.json`` and the like come from tournaments of weak, middling and strong players that share some, so that
everybody took points from somebody who did. They are made anew by these commands:

    gobench go match clumsy:0 clumsy:30 clumsy:60 random mixed:20 mixed:35 mixed:50 mixed:70 mcts:1 mcts:5 mcts:20 \\
        mcts:50 --games 20 --out runs/weak
    gobench go match mcts:20 mcts:50 mcts:100 mcts:200 mcts:500 --games 20 --seed 2 --out runs/middle
    gobench go match mcts:1000 mcts:2000 mcts:5000 --games 20 --seed 3 --out runs/top
    gobench go match random mcts:50 mcts:200 mcts:1000 mcts:5000 gnugo:1 gnugo:10 --games 20 --out runs/engines
    python -m gobench_go.arena.ladder runs/weak runs/middle runs/top runs/engines

    gobench go match clumsy:0 random mixed:50 mcts:1 mcts:20 mcts:200 --size 5x5 --games 40 --out runs/small
    python -m gobench_go.arena.ladder runs/small

The file says who was rated exactly. An embedded player of another version than the one that was rated has no rating: the
suites of matches refuse to open until the ladder is made anew.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gobench import atomic
from gobench.canonical import loads, pretty, read_json, sha256
from gobench.errors import DataError, GobenchError
from gobench.types import Record
from gobench_go.arena import outcomes, rating
from gobench_go.arena.games import GAMES

HOME = Path(__file__).parent / "data"
FORMAT = 1
ANCHORS = rating.ANCHORS


@dataclass(frozen=True)
class Rungs:
    """A ladder as it is shipped."""

    table: Record

    @property
    def ratings(self) -> dict[str, float]:
        """Player -> Elo."""
        return {row["name"]: row["elo"] for row in self.table["players"]}

    @property
    def identities(self) -> dict[str, Record]:
        """Player -> who it was."""
        return {row["name"]: row["identity"] for row in self.table["players"]}


def path_of(rows: int, cols: int) -> Path:
    """Where the ladder of a board lies."""
    return HOME / f"ladder-{rows}x{cols}.json"


@lru_cache(maxsize=8)
def read(rows: int, cols: int) -> Rungs:
    """The ladder of a board. Raises DataError if there is none, or it is broken."""
    path = path_of(rows, cols)
    if not path.is_file():
        raise DataError(f"there is no ladder for {rows}x{cols}: {path.name} is missing. {_how(path)}")
    table = loads(path.read_bytes(), path.name)
    if not isinstance(table, dict) or table.get("format") != FORMAT:
        raise DataError(f"{path.name} is no ladder in format {FORMAT}. {_how(path)}")
    return Rungs(table)


def rated(rungs: Rungs, names: Mapping[str, Record], board: str) -> dict[str, float]:
    """The ratings of players that play now: name -> identity. Raises DataError for one that was not rated as it is now."""
    for name, identity in names.items():
        known = rungs.identities.get(name)
        if known != identity:
            said = f"rates {_said(known)}" if known else "does not rate it"
            raise DataError(
                f"the opponent {name} is {_said(identity)}, and ladder-{board}.json {said}: ratings of another "
                f"version say nothing. {_how(HOME / f'ladder-{board}.json')}"
            )
    return {name: rungs.ratings[name] for name in names}


def _said(identity: Record) -> str:
    return str(identity.get("teacher") or identity.get("version") or identity.get("name"))


def _how(path: Path) -> str:
    return f"Play a tournament and make it anew: `python -m gobench_go.arena.ladder --help` ({path.name})."


def make(folders: Sequence[Path]) -> Path:
    """Rate the players of matches' folders and write the ladder of their board; returns the file.

    Raises:
        DataError: no match, matches of unlike rules or players, or players that the games do not hold to the anchor from
            both sides.
    """
    plans = [read_json(folder / outcomes.PLAN) for folder in folders]
    if any(plan["rules"] != plans[0]["rules"] for plan in plans):
        raise DataError("these matches are of unlike rules: a ladder is of one board and komi.")
    games = outcomes.read([str(folder) for folder in folders])
    if games.renamed:
        raise DataError(f"{', '.join(games.renamed)}: these matches have unlike players under one name.")
    ladder = rating.climb(games, ANCHORS)
    if bounded := [player.name for player in ladder.ratings.players if player.bound]:
        raise DataError(
            f"{', '.join(bounded)}: nobody in between took points from both these and the anchor, so that only bounds "
            "are known. Let more players in between take part, or play more games."
        )
    rules = plans[0]["rules"]
    path = path_of(rules["rows"], rules["cols"])
    atomic.write(path, pretty(_table(ladder.record(), plans, folders)))
    read.cache_clear()
    return path


def _table(record: Record, plans: Sequence[Record], folders: Sequence[Path]) -> Record:
    who = {player["as"]: player for plan in plans for player in plan["players"]}
    return {
        "format": FORMAT,
        **{key: record[key] for key in ("anchors", "black", "games", "repeats", "level", "prior")},
        "rules": plans[0]["rules"],
        "players": [_player(row, who[row["name"]]) for row in record["players"]],
        "matches": [
            {
                "openings": plan["openings"],
                "games_a_pairing": plan["games"],
                "seed": plan["seed"],
                "games_sha256": sha256((folder / GAMES).read_bytes()),
            }
            for plan, folder in zip(plans, folders, strict=True)
        ],
    }


def _player(row: Record, player: Record) -> Record:
    kept = ("name", "elo", "interval", "games", "wins", "draws", "losses", "unique_games")
    identity = {key: value for key, value in player.items() if key != "as"}
    return {**{key: row[key] for key in kept}, "identity": identity}


def main(words: Sequence[str] | None = None) -> None:
    """The command; see the module."""
    parser = argparse.ArgumentParser(prog="python -m gobench_go.arena.ladder", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("folders", type=Path, nargs="+", help="folders of finished `gobench go match`")
    given = parser.parse_args(words)
    try:
        make(given.folders)
    except GobenchError as error:
        parser.exit(error.exit_code, f"error: {error}\n")


if __name__ == "__main__":
    main()
