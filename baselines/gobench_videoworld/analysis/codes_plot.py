"""Draws ``codes``: the same points coloured by step, by region, by what the move touches, and by the pattern around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gobench_videoworld.analysis import drawing
from gobench_videoworld.analysis.patterns import CAPTURE, REST, TOUCHES, commonest

LEGEND = "* the new move, o own, x other, . empty, # off the board; before the move, equal under symmetries"
REGIONS = ("corner", "side", "centre")


@drawing.styled
def draw(table: Sequence[Mapping[str, Any]], how: str, title: str) -> Any:
    """Four panels; one where the domain tells no moves."""
    told = "pattern" in table[0]
    figure, axes = drawing.figure(10.4, 9.2, 2, 2) if told else drawing.figure(5.6, 5.0)
    steps = sorted({row["step"] for row in table})
    _panel(axes[0], table, "step", steps, "by step ahead")
    if told:
        _panel(axes[1], table, "region", REGIONS, "by region of the move")
        _panel(axes[2], table, "touch", [*TOUCHES.values(), CAPTURE], "by what the move touches")
        common = commonest([str(row["pattern"]) for row in table])
        _panel(axes[3], table, "pattern", common, "by the commonest patterns around the move")
        axes[3].set_xlabel(LEGEND, fontsize=7.5, color=drawing.SOFT)
    figure.suptitle(f"{title}\n{how} of continuous codes before quantization, {len(table):,} codes", x=0.01, ha="left",
                    fontsize=10.5)  # fmt: skip
    return figure


def _panel(
    axes: Any, table: Sequence[Mapping[str, Any]], key: str, classes: Sequence[Any], title: str
) -> None:
    rest = [row for row in table if row.get(key) not in classes]
    if rest:
        _dots(axes, rest, drawing.REST, f"{REST} ({len(rest):,})")
    for place, name in enumerate(classes):
        own = [row for row in table if row.get(key) == name]
        if own:
            label = f"{_square(str(name))}\n({len(own):,})" if key == "pattern" else f"{name} ({len(own):,})"
            _dots(axes, own, drawing.colour(place), label)
    axes.set_title(title, loc="left", color=drawing.INK)
    axes.set_xticks([])
    axes.set_yticks([])
    font = {"family": "monospace", "size": 7.0} if key == "pattern" else {"size": 8.0}
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), prop=font, markerscale=2.5)


def _square(pattern: str) -> str:
    """ ".../.../..x" as three lines with the new move in the middle."""
    rows = pattern.split("/")
    return "\n".join([rows[0], f"{rows[1][0]}*{rows[1][2]}", rows[2]])


def _dots(axes: Any, rows: Sequence[Mapping[str, Any]], colour: str, label: str) -> None:
    axes.scatter([r["x"] for r in rows], [r["y"] for r in rows], s=4, color=colour, linewidths=0, alpha=0.75, label=label,
                 rasterized=True)  # fmt: skip
