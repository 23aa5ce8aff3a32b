"""Colours of an answer made those of the reference: a gain and an offset a channel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gobench.types import Array
from gobench.zeroshot import settings as s

Curves = npt.NDArray[np.float64]  # [3, 2]: gain and offset of red, green, blue
PLAIN: Curves = np.array([[1.0, 0.0]] * 3)
STRIDE = 2


def fit(taken: Array, reference: Array) -> Curves | None:
    """Gains and offsets that turn ``taken`` into ``reference`` (uint8 [H, W, 3]); None where they are out of bounds.

    Pixels that differ by more than CLIP after the fit (what was drawn anew) are left out and the rest fitted again.
    """
    pixels = taken[::STRIDE, ::STRIDE].reshape(-1, 3).astype(np.float64)
    wanted = reference[::STRIDE, ::STRIDE].reshape(-1, 3).astype(np.float64)
    curves = np.array([_channel(pixels[:, c], wanted[:, c]) for c in range(3)])
    inside = (curves[:, 0] >= s.GAIN[0]) & (curves[:, 0] <= s.GAIN[1]) & (np.abs(curves[:, 1]) <= s.OFFSET)
    return curves if inside.all() else None


def _channel(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> tuple[float, float]:
    gain, offset = 1.0, float(np.median(y) - np.median(x))
    for limit in (2 * s.CLIP, s.CLIP, s.CLIP / 2):
        near = np.abs(y - gain * x - offset) < limit
        if near.sum() < 16:
            break
        u, v = x[near], y[near]
        spread = float(u.std())
        gain = float(((u - u.mean()) * (v - v.mean())).mean()) / spread**2 if spread > s.SPREAD else 1.0
        offset = float(v.mean() - gain * u.mean())
    return gain, offset


def apply(picture: Array, curves: Curves) -> Array:
    """The picture uint8 [H, W, 3] with each channel through its curve."""
    if np.array_equal(curves, PLAIN):
        return picture
    levels = np.arange(256)[:, None] * curves[:, 0] + curves[:, 1]
    table = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return np.stack([table[picture[..., c], c] for c in range(3)], -1)
