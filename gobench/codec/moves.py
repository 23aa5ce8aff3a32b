"""Codec ``moves``: no pictures at all. The domain draws the frames from the record, bit-exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from gobench.codec.contract import Form, Members
from gobench.errors import UsageError
from gobench.types import Clip


@dataclass(frozen=True)
class Moves:
    """Stores nothing: ``renders`` tells readers to ask the domain for ``clip(record)`` instead."""

    name: str = "moves"
    exact: bool = True
    renders: bool = True
    suffixes: tuple[str, ...] = ()

    def check_size(self, height: int, width: int) -> None:
        """Any size will do."""

    def members(self, clip: Clip) -> dict[str, bytes]:
        """No members, and the clip is not drawn."""
        return {}

    def decode(
        self, members: Members, start: int = 0, stop: int | None = None, step: int = 1, form: Form = "rgb"
    ) -> NoReturn:
        """Always raises UsageError: there is nothing to decode."""
        raise UsageError(_RENDER)

    def length(self, members: Members) -> NoReturn:
        """Always raises UsageError: the record holds the number of frames."""
        raise UsageError(_RENDER)

    def versions(self) -> Mapping[str, str]:
        return {}


_RENDER = (
    "codec moves stores no pictures: frames are rendered from the record. "
    "Use the domain's clip(record), or gobench.loader, which does so; the record's `frames` is the length."
)
