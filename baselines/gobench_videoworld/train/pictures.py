"""Rows of frames as one picture: what was shown, what the model made of it, what was there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gobench.types import Array
from gobench_videoworld.answers import enlarged

GAP, EDGE = 6, 255  # pixels and grey level between frames
SHOWN = 128  # pixels of a frame's side
HEAD, LETTERS = 20, 13  # pixels of the line of titles, and of its letters


def sheet(columns: Sequence[Array], titles: Sequence[str] = (), side: int = SHOWN) -> Array:
    """Columns of frames uint8 [N, h, w, 3], each at ``side`` pixels: uint8 [H, W, 3], N rows, below ``titles`` if there are."""
    cells = np.stack([_at(column, side) for column in columns], axis=1)
    padded = np.pad(cells, ((0, 0), (0, 0), (0, GAP), (0, GAP), (0, 0)), constant_values=EDGE)
    rows, cols, height, width, _ = padded.shape
    whole = padded.swapaxes(1, 2).reshape(rows * height, cols * width, 3)
    framed = np.pad(whole, ((GAP, 0), (GAP, 0), (0, 0)), constant_values=EDGE)
    return np.concatenate([_head(titles, framed.shape[1], width), framed]) if titles else framed


def _head(titles: Sequence[str], whole: int, each: int) -> Array:
    """A line of text above columns ``each`` pixels apart: uint8 [HEAD, whole, 3]."""
    from PIL import Image, ImageDraw, ImageFont

    line = Image.new("RGB", (whole, HEAD), (EDGE, EDGE, EDGE))
    pen, font = ImageDraw.Draw(line), ImageFont.load_default(LETTERS)
    for place, title in enumerate(titles):
        pen.text((GAP + place * each + 1, HEAD - 1), title, fill=(40, 40, 40), anchor="ls", font=font)
    return np.array(line)


def _at(frames: Array, side: int) -> Array:
    height, width = frames.shape[1:3]
    return enlarged(
        frames, (round(side * height / max(height, width)), round(side * width / max(height, width)))
    )
