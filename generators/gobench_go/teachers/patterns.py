"""3x3 shapes worth playing beside the last move, as one table over neighbourhood codes.

A shape is three rows around the point to play (``*``). ``X`` and ``O`` are the two colours, either of which
may be to move; ``.`` empty, ``#`` border, ``x`` anything but X, ``o`` anything but O, ``?`` anything. Every
shape stands for its rotations, reflections and colour swap.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from gobench_go.game.kernels_tables import neighbours

SHAPES = {
    "hane around a stone": ("XOX", ".*.", "???"),
    "hane from the side": ("XO.", ".*.", "?.?"),
    "hane, supported": ("XO?", "X*.", "x.?"),
    "shoulder": (".O.", "X*.", "..."),
    "cut": ("XO?", "O*o", "?o?"),
    "cut, against a stone": ("XO?", "O*X", "???"),
    "cut from above": ("?X?", "O*O", "ooo"),
    "knight's cut": ("OX?", "o*O", "???"),
    "edge: chase": ("X.?", "O*?", "###"),
    "edge: block a cut": ("OX?", "X*O", "###"),
    "edge: block": ("?X?", "x*O", "###"),
    "edge: descend": ("?XO", "x*x", "###"),
    "edge: cut": ("?OX", "X*O", "###"),
}

_ALLOWED = {".": (0,), "X": (1,), "O": (2,), "#": (3,), "x": (0, 2, 3), "o": (0, 1, 3)}
_SWAPPED = str.maketrans("XOxo", "OXox")
_CENTRE = 4


def _versions(shape: tuple[str, ...]) -> Iterator[str]:
    """The 16 forms of a shape as texts of 9."""
    for text in ("".join(shape), "".join(shape).translate(_SWAPPED)):
        grid = np.array(list(text)).reshape(3, 3)
        for turned in (np.rot90(g, k) for g in (grid, grid.T) for k in range(4)):
            yield "".join(turned.ravel())


def _table() -> npt.NDArray[np.bool_]:
    around = neighbours().T
    fitting = {k: [np.isin(side, colors) for side in around] for k, colors in _ALLOWED.items()}
    wanted = np.zeros(1 << 16, np.bool_)
    for text in sorted({version for shape in SHAPES.values() for version in _versions(shape)}):
        fits = np.ones(1 << 16, np.bool_)
        for place, letter in enumerate(text[:_CENTRE] + text[_CENTRE + 1 :]):
            if letter != "?":
                fits &= fitting[letter][place]
        wanted |= fits
    return wanted


SHAPED = _table()  # bool [65536], by neighbourhood code
