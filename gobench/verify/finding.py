"""One thing that is wrong with a dataset."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and where.

    ``kind`` is one of: unfinished, plan, missing, checksum, stray, manifest, index, sample, record, split,
    frames, picture, sketch.
    """

    kind: str
    file: str  # below the folder
    detail: str
    key: str = ""
    frame: int = -1

    def __str__(self) -> str:
        where = " ".join([self.file, self.key, f"frame {self.frame}" if self.frame >= 0 else ""]).strip()
        return f"{self.kind}: {where}: {self.detail}"
