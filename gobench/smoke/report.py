"""What a trial of a model has shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from gobench.models import ModelInfo
from gobench.types import Record

LEVELS = {
    "ok": "as it should be",
    "note": "allowed, and worth knowing",
    "wrong": "breaks the contract of VideoModel",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: str  # a key of LEVELS
    check: str  # what was looked at: "answers", "repeat", ...
    text: str
    fix: str = ""  # what to do


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a trial of a model has shown."""

    info: ModelInfo
    suite: str
    findings: Sequence[Finding]
    seconds_a_frame: float | None = None

    @property
    def well(self) -> bool:
        """Whether the contract was kept: no finding is "wrong"."""
        return not any(finding.level == "wrong" for finding in self.findings)

    def to_json(self) -> Record:
        """The same as plain data."""
        return {
            "model": self.info.to_json(),
            "suite": self.suite,
            "well": self.well,
            "seconds_a_frame": self.seconds_a_frame,
            "findings": [asdict(finding) for finding in self.findings],
        }
