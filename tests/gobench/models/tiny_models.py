"""Small models for tests: an installed one with weights, and many that break the contract."""

from __future__ import annotations

import time
from typing import Any

import numpy as np


class Tiny:
    """Adds a learnt number to every value of the last frame."""

    frame_size = (16, 24)
    max_frames = 2

    def __init__(self, add: int) -> None:
        self.add = add

    @classmethod
    def from_checkpoint(
        cls, config: dict[str, Any], tensors: dict[str, Any], device: str, dtype: str
    ) -> Tiny:
        return cls(int(tensors["add"].item()) * config["times"])

    def generate(self, frames: Any, n: int, seeds: Any, context: Any = None) -> Any:
        return np.repeat(frames[:, -1:] + np.uint8(self.add), n, axis=1)


class Whole:
    """Keeps the contract; the base of those that do not."""

    frame_size = (16, 24)

    def generate(self, frames: Any, n: int, seeds: Any, context: Any = None) -> Any:
        return self.spoil(np.repeat(frames[:, -1:], n, axis=1))

    def spoil(self, answer: Any) -> Any:
        return answer


def spoiled(change: Any) -> Whole:
    """A model whose answers went through ``change``."""
    model = Whole()
    model.spoil = change  # type: ignore[method-assign]
    return model


class Hangs(Whole):
    def spoil(self, answer: Any) -> Any:
        time.sleep(30)
        return answer


class Raises(Whole):
    def spoil(self, answer: Any) -> Any:
        raise ZeroDivisionError("too few frames")


class Exits(Whole):
    def spoil(self, answer: Any) -> Any:
        raise SystemExit(3)


class NeedsMore:
    def __init__(self, path: str) -> None:
        raise OSError(f"no weights at {path}")

    def generate(self, *rest: Any) -> Any: ...


class Argued(Whole):
    """Takes an argument and a device."""

    def __init__(self, argument: str = "none", *, device: str = "?") -> None:
        self.argument, self.device = argument, device


class Mute:
    """No model at all."""
