"""Videos of any size, rate and length are read back as the prompt's picture would show them."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from PIL import Image

from gobench.seeds import stream
from gobench.types import Array
from gobench.zeroshot import SETTINGS, Answer, read_answer
from gobench.zeroshot import settings as s

SIDE = 192


def board(stones: int, seed: int = 1, side: int = SIDE, lines: int = 9) -> Array:
    """A plain drawing of a grid with discs, uint8 [side, side, 3]."""
    picture = np.full((side, side, 3), (214, 176, 112), np.uint8)
    at = ((np.arange(lines) + 0.75) * side / (lines + 0.5)).astype(int)
    picture[at, at[0] : at[-1] + 1] = picture[at[0] : at[-1] + 1, at] = (60, 40, 20)
    y, x = np.mgrid[:side, :side]
    places = stream(seed, "places").permutation(lines * lines)[:stones]
    for k, place in enumerate(places):
        row, col = divmod(int(place), lines)
        disc = (y - at[row]) ** 2 + (x - at[col]) ** 2 <= (0.42 * side / lines) ** 2
        picture[disc] = (235, 235, 230) if k % 2 else (25, 25, 30)
    return picture


BEFORE, AFTER = board(20), board(21)


def fade(frames: int = 16, start: int = 4, over: int = 4) -> Array:
    """The new stone fades in over some frames, then stands."""
    part = np.clip((np.arange(frames) - start + 1) / over, 0, 1)[:, None, None, None]
    return np.rint(BEFORE * (1 - part) + AFTER * part).astype(np.uint8)


def resized(frames: Array, height: int, width: int) -> Array:
    return np.stack([np.asarray(Image.fromarray(f).resize((width, height))) for f in frames])


def contained(frames: Array, height: int, width: int, colour: int = 0, corner: bool = False) -> Array:
    scale = min(height / SIDE, width / SIDE)
    inner = resized(frames, round(SIDE * scale), round(SIDE * scale))
    out = np.full((len(frames), height, width, 3), colour, np.uint8)
    top, left = (0, 0) if corner else ((height - inner.shape[1]) // 2, (width - inner.shape[2]) // 2)
    out[:, top : top + inner.shape[1], left : left + inner.shape[2]] = inner
    return out


def covered(frames: Array, height: int, width: int) -> Array:
    scale = max(height / SIDE, width / SIDE)
    inner = resized(frames, round(SIDE * scale), round(SIDE * scale))
    top, left = (inner.shape[1] - height) // 2, (inner.shape[2] - width) // 2
    return inner[:, top : top + height, left : left + width]


def moved(frames: Array, down: float, right: float, scale: float = 1.0) -> Array:
    middle, k = SIDE / 2 * (1 - 1 / scale), 1 / scale
    how = (k, 0, middle - right * k, 0, k, middle - down * k)
    fill = tuple(int(v) for v in frames[0, 0, 0])
    return np.stack(
        [
            np.asarray(
                Image.fromarray(f).transform(
                    (SIDE, SIDE), Image.Transform.AFFINE, how, Image.Resampling.BICUBIC, fillcolor=fill
                )
            )
            for f in frames
        ]
    )


def compressed(frames: Array, quality: int = 60) -> Array:
    out = []
    for frame in frames:
        data = io.BytesIO()
        Image.fromarray(frame).save(data, "JPEG", quality=quality)
        out.append(np.asarray(Image.open(data)))
    return np.stack(out)


def through_h264(frames: Array) -> Array:
    from gobench.clips import ArrayClip
    from gobench.codec import codec

    found = codec("h264").decode(codec("h264").members(ArrayClip(frames)))
    assert isinstance(found, np.ndarray)
    return found


def coloured(frames: Array) -> Array:
    return np.clip(frames * [0.85, 0.95, 1.04] + [12, -6, 4], 0, 255).astype(np.uint8)


def noisy(frames: Array) -> Array:
    return np.clip(frames + stream(5).normal(0, 5, frames.shape), 0, 255).astype(np.uint8)


def flickering(frames: Array) -> Array:
    out = frames.copy()
    out[2], out[len(out) // 2] = 255 - out[2], 0
    return out


def error(answer: Answer, truth: Array = AFTER) -> float:
    """Mean difference to the truth in grey levels, on squares of 8 pixels, the worst square."""
    assert answer.settled is not None, answer.facts
    squares = [p.reshape(SIDE // 8, 8, SIDE // 8, 8, 3).mean((1, 3)) for p in (answer.settled, truth)]
    return float(np.abs(squares[0] - squares[1]).max())


CASES = {
    "as it is": (fade(), "stretch"),
    "one frame": (AFTER[None], "stretch"),
    "two frames": (np.stack([BEFORE, AFTER]), "stretch"),
    "fast": (fade(16, 12, 1), "stretch"),
    "slow": (fade(64, 4, 50), "stretch"),
    "stretched": (resized(fade(), 300, 533), "stretch"),
    "small": (resized(fade(), 128, 128), "stretch"),
    "bars": (contained(fade(), 240, 416), "contain"),
    "white bars above and below": (contained(fade(), 416, 240, 255), "contain"),
    "bars on one side": (contained(fade(), 240, 416, 90, corner=True), "corner"),
    "cut": (covered(fade(), 240, 256), "cover"),
    "shifted": (moved(fade(), 3, -2), "stretch"),
    "grown and shifted": (moved(fade(), -4, 3, 1.05), "stretch"),
    "shrunk": (moved(fade(), 0, 0, 0.95), "stretch"),
    "other colours": (coloured(fade()), "stretch"),
    "JPEG": (compressed(fade()), "stretch"),
    "H.264": (through_h264(fade()), "stretch"),
    "noise": (noisy(fade()), "stretch"),
    "flicker": (flickering(fade()), "stretch"),
    "everything": (compressed(coloured(contained(moved(fade(), 2, 2, 1.02), 240, 416)), 80), "contain"),
}
ROUGH = {"cut": 90.0}  # what was cut off may hold a part of the new stone
EXACT = ("as it is", "two frames", "fast", "slow", "flicker")


@pytest.mark.parametrize("name", CASES)
def test_the_right_answer_comes_back(name: str) -> None:
    frames, fit = CASES[name]
    answer = read_answer(frames, BEFORE)
    assert answer.facts["registered"] and answer.facts["fit"] == fit, answer.facts
    assert answer.facts["size"] == list(frames.shape[1:3]) and answer.facts["length"] == len(frames)
    assert answer.index == len(frames) - 1

    assert error(answer) < ROUGH.get(name, 45.0), answer.facts
    if name in EXACT:
        assert answer.settled is not None and np.array_equal(answer.settled, AFTER)


def test_the_shift_and_the_scale_are_told() -> None:
    facts = read_answer(moved(fade(), 3, -2, 1.04), BEFORE).facts
    assert facts["shift"] == pytest.approx([3, -2], abs=0.3)
    assert facts["scale"] == pytest.approx([1.04, 1.04], abs=0.004)


def test_the_colours_are_told() -> None:
    facts = read_answer(coloured(fade()), BEFORE).facts
    assert facts["gain"] == pytest.approx([1 / 0.85, 1 / 0.95, 1 / 1.04], abs=0.02)


def test_what_was_cut_off_counts_as_unchanged() -> None:
    answer = read_answer(covered(fade(), 128, 192), BEFORE)
    top, bottom, left, right = answer.facts["crop"]
    assert top == pytest.approx(32, abs=1) and bottom == pytest.approx(32, abs=1) and left == right == 0
    assert answer.settled is not None
    assert np.array_equal(answer.settled[:top], BEFORE[:top])
    assert np.array_equal(answer.settled[SIDE - bottom :], BEFORE[SIDE - bottom :])


def test_the_last_settled_frame_counts_not_the_last_one() -> None:
    still, storm = fade(12), board(3, seed=9)[None]
    answer = read_answer(np.concatenate([still, storm]), BEFORE)
    assert answer.index == 11 and answer.settled is not None and np.array_equal(answer.settled, AFTER)


def test_settled_frames_before_the_answer_are_steps() -> None:
    second = board(22)
    clip = np.concatenate([p[None].repeat(5, 0) for p in (BEFORE, AFTER, second)])
    answer = read_answer(clip, BEFORE)
    assert answer.facts["runs"] == 3 and answer.index == 14
    assert np.array_equal(answer.steps, np.stack([BEFORE, AFTER]))
    assert answer.settled is not None and np.array_equal(answer.settled, second)


def test_a_video_that_never_stands_still_has_no_answer() -> None:
    clip = np.stack([board(20, seed=k + 2) for k in range(8)])
    clip[0] = BEFORE
    answer = read_answer(clip, BEFORE)
    assert answer.settled is None and answer.index == -1 and answer.facts["why"] == "never-still"


def test_another_picture_is_not_registered() -> None:
    scene = stream(3).integers(0, 255, (6, 12, 20, 3)).astype(np.uint8)
    answer = read_answer(resized(scene, 240, 400), BEFORE)
    assert answer.settled is None and not answer.facts["registered"]
    assert answer.facts["why"] == "not-the-picture"


def test_a_black_or_flat_video_is_not_registered() -> None:
    for level in (0, 128, 255):
        answer = read_answer(np.full((8, 100, 100, 3), level, np.uint8), BEFORE)
        assert answer.settled is None and answer.facts["why"] == "not-the-picture"


def test_a_video_that_begins_in_black_is_registered_by_its_end() -> None:
    clip = fade()
    clip[:3] = 0
    answer = read_answer(clip, BEFORE)
    assert answer.facts["by"] == len(clip) - 1
    assert answer.settled is not None and error(answer) < 10


def test_no_frames_are_no_answer() -> None:
    answer = read_answer(np.empty((0, 64, 64, 3), np.uint8), BEFORE)
    assert answer.settled is None and answer.facts["why"] == "no-frames" and len(answer.steps) == 0


@pytest.mark.parametrize("shape", [(1, 1, 1, 3), (9, 2, 300, 3), (3, 5, 5, 3), (1, 1080, 1, 3)])
def test_strange_sizes_do_not_crash(shape: tuple[int, ...]) -> None:
    answer = read_answer(stream(2).integers(0, 255, shape).astype(np.uint8), BEFORE)
    assert answer.facts["size"] == list(shape[1:3])


def test_an_almost_empty_board_is_recognised_with_a_new_stone() -> None:
    first, empty = board(1), board(0)
    for clip in (first[None], contained(first[None].repeat(3, 0), 240, 416)):
        answer = read_answer(clip, empty)
        assert answer.settled is not None and error(answer, first) < 45, answer.facts


def test_reading_is_deterministic_and_leaves_its_input_alone() -> None:
    frames, reference = CASES["everything"][0].copy(), BEFORE.copy()
    a, b = read_answer(frames, reference), read_answer(frames, reference)
    assert a.facts == b.facts and a.settled is not None and np.array_equal(a.settled, b.settled)  # type: ignore[arg-type]
    assert np.array_equal(frames, CASES["everything"][0]) and np.array_equal(reference, BEFORE)


def test_reading_is_quick() -> None:
    frames = through_h264(fade())
    read_answer(frames, BEFORE)
    began = time.perf_counter()
    for _ in range(5):
        read_answer(frames, BEFORE)
    assert (time.perf_counter() - began) / 5 < 0.3  # 15 ms on a free core


def test_the_settings_are_the_numbers_of_the_table() -> None:
    named = {k.lower(): getattr(s, k) for k in dir(s) if k.isupper() and k != "SETTINGS"}
    named = {k: list(v) if isinstance(v, tuple) else v for k, v in named.items()}
    assert {k: v for k, v in SETTINGS.items() if k != "rule"} == named
