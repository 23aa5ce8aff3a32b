"""How pictures of analyses look, and how they become files. matplotlib (extra ``plots``) is imported when it is used."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from gobench.errors import UsageError

INK, SOFT, GRID, PAPER = "#1c1c1a", "#6b6a66", "#e3e1db", "#b4552d"
COLOURS = (
    "#1f5f8b",
    "#c8853a",
    "#4f8a5b",
    "#8a4f7d",
    "#b23a48",
    "#5a6acf",
    "#7a7a2c",
    "#2c8a8a",
    "#9c6b4a",
    "#555555",
)
"""Told apart also by those who see few colours, in this order."""
REST = "#cfcdc6"  # of "other"
DPI = 160
PAD = 0.08  # inches around panels
FEW = 12  # points of a line that are marked one by one
SETTINGS: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.linewidth": 0.8,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "legend.frameon": False,
    "svg.fonttype": "none",  # letters stay letters
    "svg.hashsalt": "gobench",
}
REMEDY = (
    "pictures need matplotlib: in a checkout, pip install -c constraints.txt -e '.[plots]'; or leave them out with "
    "--no-pictures."
)


F = TypeVar("F", bound=Callable[..., Any])


def check() -> None:
    """UsageError where pictures cannot be drawn: asked before minutes of work."""
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise UsageError(REMEDY)


def styled(draw: F) -> F:
    """A function that makes a figure, under the settings of this house. It raises UsageError without matplotlib."""

    @functools.wraps(draw)
    def drawn(*args: Any, **given: Any) -> Any:
        check()
        import matplotlib

        with matplotlib.rc_context(SETTINGS):
            return draw(*args, **given)

    return drawn  # type: ignore[return-value]


def figure(
    width: float, height: float, rows: int = 1, cols: int = 1, **options: Any
) -> tuple[Any, list[Any]]:
    """A figure of so many inches, and its axes row by row; drawn without a screen. For ``styled`` functions."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    made = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=PAD, h_pad=PAD))
    FigureCanvasAgg(made)
    return made, list(made.subplots(rows, cols, squeeze=False, **options).flat)


def rendered(made: Any, form: str) -> bytes:
    """A figure as the bytes of a "png" or "svg" file."""
    import matplotlib

    out = io.BytesIO()
    metadata: dict[str, Any] = {"Date": None} if form == "svg" else {"Software": None}
    with matplotlib.rc_context(SETTINGS):
        made.savefig(out, format=form, dpi=DPI, facecolor="white", metadata=metadata)
    return out.getvalue()


def plain(axes: Any, title: str = "", x: str = "", y: str = "") -> None:
    """No box, a quiet grid, a title on the left."""
    axes.set_title(title, loc="left", color=INK)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def marker(points: int) -> dict[str, Any]:
    """How the points of a line are marked: each one of few, so that a single one is seen; none of many."""
    return {"marker": "o", "markersize": 5 if points < 3 else 3.5} if points <= FEW else {}


def logarithmic(axes: Any, values: Sequence[float]) -> None:
    """A logarithmic x axis for these positive values, with few round numbers such as 200k, 1.5M or 10T."""
    from math import log10

    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    decades = log10(max(values) / min(values))
    rounds = (1, 1.5, 2, 3, 4, 5, 7) if decades < 0.7 else (1, 2, 5) if decades < 1.5 else (1,)
    axes.set_xscale("log")
    axes.set_xlim(min(values) * 10 ** (-0.08 * decades), max(values) * 10 ** (0.08 * decades))
    axes.xaxis.set_major_locator(LogLocator(subs=rounds))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_minor_formatter(NullFormatter())


def colour(place: int) -> str:
    """The colour of the class with this number."""
    return COLOURS[place % len(COLOURS)]


def bars(
    axes: Any,
    names: Sequence[str],
    values: Sequence[float | None],
    lows: Sequence[float | None],
    highs: Sequence[float | None],
    beside: Sequence[float | None] = (),
) -> None:
    """A dot with its interval for each name, from the top down; ``beside``: the paper's numbers as open diamonds."""
    for place, (value, low, high) in enumerate(zip(values, lows, highs, strict=True)):
        if low is not None and high is not None:
            axes.plot([low, high], [place, place], color=COLOURS[0], linewidth=2, solid_capstyle="round")
        if value is not None:
            axes.plot([value], [place], "o", color=COLOURS[0], markersize=6)
    for place, value in enumerate(beside):
        if value is not None:
            axes.plot([value], [place], "D", color=PAPER, markersize=6, markerfacecolor="white")
    axes.set_yticks(range(len(names)), names, color=INK)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


def paper_mark(made: Any) -> None:
    """A legend below the figure that says what the diamonds are."""
    from matplotlib.lines import Line2D

    ours = Line2D([], [], marker="o", color=COLOURS[0], label="ours, with its interval")
    theirs = Line2D(
        [], [], marker="D", linestyle="", color=PAPER, markerfacecolor="white", label="the paper's"
    )
    made.legend(handles=[ours, theirs], loc="outside lower left", ncols=2, fontsize=8.5)
