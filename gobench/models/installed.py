"""Models by installed name: ``copy-frame``, ``teacher:mcts:200``."""

from __future__ import annotations

import inspect
from typing import Any

from gobench import registry
from gobench.errors import UsageError
from gobench.models.describe import ModelInfo, describe
from gobench.models.making import make


def open_model(text: str, device: str, dtype: str) -> tuple[Any, ModelInfo]:
    """The installed model before the first colon, made with what follows it.

    Raises:
        UsageError: an unknown name, one that does not import, or an argument it does not take.
    """
    name, _, argument = text.partition(":")
    factory = registry.load("models", name)
    model = make(factory, (argument,), {"device": device, "dtype": dtype}, text)
    return model, describe(model, text, text, "installed")


def about(name: str) -> str:
    """One line about an installed model: the first of its documentation, or why it cannot be loaded."""
    try:
        text = inspect.getdoc(registry.load("models", name))
    except UsageError as error:
        return f"(broken) {error}"
    return (text or "").partition("\n")[0]
