"""Draws ``failures``: one bar a model, cut by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gobench_videoworld.analysis import drawing
from gobench_videoworld.analysis.failures import CLASSES

HUES = dict(zip(CLASSES, ("#cfd8dc", *drawing.COLOURS[1:]), strict=False))


@drawing.styled
def draw(models: Mapping[str, Sequence[Mapping[str, Any]]], title: str) -> Any:
    """Model -> its shares; a stacked bar each, with the count in each part."""
    figure, (axes,) = drawing.figure(8.4, 0.62 * len(models) + 1.9)
    for place, table in enumerate(models.values()):
        left = 0.0
        for row in table:
            axes.barh([place], [row["share"]], left=left, color=HUES[row["class"]], height=0.6,
                      label=row["class"] if place == 0 else None)  # fmt: skip
            if row["share"] > 0.03:
                axes.text(
                    left + row["share"] / 2, place, f"{row['samples']}", ha="center", va="center", fontsize=8
                )
            left += row["share"]
    drawing.plain(axes, title, "share of first answers")
    axes.set_yticks(range(len(models)), list(models), color=drawing.INK)
    axes.set_ylim(len(models) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    figure.legend(loc="outside lower left", ncols=2, fontsize=8.5)
    return figure
