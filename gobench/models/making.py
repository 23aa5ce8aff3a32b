"""Make a model from a class or factory of others, and say whose fault it is if that fails."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from gobench.errors import GobenchError, UsageError
from gobench.models.loaded import last_words


def make(factory: Callable[..., Any], given: tuple[Any, ...], options: Mapping[str, Any], text: str) -> Any:
    """Call ``factory(*given)`` with those of ``options`` that it names as parameters.

    Raises:
        UsageError: it fails, with the last line of its traceback.
    """
    taken = {key: value for key, value in options.items() if key in parameters(factory)}
    try:
        return factory(*given, **taken)
    except GobenchError:
        raise
    except (Exception, SystemExit) as error:  # sys.exit() would end the benchmark without a word
        raise UsageError(f"model {text!r} could not be made: {last_words(error)}.") from error


def parameters(factory: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """The parameters of a callable, none where Python cannot tell."""
    try:
        return inspect.signature(factory).parameters
    except (TypeError, ValueError):
        return {}
