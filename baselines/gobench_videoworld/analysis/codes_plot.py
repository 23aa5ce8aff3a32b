"""Draws ``codes``: the same points coloured by step, by region, by what the move touches, and by the pattern around it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gobench.seeds import stream
from gobench_videoworld.analysis import drawing
from gobench_videoworld.analysis.patterns import CAPTURE, REST, TOUCHES, commonest

LEGEND = "* the new move, o own, x other, . empty, # off the board; equal under symmetries"
SPREAD = 0.006  # of the range
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
    below = (
        f"{how} of continuous codes before quantization, {len(table):,} codes; equal ones are spread a little"
    )
    figure.suptitle(f"{title}\n{below}", x=0.01, ha="left", fontsize=10.5)
    return figure


def _panel(
    axes: Any, table: Sequence[Mapping[str, Any]], key: str, classes: Sequence[Any], title: str
) -> None:
    """One scatter in a mixed order, so that no class hides another."""
    hues = {name: drawing.colour(place) for place, name in enumerate(classes)}
    counts = Counter(row.get(key) if row.get(key) in hues else REST for row in table)
    x, y, order = _spread(table)
    colours = np.array([hues.get(row.get(key), drawing.REST) for row in table])
    axes.scatter(x[order], y[order], s=5, c=colours[order], linewidths=0, alpha=0.75, rasterized=True)
    axes.set_title(title, loc="left", color=drawing.INK)
    axes.set_xticks([])
    axes.set_yticks([])
    square = key == "pattern"
    for name in (*classes, REST):
        if counts[name]:
            label = (
                f"{_square(str(name))}\n({counts[name]:,})"
                if square and name != REST
                else f"{name} ({counts[name]:,})"
            )
            axes.plot([], [], "o", markersize=5, color=hues.get(name, drawing.REST), label=label)
    font = {"family": "monospace", "size": 6.5} if square else {"size": 8.0}
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), prop=font)


def _spread(table: Sequence[Mapping[str, Any]]) -> tuple[Any, Any, Any]:
    """x and y, moved by chance by up to ``SPREAD`` of the range, for many codes are equal; and an order to draw in."""
    draws = stream(0, "spread")
    found = []
    for key in ("x", "y"):
        values = np.array([row[key] for row in table], np.float64)
        found.append(values + SPREAD * np.ptp(values) * draws.uniform(-1, 1, len(values)))
    return found[0], found[1], draws.permutation(len(table))


def _square(pattern: str) -> str:
    """ ".../.../..x" as three lines with the new move in the middle."""
    rows = pattern.split("/")
    return "\n".join([rows[0], f"{rows[1][0]}*{rows[1][2]}", rows[2]])
