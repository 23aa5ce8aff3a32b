"""Looks: the table, sizes, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from gobench.errors import UsageError
from gobench_go.game import coords
from gobench_go.game.coords import COLUMNS
from gobench_go.video import geometry, sprites
from gobench_go.video.glyphs import GLYPHS
from gobench_go.video.styles import THEMES
from gobench_go.video.themes import look
from gobench_go.video.variation import Variation, vary


def test_the_original_is_in_the_table_among_others() -> None:
    assert set(THEMES) == {"videoworld", "wood", "paper", "dark", "contrast"}
    assert all(THEMES[name].name == name and THEMES[name].note for name in THEMES)


def test_centres_of_the_original() -> None:
    grid = look("videoworld", 256, 9, 9).grid
    assert grid.xs.tolist() == [12.5 + 29 * k for k in range(9)] == grid.ys.tolist()


def test_looks_are_kept_and_protected() -> None:
    assert look("paper", 100, 9, 9) is look("paper", 100, 9, 9, variation=-1)
    with pytest.raises(ValueError, match="read-only"):
        look("paper", 100, 9, 9).atlas[0, 0, 0, 0] = 1


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("size", "rows", "cols"), [(36, 9, 9), (80, 19, 19), (133, 5, 13), (300, 1, 2), (256, 7, 7)]
)
def test_states_differ_only_inside_the_boxes_of_their_points(
    theme: str, size: int, rows: int, cols: int
) -> None:
    drawn = look(theme, size, rows, cols, last_move=True)
    assert drawn.atlas.shape == (5, size, size, 3)
    inside = np.zeros((size, size), np.int32)
    for y0, y1, x0, x1 in drawn.boxes.reshape(-1, 4):
        assert y0 < y1 and x0 < x1
        inside[y0:y1, x0:x1] += 1
    assert inside.max() == 1
    assert (drawn.atlas[1:] == drawn.atlas[0])[:, inside == 0].all()


@pytest.mark.parametrize("size", [64, 200, 1024])
def test_the_original_is_scaled_as_drawn(size: int) -> None:
    """Averaged down to 36 pixels, every size of the theme is nearly the same picture."""
    from PIL import Image

    small = [
        np.asarray(
            Image.fromarray(look("videoworld", s, 9, 9).atlas[1]).resize((36, 36), Image.Resampling.BOX),
            float,
        )
        for s in (256, size)
    ]
    assert abs(small[0] - small[1]).mean() < 16


def test_our_rasteriser_is_near_the_original_where_both_draw() -> None:
    theme = THEMES["videoworld"]
    grid = geometry.grid(256, 9, 9, theme.margin)
    ours = sprites.atlas(theme, grid, 256, labels=False, marks=False, vary=Variation()).astype(int)
    apart = abs(ours - sprites.original())
    assert apart.max() <= 16
    assert apart.mean() < 0.5


def test_star_points_where_the_theme_has_them() -> None:
    stars = look("wood", 600, 9, 9).grid, look("wood", 600, 9, 9).atlas[0]
    y, x = int(stars[0].ys[2]), int(stars[0].xs[2])
    beside = stars[1][y - 4, x - 4].astype(int)
    assert beside.sum() < look("wood", 600, 9, 9).atlas[0][y - 15, x - 15].sum() - 100
    plain = look("videoworld", 600, 9, 9)
    assert plain.atlas[0][int(plain.grid.ys[2]) - 5, int(plain.grid.xs[2]) - 5].tolist() == [255, 165, 0]


@pytest.mark.parametrize(("rows", "cols"), [(13, 13), (19, 19), (13, 9)])
def test_pictures_have_the_stars_of_the_table(rows: int, cols: int) -> None:
    drawn = look("contrast", 600, rows, cols)
    reach = int(0.08 * drawn.grid.pitch)  # beside the lines, inside a star
    found = [
        (r, c)
        for r, y in enumerate(drawn.grid.ys)
        for c, x in enumerate(drawn.grid.xs)
        if (drawn.atlas[0][int(y) - reach, int(x) - reach] > 200).all()
    ]
    assert tuple(found) == coords.stars(rows, cols)


def test_every_label_has_a_glyph() -> None:
    assert set(COLUMNS) | set("0123456789") == set(GLYPHS)
    plain, labelled = look("paper", 400, 19, 19), look("paper", 400, 19, 19, coordinates=True)
    assert labelled.grid.pitch < plain.grid.pitch
    edge = labelled.atlas[0][:, : int(labelled.grid.xs[0] - labelled.grid.pitch / 2)]
    assert len(np.unique(edge.reshape(-1, 3), axis=0)) > 10


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("papyrus", 256, 9, 9), "Did you mean 'paper'"),
        (("wood", 35, 9, 9), "choose 36 to 1024"),
        (("wood", 1025, 9, 9), "choose 36 to 1024"),
        (("videoworld", 64, 19, 19), "choose 71 to 1024"),
        (("wood", 60, 9, 9, True), "with coordinates: choose 87 to 1024"),
        (("wood", 256, 20, 9), "1 to 19 lines"),
    ],
)
def test_what_is_refused_says_what_is_allowed(args: tuple[str, int, int, int], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        look(*args)


def test_the_least_size_named_works() -> None:
    for labels in (False, True):
        for theme in THEMES.values():
            margin = geometry.LABEL_MARGIN if labels else theme.margin
            assert look(theme.name, geometry.least_size(19, 19, margin), 19, 19, labels).rows == 19


@pytest.mark.parametrize("theme", THEMES)
def test_a_variation_follows_from_its_seed(theme: str) -> None:
    from gobench_go.video import themes

    first = themes._draw(theme, 96, 9, 9, False, True, 5).atlas
    again = themes._draw(theme, 96, 9, 9, False, True, 5).atlas
    other = look(theme, 96, 9, 9, last_move=True, variation=6).atlas
    plain = look(theme, 96, 9, 9, last_move=True).atlas
    assert (first == again).all()
    assert 2 < abs(first.astype(int) - plain).mean() < 60
    assert abs(first.astype(int) - other).mean() > 2


def test_variations_stay_in_their_ranges() -> None:
    from gobench_go.video.variation import RANGES

    for seed in range(50):
        v = vary(seed)
        assert all(abs(t - 1) <= RANGES["tint"] for t in v.tint) and abs(v.stone - 1) <= RANGES["stone"]
        assert 1 - RANGES["scale"] <= v.scale <= 1 and all(abs(s) <= RANGES["shift"] for s in v.shift)
        assert 0 <= v.noise <= RANGES["noise"] and np.hypot(*v.light) <= RANGES["light"]
        assert abs(v.jitter(9, 9)).max() <= RANGES["jitter"]
