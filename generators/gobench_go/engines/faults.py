"""What an engine can do wrong, and what a match makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from gobench.errors import ChildError

Fault = Literal["crash", "late", "malformed", "refused"]

FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "crash": "its process ended, or closed its output",
        "late": "it did not answer in time",
        "malformed": "it answered with something that is no answer of the protocol",
        "refused": "it answered that it cannot do what it was asked",
    }
)


class EngineError(ChildError):
    """An engine broke its side of the contract. The message names the engine, what it was asked and what it did."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault: Fault = fault

    def __reduce__(self) -> tuple[type[EngineError], tuple[str, str]]:
        return type(self), (self.fault, str(self))
