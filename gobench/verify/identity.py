"""Who a sample is: its fingerprint, from its record and from the plan, and the split that follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from gobench.build.candidates import Candidates
from gobench.build.plan import Plan
from gobench.build.planning import fingerprints_of
from gobench.build.recipes import SPLITS
from gobench.build.selection import Ints, Uints, split_codes
from gobench.build.stages import CANONICAL, made
from gobench.types import Domain, Episode, Record


@dataclass(frozen=True)
class Identity:
    """Fingerprints of the samples of one shard, whose candidates are ``kept``."""

    folder: Path
    plan: Plan
    domain: Domain | None
    kept: Sequence[int]
    _parts: dict[int, Uints | None] = field(default_factory=dict)

    def findings(self, place: int, record: Record, split: str) -> Iterator[tuple[str, str]]:
        """(kind, detail) of what is wrong with the sample at a place of the shard."""
        try:
            own = self._own(record)
        except Exception as error:  # a record that was tampered with may raise anything
            yield "record", f"its fingerprint cannot be told: {type(error).__name__}: {error}"
            own = None
        planned = self._planned(place)
        if own is not None and planned is not None and own != planned:
            yield "record", f"its fingerprint is {own:016x}, that of its candidate {planned:016x}"
        value = planned if own is None else own
        if value is not None and (right := self._split(value)) != split:
            yield "split", f"it lies in {split}, and its fingerprint {value:016x} belongs to {right}"

    def _own(self, record: Record) -> int | None:
        """From the record as shipped; None where the domain needs more than that."""
        if self.domain is None:
            return None
        try:
            return self.domain.fingerprint(Episode(record), CANONICAL)
        except KeyError as error:
            if error.args[0] in self.domain.features():
                raise
            return None

    def _planned(self, place: int) -> int | None:
        """From the first stage; None where that is lost."""
        if place >= len(self.kept):
            return None
        part = int(np.searchsorted(self._ends, self.kept[place], side="right"))
        if part not in self._parts:
            self._parts[part] = self._fingerprints(part)
        found = self._parts[part]
        return None if found is None else int(found[self.kept[place] - int(self._ends[part]) + len(found)])

    @cached_property
    def _ends(self) -> Ints:
        return Candidates(self.folder, self.plan).ends

    def _fingerprints(self, part: int) -> Uints | None:
        table = made(self.folder, self.plan.parts[part], self.plan) if part < len(self.plan.parts) else None
        if table is None:
            return None
        canonical = fingerprints_of(table)[1]
        return canonical if len(canonical) == self.plan.part_candidates[part] else None

    def _split(self, fingerprint: int) -> str:
        code = split_codes(np.array([fingerprint], np.uint64), self.plan.config.splits)
        return SPLITS[int(code[0])]
