"""The atlas of a look: the whole picture drawn once for every state a point can be in.

state 0  all points empty
state 1  all points black
state 2  all points white
state 3  all black, each with the last-move mark    } only in looks with the mark
state 4  all white, each with the last-move mark    }

States differ from one another only inside the cell of a point, so any position is composed exactly by copying
each point's cell out of the plane of its state.

``data/videoworld_256.png`` holds states 0, 1, 2 of the original one below another: the empty, the all-black
and the all-white picture of its recipe (matplotlib, 2.56x2.56 inch at 100 dpi, orange, 9+9 lines of width 1,
scatter markers of area 380, tight layout, no margins).
"""

from __future__ import annotations

from importlib import resources

import numpy as np
import numpy.typing as npt

from gobench_go.game import coords
from gobench_go.video import glyphs, raster
from gobench_go.video.geometry import LABEL_MARGIN, Grid
from gobench_go.video.raster import Coverage, Picture
from gobench_go.video.styles import Rgb, Stone, Theme
from gobench_go.video.variation import Variation

LIGHT = (-0.36, -0.32)  # where the highlight of a shaded stone lies, in radii (down, right)
SHADOW = (0.05, 0.04)  # how far a shadow falls, in pitches (down, right)


def original() -> npt.NDArray[np.uint8]:
    """The original's three states at 256 pixels on 9x9: uint8 [3, 256, 256, 3]."""
    from PIL import Image

    path = resources.files(__package__).joinpath("data/videoworld_256.png")
    with path.open("rb") as file:
        return np.asarray(Image.open(file).convert("RGB")).reshape(3, 256, 256, 3)


def atlas(
    theme: Theme, grid: Grid, size: int, *, labels: bool, marks: bool, vary: Variation
) -> npt.NDArray[np.uint8]:
    """Draw every state: uint8 [3 or 5, size, size, 3]."""
    base = _empty(theme, grid, size, labels, vary)
    dy, dx = _offsets(grid, vary)
    stones = [_stones(base, theme, stone, dy, dx, grid.pitch) for stone in (theme.black, theme.white)]
    if marks:
        pairs = zip(tuple(stones), (theme.black, theme.white), strict=True)
        stones += [_marked(picture, theme, stone, dy, dx, grid.pitch) for picture, stone in pairs]
    finish = vary.finish(size)
    return np.stack([finish(picture) for picture in (base, *stones)])


def mark(states: npt.NDArray[np.uint8], theme: Theme, grid: Grid) -> npt.NDArray[np.uint8]:
    """Add states 3 and 4 to states 0, 1, 2 that were drawn elsewhere."""
    dy, dx = _offsets(grid, Variation())
    pairs = zip(states[1:].astype(np.float32), (theme.black, theme.white), strict=True)
    marked = [_marked(picture, theme, stone, dy, dx, grid.pitch) for picture, stone in pairs]
    return np.concatenate([states, np.rint(marked).astype(np.uint8)])


def _empty(theme: Theme, grid: Grid, size: int, labels: bool, vary: Variation) -> Picture:
    picture = raster.canvas(size, theme.board)
    if theme.grain:
        picture = picture + (theme.grain * _wood(size, vary.grain_phase))[..., None]
    for cover in _lines(theme, grid, size):
        picture = raster.over(picture, theme.line, cover)
    if theme.star:
        picture = raster.over(picture, theme.line, _stars(theme, grid, size))
    if labels:
        picture = raster.over(picture, theme.label, glyphs.coordinates(grid, size, LABEL_MARGIN))
    return picture


def _lines(theme: Theme, grid: Grid, size: int) -> list[Coverage]:
    """All columns, then all rows: crossings are covered twice, as the original's are."""
    half = max(theme.line_width * grid.pitch, 1.0) / 2
    ys, xs = ([(c - half, c + half) for c in axis] for axis in (grid.ys, grid.xs))
    tall, wide = (ys[0][0], ys[-1][1]), (xs[0][0], xs[-1][1])
    down = np.clip(sum(raster.span(size, *x) for x in xs), 0, 1)
    across = np.clip(sum(raster.span(size, *y) for y in ys), 0, 1)
    return [np.outer(raster.span(size, *tall), down), np.outer(across, raster.span(size, *wide))]


