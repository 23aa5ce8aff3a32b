from fractions import Fraction

import numpy as np
import pytest

from gobench.loader.augment import INVERSE, drawn, transform
from gobench.loader.resize import resized
from gobench.loader.view import View

RNG = np.random.default_rng(0)


def test_eight_symmetries_are_eight_and_have_the_inverses_that_are_tabled() -> None:
    frames = RNG.integers(0, 256, (2, 6, 6, 3), np.uint8)
    shown = [transform(frames, k) for k in range(8)]
    assert len({s.tobytes() for s in shown}) == 8
    for k in range(8):
        assert np.array_equal(transform(shown[k], INVERSE[k]), frames)


def test_each_symmetry_does_what_the_table_says() -> None:
    frames = np.array([[[1, 2], [3, 4]]], np.uint8)
    told = {0: [[1, 2], [3, 4]], 1: [[2, 1], [4, 3]], 2: [[3, 4], [1, 2]], 3: [[4, 3], [2, 1]]}
    told |= {4: [[1, 3], [2, 4]], 5: [[3, 1], [4, 2]], 6: [[2, 4], [1, 3]], 7: [[4, 2], [3, 1]]}
    assert {k: transform(frames, k)[0].tolist() for k in range(8)} == told


def test_symmetries_of_planes_are_those_of_the_picture() -> None:
    from gobench.clips import rgb_to_yuv

    frames = RNG.integers(0, 256, (1, 8, 8, 3), np.uint8)
    for k in range(8):
        turned = rgb_to_yuv(np.ascontiguousarray(transform(frames, k)))
        for plane, direct in zip(rgb_to_yuv(frames), turned, strict=True):
            assert np.array_equal(transform(plane, k), direct)


def test_drawn_symmetries_follow_from_seed_epoch_and_clip() -> None:
    view = View(symmetry="dihedral", seed=5)
    first = [drawn(view, 0, clip) for clip in range(400)]
    assert first == [drawn(view, 0, clip) for clip in range(400)]
    assert first != [drawn(view, 1, clip) for clip in range(400)]
    assert set(first) == set(range(8))
    assert {drawn(View(symmetry="flips"), 0, clip) for clip in range(400)} == {0, 1, 2, 3}
    assert drawn(View(), 3, 3) == 0


def exact_area(frame: np.ndarray, height: int, width: int) -> list[list[int]]:
    """The definition, in fractions."""
    H, W = frame.shape

    def weights(old: int, new: int, o: int) -> list[Fraction]:
        low, high = Fraction(o * old, new), Fraction((o + 1) * old, new)
        return [max(Fraction(0), min(high, i + 1) - max(low, Fraction(i))) for i in range(old)]

    def mean(r: int, c: int) -> int:
        rows, cols = weights(H, height, r), weights(W, width, c)
        total = sum(rows[i] * cols[j] * int(frame[i, j]) for i in range(H) for j in range(W))
        return int(total / (sum(rows) * sum(cols)) + Fraction(1, 2))

    return [[mean(r, c) for c in range(width)] for r in range(height)]


@pytest.mark.parametrize("target", [(4, 4), (3, 5), (1, 1), (12, 9), (7, 8), (16, 16)])
def test_area_is_the_exact_mean_of_what_is_covered(target: tuple[int, int]) -> None:
    frames = RNG.integers(0, 256, (2, 8, 8, 3), np.uint8)
    small = resized(frames, *target)
    assert small.shape == (2, *target, 3)
    for c in range(3):
        assert small[1, :, :, c].tolist() == exact_area(frames[1, :, :, c], *target)


def test_area_keeps_flat_pictures_flat_and_planes_planar() -> None:
    assert (resized(np.full((1, 31, 17), 201, np.uint8), 10, 10) == 201).all()
    assert resized(np.zeros((3, 8, 6), np.uint8), 4, 3).shape == (3, 4, 3)


def test_area_of_large_frames_does_not_overflow() -> None:
    frames = np.full((1, 2100, 2100), 255, np.uint8)
    frames[0, :, 1050:] = 3
    assert resized(frames, 2, 2).tolist() == [[[255, 3], [255, 3]]]


def test_nearest_takes_pixels_that_exist() -> None:
    frames = RNG.integers(0, 256, (1, 8, 8, 3), np.uint8)
    assert np.array_equal(resized(frames, 4, 4, "nearest"), frames[:, 1::2, 1::2])
    assert np.array_equal(resized(frames, 16, 16, "nearest"), frames.repeat(2, 1).repeat(2, 2))
    assert resized(frames, 8, 8, "nearest") is frames
