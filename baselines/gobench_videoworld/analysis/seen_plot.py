"""Draws ``seen``: a line a source, and where the paper's falls to 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gobench_videoworld.analysis import drawing, paper

FEWEST = 5  # games that a ply must have to be drawn


@drawing.styled
def draw(table: Sequence[Mapping[str, Any]], data: str, rate: float) -> Any:
    """Share of positions that the training split holds, against moves made before."""
    figure, (axes,) = drawing.figure(7.2, 3.4)
    for place, source in enumerate(dict.fromkeys(row["source"] for row in table)):
        own = [
            row for row in table if row["source"] == source and row["ply"] != "all" and row["games"] >= FEWEST
        ]
        plies, colour = [row["ply"] for row in own], drawing.colour(place)
        lows, highs = (
            [row["seen"] if row[end] is None else row[end] for row in own] for end in ("low", "high")
        )
        if len(own) == 1:
            axes.plot(plies * 2, [*lows, *highs], color=colour, linewidth=1.4)
        axes.fill_between(plies, lows, highs, color=colour, alpha=0.18, linewidth=0)
        axes.plot(plies, [row["seen"] for row in own], color=colour, linewidth=1.6, label=source,
                  **drawing.marker(len(own)))  # fmt: skip
    axes.axvline(paper.UNSEEN_FROM_PLY, color=drawing.PAPER, linewidth=1, linestyle=(0, (4, 3)),
                 label=f"the paper: 0 from move {paper.UNSEEN_FROM_PLY}")  # fmt: skip
    axes.set_ylim(-0.02, 1.02)
    x = f"moves made before, as far as there are {FEWEST} games (found by chance: a share of {rate:.1g})"
    drawing.plain(axes, f"positions that {data}/train holds already", x, "share of positions seen")
    axes.legend(loc="best", fontsize=8.5)
    return figure
