"""Readers of real robot data as it lies on disk, by name. See ``contract`` for what they give."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, cast

from gobench.errors import unknown
from gobench.types import Json, Record
from gobench_robot.readers.contract import REASONS, BrokenError, Reader, Real
from gobench_robot.readers.options import Option, filled

if TYPE_CHECKING:
    from gobench_robot.readers.base import FolderReader

__all__ = ["READERS", "REASONS", "BrokenError", "Reader", "Real", "configured", "open_reader", "options_of"]

READERS: Mapping[str, str] = {
    "calvin": "gobench_robot.readers.calvin:Calvin",
    "rlbench": "gobench_robot.readers.rlbench:RLBench",
    "lerobot": "gobench_robot.readers.lerobot:LeRobot",
    "recorded": "gobench_robot.readers.recorded:Recorded",
}
"""Name -> module:class."""


def open_reader(name: str, folder: str, options: Mapping[str, Json] | None = None) -> Reader:
    """A reader of the data in ``folder``.

    Raises:
        UsageError: an unknown reader or option, or a value that is not allowed.
        DataError: the folder is not of this kind; says what was looked for and how to get it.
    """
    return _reader(name)(folder, options or {})


def options_of(name: str) -> Mapping[str, Option]:
    """The options of a reader. Raises UsageError for an unknown one."""
    return _reader(name).OPTIONS


def configured(name: str, given: Mapping[str, Json]) -> Record:
    """All options of a reader as plain JSON, checked. Raises UsageError."""
    return filled(name, given, options_of(name))


def _reader(name: str) -> type[FolderReader]:
    if name not in READERS:
        raise unknown("reader", name, READERS)
    module, _, kind = READERS[name].partition(":")
    return cast("type[FolderReader]", getattr(import_module(module), kind))
