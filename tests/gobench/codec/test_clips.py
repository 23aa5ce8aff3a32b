"""Clips in memory and the conversion between RGB and planes."""

import numpy as np
import pytest

from gobench.clips import ArrayClip, rgb_to_yuv, yuv_to_rgb
from gobench.errors import UsageError
from gobench.types import Yuv


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_planes_follow_the_formula():
    rgb = noise(3, 6, 8, 3)
    wide = rgb.astype(int)
    r, g, b = wide[..., 0], wide[..., 1], wide[..., 2]
    y, u, v = rgb_to_yuv(rgb)
    np.testing.assert_array_equal(y, ((66 * r + 129 * g + 25 * b + 128) >> 8) + 16)
    mean = (wide[:, ::2, ::2] + wide[:, 1::2, ::2] + wide[:, ::2, 1::2] + wide[:, 1::2, 1::2] + 2) >> 2
    r, g, b = mean[..., 0], mean[..., 1], mean[..., 2]
    np.testing.assert_array_equal(u, ((-38 * r - 74 * g + 112 * b + 128) >> 8) + 128)
    np.testing.assert_array_equal(v, ((112 * r - 94 * g - 18 * b + 128) >> 8) + 128)


def test_rgb_is_within_two_of_ffmpeg():
    import av

    planes = Yuv(noise(2, 64, 64), noise(2, 32, 32, seed=1), noise(2, 32, 32, seed=2))
    ours = yuv_to_rgb(planes)
    for t in range(2):
        packed = np.concatenate([p[t].ravel() for p in planes]).reshape(96, 64)
        theirs = av.VideoFrame.from_ndarray(packed, format="yuv420p").to_ndarray(format="rgb24")
        assert np.abs(ours[t].astype(int) - theirs).max() <= 2


def test_unchanged_rows_convert_like_changed_ones():
    frames = np.repeat(noise(1, 32, 32, 3), 5, axis=0)
    frames[2, 7, 9] ^= 255
    frames[3] = frames[0]
    together = rgb_to_yuv(frames)
    for t in range(5):
        for ours, alone in zip(together, rgb_to_yuv(frames[t : t + 1]), strict=True):
            np.testing.assert_array_equal(ours[t], alone[0])
        alone = yuv_to_rgb(Yuv(*(p[t : t + 1] for p in together)))
        np.testing.assert_array_equal(yuv_to_rgb(together)[t], alone[0])


def test_flat_colours_survive():
    colours = np.array([(0, 0, 0), (255, 255, 255), (255, 165, 0), (128, 128, 128)], np.uint8)
    frames = np.broadcast_to(colours[:, None, None], (4, 4, 4, 3))
    assert np.abs(yuv_to_rgb(rgb_to_yuv(frames)).astype(int) - frames).max() <= 2


def test_damage_is_where_frames_differ():
    frames = np.zeros((4, 50, 70, 3), np.uint8)
    frames[2, 49, 69, 2] = 1
    frames[3] = frames[2]
    frames[3, 0, 16, 0] = 9
    damage = ArrayClip(frames).damage()
    assert damage.shape == (4, 4, 5)
    assert damage[0].all()
    assert [np.argwhere(d).tolist() for d in damage[1:]] == [[], [[3, 4]], [[0, 1]]]


def test_clip_windows():
    clip = ArrayClip(noise(9, 4, 6, 3), fps=10)
    assert (clip.length, clip.height, clip.width, clip.fps) == (9, 4, 6, 10)
    np.testing.assert_array_equal(clip.rgb(1, 8, 3), clip.frames[1:8:3])
    for part, whole in zip(clip.yuv(1, 8, 3), clip.yuv(), strict=True):
        np.testing.assert_array_equal(part, whole[1:8:3])


@pytest.mark.parametrize(
    "bad", [np.zeros((2, 4, 4), np.uint8), np.zeros((2, 4, 4, 3)), np.zeros((0, 4, 4, 3), "u1")]
)
def test_other_arrays_are_refused(bad):
    with pytest.raises(UsageError, match="uint8"):
        ArrayClip(bad)


def test_odd_sizes_have_no_planes():
    with pytest.raises(UsageError, match="even"):
        ArrayClip(noise(1, 5, 4, 3)).yuv()
