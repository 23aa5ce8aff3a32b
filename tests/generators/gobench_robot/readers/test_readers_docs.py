"""docs/robot-readers.md says what the tables in the code say, and its example runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gobench_robot.readers import READERS, REASONS, configured, options_of
from gobench_robot.readers.options import COMMON

PAGE = Path(__file__).parents[4] / "docs/robot-readers.md"
HEADS = {"calvin": "CALVIN", "rlbench": "RLBench", "lerobot": "LeRobot", "recorded": "Recordings"}


def rows(section: str) -> dict[str, str]:
    """First cell -> second cell of the tables of a section."""
    text = PAGE.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    assert text, section
    return dict(re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", text, re.M))


@pytest.mark.parametrize("name", READERS)
def test_every_option_stands_there_with_its_default(name: str) -> None:
    told = rows(HEADS[name])
    own = {key: option for key, option in options_of(name).items() if key not in COMMON}
    assert own.keys() <= told.keys()
    for key, option in own.items():
        assert (
            told[key].strip("`") == f"{option.default:g}"
            if key == "fps"
            else told[key] == f"`{option.default}`"
        )
    page = PAGE.read_text()
    assert all(f"`{word}`" in page for option in own.values() for word in option.allowed)
    assert configured(name, {}) == {key: option.default for key, option in options_of(name).items()}


def test_what_all_readers_share_stands_there() -> None:
    told = rows("Options of every reader")
    assert told.keys() == COMMON.keys()
    assert told["stride"] == "1" and told["max_frames"] == "0" and told["check"] == "`headers`"
    assert rows("What is not taken") == dict(REASONS)


def test_the_example_runs(tmp_path: Path, make_video: Callable[..., Path]) -> None:
    make_video(tmp_path / "DIR/a.mp4", 5)
    np.save(tmp_path / "DIR/a.actions.npy", np.zeros((4, 2)))
    code = PAGE.read_text().partition("## From Python")[2].partition("```python")[2].partition("```")[0]
    names: dict[str, np.ndarray] = {}
    exec(code.replace('"lerobot", "DIR"', f'"recorded", "{tmp_path}/DIR"'), names)
    assert names["frames"].shape == (3, 48, 64, 3)
