"""Draws ``imagine``: a sheet of prompts and what is made of them, and the predicted codes in the plane coloured by place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gobench.types import Array
from gobench_videoworld.analysis import drawing

CELL = 1.35  # inches of a frame on the sheet


@drawing.styled
def sheet(pictures: Sequence[Mapping[str, Array]], title: str) -> Any:
    """A row a prompt: prompt, imagined after each code, generated, truth; what changed from the prompt is framed."""
    captions = list(pictures[0])
    size = (CELL * len(captions) + 0.2, CELL * len(pictures) + 0.75)
    figure, axes = drawing.figure(*size, rows=len(pictures), cols=len(captions))
    for place, panel in enumerate(axes):
        row, caption = pictures[place // len(captions)], captions[place % len(captions)]
        panel.imshow(row[caption], interpolation="none")
        panel.set_xticks([])
        panel.set_yticks([])
        if caption != "prompt":
            _frame(panel, row["prompt"], row[caption])
        if place < len(captions):
            panel.set_title(caption, fontsize=8.5, color=drawing.INK)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5)
    return figure


def _frame(panel: Any, before: Array, after: Array) -> None:
    """A box around what differs clearly."""
    from matplotlib.patches import Rectangle

    differs = np.abs(before.astype(np.int16) - after.astype(np.int16)).max(-1) > 96
    rows, cols = np.flatnonzero(differs.any(1)), np.flatnonzero(differs.any(0))
    if not len(rows):
        return
    corner = (cols[0] - 3.5, rows[0] - 3.5)
    panel.add_patch(Rectangle(corner, cols[-1] - cols[0] + 7, rows[-1] - rows[0] + 7, fill=False, linewidth=1.1,
                              edgecolor=drawing.COLOURS[4]))  # fmt: skip


@drawing.styled
def plane(table: Sequence[Mapping[str, Any]], how: str, board: tuple[int, int], title: str) -> Any:
    """A panel a step; a point's colour is the place of its move, shown on a small board."""
    steps = sorted({row["step"] for row in table})
    figure, axes = drawing.figure(
        3.4 * len(steps) + 1.2, 3.9, cols=len(steps) + 1, width_ratios=[3] * len(steps) + [1]
    )
    for panel, step in zip(axes, steps, strict=False):
        own = [row for row in table if row["step"] == step]
        unread = [row for row in own if not row["read"]]
        _dots(panel, unread, [drawing.REST] * len(unread))
        read = [row for row in own if row["read"]]
        _dots(panel, read, [place_colour(row["row"], row["col"], board) for row in read])
        panel.set_title(f"{step} ahead ({len(unread)} unclear, grey)", loc="left", color=drawing.INK)
        panel.set_xticks([])
        panel.set_yticks([])
    _key(axes[-1], board)
    figure.suptitle(
        f"{title}\n{how} of predicted codes, {len(table):,} codes", x=0.01, ha="left", fontsize=10.5
    )
    return figure


def place_colour(row: int, col: int, board: tuple[int, int]) -> tuple[float, float, float]:
    """Red grows downwards, blue to the right: near places look alike."""
    down, right = row / max(board[0] - 1, 1), col / max(board[1] - 1, 1)
    return 0.15 + 0.75 * down, 0.45 - 0.25 * abs(down - right), 0.15 + 0.75 * right


def _dots(panel: Any, rows: Sequence[Mapping[str, Any]], colours: Sequence[Any]) -> None:
    panel.scatter(
        [r["x"] for r in rows],
        [r["y"] for r in rows],
        s=9,
        c=list(colours),
        linewidths=0,
        alpha=0.8,
        rasterized=True,
    )


def _key(panel: Any, board: tuple[int, int]) -> None:
    """The board as a key to the colours."""
    cells = [[place_colour(row, col, board) for col in range(board[1])] for row in range(board[0])]
    panel.imshow(np.array(cells))
    panel.set_title("place", fontsize=8.5, color=drawing.INK)
    panel.set_xticks([])
    panel.set_yticks([])
