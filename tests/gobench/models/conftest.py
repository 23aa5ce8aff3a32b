from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from gobench import registry
from gobench.types import Array


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a small model that is installed for the length of a test."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    table = registry.installed("models")
    monkeypatch.setitem(table, "tiny", EntryPoint("tiny", "tiny_models:Tiny", "gobench.models"))
    monkeypatch.setitem(table, "whole", EntryPoint("whole", "tiny_models:Argued", "gobench.models"))
    return "tiny"


@pytest.fixture
def prompt() -> Array:
    """Four clips of one frame, uint8 [4, 1, 16, 24, 3]."""
    return np.random.default_rng(0).integers(0, 200, (4, 1, 16, 24, 3), np.uint8)


@pytest.fixture
def seeds() -> npt.NDArray[np.uint64]:
    return np.arange(4, dtype=np.uint64)
