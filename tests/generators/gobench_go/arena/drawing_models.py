"""Models for tests of playing: each reads its prompt and draws something that a player has to deal with."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gobench_go.video import read, render
from gobench_go.video.themes import look

BOARD = 5


class Drawing:
    """Draws the board after the stones that ``stones`` names."""

    kind = "state"
    frame_size = (96, 96)
    max_frames = 3
    context_keys = ("to_move", "ask")

    def stones(self, board: np.ndarray, ask: int, color: int) -> Sequence[tuple[int, int]]:
        """(point, colour) pairs to draw on a board uint8 [25] for the ask-th time."""
        return ((int(np.flatnonzero(board == 0)[0]), color),)

    def generate(
        self, frames: np.ndarray, n: int, seeds: np.ndarray, context: Sequence[Mapping[str, Any]]
    ) -> np.ndarray:
        assert n == 1 and frames.shape[2:4] == self.frame_size
        seen = look("videoworld", 96, BOARD, BOARD)
        board = read.boards(seen, frames[0, -1:])[0].reshape(-1).copy()
        color = 1 if context[0]["to_move"] == "black" else 2
        for point, stone in self.stones(board.copy(), context[0]["ask"], color):
            board[point] = stone
        return render.frames(seen, board.reshape(1, BOARD, BOARD))[None]


class FirstEmpty(Drawing):
    """The first empty point."""


class ThirdTime(Drawing):
    """Two stones, then one of the other colour, then a legal move."""

    def stones(self, board: np.ndarray, ask: int, color: int) -> Sequence[tuple[int, int]]:
        a, b = np.flatnonzero(board == 0)[:2].tolist()
        return (((a, color), (b, color)), ((a, 3 - color),), ((a, color),))[min(ask, 2)]


class Corner(Drawing):
    """Always the corner at the top left, even where that is suicide or a stone stands there."""

    def stones(self, board: np.ndarray, ask: int, color: int) -> Sequence[tuple[int, int]]:
        return ((0, color),)


class Noise:
    """Draws no board."""

    frame_size = (96, 96)

    def generate(self, frames: np.ndarray, n: int, seeds: np.ndarray, context: object) -> np.ndarray:
        return np.random.default_rng(int(seeds[0])).integers(0, 256, (1, 1, 96, 96, 3)).astype(np.uint8)


class Slow(Noise):
    """Answers too late."""

    def generate(self, frames: np.ndarray, n: int, seeds: np.ndarray, context: object) -> np.ndarray:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            time.sleep(0.01)
        return frames


class Tired(Noise):
    """Each answer takes most of the time that a move has."""

    def generate(self, frames: np.ndarray, n: int, seeds: np.ndarray, context: object) -> np.ndarray:
        time.sleep(0.15)
        return super().generate(frames, n, seeds, context)


class Hurrying(ThirdTime):
    """Its first answers are none, and the legal one comes after its time for a move."""

    def generate(
        self, frames: np.ndarray, n: int, seeds: np.ndarray, context: Sequence[Mapping[str, Any]]
    ) -> np.ndarray:
        time.sleep(0.18)
        return super().generate(frames, n, seeds, context)


class Raising(Noise):
    """Fails in the middle of a game, and says so on stdout."""

    def generate(self, frames: np.ndarray, n: int, seeds: np.ndarray, context: object) -> np.ndarray:
        print("about to fail")
        raise ValueError("no such luck")


class Misshapen(Noise):
    """Answers with half a picture."""

    def generate(self, frames: np.ndarray, n: int, seeds: np.ndarray, context: object) -> np.ndarray:
        return np.zeros((1, 1, 48, 96, 3), np.uint8)


class Wide(Noise):
    """Wants pictures that no board is drawn in."""

    frame_size = (96, 128)


class Tiny(Noise):
    """Wants pictures in which a large board has no room."""

    frame_size = (36, 36)
