"""Draws ``intervene``: a panel a metric, a row a condition, the paper's numbers beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gobench_videoworld.analysis import drawing

SHOWN = ("legal_first_try", "accuracy", "policy_ratio", "value_ratio")
HEADINGS = {"legal_first_try": "legal, first try", "accuracy": "accuracy", "policy_ratio": "policy ratio",
            "value_ratio": "value ratio"}  # fmt: skip


def shown(table: Sequence[Mapping[str, Any]]) -> list[str]:
    """The metrics that are drawn: those of ``SHOWN`` that there are, else the first ones."""
    known = list(dict.fromkeys(str(row["metric"]) for row in table))
    return [name for name in SHOWN if name in known] or known[:4]


@drawing.styled
def draw(table: Sequence[Mapping[str, Any]], title: str) -> Any:
    """One panel a metric."""
    metrics = shown(table)
    names = list(dict.fromkeys(str(row["replaced"]) for row in table))
    figure, axes = drawing.figure(
        2.6 * len(metrics) + 0.8, 0.42 * len(names) + 1.7, cols=len(metrics), sharey=True
    )
    for panel, metric in zip(axes, metrics, strict=True):
        own = {str(row["replaced"]): row for row in table if row["metric"] == metric}
        columns = [[own[name].get(key) for name in names] for key in ("value", "low", "high", "paper")]
        drawing.bars(panel, names, *columns)
        base = own[names[0]]["value"]
        panel.axvline(base, color=drawing.SOFT, linewidth=0.8, linestyle=(0, (4, 3)))
        drawing.plain(panel, HEADINGS.get(metric, metric))
    axes[0].set_ylabel("replaced by random codes")
    drawing.paper_mark(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5)
    return figure
