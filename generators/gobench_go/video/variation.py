"""Seeded changes of a look, for asking whether a model has learnt the game or one picture of it.

A variation is still: it belongs to a look, not to a frame, so frames stay cheap to draw and to compress.
All of it follows from the seed alone. The ranges are the table ``RANGES``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gobench.seeds import seed64, stream
from gobench_go.video.styles import Rgb, Stone, Theme

RANGES = {
    "tint": 0.1,  # each channel of board, lines and labels, +- its share
    "stone": 0.05,  # brightness of stones, +- its share
    "light": 0.14,  # largest darkening or brightening at the picture's rim
    "scale": 0.02,  # +- size of the board
    "shift": 0.06,  # +- pitches, the board as a whole
    "jitter": 0.035,  # +- pitches, every stone on its own
    "noise": 5.0,  # largest standard deviation of the noise in grey levels
}


@dataclass(frozen=True, slots=True)
class Variation:
    """The drawn values; the default changes nothing. ``seed`` -1 is no variation."""

    seed: int = -1
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)  # gain of each channel
    stone: float = 1.0
    light: tuple[float, float] = (0.0, 0.0)  # gain per half picture, down and right
    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)  # pitches, down and right
    noise: float = 0.0
    grain_phase: float = 0.0

    def theme(self, theme: Theme) -> Theme:
        """The theme in this variation's colours."""
        if self.seed < 0:
            return theme
        return replace(
            theme,
            board=_scaled(theme.board, self.tint),
            line=_scaled(theme.line, self.tint),
            label=_scaled(theme.label, self.tint),
            black=self._stone(theme.black),
            white=self._stone(theme.white),
        )

    def _stone(self, stone: Stone) -> Stone:
        return replace(stone, fill=_scaled(stone.fill, (self.stone,) * 3))

    def jitter(self, rows: int, cols: int) -> npt.NDArray[np.float64]:
        """How far each stone lies from its point, float64 [2, R, C] in pitches (down, right)."""
        if self.seed < 0:
            return np.zeros((2, rows, cols))
        most = RANGES["jitter"]
        return stream(self.seed, "look", "jitter").uniform(-most, most, (2, rows, cols))

    def finish(self, size: int) -> Callable[[npt.NDArray[np.float32]], npt.NDArray[np.uint8]]:
        """A function that lights a picture, adds noise (the same for all states) and rounds it to uint8."""
        if self.seed < 0:
            return lambda picture: np.clip(np.rint(picture), 0, 255).astype(np.uint8)
        at = np.linspace(-1, 1, size, dtype=np.float32)
        gain = 1 + self.light[0] * at[:, None] + self.light[1] * at[None, :]
        noise = (
            stream(self.seed, "look", "noise").standard_normal((size, size, 3), dtype=np.float32) * self.noise
        )
        return lambda picture: np.clip(np.rint(picture * gain[..., None] + noise), 0, 255).astype(np.uint8)


def vary(seed: int | None) -> Variation:
    """Draw the variation of a seed (0 or more); None or -1 is the plain look."""
    if seed is None or seed < 0:
        return Variation()
    random = stream(seed, "look", "values")
    span = {key: random.uniform(-most, most, 3) for key, most in RANGES.items()}
    angle, strength = random.uniform(0, 2 * np.pi), random.uniform(0, RANGES["light"])
    return Variation(
        seed=seed,
        tint=(1 + float(span["tint"][0]), 1 + float(span["tint"][1]), 1 + float(span["tint"][2])),
        stone=1 + float(span["stone"][0]),
        light=(float(strength * np.sin(angle)), float(strength * np.cos(angle))),
        scale=1 - abs(float(span["scale"][0])),
        shift=(float(span["shift"][0]), float(span["shift"][1])),
        noise=abs(float(span["noise"][0])),
        grain_phase=seed64(seed, "look", "grain") % 6283 / 1000,
    )


def _scaled(colour: Rgb, gain: tuple[float, float, float]) -> Rgb:
    r, g, b = (min(round(c * d), 255) for c, d in zip(colour, gain, strict=True))
    return r, g, b
