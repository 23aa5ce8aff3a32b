"""The table of all clips of a split: from the number of frames of each episode to (episode, first frame)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench.loader.view import View

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClipTable:
    """Clips numbered 0 .. clips-1, episode by episode, in 16 bytes an episode and none a clip.

    Attributes:
        counts: int64 [N], clips of each episode.
        offsets: int64 [N + 1], number of the first clip of each episode; the last is the number of clips.
        hop: frames between starts.
        skipped: episodes that are too short and left out.
        padded: episodes that are too short and padded.
    """

    counts: Ints
    offsets: Ints
    hop: int
    skipped: int
    padded: int

    @property
    def clips(self) -> int:
        """How many clips there are."""
        return int(self.offsets[-1])

    def locate(self, clip: int) -> tuple[int, int]:
        """(row of the episode, first frame) of a clip; 0 <= clip < clips, else IndexError."""
        if not 0 <= clip < self.clips:
            raise IndexError(f"clip {clip} is not among 0..{self.clips - 1}")
        row = int(np.searchsorted(self.offsets, clip, side="right")) - 1
        return row, (clip - int(self.offsets[row])) * self.hop


def clip_table(frames: npt.ArrayLike, view: View) -> ClipTable:
    """Count the clips of episodes with ``frames`` (ints [N], each >= 1).

    Raises:
        UsageError: not one clip: no episodes, or all are shorter than ``view.span`` and ``short`` is "skip".
    """
    lengths = np.asarray(frames, dtype=np.int64)
    short = lengths < view.span
    counts = np.where(short, 0, 1 + (lengths - view.span) // view.step)
    if view.short == "pad":
        counts[short & (lengths > 0)] = 1
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    if offsets[-1] == 0:
        raise UsageError(_nothing(lengths, view))
    left_out = int(np.count_nonzero(counts == 0))
    return ClipTable(counts, offsets, view.step, left_out, int(np.count_nonzero(short)) - left_out)


def _nothing(lengths: Ints, view: View) -> str:
    if not len(lengths):
        return "the split holds no episodes, so there are no clips."
    longest = int(lengths.max())
    fits = (longest - 1) // view.stride + 1
    return (
        f"a clip of {view.length} frames at stride {view.stride} spans {view.span} frames, but the longest "
        f"of {len(lengths)} episodes has {longest}: use length <= {fits}, a smaller stride, or short='pad'."
    )
