"""Draws ``scaling``: a panel for each measure against each thing that differs, on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gobench_videoworld.analysis import drawing
from gobench_videoworld.analysis.scaling import AXES

HEIGHT, WIDTH, LINE = 2.7, 3.3, 0.1


@drawing.styled
def draw(table: Sequence[Mapping[str, Any]], across: Sequence[str], measures: Sequence[str]) -> Any:
    """Measures down, axes across; a dot a model, with its interval where it was evaluated."""
    size = (
        WIDTH * len(across) + 0.6,
        HEIGHT * len(measures) + 0.5 + LINE * len({str(row["label"]) for row in table}),
    )
    figure, panels = drawing.figure(*size, rows=len(measures), cols=len(across))
    names = list(dict.fromkeys(str(row["label"]) for row in table))
    for place, panel in enumerate(panels):
        measure, key = measures[place // len(across)], across[place % len(across)]
        _panel(panel, table, key, measure, names)
        drawing.logarithmic(panel, [float(row[key]) for row in table if row.get(key)])
        bottom, left = place // len(across) == len(measures) - 1, place % len(across) == 0
        drawing.plain(panel, "", AXES[key] if bottom else "", measure if left else "")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=2, fontsize=8)
    return figure


def _panel(
    panel: Any, table: Sequence[Mapping[str, Any]], key: str, measure: str, names: Sequence[str]
) -> None:
    for label in names:
        own = [
            row for row in table if row["label"] == label and row.get(key) and row.get(measure) is not None
        ]
        colour = drawing.colour(names.index(label))
        for row in own:
            low, high = row.get(f"{measure}_low"), row.get(f"{measure}_high")
            if low is not None and high is not None:
                panel.plot([row[key], row[key]], [low, high], color=colour, linewidth=1.4)
        panel.plot(
            [row[key] for row in own],
            [row[measure] for row in own],
            "o",
            color=colour,
            markersize=5,
            label=label,
        )