def _stars(theme: Theme, grid: Grid, size: int) -> Coverage:
    cover = np.zeros((size, size), np.float32)
    y, x = np.arange(size)[:, None] + 0.5, np.arange(size)[None, :] + 0.5
    for r, c in coords.stars(len(grid.ys), len(grid.xs)):
        distance = np.hypot(y - grid.ys[r], x - grid.xs[c]).astype(np.float32)
        cover = np.maximum(cover, raster.disc(distance, max(theme.star * grid.pitch, 1.0)))
    return cover


def _offsets(grid: Grid, vary: Variation) -> tuple[Coverage, Coverage]:
    """Each pixel's way down and right from the centre of its stone, float32 [H, W] in pixels."""
    jitter = vary.jitter(len(grid.ys), len(grid.xs)) * grid.pitch
    at = np.ix_(grid.row_of, grid.col_of)
    middle = np.arange(len(grid.row_of)) + 0.5
    dy = (middle - grid.ys[grid.row_of])[:, None] - jitter[0][at]
    dx = (middle - grid.xs[grid.col_of])[None, :] - jitter[1][at]
    return dy.astype(np.float32), dx.astype(np.float32)


def _stones(under: Picture, theme: Theme, stone: Stone, dy: Coverage, dx: Coverage, pitch: float) -> Picture:
    radius = theme.radius * pitch
    distance = np.hypot(dy, dx)
    picture = under
    if theme.shadow:
        fall = np.hypot(dy - SHADOW[0] * pitch, dx - SHADOW[1] * pitch)
        soft = np.clip((radius + 0.06 * pitch - fall) / (0.12 * pitch), 0, 1)
        fade = np.clip((pitch / 2 - np.maximum(abs(dy), abs(dx))) / (0.06 * pitch), 0, 1)
        picture = raster.over(picture, (0, 0, 0), theme.shadow * soft * fade)
    picture = raster.over(picture, _face(stone, dy / radius, dx / radius), raster.disc(distance, radius))
    if stone.edge_width:
        half = max(stone.edge_width * pitch, 0.8) / 2
        rim = np.clip(half + 0.5 - abs(distance - (radius - half)), 0, 1)
        picture = raster.over(picture, stone.edge, rim * raster.disc(distance, radius))
    return picture


def _face(stone: Stone, v: Coverage, u: Coverage) -> Rgb | Picture:
    """The colour of a stone's surface at (v, u) radii from its middle."""
    if not stone.shine and not stone.shade:
        return stone.fill
    colour = np.asarray(stone.fill, np.float32)
    light = np.exp(-((v - LIGHT[0]) ** 2 + (u - LIGHT[1]) ** 2) / 0.32) * stone.shine
    dim = np.clip((0.7071 * (v + u) + 0.35) / 1.35, 0, 1) ** 2 * stone.shade
    return np.asarray((colour + (255 - colour) * light[..., None]) * (1 - dim[..., None]), np.float32)


def _marked(
    picture: Picture, theme: Theme, stone: Stone, dy: Coverage, dx: Coverage, pitch: float
) -> Picture:
    distance = np.hypot(dy, dx)
    radius = max(theme.mark_radius * pitch, 0.9)
    if theme.mark_width:
        return raster.over(picture, stone.mark, raster.ring(distance, radius, theme.mark_width * pitch))
    return raster.over(picture, stone.mark, raster.disc(distance, radius))


def _wood(size: int, phase: float) -> Coverage:
    """A grain running down the board, in -1..1: the same wood at every size."""
    v, u = np.meshgrid(np.linspace(0, 1, size), np.linspace(0, 1, size), indexing="ij")
    bend = 0.35 * np.sin(2.1 * v + 1.3 + phase) + 0.12 * np.sin(6.3 * v + 4 * u + 2 * phase)
    rings = np.sin(34 * (u + 0.16 * bend) + phase) * 0.55
    fibres = np.sin(173 * (u + 0.05 * bend) + 5 * np.sin(3 * v + phase)) * 0.28
    pores = np.sin(411 * (u + 0.03 * bend) + 9 * np.sin(1.7 * v)) * 0.17
    return np.asarray(rings + fibres + pores, np.float32)
