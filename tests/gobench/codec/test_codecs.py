"""Every codec: round trips, windows, sizes, equal bytes, and clear errors for broken ones."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest

from gobench.clips import ArrayClip
from gobench.codec import CODECS, codec
from gobench.errors import DataError, UsageError
from gobench.types import Yuv

STORED = [name for name, c in CODECS.items() if not c.renders]
HALVING = ["h264", "h264-direct"]  # 4:2:0
MP4 = ["h264", "h264-direct", "lossless"]


def board(frames: int, height: int, width: int = 0, seed: int = 0) -> np.ndarray:
    """Discs that come and go on a ground with lines, one a frame; some frames are repeated."""
    rng = np.random.default_rng(seed)
    width = width or height
    picture = np.full((height, width, 3), (220, 170, 90), np.uint8)
    picture[::19] = picture[:, ::19] = (30, 20, 10)
    down, across = np.mgrid[:height, :width]
    clip = np.empty((frames, height, width, 3), np.uint8)
    for t in range(frames):
        clip[t] = picture
        if t % 5 != 4:
            y, x, tone = rng.integers(0, [height, width, 3])
            radius = max(1, min(height, width) // 18)
            picture[(down - y) ** 2 + (across - x) ** 2 <= radius**2] = 120 * tone
    return clip


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(1e-9, np.square(a.astype(float) - b).mean())))


@pytest.fixture(scope="module")
def clip() -> ArrayClip:
    return ArrayClip(board(30, 96))


@pytest.fixture(scope="module")
def encoded(clip) -> dict[str, dict[str, bytes]]:
    return {name: codec(name).members(clip) for name in STORED}


def check_fidelity(name: str, clip: ArrayClip, members: dict[str, bytes]) -> None:
    planes = codec(name).decode(members, form="yuv")
    if codec(name).exact:
        np.testing.assert_array_equal(codec(name).decode(members), clip.rgb())
    elif name == "h264-direct":
        for ours, given in zip(planes, clip.yuv(), strict=True):
            np.testing.assert_array_equal(ours, given)
    else:
        assert psnr(planes.y, clip.yuv().y) > 33


@pytest.mark.parametrize("name", STORED)
@pytest.mark.parametrize("size", [(36, 36), (100, 100), (250, 252), (2, 50), (48, 18), (16, 16)])
def test_even_sizes(name, size):
    clip = ArrayClip(board(4, *size))
    members = codec(name).members(clip)
    assert tuple(sorted(members)) == codec(name).suffixes
    assert codec(name).length(members) == 4
    assert codec(name).decode(members).shape == (4, *size, 3)
    check_fidelity(name, clip, members)


@pytest.mark.parametrize("size", [(35, 51), (1, 1), (1, 7)])
def test_odd_sizes(size):
    clip = ArrayClip(board(3, *size))
    for name in STORED:
        if name in HALVING:
            with pytest.raises(UsageError, match="lossless or png"):
                codec(name).check_size(*size)
            with pytest.raises(UsageError, match="choose an even size"):
                codec(name).members(clip)
        else:
            codec(name).check_size(*size)
            np.testing.assert_array_equal(codec(name).decode(codec(name).members(clip)), clip.rgb())


@pytest.mark.parametrize("name", STORED)
def test_one_frame(name):
    clip = ArrayClip(board(1, 64))
    members = codec(name).members(clip)
    assert codec(name).length(members) == 1
    check_fidelity(name, clip, members)


@pytest.mark.parametrize("name", STORED)
def test_long_clips_are_drawn_in_chunks(name, monkeypatch):
    clip = ArrayClip(board(600, 48))
    whole = codec(name).members(clip)
    check_fidelity(name, clip, whole)
    late = codec(name).decode(whole, 520, 600, 40)
    np.testing.assert_array_equal(late, codec(name).decode(whole)[520:600:40])
    monkeypatch.setattr("gobench.codec.contract.CHUNK_BYTES", 48 * 48 * 3 * 7)
    assert codec(name).members(clip) == whole


@pytest.mark.parametrize("name", STORED)
@pytest.mark.parametrize("form", ["rgb", "yuv"])
def test_windows(name, form, encoded):
    decode = codec(name).decode
    whole = decode(encoded[name], form=form)
    for window in [
        (0, 1, 1),
        (29, 30, 1),
        (3, 21, 4),
        (0, None, 7),
        (12, 99, 1),
        (-4, None, 1),
        (5, 5, 1),
        (40, 50, 1),
    ]:
        part = decode(encoded[name], *window, form=form)
        pairs = zip(part, whole, strict=True) if form == "yuv" else [(part, whole)]
        for ours, all_frames in pairs:
            np.testing.assert_array_equal(ours, all_frames[slice(*window)])


@pytest.mark.parametrize("name", STORED)
def test_bad_windows(name, encoded):
    with pytest.raises(UsageError, match="step"):
        codec(name).decode(encoded[name], step=0)
    with pytest.raises(UsageError, match="form"):
        codec(name).decode(encoded[name], form="bgr")


@pytest.mark.parametrize("name", STORED)
def test_last_frame_as_png(name, clip, encoded):
    from gobench.codec import pictures

    np.testing.assert_array_equal(pictures.decode(encoded[name]["png"]), clip.frames[-1])


def test_direct_stores_any_planes_exactly():
    """Zeros in a row need escapes; damage that says too much changes no byte."""
    rng = np.random.default_rng(1)
    sizes = [(40, 52), (20, 26), (20, 26)]

    class Planes:
        length, height, width, given = 12, 40, 52, True
        planes = Yuv(*(rng.choice(np.array([0, 0, 0, 1, 2, 3, 255], np.uint8), (12, *s)) for s in sizes))

        def yuv(self, start=0, stop=None, step=1):
            return Yuv(*(p[start:stop:step] for p in self.planes))

        def rgb(self, start=0, stop=None, step=1):
            return np.zeros((self.length, 40, 52, 3), np.uint8)[start:stop:step]

        def damage(self):
            return np.ones((12, 3, 4), bool)

    clip = Planes()
    check_fidelity("h264-direct", clip, codec("h264-direct").members(clip))
    board_clip = ArrayClip(board(9, 64))

    class Careless(ArrayClip):
        def damage(self):
            return np.ones((9, 4, 4), bool)

    assert codec("h264-direct").members(Careless(board_clip.frames)) == codec("h264-direct").members(
        board_clip
    )


def test_direct_skips_what_stands_still():
    still = ArrayClip(np.repeat(board(1, 128), 40, axis=0))
    one = len(codec("h264-direct").members(ArrayClip(still.frames[:1]))["mp4"])
    assert len(codec("h264-direct").members(still)["mp4"]) < one + 40 * 20


CHILD = """
import hashlib, json, sys
import numpy as np
from gobench.clips import ArrayClip
from gobench.codec import CODECS
clip = ArrayClip(np.load(sys.argv[1]))
digest = lambda members: {s: hashlib.sha256(b).hexdigest() for s, b in members.items()}
print(json.dumps({name: digest(codec.members(clip)) for name, codec in CODECS.items()}))
"""


def test_another_process_writes_the_same_bytes(clip, encoded, tmp_path):
    np.save(tmp_path / "clip.npy", clip.frames)
    run = subprocess.run(
        [sys.executable, "-c", CHILD, tmp_path / "clip.npy"], capture_output=True, text=True, check=True
    )
    ours = {n: {s: hashlib.sha256(b).hexdigest() for s, b in m.items()} for n, m in encoded.items()}
    assert json.loads(run.stdout) == {**ours, "moves": {}}


@pytest.mark.parametrize("name", STORED)
def test_broken_bytes(name, encoded):
    suffix = next(s for s in codec(name).suffixes if s != "png")
    good = encoded[name][suffix]
    rng = np.random.default_rng(0)
    garbage = rng.integers(0, 256, len(good), dtype=np.uint8).tobytes()
    for bad in [b"", b"x", good[:40], good[: len(good) // 2], good[:-1], garbage, b"<html>" * 50]:
        with pytest.raises(DataError):
            codec(name).decode({suffix: bad})
    for bad in [b"", garbage, good[:300]]:
        with pytest.raises(DataError):
            codec(name).length({suffix: bad})
    with pytest.raises(DataError, match=name):
        codec(name).decode({"json": b"{}"})


@pytest.mark.parametrize("name", STORED)
def test_flipped_bytes_never_raise_anything_else(name, encoded):
    suffix = next(s for s in codec(name).suffixes if s != "png")
    good = np.frombuffer(encoded[name][suffix], np.uint8)
    rng = np.random.default_rng(2)
    refused = 0
    for at in [*range(0, 900, 7), *rng.integers(0, len(good), 60)]:
        bad = good.copy()
        bad[at] ^= rng.integers(1, 256)
        try:
            codec(name).decode({suffix: bad.tobytes()})
        except DataError:
            refused += 1
    assert refused > 20


def test_streams_of_zeros_are_refused(encoded):
    for name in MP4:
        good = encoded[name]["mp4"]
        with pytest.raises(DataError, match=name):
            codec(name).decode({"mp4": good[:1500] + bytes(len(good) - 1500)})


def test_moves_store_nothing(clip):
    moves = codec("moves")
    assert moves.renders and moves.exact and moves.members(clip) == {} and moves.suffixes == ()
    moves.check_size(37, 41)
    with pytest.raises(UsageError, match="rendered from the record"):
        moves.decode({})
    with pytest.raises(UsageError, match="rendered from the record"):
        moves.length({})


def test_unknown_codec():
    with pytest.raises(UsageError, match=r"h264.*lossless.*moves.*png"):
        codec("av1")


def test_versions_name_the_encoder():
    versions = codec("h264").versions()
    assert versions["x264"].startswith("x264 - core ")
    assert set(versions) == {"av", "libavcodec", "x264", "zlib"}
    assert codec("moves").versions() == {}


def test_sizes_that_x264_refuses():
    blank = ArrayClip(np.zeros((1, 2, 40000, 3), np.uint8))
    with pytest.raises(UsageError, match="h264-direct, png or moves"):
        codec("h264").members(blank)


def test_frame_rates_out_of_range():
    with pytest.raises(UsageError, match="frames a second"):
        codec("h264-direct").members(ArrayClip(board(1, 16), fps=0))
