"""The planning pass: what the parts hold -> what is kept, in which shards, and what is not and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from gobench import atomic
from gobench.build.candidates import Candidates
from gobench.build.plan import KEPT, PLAN, REJECTED, Plan, lay_out
from gobench.build.selection import Gatherer, Selection, Uints
from gobench.canonical import dumps, pretty
from gobench.errors import BuildError
from gobench.types import Json, Record

DUPLICATE = "duplicate"
OVER_LIMIT = "over-limit"


def complete(folder: Path, plan: Plan, sidecars: Callable[[], Iterable[Record]]) -> Plan:
    """Read every part's sidecar, choose, and write what was decided; ``plan.json`` last.

    Raises:
        BuildError: nothing is left to keep; says what was rejected.
    """
    gatherer, rejected = Gatherer(plan.config, plan.limit), Counter[str]()
    parts: list[tuple[int, str]] = []
    for table in sidecars():
        gatherer.add(*fingerprints_of(table))
        rejected.update(row[1] for row in table["rejected"])
        parts.append((table["candidates"], table["sha256"]))
    chosen = gatherer.select()
    rejected.update({DUPLICATE: chosen.duplicates, OVER_LIMIT: chosen.over})
    counts = {reason: count for reason, count in sorted(rejected.items()) if count}
    if not len(chosen.kept):
        raise BuildError(_nothing(sum(counts.values()), counts, _first(sidecars())))
    full = replace(
        plan,
        candidates=gatherer.total,
        part_candidates=tuple(count for count, _ in parts),
        part_sha256=tuple(digest for _, digest in parts),
        kept=len(chosen.kept),
        kept_sha256=_write_array(folder / KEPT, chosen.kept),
        shards=lay_out(chosen.counts, plan.config),
        rejected=counts,
    )
    write_rejected(folder, sidecars(), Candidates(folder, full), chosen)
    atomic.write(folder / PLAN, pretty(full.to_json()))
    return full


def _nothing(seen: int, counts: Mapping[str, int], example: str) -> str:
    """Why a dataset would be empty, and what to do."""
    if not seen:
        return "the source gives no game: ask for more than 0, or name files that hold some."
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in counts.items())
    return (
        f"none of {seen:,} candidates is kept: {reasons}. For instance {example}. "
        "Change the filters or the input, and build with --overwrite."
    )


def _first(sidecars: Iterable[Record]) -> str:
    """The first refusal of a source, in its own words."""
    for table in sidecars:
        for origin, _, detail, _ in table["rejected"]:
            return f"{origin}: {detail}"
    return "every one repeats another"


def write_rejected(
    folder: Path, sidecars: Iterable[Record], candidates: Candidates, chosen: Selection
) -> None:
    """``rejected.jsonl``: by part, a line for each candidate that was refused, and then for each of the
    others that is not kept: it repeats another one, or lies over the limit."""
    start = 0
    with atomic.AtomicFile(folder / REJECTED) as file:
        for table in sidecars:
            stop = start + table["candidates"]
            for row in table["rejected"]:
                file.write(_line(*row))
            for line in _dropped(chosen, range(start, stop), candidates):
                file.write(line)
            start = stop


def _dropped(chosen: Selection, ids: range, candidates: Candidates) -> Iterator[bytes]:
    here = np.arange(ids.start, ids.stop)
    first = here if chosen.first is None else chosen.first[ids.start : ids.stop]
    lost = np.flatnonzero((first != here) | (here >= chosen.end))
    for i, (_, record) in zip(lost.tolist(), candidates.read(here[lost].tolist()), strict=True):
        number, met = int(here[i]), int(first[i])
        if met == number:
            yield _line(_origin(record, number), OVER_LIMIT, "enough candidates come before it", -1)
        else:
            original = next(candidates.read([met]))[1]
            yield _line(_origin(record, number), DUPLICATE, f"repeats {_origin(original, met)}", -1)


def _origin(record: Record, number: int) -> str:
    return str(record.get("origin", f"candidate {number}"))


def _line(origin: Json, reason: Json, detail: Json, ply: Json) -> bytes:
    return dumps({"origin": origin, "reason": reason, "detail": detail, "ply": ply}) + b"\n"


def fingerprints_of(table: Record) -> tuple[Uints, Uints]:
    """The fingerprints in a part's sidecar, both uint64 [n]: for deduplication, and canonical."""
    canonical = np.frombuffer(bytes.fromhex(table["canonical"]), ">u8").astype(np.uint64)
    own = table["fingerprints"]
    return (np.frombuffer(bytes.fromhex(own), ">u8").astype(np.uint64) if own else canonical), canonical


def _write_array(path: Path, values: npt.NDArray[np.int64]) -> str:
    with atomic.AtomicFile(path) as file:
        np.lib.format.write_array(cast(Any, file), values, allow_pickle=False)
    return file.sha256
