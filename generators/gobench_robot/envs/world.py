"""What every simulated scene offers: episodes from a seed, steps of one frame, an expert, and poses that can be drawn.

    reset -> (step, success, proprio, pose) ... -> advance to a chain's next task -> ...

A **pose** is all that a picture follows from once an episode is begun; a **saved state** is all that the future follows
from. One step is one frame, 1/20 s: the action is held for it, so that what an expert did is what is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError

Floats = npt.NDArray[np.float64]


class World(Protocol):
    """One scene in one process. Reset with the same arguments it is the same, whatever went before, to the last bit."""

    action_names: Sequence[str]  # A names such as "dx"; every action lies in [-1, 1]
    proprio_names: Sequence[str]  # P names with units, such as "x (m)"
    cameras: Mapping[str, Any]  # "static" and "gripper" -> a camera of ``mujoco.Renderer.update_scene``
    model: Any  # mujoco.MjModel
    data: Any  # mujoco.MjData
    option: Any  # mujoco.MjvOption: what is drawn

    def reset(self, tasks: Sequence[str], seed: int, appearance: str = "A") -> None:
        """Begin an episode: ``tasks`` one after the other, the scene's layout from ``seed``.

        Raises UsageError for tasks of another scene, ones that cannot follow each other, or an unknown appearance.
        """
        ...

    @property
    def task(self) -> str:
        """The task at hand."""
        ...

    def advance(self) -> bool:
        """Go to the next task of the episode; False where there is none, and then nothing changes."""
        ...

    def step(self, action: npt.ArrayLike) -> None:
        """Hold an action, float [A] in [-1, 1], for one frame. Raises UsageError for any other."""
        ...

    def success(self) -> bool:
        """Whether the goal of the task at hand is reached now."""
        ...

    def proprio(self) -> Floats:
        """What the robot feels of itself, float64 [P]."""
        ...

    def expert(self) -> Floats:
        """The scripted expert's action now, float64 [A] in [-1, 1]: a function of the saved state alone."""
        ...

    def pose(self) -> Floats:
        """Float64 [S]."""
        ...

    def show(self, pose: Floats) -> None:
        """Set ``data`` (and what is drawn of ``model``) to a pose, ready to be drawn; ``load`` or ``reset`` before any step."""
        ...

    def save(self) -> Floats:
        """Float64 [N]: the future follows from it and the arguments of ``reset`` alone."""
        ...

    def load(self, saved: Floats) -> None:
        """Go back to a saved state of the same episode."""
        ...


def checked(action: npt.ArrayLike, names: Sequence[str]) -> Floats:
    """An action as float64 [A]; raises UsageError that says what is wrong with it."""
    try:
        values = np.asarray(action, np.float64)
    except (TypeError, ValueError):
        raise UsageError(
            f"an action is {len(names)} numbers ({', '.join(names)}), not {action!r:.100}."
        ) from None
    if values.shape != (len(names),):
        raise UsageError(
            f"an action has the shape [{len(names)}] ({', '.join(names)}), not {list(values.shape)}."
        )
    if not (np.abs(values) <= 1).all():  # false for NaN too
        wrong = int(np.argmin(np.abs(values) <= 1))
        raise UsageError(f"action {names[wrong]} is {values[wrong]}; allowed is a number from -1 to 1.")
    return values
