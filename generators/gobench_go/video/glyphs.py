"""Coordinates as strokes: letters A to T without I, and digits.

A glyph is a few polylines on a grid 4 wide and 6 high, (down, right) from its upper left corner.
"""

from __future__ import annotations

import numpy as np

from gobench_go.game.coords import COLUMNS
from gobench_go.video import raster
from gobench_go.video.geometry import Grid
from gobench_go.video.raster import Coverage

HEIGHT, WIDTH, GAP = 6, 4, 1.8  # grid units
SIZE = 0.42  # of a glyph's height, in pitches
WEIGHT = 0.055  # of a stroke, in pitches
AWAY = 0.91  # from the outer line to the middle of a label, in pitches

GLYPHS: dict[str, str] = {
    "A": "60 02 64;41 43",
    "B": "00 60 63 54 44 33 30;33 24 14 03 00",
    "C": "14 03 01 10 50 61 63 54",
    "D": "00 60 62 44 24 02 00",
    "E": "04 00 60 64;30 33",
    "F": "04 00 60;30 33",
    "G": "14 03 01 10 50 61 63 54 34 32",
    "H": "00 60;04 64;30 34",
    "J": "04 54 63 61 50",
    "K": "00 60;04 30 64",
    "L": "00 60 64",
    "M": "60 00 32 04 64",
    "N": "60 00 64 04",
    "O": "01 10 50 61 63 54 14 03 01",
    "P": "60 00 03 14 24 33 30",
    "Q": "01 10 50 61 63 54 14 03 01;42 64",
    "R": "60 00 03 14 24 33 30;32 64",
    "S": "14 03 01 10 20 31 33 44 54 63 61 50",
    "T": "00 04;02 62",
    "0": "01 10 50 61 63 54 14 03 01",
    "1": "11 02 62;61 63",
    "2": "10 01 03 14 24 60 64",
    "3": "10 01 03 14 24 33 31;33 44 54 63 61 50",
    "4": "63 03 40 44",
    "5": "04 00 30 33 44 54 63 60",
    "6": "03 01 10 50 61 63 54 44 33 31 40",
    "7": "00 04 62",
    "8": "31 20 10 01 03 14 24 33 31 40 50 61 63 54 44 33",
    "9": "61 63 54 14 03 01 10 20 31 33 24",
}


def coordinates(grid: Grid, size: int, margin: float) -> Coverage:
    """Letters above and below, numbers left and right (1 at the bottom), as players name points."""
    cover = np.zeros((size, size), np.float32)
    away = AWAY * grid.pitch
    top, bottom = grid.ys[0] - away, grid.ys[-1] + away
    left, right = grid.xs[0] - away, grid.xs[-1] + away
    for col, x in enumerate(grid.xs):
        for y in (top, bottom):
            np.maximum(cover, text(COLUMNS[col], y, float(x), grid.pitch, size), out=cover)
    for row, y in enumerate(grid.ys):
        for x in (left, right):
            np.maximum(cover, text(str(len(grid.ys) - row), float(y), x, grid.pitch, size), out=cover)
    return cover


def text(word: str, y: float, x: float, pitch: float, size: int) -> Coverage:
    """A word centred at (y, x)."""
    unit = SIZE * pitch / HEIGHT
    start = x - unit * (len(word) * (WIDTH + GAP) - GAP) / 2
    cover = np.zeros((size, size), np.float32)
    for i, letter in enumerate(word):
        for path in GLYPHS[letter].split(";"):
            points = [
                (y + (int(p[0]) - HEIGHT / 2) * unit, start + (int(p[1]) + i * (WIDTH + GAP)) * unit)
                for p in path.split()
            ]
            np.maximum(cover, raster.stroke(size, points, max(WEIGHT * pitch, 1.0)), out=cover)
    return cover
