"""Draws ``imagine``: a sheet of prompts and what is made of them, and the predicted codes in the plane coloured by place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gobench_videoworld.analysis import drawing
from gobench_videoworld.analysis.imagine import Picture

CELLS = 1.35, 2.4  # inches of a frame on the sheet, at least and at most
CROWD = 300  # points of a panel from which on they are small
MOST = 12  # cells that are marked


@drawing.styled
def sheet(pictures: Sequence[Sequence[Picture]], board: tuple[int, int], title: str) -> Any:
    """A row a prompt: prompt, imagined after each code, generated, truth; cells that differ from the prompt are framed."""
    cols = len(pictures[0])
    cell = min(max(CELLS[0], max(pictures[0][0].frame.shape[:2]) / drawing.DPI + 2 * drawing.PAD), CELLS[1])
    figure, axes = drawing.figure(
        cell * cols + 0.2, cell * len(pictures) + 1.0, rows=len(pictures), cols=cols
    )
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0, hspace=0)
    for place, panel in enumerate(axes):
        picture = pictures[place // cols][place % cols]
        panel.imshow(picture.frame, interpolation="antialiased")
        panel.set_xticks([])
        panel.set_yticks([])
        _mark(panel, picture, board)
        if place < cols:
            panel.set_title(picture.caption, fontsize=8.5, color=drawing.INK)
    figure.suptitle(f"{title}\nframed: what is not as in the prompt", x=0.01, ha="left", fontsize=10.5)
    return figure


def _mark(panel: Any, picture: Picture, board: tuple[int, int]) -> None:
    """A box around each cell that differs; of a picture that is no board any more, none."""
    from matplotlib.patches import Rectangle

    height, width = picture.frame.shape[0] / board[0], picture.frame.shape[1] / board[1]
    for cell in picture.cells if len(picture.cells) <= MOST else ():
        row, col = divmod(cell, board[1])
        corner = (col * width - 0.5, row * height - 0.5)
        panel.add_patch(
            Rectangle(corner, width, height, fill=False, linewidth=1.2, edgecolor=drawing.COLOURS[4])
        )


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
        s=9 if len(rows) > CROWD else 22,
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
