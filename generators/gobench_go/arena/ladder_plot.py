"""A ladder as a picture: a dot and its interval for each player, the strongest on top.

One way to draw, for PNG and SVG files and for pages that embed the SVG. Equal ladders give equal bytes under one version of
matplotlib (the extra ``plots``).
"""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

from gobench import atomic
from gobench.errors import UsageError
from gobench.statistics.ratings import Rating
from gobench_go.arena.rating import Ladder

SUFFIXES = (".png", ".svg")
WIDTH, ROW, FRAME = 7.6, 0.36, 1.25  # inches: the picture, a player, what is above and below them
INK, SOFT, GRID, ACCENT = "#1c1c1a", "#6b6a66", "#e3e1db", "#1f5f8b"
DPI = 160
ROOM = 0.06  # of the axis, beside the outermost numbers
SETTINGS: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 10.5,
    "svg.fonttype": "none",  # letters stay letters
    "svg.hashsalt": "gobench",
    "axes.linewidth": 0.8,
}


def save(ladder: Ladder, path: Path, title: str = "") -> None:
    """Write the picture. Raises UsageError for another kind of file, or without matplotlib."""
    if path.suffix not in SUFFIXES:
        raise UsageError(f"--plot is {path}: pictures are written as {' or '.join(SUFFIXES)}.")
    atomic.write(path, _drawn(ladder, path.suffix[1:], title))


def svg(ladder: Ladder, title: str = "") -> str:
    """The picture as one ``<svg>`` element, to be put into a page. Raises UsageError without matplotlib."""
    text = _drawn(ladder, "svg", title).decode()
    return text[text.index("<svg") :]


def _drawn(ladder: Ladder, form: str, title: str) -> bytes:
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError(
            "drawing a ladder needs matplotlib: in a checkout, pip install -c constraints.txt -e '.[plots]'; or leave "
            "--plot out."
        ) from error
    players = ladder.ratings.players
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(WIDTH, FRAME + ROW * len(players)), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        low, high = _range(players)
        for place, player in enumerate(reversed(players)):
            _player(axes, place, player, low, high)
        _frame(axes, ladder, low, high, title)
        out = io.BytesIO()
        metadata: dict[str, Any] = {"Date": None} if form == "svg" else {"Software": None}
        figure.savefig(out, format=form, dpi=DPI, facecolor="white", metadata=metadata)
    return out.getvalue()


def _range(players: tuple[Rating, ...]) -> tuple[float, float]:
    """The ends of the axis: all that is finite, with room for arrows and numbers."""
    numbers = [x for p in players for x in (p.elo, p.low, p.high) if math.isfinite(x)]
    low, high = min(numbers), max(numbers)
    room = max(ROOM * (high - low), 25.0)
    return low - room, high + room


def _player(axes: Any, place: int, player: Rating, low: float, high: float) -> None:
    left = player.low if math.isfinite(player.low) else low if player.low < 0 else player.elo
    right = player.high if math.isfinite(player.high) else high if player.high > 0 else player.elo
    axes.plot([left, right], [place, place], color=ACCENT, linewidth=2.2, solid_capstyle="round", zorder=2)
    for end, at, sign in ((player.low, low, "<"), (player.high, high, ">")):
        if math.isinf(end):
            axes.plot([at], [place], marker=sign, markersize=6.5, color=ACCENT, zorder=3, clip_on=False)
    color, marker = (INK, "D") if player.anchored else (ACCENT, "o")
    face = "white" if player.bound else color
    axes.plot(
        [player.elo],
        [place],
        marker,
        color=color,
        markersize=7.5,
        markerfacecolor=face,
        markeredgewidth=1.6,
        zorder=4,
    )
    axes.annotate(
        words(player),
        (1.015, place),
        xycoords=("axes fraction", "data"),
        va="center",
        color=INK,
        fontsize=9.5,
    )


def _frame(axes: Any, ladder: Ladder, low: float, high: float, title: str) -> None:
    players = ladder.ratings.players
    names = [player.name for player in reversed(players)]
    axes.set_yticks(range(len(names)), names, color=INK)
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.set_xlim(low, high)
    axes.tick_params(axis="y", length=0, pad=8)
    axes.tick_params(axis="x", colors=SOFT, length=3)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(SOFT)
    said = ", ".join(f"{name} = {elo:g}" for name, elo in ladder.anchors.items()) or "mean = 0"
    level = f"{ladder.ratings.level:.0%}".replace("%", " %")
    axes.set_xlabel(f"Elo ({said}); bars: {level} intervals", color=SOFT)
    axes.set_title(
        title or f"Ladder of {len(players)} players, {ladder.games:,} games", loc="left", color=INK
    )


def words(player: Rating) -> str:
    """Rating and interval for people: ``870 (801–940)``, ``≥ 214``, ``0 anchor``."""
    if player.anchored:
        return f"{player.elo:.0f} anchor"
    if player.bound == ">=":
        return f"≥ {player.low:.0f}"
    if player.bound == "<=":
        return f"≤ {player.high:.0f}"
    if player.bound == "?" or math.isnan(player.low):
        return f"{player.elo:.0f} (?)"
    return f"{player.elo:.0f} ({player.low:.0f} to {player.high:.0f})"
