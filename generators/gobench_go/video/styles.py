"""What every theme looks like, as data. Lengths are in pitches (from line to line), colours sRGB.

The theme ``videoworld`` is the look of the original benchmark: at 256 pixels on 9x9 it is pixel for pixel the
original (an atlas, see :mod:`.sprites`), elsewhere the same geometry scaled by our own rasteriser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Rgb: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Stone:
    """One colour of stones."""

    fill: Rgb
    edge: Rgb
    edge_width: float = 0.0
    shine: float = 0.0  # strength of the highlight towards the upper left, 0..1
    shade: float = 0.0  # darkening towards the lower right rim, 0..1
    mark: Rgb = (220, 40, 40)  # last-move mark on this stone


@dataclass(frozen=True, slots=True)
class Theme:
    """One row of the table: everything that decides a look except size and board."""

    name: str
    note: str
    board: Rgb
    line: Rgb
    black: Stone
    white: Stone
    label: Rgb
    radius: float = 0.47
    line_width: float = 0.05
    margin: float = 0.72  # from the outer line to the picture's edge
    grain: float = 0.0  # amplitude of the wood texture in grey levels
    shadow: float = 0.0  # darkness of the stones' shadow, 0..1
    star: float = 0.0  # radius of star points, 0 draws none
    mark_radius: float = 0.2
    mark_width: float = 0.0  # 0 draws a dot, else a ring of this width


_ORIGINAL = Theme(
    name="videoworld",
    note="the original benchmark: orange, black lines, flat stones, nothing else",
    board=(255, 165, 0),
    line=(0, 0, 0),
    black=Stone(fill=(0, 0, 0), edge=(0, 0, 0), mark=(255, 255, 255)),
    white=Stone(fill=(255, 255, 255), edge=(255, 255, 255), mark=(0, 0, 0)),
    label=(0, 0, 0),
    radius=14.2 / 29,
    line_width=1.389 / 29,
    margin=12 / 29,
)

_WOOD = Theme(
    name="wood",
    note="a wooden board with grain, star points, shaded stones and soft shadows",
    board=(221, 178, 108),
    line=(70, 46, 22),
    black=Stone(fill=(28, 28, 31), edge=(12, 12, 14), edge_width=0.03, shine=0.42, mark=(240, 240, 240)),
    white=Stone(fill=(246, 244, 238), edge=(176, 170, 158), edge_width=0.035, shade=0.26, mark=(40, 40, 40)),
    label=(84, 56, 28),
    line_width=0.042,
    grain=9.0,
    shadow=0.42,
    star=0.115,
    mark_radius=0.24,
    mark_width=0.07,
)

_PAPER = Theme(
    name="paper",
    note="a printed diagram: ink on paper",
    board=(250, 247, 238),
    line=(38, 36, 34),
    black=Stone(fill=(22, 21, 20), edge=(22, 21, 20), edge_width=0.05, mark=(250, 247, 238)),
    white=Stone(fill=(255, 255, 255), edge=(22, 21, 20), edge_width=0.065, mark=(22, 21, 20)),
    label=(60, 57, 53),
    radius=0.475,
    line_width=0.045,
    star=0.11,
    mark_radius=0.2,
    mark_width=0.07,
)

_DARK = Theme(
    name="dark",
    note="for dark pages: slate board, rimmed stones",
    board=(38, 43, 51),
    line=(104, 113, 127),
    black=Stone(fill=(8, 9, 11), edge=(128, 138, 153), edge_width=0.055, mark=(92, 200, 255)),
    white=Stone(fill=(226, 230, 236), edge=(245, 247, 250), edge_width=0.055, mark=(0, 98, 170)),
    label=(148, 158, 172),
    radius=0.46,
    line_width=0.045,
    star=0.105,
    mark_radius=0.17,
)

_CONTRAST = Theme(
    name="contrast",
    note="for low vision: saturated board, thick lines, stones rimmed in the other colour",
    board=(0, 104, 196),
    line=(255, 255, 255),
    black=Stone(fill=(0, 0, 0), edge=(255, 255, 255), edge_width=0.075, mark=(255, 221, 0)),
    white=Stone(fill=(255, 255, 255), edge=(0, 0, 0), edge_width=0.075, mark=(214, 0, 60)),
    label=(255, 255, 255),
    line_width=0.075,
    star=0.14,
    mark_radius=0.2,
)

THEMES: dict[str, Theme] = {t.name: t for t in (_ORIGINAL, _WOOD, _PAPER, _DARK, _CONTRAST)}
