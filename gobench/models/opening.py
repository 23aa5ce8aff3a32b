"""Which of the forms a text has, and the model behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gobench import registry
from gobench.errors import ChildError, UsageError, unknown
from gobench.models import command, files, installed, python
from gobench.models.deadline import Caller, LateError, check_timeout
from gobench.models.describe import ModelInfo, describe
from gobench.models.loaded import Loaded

FORMS = {
    "file": "model.pt, or a folder with config.json and model.safetensors: weights with their description",
    "python": "package.module:Class or path/to/file.py:Class: a class with generate()",
    "installed": "the name of an installed model, with its argument: teacher:mcts:200",
    "cmd": "cmd:PROGRAM ARGS: a child process that speaks frames on stdin and stdout",
    "predictions": "predictions:DIR: frames made elsewhere, see gobench export-prompts",
}
METHOD = "generate"
LEAST_LOADING = 60.0  # seconds to load, however short an answer's deadline is
ENDINGS = (".pt", ".pth", ".ckpt", ".bin", ".safetensors")


def load(text: str, device: str = "cpu", dtype: str = "float32", timeout: float = 600.0) -> Loaded:
    """The model that a text names, ready to be asked.

    Args:
        text: one of ``FORMS``.
        device: a torch device, handed to models that take one.
        dtype: "float32", "bfloat16" or "float16", handed to models that take one.
        timeout: seconds that one answer may take; so may loading, and at least a minute.

    Raises:
        UsageError: no such timeout, form, name, class or program; or a model that declares what cannot be.
        DataError: a file that is no model, or not a whole one.
        ChildError: a ``cmd:`` program that does not come up, or a model that hangs while it loads.
    """
    check_timeout(timeout)
    form = form_of(text)
    if form == "cmd":  # has a deadline of its own, and dies with the thread that starts it
        return _loaded(*command.open_model(text, timeout), timeout)
    caller, limit = Caller(), max(timeout, LEAST_LOADING)
    try:
        model, info = caller.call(lambda: _open(form, text, device, dtype), limit)
    except LateError:
        raise ChildError(
            f"model {text!r} was not ready after {limit:g} s of loading: what it does when it is imported and made "
            "hangs, or takes long. With --timeout SECONDS it gets longer."
        ) from None
    return _loaded(model, info, timeout, caller)


def _open(form: str, text: str, device: str, dtype: str) -> tuple[Any, ModelInfo]:
    if form == "file":
        return files.open_model(Path(text), text, device, dtype)
    if form == "predictions":
        return _predictions(text)
    if form == "installed":
        return installed.open_model(text, device, dtype)
    return python.open_model(text, device, dtype)


def wrap(model: Any, text: str = "", timeout: float = 600.0) -> Loaded:
    """An object that is a model already, ready to be asked; ``text`` is how errors call it."""
    check_timeout(timeout)
    name = text or type(model).__name__
    return _loaded(model, describe(model, name, name, "python"), timeout)


def form_of(text: str) -> str:
    """The key of ``FORMS`` that a text has.

    Raises:
        UsageError: none; says which forms there are.
    """
    head, colon, rest = text.partition(":")
    if not text.strip():
        raise _no_form(text)
    if colon and head in ("cmd", "predictions"):
        return head
    if head in registry.installed("models"):
        return "installed"
    path = Path(text)
    if path.exists() or text.endswith(ENDINGS) or (not colon and "/" in text):
        return "file"
    if colon and head and rest:
        return "python"
    raise _no_form(text)


def _no_form(text: str) -> UsageError:
    known = registry.installed("models")
    forms = "".join(f"\n  {about}" for about in FORMS.values())
    return UsageError(f"{unknown('model', text, known)}\nOr name a model as one of:{forms}")


def _predictions(text: str) -> tuple[Any, ModelInfo]:
    from gobench.models.predictions import Predictions

    folder = text.partition(":")[2]
    if not folder:
        raise UsageError("predictions: needs a folder, as in predictions:runs/answers.")
    model = Predictions(folder)
    return model, describe(model, Path(folder).resolve().name, text, "predictions")


def _loaded(model: Any, info: ModelInfo, timeout: float, caller: Caller | None = None) -> Loaded:
    if not callable(getattr(model, METHOD, None)):
        raise UsageError(
            f"model {info.text!r} is {type(model).__name__}, which has no generate(frames, n, seeds, context): "
            "see VideoModel in gobench/types.py."
        )
    return Loaded(model, info, timeout, caller or Caller())
