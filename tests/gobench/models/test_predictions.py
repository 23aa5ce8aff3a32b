"""Ready-made answers: found by name or number, and named where they are broken."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gobench.clips import ArrayClip
from gobench.codec import codec
from gobench.errors import DataError, UsageError
from gobench.models.predictions import Predictions
from gobench.seeds import stream
from gobench.types import Array

TASK, FOLDER = "go9/next-move", "go9-next-move"
CLIP = stream(1).integers(0, 255, (3, 32, 48, 3)).astype(np.uint8)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "answers" / FOLDER).mkdir(parents=True)
    return tmp_path / "answers"


def ask(
    model: Predictions, sample: str = "a", n: int = 0, size: tuple[int, int] = (32, 48), **more: Any
) -> Array:
    prompt = np.zeros((1, 1, *size, 3), np.uint8)
    context = [{"id": sample, "task": TASK, "ask": 0, **more}]
    return model.generate(prompt, n, np.zeros(1, np.uint64), context)[0]


def png(frame: Array) -> bytes:
    data = io.BytesIO()
    Image.fromarray(frame).save(data, "PNG")
    return data.getvalue()


def npy(array: Any, **options: Any) -> bytes:
    data = io.BytesIO()
    np.save(data, array, **options)
    return data.getvalue()


def mp4(frames: Array) -> bytes:
    return codec("lossless").members(ArrayClip(frames))["mp4"]


def index(home: Path, *rows: dict[str, Any]) -> None:
    first = {"task": TASK, "size": [64, 64], "frames": 2}
    (home / "prompts.jsonl").write_text("".join(json.dumps(first | row) + "\n" for row in rows))


@pytest.mark.parametrize(
    ("suffix", "data", "frames"),
    [
        (".png", png(CLIP[0]), CLIP[:1]),
        (".npy", npy(CLIP), CLIP),
        (".npy", npy(CLIP[0]), CLIP[:1]),
        (".mp4", mp4(CLIP), CLIP),
    ],
)
def test_exact_files_come_back_exactly(home: Path, suffix: str, data: bytes, frames: Array) -> None:
    (home / FOLDER / f"a{suffix}").write_bytes(data)
    assert np.array_equal(ask(Predictions(str(home))), frames)


def test_webm_and_gif_are_read(home: Path) -> None:
    import av

    path = home / FOLDER / "a.webm"
    with av.open(str(path), "w") as container:
        track = container.add_stream("libvpx", rate=8)
        track.width, track.height, track.pix_fmt = 48, 32, "yuv420p"
        for frame in CLIP:
            container.mux(track.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(track.encode())
    pictures = [Image.fromarray(f) for f in CLIP]
    pictures[0].save(home / FOLDER / "b.gif", save_all=True, append_images=pictures[1:])
    model = Predictions(str(home))
    assert ask(model, "a").shape == CLIP.shape == ask(model, "b").shape


def test_a_folder_of_frames_is_read_in_order(home: Path) -> None:
    (home / FOLDER / "a").mkdir()
    for k in (2, 0, 1):
        (home / FOLDER / "a" / f"{k:03d}.png").write_bytes(png(CLIP[k]))
    assert np.array_equal(ask(Predictions(str(home))), CLIP)


def test_numbers_are_looked_up_in_the_index(home: Path) -> None:
    index(home, {"id": "a", "number": "00007"}, {"id": "b", "number": "00003"})
    (home / FOLDER / "00007.npy").write_bytes(npy(CLIP))
    model = Predictions(str(home))
    assert np.array_equal(ask(model, "a"), CLIP)
    assert len(ask(model, "b")) == 0
    assert model.frame_size == (64, 64) and model.max_frames == 2
    assert model.coverage(TASK, ["a", "b", "c"]) == {"found": 1, "missing": ["b", "c"]}


def test_numbered_answers_without_an_index_say_what_is_missing(home: Path) -> None:
    (home / FOLDER / "00000.mp4").write_bytes(mp4(CLIP))
    with pytest.raises(DataError, match=r"cp PROMPTS/prompts\.jsonl .*answers/prompts\.jsonl"):
        ask(Predictions(str(home)))


def test_later_asks_have_files_of_their_own(home: Path) -> None:
    (home / FOLDER / "a.npy").write_bytes(npy(CLIP))
    (home / FOLDER / "a.2.npy").write_bytes(npy(CLIP[:1]))
    model = Predictions(str(home))
    assert [len(ask(model, ask=k)) for k in range(4)] == [3, 0, 1, 0]


def test_a_missing_answer_is_no_frames(home: Path) -> None:
    assert ask(Predictions(str(home))).shape == (0, 32, 48, 3)
    assert ask(Predictions(str(home)), n=1).shape == (0, 32, 48, 3)


def test_exact_questions_want_exact_answers(home: Path) -> None:
    (home / FOLDER / "a.npy").write_bytes(npy(CLIP))
    model = Predictions(str(home))
    assert np.array_equal(ask(model, n=3), CLIP)
    with pytest.raises(DataError, match=r"a\.npy holds 3 frames of 32x48, but 1 of 32x48"):
        ask(model, n=1)
    with pytest.raises(DataError, match="zero-shot"):
        ask(model, n=3, size=(64, 64))


def test_samples_are_answered_together_whatever_their_shapes(home: Path) -> None:
    (home / FOLDER / "a.npy").write_bytes(npy(CLIP))
    (home / FOLDER / "b.npy").write_bytes(npy(CLIP[:1, :16]))
    context = [{"id": k, "task": TASK} for k in "abc"]
    prompt = np.zeros((3, 1, 32, 48, 3), np.uint8)
    found = Predictions(str(home)).generate(prompt, 0, np.zeros(3, np.uint64), context)
    assert [f.shape for f in found] == [(3, 32, 48, 3), (1, 16, 48, 3), (0, 32, 48, 3)]


BROKEN = {
    "a.png": b"<html>not found</html>",
    "b.mp4": mp4(CLIP)[:300],
    "c.npy": npy(np.array([{"a": 1}], object), allow_pickle=True),
    "d.npy": npy(CLIP.astype(np.float32)),
    "e.npy": npy(CLIP)[:500],
    "f.gif": b"",
    "g.webm": stream(3).integers(0, 255, 5000).astype(np.uint8).tobytes(),
    "h.npy": npy(CLIP[..., :1]),
    "i.png": png(CLIP[0])[:200],
    "j.npy": b"PK\x03\x04" + bytes(60),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named_with_what_to_do(home: Path, name: str) -> None:
    (home / FOLDER / name).write_bytes(BROKEN[name])
    with pytest.raises(DataError, match=rf"{FOLDER}/{name}: .* Replace it, or remove it"):
        ask(Predictions(str(home)), name[0])


def test_a_pickle_in_an_array_is_not_run(home: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "trapped"),)

    (home / FOLDER / "a.npy").write_bytes(npy(np.array([Trap()], object), allow_pickle=True))
    with pytest.raises(DataError, match="not uint8"):
        ask(Predictions(str(home)))
    assert not (tmp_path / "trapped").exists()


def test_a_picture_that_claims_to_be_huge_is_not_decoded(home: Path) -> None:
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">2I5B", 60000, 60000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )
    (home / FOLDER / "a.png").write_bytes(bomb)
    with pytest.raises(DataError, match=r"a\.png: (frames of 60000x60000|.* no readable PNG)"):
        ask(Predictions(str(home)))


def test_an_array_that_claims_to_be_huge_is_not_read(home: Path) -> None:
    head = npy(np.zeros((1, 1, 1, 3), np.uint8))
    data = head.replace(b"(1, 1, 1, 3)", b"(9999999, 9999999, 9999999, 3)")[: len(head) + 40]
    (home / FOLDER / "a.npy").write_bytes(data)
    with pytest.raises(DataError, match="9999999"):
        ask(Predictions(str(home)))


@pytest.mark.parametrize("what", ["file", "folder", "index", "frame"])
def test_links_that_lead_out_are_refused(home: Path, tmp_path: Path, what: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.png").write_bytes(png(CLIP[0]))
    (outside / "prompts.jsonl").write_text("{}\n")
    if what == "file":
        (home / FOLDER / "a.png").symlink_to(outside / "a.png")
    elif what == "folder":
        (home / FOLDER).rmdir()
        (home / FOLDER).symlink_to(outside)
    elif what == "frame":
        (home / FOLDER / "a").mkdir()
        (home / FOLDER / "a" / "000.png").symlink_to(outside / "a.png")
    else:
        (home / "prompts.jsonl").symlink_to(outside / "prompts.jsonl")
    with pytest.raises(DataError, match="is a link out of"):
        ask(Predictions(str(home)))


@pytest.mark.parametrize("sample", ["../outside/a", "/etc/passwd", "..", ""])
def test_names_do_not_lead_out(home: Path, tmp_path: Path, sample: str) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.png").write_bytes(png(CLIP[0]))
    assert len(ask(Predictions(str(home)), sample)) == 0


def test_two_answers_to_one_sample_are_refused(home: Path) -> None:
    (home / FOLDER / "a.png").write_bytes(png(CLIP[0]))
    (home / FOLDER / "a.npy").write_bytes(npy(CLIP))
    with pytest.raises(DataError, match="keep one"):
        ask(Predictions(str(home)))


def test_exported_prompts_are_not_taken_for_answers(home: Path) -> None:
    (home / "export.json").write_text('{"kind": "prompts"}')
    with pytest.raises(DataError, match="holds exported prompts, not answers"):
        Predictions(str(home))


def test_answers_for_another_protocol_are_refused_with_the_flags_to_give(home: Path) -> None:
    index(home, {"id": "a", "number": "00000", "suite": "go9-lite", "protocol": "zero-shot", "limit": None})
    model = Predictions(str(home))
    assert model.made_for == {"suite": "go9-lite", "protocol": "zero-shot"}
    model.begin({"task": TASK, "suite": "go9-lite", "protocol": "zero-shot"})
    for public in ({"suite": "go9-lite", "protocol": "standard"}, {"suite": "go9", "protocol": "zero-shot"}):
        with pytest.raises(UsageError, match="Add --suite go9-lite --protocol zero-shot"):
            model.begin({"task": TASK, **public})


def test_an_index_that_names_no_protocol_is_taken_for_any(home: Path) -> None:
    index(home, {"id": "a", "number": "00000"})
    model = Predictions(str(home))
    assert model.made_for is None
    model.begin({"task": TASK, "suite": "go9-lite", "protocol": "standard"})


def test_answers_to_several_suites_serve_each(home: Path) -> None:
    rows = [
        {"id": "a", "number": "00000", "suite": suite, "protocol": "zero-shot"} for suite in ("one", "two")
    ]
    index(home, *rows)
    model = Predictions(str(home))
    assert model.made_for is None
    model.begin({"suite": "two", "protocol": "zero-shot"})
    with pytest.raises(UsageError, match="asked for three"):
        model.begin({"suite": "three", "protocol": "zero-shot"})


def test_no_such_folder_and_a_broken_index_are_said(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        Predictions(str(tmp_path / "nowhere"))
    (home / "prompts.jsonl").write_text('{"task": "go9/next-move"}\n')
    with pytest.raises(DataError, match="line 1 has no 'id'"):
        Predictions(str(home))


def test_the_hash_is_that_of_names_and_contents(home: Path) -> None:
    first, second = home / FOLDER / "a.png", home / FOLDER / "b.png"
    first.write_bytes(png(CLIP[0]))
    second.write_bytes(png(CLIP[1]))
    before = Predictions(str(home)).weights_sha256
    (home / ".lock").touch()
    assert Predictions(str(home)).weights_sha256 == before
    first.write_bytes(png(CLIP[2]))
    changed = Predictions(str(home)).weights_sha256
    first.rename(home / FOLDER / "c.png")
    assert len({before, changed, Predictions(str(home)).weights_sha256}) == 3
