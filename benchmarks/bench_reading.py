"""How often ``read`` errs, by theme and by what happened to the picture; writes ``reading_errors.md``.

    python benchmarks/bench_reading.py [pictures]

A number is wrong points in a million, over random legal games on 9x9 at 256x256.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import bench_moves
import numpy as np

from gobench.seeds import stream
from gobench.types import Array
from gobench_go.video import read, render
from gobench_go.video.styles import THEMES
from gobench_go.video.themes import Look, look

SIZE, LINES, PLIES = 256, 9, 80
Wear = Callable[[Array], Array]
HERE = Path(__file__).resolve().parent


def boards(pictures: int) -> Array:
    """Positions of random legal games, uint8 [N, 9, 9]."""
    from gobench_go.game import kernels
    from gobench_go.game.rules import named

    rules = named("benchmark")
    games = range(-(-pictures // PLIES))
    moves = [kernels.random_game(rules, seed, PLIES - 1) for seed in games]
    return np.concatenate([kernels.replay(rules, None, m).boards for m in moves])[:pictures]


def jpeg(quality: int) -> Wear:
    def one(picture: Array) -> Array:
        from PIL import Image

        data = io.BytesIO()
        Image.fromarray(picture).save(data, "JPEG", quality=quality)
        return np.asarray(Image.open(data))

    return lambda frames: np.stack([one(frame) for frame in frames])


def h264(crf: int) -> Wear:
    """x264 veryfast at a constant quality, decoded to RGB by FFmpeg."""

    def wear(frames: Array) -> Array:
        import av

        data = io.BytesIO()
        with av.open(data, "w", format="mp4") as file:
            options = {"crf": str(crf), "preset": "veryfast"}
            track = file.add_stream("libx264", rate=Fraction(4), options=options)
            track.width, track.height, track.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
            for frame in frames:
                file.mux(track.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            file.mux(track.encode(None))
        data.seek(0)
        with av.open(data) as file:
            return np.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)])

    return wear


def blur(sigma: float) -> Wear:
    from PIL import Image, ImageFilter

    soft = ImageFilter.GaussianBlur(sigma)
    return lambda frames: np.stack([np.asarray(Image.fromarray(frame).filter(soft)) for frame in frames])


def noise(sigma: float) -> Wear:
    def wear(frames: Array) -> Array:
        grain = stream(0, "bench", "noise").normal(0, sigma, frames.shape)
        return np.clip(np.rint(frames + grain), 0, 255).astype(np.uint8)

    return wear


def half(frames: Array) -> Array:
    """Shown at half the size and enlarged again."""
    from PIL import Image

    def one(frame: Array) -> Array:
        small = Image.fromarray(frame).resize((SIZE // 2, SIZE // 2), Image.Resampling.BILINEAR)
        return np.asarray(small.resize((SIZE, SIZE), Image.Resampling.BILINEAR))

    return np.stack([one(frame) for frame in frames])


WEARS: dict[str, Wear] = {
    "clean": lambda frames: frames,
    "jpeg 90": jpeg(90),
    "jpeg 70": jpeg(70),
    "jpeg 50": jpeg(50),
    "jpeg 30": jpeg(30),
    "jpeg 10": jpeg(10),
    "h264 crf 18": h264(18),
    "h264 crf 28": h264(28),
    "h264 crf 35": h264(35),
    "h264 crf 45": h264(45),
    "blur sigma 2 px": blur(2),
    "blur sigma 4 px": blur(4),
    "noise sigma 20": noise(20),
    "noise sigma 50": noise(50),
    "half size": half,
}
VARIATIONS = range(40)
MOVES_WORN = ("clean", "jpeg 50", "h264 crf 28", "h264 crf 45", "blur sigma 4 px", "noise sigma 50")


def worn(drawing: Look, game: Array, wear: Wear) -> float:
    """Share of points read wrongly."""
    points, _ = read.boards(drawing, wear(render.frames(drawing, game)))
    return float((points != game).mean())


def varied(theme: str, game: Array, known: bool, wear: Wear) -> float:
    """Share of points read wrongly over random appearances, known to the reader or not."""
    errors = []
    for seed, part in zip(VARIATIONS, np.array_split(game, len(VARIATIONS)), strict=True):
        drawing = look(theme, SIZE, LINES, LINES, variation=seed)
        reader = drawing if known else look(theme, SIZE, LINES, LINES)
        points, _ = read.boards(reader, wear(render.frames(drawing, part)))
        errors.append((points != part).mean())
    return float(np.mean(errors))


def measure(pictures: int) -> dict[str, dict[str, float]]:
    """Kind -> theme -> share of points read wrongly."""
    game = boards(pictures)
    found = {
        kind: {t: worn(look(t, SIZE, LINES, LINES), game, wear) for t in THEMES}
        for kind, wear in WEARS.items()
    }
    for kind in ("clean", "jpeg 50", "h264 crf 28"):
        name = "variation, known" + ("" if kind == "clean" else f", {kind}")
        found[name] = {t: varied(t, game, True, WEARS[kind]) for t in THEMES}
    found["variation, unknown"] = {t: varied(t, game, False, WEARS["clean"]) for t in THEMES}
    return found


def table(found: dict[str, dict[str, float]], pictures: int) -> str:
    """The result as a markdown page."""
    head = f"""# Errors of reading

Wrong points in a million, {pictures:,} pictures a cell ({pictures * LINES * LINES:,} points), positions of
random legal games on 9x9 at 256x256. A dash is none. *Known* variation: the reader has the look that the
picture was drawn with, as it has for every record of a dataset; *unknown*: it has the plain theme.
Made by `benchmarks/bench_reading.py`.

| | {" | ".join(THEMES)} |
| --- |{" ---: |" * len(THEMES)}
"""
    lines = [
        f"| {kind} | {' | '.join(f'{rate * 1e6:,.0f}' if rate else '–' for rate in rates.values())} |"
        for kind, rates in found.items()
    ]
    return head + "\n".join(lines) + "\n"


def main(pictures: int) -> None:
    text = table(measure(pictures), pictures)
    for theme in ("videoworld", "paper"):
        text += bench_moves.page(theme, {name: WEARS[name] for name in MOVES_WORN}) + "\n"
    (HERE / "reading_errors.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 800)
