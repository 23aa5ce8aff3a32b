"""What a model's file says of its making: the keys that cards and ``gobench info`` know, and what stands under them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gobench.errors import DataError
from gobench.types import Json

PROVENANCE: Mapping[str, str] = {
    "name": "what tables call the model",
    "trained_on": "a list of datasets: name, recipe, manifest_sha256, episodes, license, ...",
    "frames_watched": "frames seen in training, repetitions counted",
    "labels_used": "a list of the labels that were read beside the frames; [] for none",
    "steps": "optimizer steps, of each stage",
    "flops": "floating point operations of the training",
    "seconds": "of training, without the making of the dataset",
    "seed": "root of the training's randomness",
    "options": "what the training was asked for",
    "code": "versions of packages and the hash of the code that trained it",
    "buffers": "names of tensors that are kept but not learnt (running moments): they are no parameters",
    "curve": "stage -> a list of rows, each with its step and what was measured there",
    "license": "of the weights, as the hub names licences",
}
"""Keys of a provenance with a meaning of their own, all optional."""

BUFFERS = "buffers"
SHOWN = 60  # characters of a wrong value


class Kind(NamedTuple):
    """What a value must be."""

    words: str
    fits: Callable[[Any], bool]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= sys.float_info.max


def _whole(value: Any) -> bool:
    return isinstance(value, int) and _number(value)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _labels(value: Any) -> bool:
    return _text(value) or _texts(value)


def _datasets(value: Any) -> bool:
    one = value if isinstance(value, list) else [value]
    return all(_text(item) or _table(item) for item in one)


def _stages(value: Any) -> bool:
    return _table(value) and all(map(_whole, value.values()))


def _curve(value: Any) -> bool:
    return isinstance(value, list) or (
        _table(value) and all(isinstance(rows, list) for rows in value.values())
    )


NUMBER, WHOLE = Kind("a number from 0", _number), Kind("a whole number from 0", _whole)
TEXT, TABLE = Kind("a text", _text), Kind("a table", _table)
EITHER = Kind("a table or a text", lambda value: _table(value) or _text(value))

KINDS: Mapping[str, Kind] = {
    "name": TEXT,
    "trained_on": Kind("a list of tables or names", _datasets),
    "frames_watched": WHOLE,
    "labels_used": Kind("a list of texts", _labels),
    "steps": Kind("a table of whole numbers from 0", _stages),
    "flops": NUMBER,
    "seconds": NUMBER,
    "seed": WHOLE,
    "options": TABLE,
    "code": EITHER,
    "buffers": Kind("a list of texts", _texts),
    "curve": Kind("a table of lists", _curve),
    "license": TEXT,
}
"""Key -> what stands under it. A file that does not know leaves the key out."""


def check(provenance: Mapping[str, Json], where: str) -> None:
    """DataError for a value that is not what its key means; keys of a file's own hold any plain data."""
    for key, kind in KINDS.items():
        if key in provenance and not kind.fits(provenance[key]):
            text = repr(provenance[key])
            shown = text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
            raise DataError(
                f"{where}: its provenance has {key} {shown}, not {kind.words}. Leave out what is not known."
            )
