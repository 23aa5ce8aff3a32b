"""Any player as a video model: read the frames, choose, draw the next frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gobench.types import Array, Json, Record
from gobench_go.floors import seeing
from gobench_go.floors.seeing import Ints, Prompt
from gobench_go.game.kernels import coded
from gobench_go.game.rules import Rules
from gobench_go.video.render import frames as drawn

Seeds = npt.NDArray[np.uint64]
SIZE = 256  # pixels, unless a caller asks otherwise


class Player(Protocol):
    """Chooses moves."""

    kind: str  # "floor" or "ceiling"
    frames: int  # how many boards it looks at
    quick: bool  # whether it needs only boards that might come again (see ``seeing.boards``)

    def begin(self, public: Mapping[str, Json]) -> None:
        """A task starts; ``public`` is what it says of itself."""
        ...

    def choose(self, prompt: Prompt, seeds: Seeds) -> Ints:
        """A move for each prompt, int64 [N]; R*C or less than 0 leaves the board as it is."""
        ...


class FloorModel:
    """A player as ``gobench.types.VideoModel``. Its answer to a prompt follows from prompt, seed and side to move."""

    frame_size = (SIZE, SIZE)
    context_keys = ("to_move",)
    video_only = False
    domain = "go"

    def __init__(self, player: Player) -> None:
        self.player = player
        self.kind = player.kind
        self.max_frames = player.frames
        self.provenance: Record = dict(getattr(player, "provenance", {}))
        self._public: Record = {}

    def begin(self, public: Mapping[str, Json]) -> None:
        """Take in a task's public settings: board, rules, theme, judged set."""
        self._public = dict(public)
        self.player.begin(public)

    def generate(
        self,
        frames: Array,
        n: int,
        seeds: Seeds,
        context: Sequence[Mapping[str, Json]] | None = None,
    ) -> Array:
        """Play ``n`` plies from each prompt.

        Args:
            frames: uint8 [B, T, H, H, 3].
            n: frames to add, of plies by either side in turn.
            seeds: uint64 [B].
            context: "to_move" of each prompt, "black" or "white".

        Returns:
            uint8 [B, n, H, H, 3].

        Raises:
            DataError: the prompts are no pictures of a board.
        """
        scene = seeing.scene(self._public, frames)
        taken = frames[:, -self.player.frames :]
        shown = seeing.boards(scene.look, taken, self.player.quick)
        colors = seeing.movers(context, shown)
        answers = [np.empty((len(frames), 0, *frames.shape[2:]), np.uint8)]
        for ply in range(n):
            prompt = Prompt(scene.rules, shown[:, -self.player.frames :], colors)
            moves = self.player.choose(prompt, seeds + np.uint64(ply))
            after = board_after(scene.rules, shown[:, -1], moves, colors)
            shown, colors = np.concatenate([shown, after[:, None]], axis=1), 3 - colors
            pictures = drawn(scene.look, after.reshape(len(after), scene.rules.rows, scene.rules.cols))
            answers.append(pictures[:, None])
        return answers[1] if n == 1 else np.concatenate(answers, axis=1)


def board_after(rules: Rules, boards: Array, moves: Ints, colors: Ints) -> Array:
    """The boards uint8 [N, R*C] with each move's stone and without what it takes; see ``kernels.played``."""
    from gobench_go.floors import kernels

    after = np.array(boards, np.uint8, order="C")
    kernels.played(coded(rules), after, np.asarray(moves, np.int64), np.asarray(colors, np.int64))
    return after
