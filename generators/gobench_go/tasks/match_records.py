"""Games of a match task as rows of evidence, and as the files that a match has: games, plan, SGF."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gobench.canonical import dumps, pretty
from gobench.types import Record
from gobench_go.arena.games import GAMES
from gobench_go.arena.outcomes import PLAN
from gobench_go.arena.result import GameResult
from gobench_go.game import sgf
from gobench_go.tasks.asking import COLOURS
from gobench_go.tasks.game import ENDS, Game, Terms

if TYPE_CHECKING:
    from gobench_go.tasks.match import Match, Sample

MODEL_FACTS = ("name", "kind", "weights_sha256", "code_sha256", "context_keys", "frame_size", "max_frames")


def facts(sample: Sample, terms: Terms, game: Game, seed: int) -> Record:
    """The part of a row that follows from the sample and from how the game went."""
    return {
        "opponent": sample.rung.name,
        "color": COLOURS[terms.color],
        "opening": list(terms.opening),
        "seed": seed,
        "end": game.end,
        "result": game.result("", "", "", ".", seed).result,
    }


def files(task: Match, rows: Sequence[Record], games: Mapping[str, Game], model: Record) -> dict[str, bytes]:
    """``games.jsonl`` first, ``plan.json`` with who played, and an SGF a game. Rows are in any order."""
    name = _name(model["name"], task)
    known = {row["id"]: row for row in rows}
    results = {key: _result(task, key, game, name) for key, game in sorted(games.items())}
    lines = b"".join(dumps(result.record()) + b"\n" for result in results.values())
    who = {name: {key: model[key] for key in MODEL_FACTS}}
    who |= {row["opponent"]: row["identity"] for row in known.values()}
    plan = {
        "task": task.name,
        "players": [{"as": player, **identity} for player, identity in sorted(who.items())],
        "rules": task.settings["rules"],
        "openings": task.settings["openings"],
        "games": len(results),
    }
    made = {GAMES: lines, PLAN: pretty(plan)}
    for key, result in results.items():
        made[f"sgf/{key}.sgf"] = _sgf(task, result, who)
    return made


def _name(name: str, task: Match) -> str:
    """What the model is called beside its opponents."""
    taken = {rung.name for rung in task.ladder_of.rungs}
    return f"{name or 'model'} (model)" if name in taken or not name else name


def _result(task: Match, sample: str, game: Game, model: str) -> GameResult:
    found = task.sample(sample)
    pair = f"{model}/{found.rung.name}/o{found.opening:03d}"
    return game.result(sample, pair, model, found.rung.name, task.seed(sample))


def _sgf(task: Match, result: GameResult, who: Mapping[str, Record]) -> bytes:
    rules = task.rules
    comment = [
        f"Black: {dumps(who[result.black]).decode()}",
        f"White: {dumps(who[result.white]).decode()}",
        f"Pair: {result.pair}; {len(result.opening)} opening plies",
        f"Illegal answers: {sum(result.illegal)}",
        f"End: {result.end}: {ENDS[result.end]}",
        *([f"What happened: {result.message}"] if result.message else []),
    ]
    return sgf.write(
        {
            "rows": rules.rows, "cols": rules.cols, "komi": rules.komi, "rules": rules.name,
            "black": result.black, "white": result.white, "result": result.result, "moves": result.moves,
            "colors": [1 + ply % 2 for ply in range(len(result.moves))], "name": result.game,
            "comment": "\n".join(comment),
        }
    )  # fmt: skip
