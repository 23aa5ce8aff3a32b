"""Pictures to boards: every point {empty, black, white} with a confidence.

Each point is described by the mean colours of 3x3 little boxes around its centre, and compared with the same
description of the look's own drawings of each state. Means survive blur, noise and compression. A plane of
gains, fitted to the pixels between the stones, takes lighting out first. On a clean picture of the look the
distance to the right state is zero; a picture far from all states is also compared with blurred ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gobench.errors import DataError
from gobench.types import Array
from gobench_go.game.coords import MAX_SIDE
from gobench_go.video.themes import THEMES, Look, look

BOX = 0.2  # width of a little box, in pitches
BLURS = (0.0, 0.08, 0.15)  # standard deviations, in pitches
GAIN = (0.7, 1.4)  # lighting is believed within these bounds
GAPS = 6  # pixels between the stones sampled a point
USUAL = (5, 7, 9, 13, 19)  # boards tried first on an unknown picture
SQUARES = tuple((n, n) for n in (*USUAL, *sorted(set(range(2, MAX_SIDE + 1)) - set(USUAL))))
DETECT_SIZE = 256  # larger unknown pictures are made smaller to find their look
EXACT = 0.5  # mean difference in grey levels up to which a picture needs no other candidates
LIKELY = (
    0.6  # least likeness of a picture that is believed; boards read rightly have more, other pictures less
)
SURE = 0.8  # the same where not all themes are tried: a right theme has 0.84 and more, a wrong one often less
CLEARLY = (
    0.5  # a wrong theme errs twice as much as the right one or more; a right one at most 1.4 times as much
)
SMOOTH = 4  # pixels; likeness is that of squares of so many, which noise and sharpness hardly change

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Reader:
    """What the pictures of one look are compared with."""

    boxes: Ints  # [R*C, 2, 4], the edges of the little boxes down and right
    gaps: Ints  # [R*C, GAPS, 2], pixels (y, x) that no stone touches; -1 where there is none
    bright: Floats  # [R*C, K], the sum over a point's gap pixels on the empty board, 0 where there are none
    plane: Floats  # [3, R*C], gains at the points -> coefficients of a plane
    basis: Floats  # [R*C, 3], coefficients -> gains at the points
    states: Floats  # [B, S, R*C, 9 * K], description of each state, as drawn and through each of BLURS
    step: int  # rows of a box that are skipped


def boards(look: Look, pictures: Array) -> tuple[Array, Floats]:
    """Read pictures of a known look.

    Args:
        look: how the pictures were drawn (variation included, if it is known).
        pictures: uint8 [N, H, W, 3], or their luma planes uint8 [N, H, W].

    Returns:
        points uint8 [N, R, C] (0 empty, 1 black, 2 white) and confidence float32 [N, R, C], 1 where a point
        looks exactly as drawn, 0 where two answers are equally near.
    """
    states, confidence = _read(look, pictures)
    return np.where(states > 2, states - 2, states).astype(np.uint8), confidence


def board(look: Look, picture: Array) -> tuple[Array, Floats]:
    """Read one picture uint8 [H, W, 3] (or luma [H, W]): points uint8 [R, C], confidence float32 [R, C]."""
    points, confidence = boards(look, np.asarray(picture)[None])
    return points[0], confidence[0]


def _read(look: Look, pictures: Array) -> tuple[Array, Floats]:
    from gobench_go.video import read_kernels

    taken = _checked(look, pictures)
    r = reader(look, taken.shape[3] == 1)
    states = np.empty((len(taken), look.rows * look.cols), np.uint8)
    confidence = np.empty(states.shape, np.float32)
    read_kernels.read(
        taken, r.boxes, r.step, r.gaps, r.bright, r.plane, r.basis, GAIN, r.states, states, confidence
    )
    shape = (len(taken), look.rows, look.cols)
    return states.reshape(shape), confidence.reshape(shape)


def _checked(look: Look, pictures: Array) -> Array:
    taken = np.ascontiguousarray(pictures)
    if taken.ndim == 3:
        taken = taken[..., None]
    want = (look.size, look.size)
    if taken.ndim != 4 or taken.shape[1:3] != want or taken.shape[3] not in (1, 3) or taken.dtype != np.uint8:
        given = f"{pictures.dtype} {pictures.shape}"
        raise DataError(f"pictures are {given}, but this look reads uint8 [N, {look.size}, {look.size}, 3].")
    return taken


def reader(look: Look, luma: bool = False) -> Reader:
    """The reader of a look, for RGB pictures or for their luma planes; made once."""
    if luma not in look.readers:
        look.readers[luma] = _reader(look, luma)
    made: Reader = look.readers[luma]
    return made


def _reader(look: Look, luma: bool) -> Reader:
    from gobench_go.video import read_kernels

    atlas = look.planes[0][..., None] if luma else look.atlas
    boxes = _boxes(look)
    step = max(1, round(look.grid.pitch / 14))
    gaps = _gaps(look)
    bright = np.zeros((len(gaps), atlas.shape[3]), np.float32)
    read_kernels.sum_gaps(atlas[0], gaps, bright)
    basis = _basis(look)
    known = (bright.min(axis=1) > 0).astype(np.float32)
    plane = np.linalg.pinv(basis * known[:, None]) if known.sum() >= 3 else np.zeros((3, len(basis)))
    states = np.empty((len(BLURS), len(atlas), len(boxes), 9 * atlas.shape[3]), np.float32)
    for blur, through in zip(BLURS, states, strict=True):
        for drawn, described in zip(atlas, through, strict=True):
            read_kernels.describe(_blurred(drawn, blur * look.grid.pitch), boxes, step, described)
    return Reader(boxes, gaps, bright, plane.astype(np.float32), basis, states, step)


def _blurred(picture: Array, sigma: float) -> Array:
    """A picture uint8 [H, W, 1 or 3] through a Gaussian blur."""
    from PIL import Image, ImageFilter

    if not sigma:
        return np.ascontiguousarray(picture)
    flat = picture[..., 0] if picture.shape[2] == 1 else picture
    soft = np.asarray(Image.fromarray(flat).filter(ImageFilter.GaussianBlur(sigma)))
    return np.ascontiguousarray(soft.reshape(picture.shape))


def _boxes(look: Look) -> Ints:
    """Edges of three little boxes each way around every point, each at least a pixel wide."""
    width = max(BOX * look.grid.pitch, 1.0)
    at = (np.arange(4) - 1.5) * width
    edges = [np.clip(np.rint(c[:, None] + at - 1e-6), 0, look.size) for c in (look.grid.ys, look.grid.xs)]
    both = np.empty((look.rows, look.cols, 2, 4), np.int32)
    both[:, :, 0] = edges[0][:, None]
    both[:, :, 1] = edges[1][None, :]
    return both.reshape(-1, 2, 4)


def _basis(look: Look) -> Floats:
    rows, cols = np.indices((look.rows, look.cols)).reshape(2, -1)
    down, right = rows - (look.rows - 1) / 2, cols - (look.cols - 1) / 2
    return np.stack([np.ones(len(rows)), down, right], axis=1).astype(np.float32)


def _gaps(look: Look) -> Ints:
    """For every point the untouched pixels of its cell that are farthest from the stones."""
    still = (look.atlas == look.atlas[:1]).all(axis=(0, 3))
    dy = (np.arange(look.size) + 0.5 - look.grid.ys[look.grid.row_of])[:, None]
    dx = (np.arange(look.size) + 0.5 - look.grid.xs[look.grid.col_of])[None, :]
    far = np.where(still & (np.maximum(abs(dy), abs(dx)) < 0.6 * look.grid.pitch), np.hypot(dy, dx), -1)
    gaps = np.full((look.rows * look.cols, GAPS, 2), -1, np.int32)
    rows, cols = (np.searchsorted(o, np.arange(n + 1)) for o, n in _axes(look))
    for p, found in enumerate(gaps):
        y, x = rows[p // look.cols], cols[p % look.cols]
        cell = far[y : rows[p // look.cols + 1], x : cols[p % look.cols + 1]]
        best = np.argsort(cell, axis=None, kind="stable")[::-1][:GAPS]
        good = best[cell.ravel()[best] > 0]
        found[: len(good)] = np.stack(np.unravel_index(good, cell.shape), axis=1) + np.array([y, x])
    return gaps


def _axes(look: Look) -> tuple[tuple[Ints, int], tuple[Ints, int]]:
    return (look.grid.row_of, look.rows), (look.grid.col_of, look.cols)


@dataclass(frozen=True, eq=False)
class Seen:
    """An unknown picture and what it shows."""

    look: Look
    points: Array  # [R, C]
    confidence: Floats  # [R, C]
    error: float  # mean difference in grey levels between the picture and what was read, drawn again
    likeness: (
        float  # correlation of the two, made coarser: 1 as drawn, about 0 for a picture of something else
    )


def detect(
    picture: Array, themes: Sequence[str] = tuple(THEMES), sizes: Sequence[tuple[int, int]] = SQUARES
) -> Seen:
    """Find theme and board size of a square picture uint8 [H, W, 3], and read it.

    Every candidate reads the picture and draws what it read; the one that comes nearest wins. Unusual sizes are
    tried after the usual ones and only with the two nearest themes. Where some themes are given and sizes are
    searched, a theme too far off is not made up for by odd sizes: more likeness is asked for, and no other theme
    may come clearly nearer.

    Raises:
        DataError: the picture is not square, too small for every candidate, like none of them, or clearly of another theme.
    """
    small = _smaller(picture)
    open_size, all_themes = len(sizes) > 1, set(themes) >= set(THEMES)
    least = SURE if open_size and not all_themes else LIKELY
    best = _believed(_nearest(small, themes, sizes), sizes, least)
    if open_size and not all_themes and best.error > EXACT:
        others = [name for name in THEMES if name not in themes]
        if any(_fits(small, name, size, False) for name in others for size in sizes):
            _check_theme(best, _nearest(small, others, sizes))
    if small is picture:
        return best
    found = best.look
    full = look(found.theme, len(picture), found.rows, found.cols, found.coordinates, True)
    points, confidence = board(full, picture)
    return Seen(full, points, confidence, best.error, best.likeness)


def _nearest(picture: Array, themes: Sequence[str], sizes: Sequence[tuple[int, int]]) -> Seen:
    """The candidate that comes nearest to a picture; DataError where none fits."""
    usual = [size for size in sizes if max(size) in USUAL]
    tries = _tries(picture, themes, usual)
    if not tries or tries[0].error > EXACT:
        nearest = list(dict.fromkeys(seen.look.theme for seen in tries))[:2] or themes
        tries += _tries(picture, nearest, [size for size in sizes if size not in usual])
    if not tries:
        raise DataError(
            f"a picture of {picture.shape[1]}x{picture.shape[0]} pixels is too small to hold a board."
        )
    return min(tries, key=lambda seen: seen.error)


def _check_theme(seen: Seen, other: Seen) -> None:
    """DataError where a theme that was not asked for comes clearly nearer."""
    if other.error < CLEARLY * seen.error:
        raise DataError(
            f"this picture is not of the theme {seen.look.theme}: {other.look.theme} is nearer, with "
            f"{other.look.rows}x{other.look.cols} lines. Leave --theme out, or name --board too."
        )


def _tries(picture: Array, themes: Sequence[str], sizes: Sequence[tuple[int, int]]) -> list[Seen]:
    """What every candidate that fits sees, the nearest first."""
    tries = [
        _try(picture, theme, board, labels)
        for theme in themes
        for board in sizes
        for labels in (False, True)
        if _fits(picture, theme, board, labels)
    ]
    return sorted(tries, key=lambda seen: seen.error)


def _believed(seen: Seen, sizes: Sequence[tuple[int, int]], least: float) -> Seen:
    """The same, or DataError where the picture is not like what was read."""
    if seen.likeness >= least:
        return seen
    what = f"{seen.look.rows}x{seen.look.cols}, theme {seen.look.theme}"
    tried = "square boards" if len(sizes) > 1 else "this board"
    raise DataError(
        f"this picture cannot be read: of {tried}, the nearest ({what}) is {seen.likeness:.2f} like it, "
        f"less than {least}. Crop it to the board, and name --board (as in 9x9 or 13x9) and --theme."
    )


def _smaller(picture: Array) -> Array:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.shape[0] != picture.shape[1]:
        raise DataError(f"boards are read from square RGB pictures, not from {picture.shape}: crop it first.")
    if len(picture) <= DETECT_SIZE:
        return picture
    from PIL import Image

    return np.asarray(Image.fromarray(picture).resize((DETECT_SIZE, DETECT_SIZE), Image.Resampling.BOX))


def _fits(picture: Array, theme: str, board: tuple[int, int], labels: bool) -> bool:
    from gobench_go.video import geometry

    margin = geometry.LABEL_MARGIN if labels else THEMES[theme].margin
    return geometry.least_size(*board, margin) <= len(picture) <= geometry.MOST_SIZE


def _try(picture: Array, theme: str, board: tuple[int, int], labels: bool) -> Seen:
    from gobench_go.video import kernels

    candidate = look(theme, len(picture), *board, labels, True)
    states, confidence = _read(candidate, picture[None])
    drawn = np.empty((1, *picture.shape), np.uint8)
    kernels.paint_rgb(candidate.atlas, candidate.boxes, states, drawn)
    error = float(np.abs(drawn[0].astype(np.int16) - picture).mean())
    points = np.where(states[0] > 2, states[0] - 2, states[0]).astype(np.uint8)
    return Seen(candidate, points, confidence[0], error, likeness(drawn[0], picture))


def likeness(a: Array, b: Array) -> float:
    """Correlation of the colours of two pictures uint8 [H, W, 3], in squares of ``SMOOTH`` pixels."""
    n = len(a) // SMOOTH
    squares = [p[: n * SMOOTH, : n * SMOOTH].reshape(n, SMOOTH, n, SMOOTH, 3).mean((1, 3)) for p in (a, b)]
    x, y = (square - square.mean((0, 1)) for square in squares)
    return float((x * y).sum() / max(float(np.sqrt((x * x).sum() * (y * y).sum())), 1e-9))
