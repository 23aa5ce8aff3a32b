"""The floor of every suite."""

from __future__ import annotations

import numpy as np
import pytest

from gobench.errors import UsageError
from gobench.models import load
from gobench_floor.model import CopyFrame


def test_the_last_frame_is_repeated() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 2, 8, 8, 3), np.uint8)
    found = CopyFrame().generate(frames, 4, np.zeros(3, np.uint64))
    assert found.shape == (3, 4, 8, 8, 3) and (found == frames[:, -1:]).all()


def test_it_answers_nothing_where_nothing_is_asked() -> None:
    assert CopyFrame().generate(np.zeros((1, 1, 8, 8, 3), np.uint8), 0, np.zeros(1, np.uint64)).shape[1] == 0


def test_it_is_installed_and_sees_nothing_but_frames() -> None:
    info = load("copy-frame").info
    assert (info.kind, info.video_only, info.context_keys, info.max_frames) == ("floor", True, (), 1)
    with pytest.raises(UsageError, match="no argument"):
        load("copy-frame:2")
