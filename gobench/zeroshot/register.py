"""Find the prompt's picture in an answer's frame: guesses, a search over shifts and scales, and refinement.

The refinement is Lucas and Kanade's (IJCAI 1981): least squares on the picture's slopes, here for a scale and a
shift each way with gain and offset, coarse to fine; pixels that differ much (the stone that was played) are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gobench.types import Array
from gobench.zeroshot import settings as s
from gobench.zeroshot.placement import Placement, Size, guesses

Grey = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Registration:
    """Where the reference lies, and how like it what lies there is (1: equal; below LEAST: not found)."""

    guess: str  # a key of placement.guesses
    place: Placement
    likeness: float

    @property
    def found(self) -> bool:
        return self.likeness >= s.LEAST


@dataclass(frozen=True, slots=True)
class _Level:
    """One pair of pictures made small: the reference, and a frame enlarged so that both nearly agree."""

    reference: Grey  # [a, b]
    frame: Grey  # [c, d]
    size: Size  # the reference's, in its own pixels
    answer: Size
    room: tuple[float, float, float, float]  # of the frame, in its own pixels

    @property
    def units(self) -> tuple[float, float, float, float]:
        """Small pixels a pixel: reference down, right; frame down, right."""
        (a, b), (c, d) = self.reference.shape, self.frame.shape
        return a / self.size[0], b / self.size[1], c / self.answer[0], d / self.answer[1]

    def inward(self, p: Placement) -> Floats:
        """The placement between the small pictures: scale down, start down, scale right, start right."""
        ry, rx, fy, fx = self.units
        return np.array([p.sy * fy / ry, p.top * fy, p.sx * fx / rx, p.left * fx])

    def outward(self, q: Floats) -> Placement:
        ry, rx, fy, fx = self.units
        sy, sx = float(q[0] * ry / fy), float(q[2] * rx / fx)
        return Placement(sy, sx, float(q[1] / fy), float(q[3] / fx), self.room)


def register(frame: Array, reference: Array) -> Registration:
    """Find ``reference`` uint8 [H, W, 3] in ``frame`` uint8 [h, w, 3]; the best of all guesses, good or not."""
    if frame.shape == reference.shape and _difference(frame, reference) <= s.EXACT:
        return Registration("stretch", guesses(frame.shape[:2], frame.shape[:2])["stretch"], 1.0)
    usual = guesses(frame.shape[:2], reference.shape[:2])
    ranked = sorted(
        (_rated(frame, reference, name, p) for name, p in usual.items()),
        key=lambda r: -r.likeness,
    )
    first = _refined(frame, reference, ranked[0])
    if first.likeness >= s.ACCEPT:
        return first
    searched = [_refined(frame, reference, _searched(frame, reference, r)) for r in ranked]
    return max([first, *searched], key=lambda r: r.likeness)


def _difference(a: Array, b: Array) -> float:
    return float(np.abs(a.astype(np.int16) - b).mean())


def _rated(frame: Array, reference: Array, name: str, place: Placement) -> Registration:
    level = _level(frame, reference, place, s.SEARCH)
    return Registration(name, place, _likeness(level, level.inward(place)))


def _level(frame: Array, reference: Array, place: Placement, work: int) -> _Level:
    """Both pictures grey and small, so that under ``place`` a pixel of one is about a pixel of the other."""
    size, answer = (reference.shape[0], reference.shape[1]), (frame.shape[0], frame.shape[1])
    part = min(1.0, work / max(size))
    small = (max(8, round(size[0] * part)), max(8, round(size[1] * part)))
    like = (
        max(8, round(answer[0] / place.sy * small[0] / size[0])),
        max(8, round(answer[1] / place.sx * small[1] / size[1])),
    )
    return _Level(_grey(reference, small), _grey(frame, like), size, answer, place.room)


def _grey(picture: Array, size: Size) -> Grey:
    from PIL import Image

    small = Image.fromarray(picture).resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return np.asarray(small, np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def _warped(level: _Level, q: Floats, margin: int = 0) -> tuple[Grey, npt.NDArray[np.bool_]]:
    """The frame as the reference would lie in it, with ``margin`` more pixels all around, and what is visible."""
    from PIL import Image

    a, b = level.reference.shape
    sy, ty, sx, tx = q
    coefficients = (sx, 0, tx - margin * sx, 0, sy, ty - margin * sy)
    out = Image.fromarray(level.frame).transform(
        (b + 2 * margin, a + 2 * margin), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
    )
    rows = ty + sy * (np.arange(-margin, a + margin) + 0.5)
    cols = tx + sx * (np.arange(-margin, b + margin) + 0.5)
    _, _, fy, fx = level.units
    above, below, left, right = (edge * unit for edge, unit in zip(level.room, (fy, fy, fx, fx), strict=True))
    inside = (rows > above + 0.5) & (rows < below - 0.5)
    seen = inside[:, None] & ((cols > left + 0.5) & (cols < right - 0.5))[None]
    return np.asarray(out, np.float32), seen


def _fit(x: Grey, y: Grey) -> tuple[float, float]:
    """Gain and offset with y = gain * x + offset, refitted without what differs by more than CLIP."""
    gain, offset = 1.0, float(np.median(y) - np.median(x))
    for _ in range(3):
        near = np.abs(y - gain * x - offset) < s.CLIP
        if near.sum() < 16:
            break
        u, v = x[near], y[near]
        spread = float(u.var())
        raw = float(((u - u.mean()) * (v - v.mean())).mean()) / spread if spread > 1 else 1.0
        gain = float(np.clip(raw, *s.GAIN))
        offset = float(v.mean() - gain * u.mean())
    return gain, offset


def _likeness(level: _Level, q: Floats) -> float:
    """How much of the reference's contrast the frame explains, every pixel's share being limited by CLIP."""
    warped, seen = _warped(level, q)
    if seen.mean() < 0.2:
        return -1.0
    x, y = warped[seen], level.reference[seen]
    gain, offset = _fit(x, y)
    left = np.minimum(np.abs(y - gain * x - offset), s.CLIP)
    there = np.minimum(np.abs(y - np.median(y)), s.CLIP)
    return 1 - float((left**2).sum()) / max(float((there**2).sum()), 1.0)


def _searched(frame: Array, reference: Array, start: Registration) -> Registration:
    """The best of all scales and whole shifts by correlation at SEARCH pixels."""
    level = _level(frame, reference, start.place, s.SEARCH)
    reach = max(1, round(s.SHIFT * max(level.reference.shape)))
    best, best_q = -2.0, level.inward(start.place)
    for scale in s.SCALES:
        q = _scaled(level.inward(start.place), scale, level.reference.shape)
        window, seen = _warped(level, q, reach)
        scores = _correlations(window * seen, level.reference, reach)
        dy, dx = np.unravel_index(int(scores.argmax()), scores.shape)
        if scores[dy, dx] > best:
            best = float(scores[dy, dx])
            best_q = q + np.array([0, (dy - reach) * q[0], 0, (dx - reach) * q[2]])
    place = level.outward(best_q)
    return Registration(start.guess, place, _likeness(level, best_q))


def _scaled(q: Floats, scale: float, shape: Size) -> Floats:
    """The same placement, the picture ``scale`` times as large around its middle."""
    sy, ty, sx, tx = q.tolist()
    down, right = (length / 2 * (1 - scale) for length in shape)
    return np.array([sy * scale, ty + down * sy, sx * scale, tx + right * sx])


def _correlations(window: Grey, reference: Grey, reach: int) -> Floats:
    """Correlation of the reference with the window at every shift, [2 * reach + 1, 2 * reach + 1]."""
    views = np.lib.stride_tricks.sliding_window_view(window, reference.shape)
    centred = reference - reference.mean()
    dots = np.tensordot(views, centred, 2)
    count = reference.size
    spread = np.sqrt(
        np.maximum(
            _sums(window**2, reference.shape) / count - (_sums(window, reference.shape) / count) ** 2, 1e-3
        )
    )
    return np.asarray(dots / (spread * count * max(float(centred.std()), 1e-3)))


def _sums(picture: Grey, shape: Size) -> Floats:
    """Sums over all windows of a shape, by running totals."""
    total = np.pad(picture.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    a, b = shape
    return np.asarray(total[a:, b:] - total[:-a, b:] - total[a:, :-b] + total[:-a, :-b])


def _refined(frame: Array, reference: Array, start: Registration) -> Registration:
    """Refined at each of WORK; the start where refinement leads out of bounds or to nothing better."""
    place = start.place
    guess = guesses(frame.shape[:2], reference.shape[:2])[start.guess]
    for work in s.WORK:
        level = _level(frame, reference, place, work)
        q = level.inward(place)
        for _ in range(s.STEPS):
            q = q + _step(level, q)
        moved = level.outward(q)
        place = moved if _bounded(moved, guess, reference) else place
    place = _snapped(place, guess, reference)
    level = _level(frame, reference, place, s.SEARCH)
    best = Registration(start.guess, place, _likeness(level, level.inward(place)))
    return best if best.likeness >= start.likeness else start


def _step(level: _Level, q: Floats) -> Floats:
    """One step of least squares: what to add to the placement."""
    warped, seen = _warped(level, q)
    gain, offset = _fit(warped[seen], level.reference[seen]) if seen.sum() > 64 else (1.0, 0.0)
    error = level.reference - gain * warped - offset
    down, right = np.gradient(warped, axis=0), np.gradient(warped, axis=1)
    seen[[0, -1]] = seen[:, [0, -1]] = False
    near = seen & (np.abs(error) < s.CLIP)
    if near.sum() < 64:
        return np.zeros(4)
    ys, xs = (np.flatnonzero(near) // near.shape[1], np.flatnonzero(near) % near.shape[1])
    v, u = gain * down[near] / q[0], gain * right[near] / q[2]
    columns = np.stack([v * (ys + 0.5), v, u * (xs + 0.5), u, warped[near], np.ones(len(v))], 1)
    normal = columns.T.astype(np.float64) @ columns
    normal[np.diag_indices(6)] *= 1 + 1e-4
    normal[np.diag_indices(6)] += 1e-6
    return np.asarray(np.linalg.solve(normal, columns.T @ error[near])[:4])


def offset(place: Placement, guess: Placement, reference: Array) -> tuple[list[float], list[float]]:
    """How a placement differs from a guess: shift of the middle in reference pixels, and scale, down and right."""
    high, wide = reference.shape[:2]
    down = (place.top + place.sy * high / 2 - guess.top - guess.sy * high / 2) / guess.sy
    right = (place.left + place.sx * wide / 2 - guess.left - guess.sx * wide / 2) / guess.sx
    return [down, right], [place.sy / guess.sy, place.sx / guess.sx]


def _bounded(place: Placement, guess: Placement, reference: Array) -> bool:
    shift, scale = offset(place, guess, reference)
    far = s.SLACK * s.SHIFT * max(reference.shape[:2])
    grown = s.SLACK * (max(s.SCALES) - 1)
    return max(map(abs, shift)) <= far and max(abs(x - 1) for x in scale) <= grown


def _snapped(place: Placement, guess: Placement, reference: Array) -> Placement:
    """The guess itself where the difference is within what refinement can tell."""
    shift, scale = offset(place, guess, reference)
    still = max(map(abs, shift)) <= s.SNAP[0] and max(abs(x - 1) for x in scale) <= s.SNAP[1]
    return guess if still else place
