"""Options of readers as tables: what there is, what is allowed, what it means. Filled in and checked as plain JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gobench.errors import UsageError, unknown
from gobench.types import Json, Record


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its default tells its type."""

    default: Json  # a word, a whole number, a number or a list of words
    about: str
    allowed: tuple[str, ...] = ()  # words; none: any
    least: float = 0  # of numbers

    def check(self, key: str, value: Json) -> Json:
        """The value, as it is stored; raises UsageError that names the key, the value and what is allowed."""
        if isinstance(self.default, str):
            return self._word(key, value)
        if isinstance(self.default, list):
            return self._words(key, value)
        whole = isinstance(self.default, int)
        fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        if not fits or not math.isfinite(value) or value < self.least:
            kind = "a whole number" if whole else "a number"
            raise UsageError(f"{key} is {kind}, {self.least:g} or more; got {value!r}. {self.about}")
        return value if whole else float(value)

    def _word(self, key: str, value: Json) -> str:
        if isinstance(value, str) and (not self.allowed or value in self.allowed):
            return value
        if isinstance(value, str):
            raise unknown(key, value, self.allowed)
        raise UsageError(f"{key} is a word; got {value!r}. {self.about}")

    def _words(self, key: str, value: Json) -> list[str]:
        if isinstance(value, list | tuple) and all(isinstance(word, str) and word for word in value):
            return list(dict.fromkeys(value))
        raise UsageError(f"{key} is a list of names; got {value!r}. {self.about}")


MERGES = ("auto", "last", "sum", "mean")
COMMON: Mapping[str, Option] = {
    "cameras": Option(
        [], "Cameras that an episode must have, by their names on disk; none: the reader's first."
    ),
    "stride": Option(1, "Every how manieth frame is kept.", least=1),
    "merge": Option(
        "auto", "What the actions between two kept frames become: see docs/robot-readers.md.", MERGES
    ),
    "max_frames": Option(0, "Longer episodes become pieces of at most so many kept frames; 0: never."),
    "check": Option(
        "headers",
        'What is looked at before an episode is taken: "headers" of its files, or "pixels", every frame decoded.',
        ("headers", "pixels"),
    ),
}
"""What every reader has."""


def filled(reader: str, given: Mapping[str, Json], table: Mapping[str, Option]) -> Record:
    """Every option of the table, given or by default. Raises UsageError."""
    for key in given:
        if key not in table:
            raise unknown(f"option of the reader {reader}", key, table)
    chosen = {key: option.check(key, given.get(key, option.default)) for key, option in table.items()}
    if chosen["max_frames"] == 1:
        raise UsageError("max_frames is 2 or more, or 0 for no limit; got 1.")
    return chosen
