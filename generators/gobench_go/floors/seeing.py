"""What a floor knows of a task, and the boards that it sees in a prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gobench.errors import DataError
from gobench.types import Array, Json
from gobench_go.game.position import BLACK, WHITE
from gobench_go.game.rules import Rules, named
from gobench_go.video import read
from gobench_go.video.themes import Look, look

RULES = "benchmark"  # where no task says which
COLORS = {"black": BLACK, "white": WHITE}
Ints = npt.NDArray[np.int64]


class Scene(NamedTuple):
    """How prompts are drawn, and the game's rules."""

    look: Look
    rules: Rules


class Prompt(NamedTuple):
    """What N prompts of T frames show."""

    rules: Rules
    boards: Array  # uint8 [N, T, R*C], oldest first
    colors: Ints  # int64 [N], who is to move


def scene(public: Mapping[str, Json], frames: Array) -> Scene:
    """The scene that a task describes, or the one that the first prompt shows.

    Args:
        public: what ``begin`` was told; {} where it was not called.
        frames: uint8 [N, T, H, W, 3].

    Raises:
        DataError: frames that are not square, or show no board of a known look.
    """
    if frames.ndim != 5 or frames.shape[2] != frames.shape[3] or not frames.shape[1]:
        raise DataError(f"floors of Go see square frames uint8 [N, T, H, H, 3], not {list(frames.shape)}.")
    if "rows" in public:
        rules = named(public.get("rules", RULES), public["rows"], public["cols"], public.get("komi"))
        return Scene(look(public["theme"], frames.shape[2], rules.rows, rules.cols), rules)
    seen = read.detect(frames[0, -1])
    return Scene(seen.look, named(RULES, seen.look.rows, seen.look.cols))


def boards(seen: Look, frames: Array, quick: bool = False) -> Array:
    """The boards in frames uint8 [N, T, H, W, 3], as uint8 [N, T, R*C].

    Args:
        quick: leave out boards that cannot come again. Where the last board has a stone more than the first for each
            ply between, nothing was taken, and no move brings back an earlier board: those between become copies of the last.
    """
    n, shown = frames.shape[:2]
    found = np.empty((n, shown, seen.rows * seen.cols), np.uint8)
    whole = list(range(shown)) if not quick or shown < 3 else [0, shown - 1]
    for t in whole:
        found[:, t] = _read(seen, frames[:, t])
    if len(whole) == shown:
        return found
    found[:, 1:-1] = found[:, -1:]
    stones = np.count_nonzero(found[:, [0, -1]], axis=2)
    for i in np.flatnonzero(stones[:, 1] - stones[:, 0] != shown - 1).tolist():
        found[i, 1:-1] = _read(seen, frames[i, 1:-1])
    return found


def _read(seen: Look, pictures: Array) -> Array:
    return read.boards(seen, pictures)[0].reshape(len(pictures), -1)


def movers(context: Sequence[Mapping[str, Json]] | None, shown: Array) -> Ints:
    """Who is to move in each prompt, int64 [N]: as the context says, else as the boards uint8 [N, T, R*C] suggest.

    Without a word it is the other side than the one whose stone came last, and in turn for each frame since; where no
    stone came, Black while both have as many stones.
    """
    told = [None] * len(shown) if context is None else [row.get("to_move") for row in context]
    found = [COLORS.get(str(word)) or _guess(board) for word, board in zip(told, shown, strict=True)]
    return np.array(found, np.int64)


def _guess(shown: Array) -> int:
    for since in range(len(shown) - 1):
        before, after = shown[-2 - since], shown[-1 - since]
        new = after[(after != 0) & (before == 0)]
        if len(new) == 1:
            return int(new[0]) if since % 2 else 3 - int(new[0])
    return BLACK if np.count_nonzero(shown[-1] == BLACK) <= np.count_nonzero(shown[-1] == WHITE) else WHITE
