"""Models by installed name: ``copy-frame``, ``teacher:mcts:200``."""

from __future__ import annotations

import inspect
from typing import Any

from gobench import registry
from gobench.errors import GobenchError, UsageError
from gobench.models.describe import ModelInfo, describe
from gobench.models.loaded import last_words
from gobench.models.making import make


def open_model(text: str, device: str, dtype: str) -> tuple[Any, ModelInfo]:
    """The installed model before the first colon, made with what follows it.

    Raises:
        UsageError: an unknown name, one that does not import, or an argument it does not take.
    """
    name, _, argument = text.partition(":")
    factory = _factory(name, text)
    model = make(factory, (argument,), {"device": device, "dtype": dtype}, text)
    return model, describe(model, text, text, "installed")


def _factory(name: str, text: str) -> Any:
    try:
        return registry.load("models", name)
    except GobenchError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(f"model {text!r} is installed but does not import: {last_words(error)}.") from error


def about(name: str) -> str:
    """One line about an installed model: the first of its documentation, or why it cannot be loaded."""
    try:
        text = inspect.getdoc(_factory(name, name))
    except UsageError as error:
        return f"(broken) {error}"
    return (text or "").partition("\n")[0]
