"""Draws ``curves``: a line a training, their mean and the band between least and greatest; evaluations as marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gobench_videoworld.analysis import drawing
from gobench_videoworld.analysis.curves import AXES, Curve, Mark, means


@drawing.styled
def draw(found: Sequence[Curve], marked: Sequence[Mark], metric: str, measured: str, axis: str) -> Any:
    """One panel for what was measured in training, one for what evaluations found, where there are such."""
    panels = [bool(found), bool(marked)]
    figure, axes = drawing.figure(7.2, 3.1 * sum(panels) + 0.3, rows=sum(panels), cols=1, sharex=True)
    names = list(dict.fromkeys([c.label for c in found] + [m.label for m in marked]))
    if found:
        _trainings(axes[0], found, names)
        drawing.plain(
            axes[0], f"{metric} on held-out windows, while training", "" if marked else AXES[axis], metric
        )
    if marked:
        _marks(axes[-1], marked, names)
        drawing.plain(axes[-1], f"{measured}, evaluated afterwards (95% intervals)", AXES[axis], measured)
    axes[0].legend(loc="best", fontsize=8.5)
    return figure


def _trainings(axes: Any, found: Sequence[Curve], names: Sequence[str]) -> None:
    for label, line in means(found).items():
        own = [curve for curve in found if curve.label == label]
        colour = drawing.colour(names.index(label))
        if len(own) > 1:
            x = [m.x for m in line]
            axes.fill_between(
                x, [m.low for m in line], [m.high for m in line], color=colour, alpha=0.18, linewidth=0
            )
            for curve in own:
                axes.plot(
                    *zip(*curve.points, strict=True),
                    color=colour,
                    linewidth=0.6,
                    alpha=0.5,
                    **(drawing.marker(1) if len(curve.points) < 3 else {}),
                )
        shown = f"{label} ({len(own)} seeds: mean, least and greatest)" if len(own) > 1 else label
        axes.plot([m.x for m in line], [m.mean for m in line], color=colour, linewidth=1.8, label=shown,
                  **drawing.marker(len(line)))  # fmt: skip


def _marks(axes: Any, marked: Sequence[Mark], names: Sequence[str]) -> None:
    for label in dict.fromkeys(mark.label for mark in marked):
        own = sorted((mark for mark in marked if mark.label == label), key=lambda mark: mark.x)
        colour = drawing.colour(names.index(label))
        for mark in own:
            if mark.low is not None:
                axes.plot([mark.x, mark.x], [mark.low, mark.high], color=colour, linewidth=1.4)
        axes.plot([m.x for m in own], [m.value for m in own], "o", color=colour, markersize=5, label=label)
