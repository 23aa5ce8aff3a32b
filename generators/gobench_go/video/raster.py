"""Anti-aliased shapes as coverage (float32 [H, W] in 0..1) and how they are laid over a picture."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gobench_go.video.styles import Rgb

Picture = npt.NDArray[np.float32]  # [H, W, 3] in 0..255
Coverage = npt.NDArray[np.float32]  # [H, W] in 0..1


def canvas(size: int, colour: Rgb) -> Picture:
    """A picture of one colour."""
    return np.full((size, size, 3), colour, np.float32)


def over(under: Picture, colour: Rgb | Picture, cover: npt.NDArray[np.floating]) -> Picture:
    """Lay a colour (or picture) over a picture where it covers."""
    top = np.asarray(colour, np.float32)
    return np.asarray(under + (top - under) * cover[..., None], np.float32)


def span(size: int, start: float, stop: float) -> Coverage:
    """How much of each pixel of a row lies in [start, stop): float32 [size], exact."""
    edges = np.arange(size + 1)
    inside = np.clip(edges, start, stop)
    return np.diff(inside).astype(np.float32)


def bar(size: int, y: tuple[float, float], x: tuple[float, float]) -> Coverage:
    """An axis-parallel rectangle."""
    return np.outer(span(size, *y), span(size, *x)).astype(np.float32)


def disc(distance: Coverage, radius: float) -> Coverage:
    """A disc from each pixel's distance to its centre, both in pixels."""
    return np.asarray(np.clip(radius + 0.5 - distance, 0, 1), np.float32)


def ring(distance: Coverage, radius: float, width: float) -> Coverage:
    """A ring whose middle lies at ``radius``."""
    half = max(width, 1.0) / 2
    return np.asarray(np.clip(half + 0.5 - np.abs(distance - radius), 0, 1), np.float32)


def stroke(size: int, points: Iterable[tuple[float, float]], width: float) -> Coverage:
    """A round-ended polyline through (y, x) pixels."""
    path = list(points)
    cover = np.zeros((size, size), np.float32)
    for a, b in pairwise(path):
        _segment(cover, a, b, width / 2)
    return cover


def _segment(cover: Coverage, a: tuple[float, float], b: tuple[float, float], half: float) -> None:
    """Raise ``cover`` to the coverage of one thick segment, touching only the pixels around it."""
    reach = half + 1
    y0, y1 = max(int(min(a[0], b[0]) - reach), 0), int(max(a[0], b[0]) + reach) + 1
    x0, x1 = max(int(min(a[1], b[1]) - reach), 0), int(max(a[1], b[1]) + reach) + 1
    part = cover[y0:y1, x0:x1]
    ys = np.arange(y0, y0 + part.shape[0])[:, None] + 0.5 - a[0]
    xs = np.arange(x0, x0 + part.shape[1])[None, :] + 0.5 - a[1]
    dy, dx = b[0] - a[0], b[1] - a[1]
    along = np.clip((ys * dy + xs * dx) / max(dy * dy + dx * dx, 1e-9), 0, 1)
    distance = np.hypot(ys - along * dy, xs - along * dx)
    np.maximum(part, np.clip(half + 0.5 - distance, 0, 1), out=part, casting="same_kind")
