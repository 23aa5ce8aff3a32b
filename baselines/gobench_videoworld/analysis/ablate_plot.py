"""Draws an ablation: a panel a metric, a row a variant, each seed as a small dot, the paper's numbers beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gobench_videoworld.analysis import drawing
from gobench_videoworld.analysis.intervene_plot import HEADINGS


@drawing.styled
def draw(rows: Sequence[Mapping[str, Any]], table: Sequence[Mapping[str, Any]], title: str) -> Any:
    """``rows`` of ``ablate.run`` and their ``summary``."""
    metrics = list(dict.fromkeys(str(line["metric"]) for line in table))
    names = list(dict.fromkeys(str(line["row"]) for line in table))
    figure, axes = drawing.figure(
        2.7 * len(metrics) + 1.2, 0.45 * len(names) + 1.8, cols=len(metrics), sharey=True
    )
    for panel, metric in zip(axes, metrics, strict=True):
        own = {str(line["row"]): line for line in table if line["metric"] == metric}
        columns = [
            [own[name].get(key) if name in own else None for name in names]
            for key in ("value", "low", "high", "paper")
        ]
        drawing.bars(panel, names, *columns)
        for line in rows:
            if line.get(metric) is not None and str(line["row"]) in names:
                panel.plot(
                    [line[metric]], [names.index(str(line["row"]))], ".", color=drawing.SOFT, markersize=4
                )
        drawing.plain(panel, HEADINGS.get(metric, metric))
    drawing.paper_mark(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5)
    return figure
