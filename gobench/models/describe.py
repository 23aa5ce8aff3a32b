"""What a model says of itself, with defaults for what it leaves out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

from gobench.canonical import dumps
from gobench.errors import GobenchError, UsageError
from gobench.tasks import MOST_FRAMES
from gobench.types import Json, Record

KINDS = {
    "video": "continues the video itself",
    "state": "reads the prompt with the benchmark's reader, and draws its answer",
    "floor": "knows nothing; what a useful model must beat",
    "ceiling": "knows more than a video tells; what no model is expected to beat",
}
HEX = re.compile("[0-9a-f]{64}")
DEFAULT_SIZE = (256, 256)
SIZES = (8, 4096)  # pixels, least and most


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model as results describe it."""

    name: str  # for tables
    text: str  # the string it was loaded by
    form: str = "python"  # a key of gobench.models.FORMS
    kind: str = "video"  # a key of KINDS
    video_only: bool = True  # sees and says nothing but frames
    frame_size: tuple[int, int] = DEFAULT_SIZE  # height, width in pixels
    max_frames: int = 1  # the longest prompt it takes, 1 to tasks.MOST_FRAMES
    context_keys: tuple[str, ...] = ()  # what it reads of the context
    any_length: bool = False  # may be asked for n = 0: as many frames as it likes
    parameters: int | None = None
    weights_sha256: str | None = None  # of config and tensors, see gobench.models.weights
    code_sha256: str | None = None  # of the file with its class or program, where there is one
    provenance: Record = field(default_factory=dict)  # plain data: trained_on, ...

    def to_json(self) -> Record:
        """The same as plain data."""
        return {name: _plain(getattr(self, name)) for name in self.__slots__}


def describe(model: Any, name: str, text: str, form: str, **facts: Any) -> ModelInfo:
    """Read a model's optional attributes and check them.

    Args:
        facts: what the loader knows (weights_sha256, code_sha256, provenance, ...); wins over attributes.

    Raises:
        UsageError: an attribute that cannot be; names the model, the attribute, the value and what is allowed.
    """
    who = f"model {text!r}"

    def own(key: str, default: Any) -> Any:
        return _own(who, model, key, default)

    kind = _one_of(who, "kind", own("kind", "video"), KINDS)
    _text(who, "domain", own("domain", None))
    read: Record = {
        "name": _text(who, "name", own("name", None)) or name,
        "kind": kind,
        "video_only": _yes_no(who, "video_only", own("video_only", kind == "video")),
        "frame_size": _size(who, own("frame_size", DEFAULT_SIZE)),
        "max_frames": _whole(who, "max_frames", own("max_frames", 1), 1, MOST_FRAMES),
        "context_keys": _names(who, "context_keys", own("context_keys", ())),
        "any_length": _yes_no(who, "any_length", own("any_length", form == "predictions")),
        "parameters": _parameters(who, own("parameters", None)),
        "weights_sha256": _sha256(who, "weights_sha256", own("weights_sha256", None)),
        "provenance": _provenance(who, own, facts.pop("provenance", {})),
    }
    return ModelInfo(text=text, form=form, **{**read, **facts})


def _own(who: str, model: Any, key: str, default: Any) -> Any:
    """A model's attribute; UsageError for a property that fails."""
    try:
        return getattr(model, key, default)
    except GobenchError:
        raise
    except Exception as error:
        raise UsageError(
            f"{who} fails when it is asked for its {key}: {type(error).__name__}: {error}."
        ) from error


def _plain(value: Any) -> Json:
    return list(value) if isinstance(value, tuple) else value


def _wrong(who: str, key: str, value: Any, allowed: str) -> UsageError:
    try:
        shown = repr(value)
    except Exception:
        shown = f"a {type(value).__name__}"
    return UsageError(f"{who} declares {key} = {shown[:80]}: give {allowed}.")


def _one_of(who: str, key: str, value: Any, allowed: Mapping[str, str]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise _wrong(who, key, value, "one of " + ", ".join(allowed))
    return str(value)


def _whole(who: str, key: str, value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or not least <= int(value) <= most:
        raise _wrong(who, key, value, f"a whole number from {least} to {most}")
    return int(value)


def _size(who: str, value: Any) -> tuple[int, int]:
    sides = (value, value) if isinstance(value, Integral) else value
    if not isinstance(sides, Sequence) or isinstance(sides, str) or len(sides) != 2:
        raise _wrong(who, "frame_size", value, "(height, width) in pixels")
    height, width = (_whole(who, "frame_size", side, *SIZES) for side in sides)
    return height, width


def _names(who: str, key: str, value: Any) -> tuple[str, ...]:
    listed = isinstance(value, list | tuple | set | frozenset)
    if not listed or not all(isinstance(item, str) for item in value):
        raise _wrong(who, key, value, 'a list of names, such as ("to_move",)')
    return tuple(sorted(value) if isinstance(value, set | frozenset) else value)


def _yes_no(who: str, key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(who, key, value, "True or False")
    return value


def _sha256(who: str, key: str, value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and HEX.fullmatch(value)):
        raise _wrong(who, key, value, "a sha256 as 64 hex digits in small letters, or None")
    return value


def _parameters(who: str, value: Any) -> int | None:
    if callable(value):  # the method of a torch module
        return _count(value)
    return None if value is None else _whole(who, "parameters", value, 0, 1 << 62)


def _count(parameters: Any) -> int | None:
    try:
        return sum(int(p.numel()) for p in parameters())
    except Exception:  # another method of this name
        return None


def _text(who: str, key: str, value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise _wrong(who, key, value, "a text")
    return value


def _provenance(who: str, own: Callable[[str, Any], Any], stored: Mapping[str, Json]) -> Record:
    declared, trained_on = own("provenance", None), own("trained_on", None)
    if declared is not None and not isinstance(declared, Mapping):
        raise _wrong(who, "provenance", declared, "a table of plain data")
    found = {**(declared or {}), **stored}
    if trained_on is not None and not isinstance(trained_on, str | list | tuple | Mapping):
        raise _wrong(who, "trained_on", trained_on, "a name, or a list of names")
    if trained_on and "trained_on" not in found:
        found["trained_on"] = trained_on
    try:
        dumps(found)
    except (TypeError, ValueError, RecursionError) as error:
        raise _wrong(who, "provenance", found, f"plain data ({error})") from error
    return found
