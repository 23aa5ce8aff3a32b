"""What a match's games come to, as plain data (``summary.json``) and as a cross table for people.

Everything follows from the plan and ``games.jsonl``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict

from gobench.canonical import dumps, sha256
from gobench.types import Record
from gobench_go.arena.pairs import Score, pair_points, pentanomial, score
from gobench_go.arena.plan import Plan
from gobench_go.arena.result import DRAW, FORFEITS, GameResult, other
from gobench_go.arena.sprt import Decision
from gobench_go.game.position import BLACK, WHITE

SUMMARY_FORMAT = 1
DIGITS = 4
RATED = 8  # pairs of games of a player from which on its rating has an interval
COMPARED = 4  # pairs of games of two players from which on they have an Elo difference
ADVISED = 20  # games a pairing that are told to those with fewer


def summary(plan: Plan, games: Sequence[GameResult], decision: Decision | None) -> Record:
    """The tables of a match. Players stand in the order of their scores; shares lie in [0, 1]; what cannot be said is
    null.
    """
    names = [entry.name for entry in plan.entries]
    players = [_player(name, [game for game in games if name in (game.black, game.white)]) for name in names]
    players.sort(key=lambda row: -(row["score"]["value"] if row["score"] else 0))
    return {
        "format": SUMMARY_FORMAT,
        "games": len(games),
        "planned": len(plan.pairings) * plan.games,
        "games_sha256": sha256(b"".join(dumps(game.record()) + b"\n" for game in games)),
        "plies": sum(len(game.moves) for game in games),
        "unique_games": unique(games),
        "voided": sum(len(game.voided) for game in games),
        "ends": _counted(game.end for game in games),
        "colors": {
            "black": sum(game.winner == BLACK for game in games),
            "draws": sum(game.winner == DRAW for game in games),
            "white": sum(game.winner == WHITE for game in games),
        },
        "players": players,
        "pairings": [_pairing(first, second, games) for first, second in plan.pairings],
        "ladder": _ladder(games) if len(names) > 2 and games else None,
        "sprt": _sprt(plan, decision),
    }


def unique(games: Iterable[GameResult]) -> int:
    """How many of the games differ in their moves: players that repeat themselves tell less than their games seem to."""
    return len({game.moves for game in games})


def won_drawn_lost(games: Iterable[GameResult], player: str) -> list[int]:
    """[wins, draws, losses]."""
    points = Counter(game.points(player) for game in games)
    return [points[1.0], points[0.5], points[0.0]]


def _player(name: str, games: Sequence[GameResult]) -> Record:
    lost = [game for game in games if game.points(name) == 0]
    return {
        "name": name,
        "games": len(games),
        "won_drawn_lost": won_drawn_lost(games, name),
        "as_black": won_drawn_lost((game for game in games if game.black == name), name),
        "as_white": won_drawn_lost((game for game in games if game.white == name), name),
        "score": _interval(score(pentanomial(pair_points(games, name)))),
        "forfeits": _counted(game.end for game in lost if game.end in FORFEITS),
        "resigned": sum(game.end == "resign" for game in lost),
        "illegal_answers": sum(game.illegal[_side(game, name)] for game in games),
        "asked": sum(game.asked[_side(game, name)] for game in games),
        "crashes_voided": sum(each.by == 1 + _side(game, name) for game in games for each in game.voided),
    }


def _side(game: GameResult, name: str) -> int:
    return int(game.white == name)


def _pairing(first: str, second: str, games: Sequence[GameResult]) -> Record:
    met = [game for game in games if {game.black, game.white} == {first, second}]
    counts = pentanomial(pair_points(met, first))
    found = score(counts)
    return {
        "players": [first, second],
        "games": len(met),
        "won_drawn_lost": won_drawn_lost(met, first),
        "as_black": won_drawn_lost((game for game in met if game.black == first), first),
        "as_white": won_drawn_lost((game for game in met if game.white == first), first),
        "pentanomial": list(counts),
        "score": _interval(found),
        "elo": _elo(found),
        "unique_games": unique(met),
    }


def _interval(found: Score | None) -> Record | None:
    return None if found is None else {key: round(value, DIGITS) for key, value in asdict(found).items()}


def _elo(found: Score | None) -> Record | None:
    if found is None:
        return None
    shown = (round(each, 1) + 0.0 if math.isfinite(each) else None for each in found.elo)
    return dict(zip(("value", "low", "high"), shown, strict=True))


def _sprt(plan: Plan, decision: Decision | None) -> Record | None:
    if plan.sprt is None or decision is None:
        return None
    low, high = (round(bound, DIGITS) for bound in plan.sprt.bounds)
    return {
        **asdict(plan.sprt),
        "bounds": [low, high],
        "llr": round(decision.llr, DIGITS),
        "pairs": decision.pairs,
        "verdict": decision.verdict,
    }


def _ladder(games: Sequence[GameResult]) -> Record:
    """Elo of all players together, as ``gobench go elo`` gives it."""
    from gobench_go.arena.outcomes import Games, of_game
    from gobench_go.arena.rating import climb

    return climb(Games([of_game(game) for game in games], {})).record()


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


# --- for people ---


def text_table(found: Record) -> list[str]:
    """The cross table: a row a player, the best one first; ``legend`` says what its marks mean."""
    table = cross(found)
    head, left = table[0], {1}
    widths = [max(len(line[i]) for line in table) for i in range(len(head))]
    return [
        "  ".join(_fit(left, i, cell, widths[i]) for i, cell in enumerate(line)).rstrip() for line in table
    ]


def cross(found: Record) -> list[list[str]]:
    """The cells of the cross table, its head first."""
    rows, ladder = found["players"], rungs_of(found)
    elo = {row["name"]: row["words"] for row in ladder}
    head = ["", "player", "games", "score", "95% interval", *(["Elo"] if elo else [])]
    table = [head + [f"{i}" for i in range(1, len(rows) + 1)]]
    for place, row in enumerate(rows, 1):
        rated = [elo.get(row["name"], "")] if elo else []
        cells = [_meeting(found, row["name"], against["name"]) for against in rows]
        table.append([f"{place}", row["name"], f"{row['games']}", *_shares(row["score"]), *rated, *cells])
    return table


def rungs_of(found: Record) -> list[Record]:
    """The rows of a match's ladder with their ``words``; those of too few games (``few``) have neither interval nor bound.
    Empty without a ladder.
    """
    pairs = Counter[str]()
    for each in found["pairings"]:
        for name in each["players"]:
            pairs[name] += sum(each["pentanomial"])
    return [_rung(row, pairs[row["name"]]) for row in (found["ladder"] or {"players": []})["players"]]


def _rung(row: Record, pairs: int) -> Record:
    few = pairs < RATED and not row["anchored"]
    shown = row | {"few": few} | ({"interval": None, "bound": None} if few else {})
    return shown | {"words": f"{row['elo']:.0f} (too few games)" if few else rung_words(row)}


def rung_words(row: Record) -> str:
    """Elo of a row of a ladder: ``870 (801 to 940)``, ``0 anchor``, ``767 (≥ 214)`` where ``ladder_note`` holds."""
    if row["anchored"]:
        return f"{row['elo']:.0f} anchor"
    low, high = row["interval"] or (None, None)
    if row["bound"] == ">=" and low is not None:
        return f"{row['elo']:.0f} (≥ {low:.0f})"
    if row["bound"] == "<=" and high is not None:
        return f"{row['elo']:.0f} (≤ {high:.0f})"
    return f"{row['elo']:.0f} (?)" if None in (low, high) else f"{row['elo']:.0f} ({low:.0f} to {high:.0f})"


def legend(found: Record) -> list[str]:
    """What the marks in the tables mean, a line each, and what more games would tell; only of marks that are there."""
    lines = ["a-b-c: wins-draws-losses of the row against the column"]
    if any(enough(each) for each in found["pairings"]):
        lines.append("pairs a-b-c-d-e: pairs of games that brought the first player 0, ½, 1, 1½ and 2 points")
    return [*lines, *filter(None, [ladder_note(found), hint(found)])]


def ladder_note(found: Record) -> str:
    """What must be known of ratings that are bounds; empty where none is."""
    if not any(row["bound"] for row in rungs_of(found)):
        return ""
    return (
        "≥ or ≤: one side won every game between this player's group and an anchor, so one end of the 95% interval is "
        "all that games tell; the number before it is a guess of the prior."
    )


def hint(found: Record) -> str:
    """What to do where games are too few for a rating or an Elo difference; empty where they are not."""
    few = any(row["few"] for row in rungs_of(found)) or not all(map(enough, found["pairings"]))
    return f"ratings need more games: --games {ADVISED} or more" if few and not found["sprt"] else ""


def enough(pairing: Record) -> bool:
    """Whether a pairing has the games for an Elo difference."""
    return sum(pairing["pentanomial"]) >= COMPARED


def _fit(left: set[int], column: int, cell: str, width: int) -> str:
    place: Callable[[str, int], str] = str.ljust if column in left else str.rjust
    return place(cell, width)


def _meeting(found: Record, row: str, against: str) -> str:
    if row == against:
        return "·"
    meetings = {tuple(each["players"]): each["won_drawn_lost"] for each in found["pairings"]}
    counts = meetings.get((row, against)) or (meetings.get((against, row)) or [])[::-1]
    return "-".join(str(each) for each in counts)


def _shares(found: Record | None) -> tuple[str, str]:
    if found is None:
        return "", ""
    return f"{100 * found['value']:.1f}%", f"{100 * found['low']:.0f} to {100 * found['high']:.0f}%"


def text_pairings(found: Record) -> list[str]:
    """A line a pairing: its games; counts of pairs and the Elo difference with its interval where they are enough."""
    return [_pairing_line(each) for each in found["pairings"] if each["games"]]


def _pairing_line(each: Record) -> str:
    first, second = each["players"]
    games = "-".join(str(count) for count in each["won_drawn_lost"])
    counts = "-".join(str(count) for count in each["pentanomial"])
    sure = f", pairs {counts}, Elo {elo_words(each['elo'])}" if enough(each) else ""
    return f"{first} against {second}: {games}{sure}; {each['unique_games']} of {each['games']} games unique"


def elo_words(elo: Record) -> str:
    """``+190 (+85 to +330)``; ``above +120 (won all)`` and ``below -120 (lost all)``: the end of the 95% interval."""
    value, low, high = elo["value"], elo["low"], elo["high"]
    if value is None:
        side, bound, did = ("above", low, "won") if low is not None else ("below", high, "lost")
        few = (bound < 0) == (did == "won")  # the weaker player might have done that too
        return f"{side} {bound:+.0f} ({did} all{', too few pairs to tell more' if few else ''})"
    ends = ("-inf" if low is None else f"{low:+.0f}", "+inf" if high is None else f"{high:+.0f}")
    return f"{value:+.0f} ({ends[0]} to {ends[1]})"


def sprt_words(found: Record) -> str:
    """How the test stands."""
    low, high = found["bounds"]
    return (
        f"SPRT of {found['elo0']:+g} Elo (H0) against {found['elo1']:+g} (H1): {found['verdict']} after "
        f"{found['pairs']} pairs, log-likelihood ratio {found['llr']:.2f} with bounds {low:.2f} and {high:.2f}"
    )


def first_failures(games: Iterable[GameResult]) -> list[str]:
    """What the first failure of each player was, a line a player: a forfeit, or a crash that undid a game."""
    found: dict[str, str] = {}
    for game in games:
        failed = [(each.by, each.message) for each in game.voided]
        failed += [(other(game.winner), game.message)] if game.end in FORFEITS else []
        for color, message in failed:
            name = game.black if color == BLACK else game.white
            found.setdefault(name, f"{name}, first of them in {game.game}: {message.partition(chr(10))[0]}")
    return list(found.values())


def other_events(found: Record) -> list[str]:
    """Forfeits, illegal answers and crashes, a line a player that has any."""
    lines = []
    for row in found["players"]:
        words = [f"{count} lost by {end}" for end, count in row["forfeits"].items()]
        words += [f"{row['illegal_answers']} illegal answers"] * bool(row["illegal_answers"])
        words += [f"{row['crashes_voided']} crashes, games replayed"] * bool(row["crashes_voided"])
        if words:
            lines.append(f"{row['name']}: {', '.join(words)}")
    return lines
