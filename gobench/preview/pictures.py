"""The contact sheet and the GIF."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gobench.dataset import Dataset
from gobench.preview.sampling import moments
from gobench.types import Array, Domain

if TYPE_CHECKING:
    from PIL import Image

SHEET_CLIPS, SHEET_FRAMES, SHEET_CELL = 8, 8, 160
GIF_CLIPS, GIF_CELL, GIF_FRAMES, GIF_MS, GIF_COLORS = 6, 144, 72, 160, 64
GIF_NOISE = 24  # of 255: a smaller change of a pixel is not shown
GAP, CAPTION = 6, 20
PAPER, INK, FAINT = (250, 249, 246), (32, 32, 32), (120, 118, 112)


def sheet(data: Dataset, numbers: Sequence[int], domain: Domain | None = None) -> bytes:
    """PNG: a row a clip, eight moments each from the first frame to the last, with captions."""
    from PIL import Image, ImageDraw

    rows = [_strip(data, number, domain) for number in numbers]
    columns = max(len(cells) for _, cells in rows)
    width = GAP + columns * (SHEET_CELL + GAP)
    step = CAPTION + SHEET_CELL + GAP + CAPTION
    picture = Image.new("RGB", (width, GAP + len(rows) * step), PAPER)
    pen = ImageDraw.Draw(picture)
    for i, (title, cells) in enumerate(rows):
        top = GAP + i * step
        pen.text((GAP, top), title[: width // 7], fill=INK, font=_font(13))
        for j, (moment, cell) in enumerate(cells):
            left = GAP + j * (SHEET_CELL + GAP)
            picture.paste(cell, (left, top + CAPTION))
            pen.text((left, top + CAPTION + SHEET_CELL + 1), f"frame {moment}", fill=FAINT, font=_font(11))
    return _save(picture, "PNG", optimize=True)


def gif(data: Dataset, numbers: Sequence[int], domain: Domain | None = None) -> bytes:
    """GIF that plays some clips side by side; long ones are cut, short ones wait at their end."""
    from PIL import Image

    clips = [list(_small(data, number, domain)) for number in numbers]
    length = max(map(len, clips))
    frames = _steady(_mosaic([clip[min(t, len(clip) - 1)] for clip in clips]) for t in range(length))
    palette = _mosaic([clip[len(clip) * 2 // 3] for clip in clips]).quantize(GIF_COLORS)
    drawn = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    times = [GIF_MS] * (length - 1) + [12 * GIF_MS]
    return _save(
        drawn[0], "GIF", save_all=True, append_images=drawn[1:], duration=times, loop=0, optimize=True
    )


def _steady(frames: Iterable[Image.Image]) -> Iterator[Image.Image]:
    """The frames without the small noise of video coding: equal pixels are what makes a GIF small."""
    from PIL import Image

    shown: npt.NDArray[np.int16] | None = None
    for frame in frames:
        new = np.asarray(frame, np.int16)
        if shown is not None:
            still = np.abs(new - shown).max(axis=2, keepdims=True) <= GIF_NOISE
            new = np.where(still, shown, new)
        shown = new
        yield Image.fromarray(new.astype(np.uint8))


def fitted(frame: Array, side: int) -> Image.Image:
    """A frame as a picture that fits into a square of ``side`` pixels; whole factors are not blurred."""
    from PIL import Image

    height, width = frame.shape[:2]
    scale = side / max(height, width)
    how = Image.Resampling.NEAREST if scale >= 1 and scale == int(scale) else Image.Resampling.LANCZOS
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return Image.fromarray(np.ascontiguousarray(frame)).resize(size, how)


def _strip(data: Dataset, number: int, domain: Domain | None) -> tuple[str, list[tuple[int, Image.Image]]]:
    sample = data.read(number)
    record = sample.record()
    chosen = moments(int(record["frames"]), SHEET_FRAMES)
    cells = [(t, fitted(data.frames(sample, t, t + 1, domain=domain)[0], SHEET_CELL)) for t in chosen]
    return f"{sample.key}   {record['split']}   {record['frames']} frames", cells


def _small(data: Dataset, number: int, domain: Domain | None) -> Iterator[Image.Image]:
    sample = data.read(number)
    for frame in data.frames(sample, 0, GIF_FRAMES, domain=domain):
        yield fitted(frame, GIF_CELL)


def _mosaic(cells: Sequence[Image.Image]) -> Image.Image:
    from PIL import Image

    columns = min(3, len(cells))
    step = GIF_CELL + GAP
    size = (GAP + columns * step, GAP + -(-len(cells) // columns) * step)
    picture = Image.new("RGB", size, PAPER)
    for i, cell in enumerate(cells):
        picture.paste(cell, (GAP + i % columns * step, GAP + i // columns * step))
    return picture


def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _save(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()
