"""Drawing and reading boards at 256x256 beside matplotlib, Pillow and plain copying."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from harness import Row, row

from gobench.types import Array, Yuv
from gobench_go.video import read, render
from gobench_go.video.themes import Look, look

SIZE, LINES, PLIES = 256, 9, 64
CENTRES = [12 + 29 * k for k in range(LINES)]
COLOURS = ((255, 165, 0), (0, 0, 0), (255, 255, 255))
Work = Callable[[], int]
FRAMES = f"incremental frames {SIZE}x{SIZE}"
PLANES = f"incremental 4:2:0 planes {SIZE}x{SIZE}"


def boards() -> Array:
    """A random legal game of 64 frames, captures included."""
    from gobench_go.game import kernels
    from gobench_go.game.rules import named

    rules = named("benchmark")
    moves = kernels.random_game(rules, 7, PLIES - 1)
    return np.ascontiguousarray(kernels.replay(rules, None, moves).boards)


def matplotlib_frames(game: Array) -> Work:
    """The original's way: a figure a frame, from its published recipe."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    def frame(board: Array) -> Array:
        figure, axes = plt.subplots(figsize=(2.56, 2.56), dpi=100)
        figure.patch.set_facecolor("orange")
        for k in range(LINES):
            axes.plot([0, LINES - 1], [k, k], color="black", linewidth=1)
            axes.plot([k, k], [0, LINES - 1], color="black", linewidth=1)
        for value, colour in ((1, "black"), (2, "white")):
            rows, cols = np.nonzero(board == value)
            axes.scatter(cols, rows, s=380, color=colour, zorder=3)
        axes.invert_yaxis()
        axes.axis("off")
        figure.tight_layout()
        figure.subplots_adjust(0, 0, 1, 1)
        data = io.BytesIO()
        figure.savefig(data, format="raw", facecolor="orange")
        plt.close(figure)
        return np.frombuffer(data.getvalue(), np.uint8).reshape(SIZE, SIZE, 4)[..., :3]

    def work() -> int:
        for board in game[20:30]:
            frame(board)
        return 10

    return work


def pillow_frames(game: Array, scale: int) -> Work:
    """Every stone of every frame with ImageDraw, ``scale`` times larger and averaged down."""
    from PIL import Image, ImageDraw

    empty = Image.new("RGB", (SIZE * scale, SIZE * scale), COLOURS[0])
    lines = ImageDraw.Draw(empty)
    ends = CENTRES[0] * scale, CENTRES[-1] * scale
    for c in CENTRES:
        lines.line((ends[0], c * scale, ends[1], c * scale), fill=COLOURS[1], width=scale)
        lines.line((c * scale, ends[0], c * scale, ends[1]), fill=COLOURS[1], width=scale)

    def work() -> int:
        for board in game:
            picture = empty.copy()
            draw = ImageDraw.Draw(picture)
            for r, c in np.argwhere(board):
                y, x, d = CENTRES[r] * scale, CENTRES[c] * scale, 14 * scale
                draw.ellipse((x - d, y - d, x + d, y + d), fill=COLOURS[board[r, c]])
            np.asarray(picture.reduce(scale) if scale > 1 else picture)
        return len(game)

    return work


def copied(source: npt.NDArray[np.uint8], out: npt.NDArray[np.uint8], times: int) -> Work:
    """Copy one frame into every place of ``out``."""

    def work() -> int:
        for _ in range(times):
            for frame in out:
                frame[:] = source
        return times * len(out)

    return work


def drawn(drawing: Look, game: Array, out: Array, times: int) -> Work:
    def work() -> int:
        for _ in range(times):
            render.frames(drawing, game, out=out)
        return times * len(game)

    return work


def planes(drawing: Look, game: Array, times: int) -> tuple[Work, Work]:
    """Our planes, and copying planes."""
    out, one = (Yuv(*(np.empty_like(p) for p in render.yuv(drawing, game))) for _ in range(2))

    def ours() -> int:
        for _ in range(times):
            render.yuv(drawing, game, out=out)
        return times * len(game)

    def peer() -> int:
        for _ in range(times):
            for t in range(len(game)):
                for plane, source in zip(out, one, strict=True):
                    plane[t] = source[0]
        return times * len(game)

    return ours, peer


def seen(drawing: Look, pictures: Array) -> Work:
    def work() -> int:
        for _ in range(5):
            read.boards(drawing, pictures)
        return 5 * len(pictures)

    return work


def blobs(pictures: Array) -> Work:
    """The original's kind of reading: the pixels that changed since the frame before."""

    def work() -> int:
        for before, after in pairwise(pictures):
            changed = np.argwhere((before != after).any(-1))
            changed.mean(axis=0) if len(changed) else None
        return len(pictures) - 1

    return work


def rows() -> list[Row]:
    """What ``benchmarks/run.py`` prints."""
    game = boards()
    drawing, wood = look("videoworld", SIZE, LINES, LINES), look("wood", SIZE, LINES, LINES)
    out = np.empty((len(game), SIZE, SIZE, 3), np.uint8)
    ours = drawn(drawing, game, out, 100)
    copy = copied(render.board(drawing, game[-1]), out.copy(), 100)
    ours_yuv, copy_yuv = planes(drawing, game, 100)
    found = [
        row(FRAMES, "frames/s", ours, "matplotlib", matplotlib_frames(game), ">= 30,000/s, 2,000x", 3),
        row(FRAMES, "frames/s", ours, "Pillow, 4x supersampled", pillow_frames(game, 4), "", 3),
        row(FRAMES, "frames/s", ours, "Pillow, aliased, cached background", pillow_frames(game, 1)),
        row(FRAMES, "frames/s", ours, "copying a frame", copy, ">= 0.40", 9),
        row(PLANES, "frames/s", ours_yuv, "copying the planes", copy_yuv, ">= 0.40", 9),
    ]
    for each in (drawing, wood):
        frames = render.frames(each, game)
        what, peer = f"reading pictures, {each.theme}", "only the middle of what changed"
        found.append(row(what, "pictures/s", seen(each, frames), peer, blobs(frames), ">= 10,000/s"))
    return found


if __name__ == "__main__":
    from harness import table

    print(table(rows()))
