"""What to do about findings, and the half of it that can be done without building: removing what is broken.

A build makes whatever is not there, so a folder is mended by removing what is wrong and running the same
command again. Only files of the build are removed, never what somebody has put beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from gobench import atomic
from gobench.build.assemble import INDEX, MANIFEST, REPORT, SUMS
from gobench.build.folder import Task, occupied
from gobench.build.journal import JOURNAL
from gobench.build.plan import KEPT, PLAN, REJECTED, Part, Plan, Shard, read
from gobench.canonical import pretty
from gobench.card import CARD
from gobench.croissant import CROISSANT
from gobench.sketch import SKETCH
from gobench.verify.finding import Finding

DERIVED = (SUMS, INDEX, REPORT, CARD, CROISSANT, SKETCH, KEPT, REJECTED)
"""Files at the top that a build writes again where they are missing."""


class Found(Protocol):
    """As much of a ``Verification`` as a repair needs."""

    @property
    def findings(self) -> tuple[Finding, ...]: ...


def repair(folder: Path | str, found: Found) -> tuple[str, ...]:
    """Remove what is broken, so that the same build command makes it anew; returns the names in that order.

    A shard or part goes with its sidecar, the manifest before all others. A plan that was changed is cut back
    to its header, so that what is kept is decided again; where samples lie in wrong splits it was decided
    wrongly, so that all shards go. Strays stay: they may be somebody's. A journal stays too: it cannot be made anew.

    Raises:
        BuildError: a build is at work in the folder.
        DataError: the plan cannot be read, so that nothing can be made anew.
    """
    path = Path(folder)
    named = {finding.file for finding in found.findings if finding.kind not in ("stray", "unfinished")}
    if not named:
        return ()
    with occupied(path, Task()):
        plan = read(path)
        if any(finding.kind == "split" for finding in found.findings):
            named |= {PLAN, KEPT, REJECTED, *(shard.file for shard in plan.shards or ())}
        names = [MANIFEST, *_pieces(plan, named), *(name for name in DERIVED if name in named)]
        for name in (there := [name for name in names if (path / name).is_file()]):
            (path / name).unlink()
        if PLAN in named:
            atomic.write(path / PLAN, pretty(plan.header()))
    return (*there, *([PLAN] if PLAN in named else []))


def advice(folder: str, findings: Sequence[Finding]) -> str:
    """One line for a person; "" for no findings."""
    kinds = {finding.kind for finding in findings}
    if not kinds:
        return ""
    if "plan" in kinds:
        return (
            f"Without its plan nothing of {folder} can be made anew: build with --overwrite, or fetch {PLAN} "
            "again from where this copy comes from."
        )
    if "unfinished" in kinds:
        return "Run the same `gobench build-dataset` again: it goes on where it was stopped."
    words = []
    if "stray" in kinds:
        words.append("Move the stray files out of the folder.")
    if any(finding.file == JOURNAL for finding in findings):
        words.append(
            f"{JOURNAL} cannot be made anew: fetch it again from where this copy comes from, and give it to the build "
            "by --journal FILE."
        )
    if kinds != {"stray"}:
        words.append(
            f"Run `gobench verify {folder} --repair`, then the same `gobench build-dataset` as before, which makes "
            "anew what was removed; of a downloaded copy, fetch the named files again."
        )
    return " ".join(words)


def _pieces(plan: Plan, named: set[str]) -> list[str]:
    """Sidecar and file of each piece of which one is named; the sidecar first: without it nothing is made."""
    pieces: list[Part | Shard] = [*plan.parts, *(plan.shards or ())]
    return [
        name
        for piece in pieces
        if {piece.file, piece.sidecar} & named
        for name in (piece.sidecar, piece.file)
    ]
