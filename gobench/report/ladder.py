"""The games against opponents as one table: who stands where, and how the model did against each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gobench.report.draw import Axis, Mark, axis
from gobench.results import Elo, Match, Result

FEW = 100  # games; intervals of fewer are hundreds of points wide


class Row(NamedTuple):
    """An opponent, or the model."""

    name: str
    model: bool
    mark: Mark | None  # on the axis of ratings; None without one
    elo: str  # with the model's interval
    games: str
    won_drawn_lost: str
    score: str
    difference: str
    illegal: str
    forfeits: str
    unique: str
    note: str = ""  # beside the rating


class Ladder(NamedTuple):
    """All games of a result."""

    rows: Sequence[Row]  # the strongest first; opponents without a rating last
    low: str
    high: str
    places: Sequence[str]  # folders of games


def ladder(result: Result) -> Ladder | None:
    """None for a result without games."""
    if not result.matches:
        return None
    anchors = result.standing.anchors if result.standing else {}
    scale = _axis(result, anchors)
    rated = [
        (anchors[match.opponent], _row(match, scale, anchors))
        for match in result.matches
        if match.opponent in anchors
    ]
    others = [_row(match, scale, anchors) for match in result.matches if match.opponent not in anchors]
    if result.standing:
        rated.append((result.standing.elo.value, _model(result, result.standing.elo, scale)))
    rated.sort(key=lambda pair: -pair[0])
    places = dict.fromkeys(match.path.rpartition("/")[0] for match in result.matches)
    return Ladder([row for _, row in rated] + others, f"{scale.low:g}", f"{scale.high:g}", list(places))


def _axis(result: Result, anchors: dict[str, float]) -> Axis:
    own = result.standing.elo if result.standing else None
    ends = [end for end in (own.interval if own and own.interval else ()) if end is not None]
    return axis("elo", [*anchors.values(), *ends, *([own.value] if own else [])])


def _row(match: Match, scale: Axis, anchors: dict[str, float]) -> Row:
    elo = anchors.get(match.opponent)
    return Row(
        name=match.opponent,
        model=False,
        mark=None if elo is None else Mark(scale.at(elo), "", "", f"{match.opponent}: {elo:.0f}"),
        elo="–" if elo is None else f"{elo:.0f}",
        games=f"{match.games}",
        won_drawn_lost=f"{match.wins}-{match.draws}-{match.losses}",
        score=f"{(match.wins + match.draws / 2) / match.games:.1%}",
        difference=elo_words(match.elo, signed=True) if match.elo else "–",
        illegal=f"{match.illegal}",
        forfeits=f"{match.forfeits}",
        unique=f"{match.unique_games}",
    )


def _model(result: Result, elo: Elo, scale: Axis) -> Row:
    total = [
        sum(counts) for counts in zip(*((m.wins, m.draws, m.losses) for m in result.matches), strict=True)
    ]
    low, high = elo.interval or (elo.value, elo.value)
    words = elo_words(elo)
    return Row(
        name=result.model.name,
        model=True,
        mark=Mark(
            scale.at(elo.value), _end(scale, low, 0), _end(scale, high, 1), f"{result.model.name}: {words}"
        ),
        elo=words,
        games=f"{sum(total)}",
        won_drawn_lost="-".join(map(str, total)),
        score=f"{(total[0] + total[1] / 2) / sum(total):.1%}",
        difference="–",
        illegal=f"{sum(match.illegal for match in result.matches)}",
        forfeits=f"{sum(match.forfeits for match in result.matches)}",
        unique=f"{sum(match.unique_games for match in result.matches)}",
        note=f"from {elo.n} games only" if elo.n < FEW else "",
    )


def _end(scale: Axis, value: float | None, side: int) -> str:
    return scale.at(value) if value is not None else ("0%", "100%")[side]


def elo_words(elo: Elo, signed: bool = False) -> str:
    """``870 (801 to 940)``; ``at least 214`` and ``at most -300`` where one side won every game."""
    form = "{:+.0f}" if signed else "{:.0f}"
    low, high = elo.interval or (None, None)
    if elo.bound == ">=" and low is not None:
        return f"at least {form.format(low)}"
    if elo.bound == "<=" and high is not None:
        return f"at most {form.format(high)}"
    between = _between(elo, signed)
    return form.format(elo.value) + (f" ({between})" if between != "–" else "")


def _between(elo: Elo, signed: bool) -> str:
    low, high = elo.interval or (None, None)
    form = "{:+.0f}" if signed else "{:.0f}"
    return "–" if low is None or high is None else f"{form.format(low)} to {form.format(high)}"
