"""The files are what other programs expect: PyAV's own demuxer, dates, index first, tags."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from gobench.clips import ArrayClip
from gobench.codec import codec, mp4
from gobench.errors import DataError


def drift(frames: int = 40) -> np.ndarray:
    """A ground that slides under a texture: x264 uses B-frames for it."""
    rng = np.random.default_rng(3)
    wide = np.kron(rng.integers(0, 256, (8, 40, 3)), np.ones((8, 8, 1), int)).astype(np.uint8)
    return np.stack([wide[:, t * 2 : t * 2 + 64] for t in range(frames)])


@pytest.fixture(scope="module", params=["h264", "h264-direct", "lossless"])
def file(request) -> tuple[str, bytes]:
    return request.param, codec(request.param).members(ArrayClip(drift(), fps=10))["mp4"]


def test_other_readers_agree(file):
    name, data = file
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        assert (stream.frames, stream.average_rate, stream.width, stream.height) == (40, 10, 64, 64)
        assert container.duration == 4_000_000
        assert "creation_time" not in {**container.metadata, **stream.metadata}
        frames = list(container.decode(stream))
    assert [f.time for f in frames] == pytest.approx([t / 10 for t in range(40)])
    if name == "lossless":
        theirs = np.stack([f.to_ndarray(format="rgb24") for f in frames])
        np.testing.assert_array_equal(codec(name).decode({"mp4": data}), theirs)
    else:
        theirs = np.stack([f.to_ndarray()[:64] for f in frames])
        np.testing.assert_array_equal(codec(name).decode({"mp4": data}, form="yuv").y, theirs)
        assert {(int(f.colorspace), int(f.color_range)) for f in frames} == {(6, 1)}  # BT.601, limited


def test_seeking_in_other_readers(file):
    _, data = file
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        container.seek(int(Fraction(25, 10) / stream.time_base), stream=stream)
        times = [frame.time for frame in container.decode(stream)]
    assert times[0] <= 2.5 and 2.5 in times


def test_index_comes_first(file):
    _, data = file
    assert data[4:8] == b"ftyp" and 0 < data.index(b"moov") < data.index(b"mdat")
    assert b"x264" not in data and b"Lavf" not in data


def test_reads_what_it_writes(file):
    track = mp4.read(file[1])
    assert mp4.write(track) == file[1]
    assert track.fps == 10 and track.keys[0] == 0


def test_display_order_survives():
    track = mp4.read(codec("h264").members(ArrayClip(drift()))["mp4"])
    assert list(track.shown) != sorted(track.shown)  # else this clip tests nothing


@pytest.mark.parametrize("bad", [b"", b"RIFF" * 20, b"\0\0\0\x08ftyp", b"\0\0\0\x08moov" * 5000])
def test_foreign_files(bad):
    with pytest.raises(DataError, match="mp4"):
        mp4.read(bad)


def test_deep_nesting():
    nest = b""
    for _ in range(3000):
        nest = (8 + len(nest)).to_bytes(4, "big") + b"moov" + nest
    with pytest.raises(DataError):
        mp4.read(b"\0\0\0\x08ftyp" + nest)
