"""What makes two numbers comparable: suites, protocol hashes, the order of samples, and how they are grouped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from gobench import registry
from gobench.canonical import dumps, sha256
from gobench.errors import UsageError, unknown
from gobench.results import DIGITS
from gobench.seeds import seed64
from gobench.tasks import Benchmark, Suite, Task
from gobench.types import Record

SCORING: Record = {"draws": 2000, "level": 0.95, "seed": 0, "digits": DIGITS}
"""How intervals are made: bootstrap draws, coverage, the seed of the draws, digits after the point."""

KEPT = 1000  # samples a task, drawn by the seed, of which all frames are kept


def open_suite(name: str, protocol: str = "standard") -> Suite:
    """A suite of any installed domain.

    Raises:
        UsageError: an unknown suite or protocol.
        DataError: its test set is missing or broken.
    """
    return benchmark_of(name).suite(name, protocol)


def benchmark_of(suite: str) -> Benchmark:
    """The domain that offers a suite, or the part "SUITE:PART" of one. Raises UsageError for an unknown one."""
    table, broken = registry.suites()
    name = suite.partition(":")[0]
    if name not in table:
        error = unknown("suite", suite, table)
        raise UsageError(" ".join([str(error), *broken]))
    return cast(Benchmark, registry.domain(table[name]))


def default_suite(domain: str | None) -> str:
    """The first suite of a model's domain, or of the first domain that has any."""
    offered: list[str] = (
        list(getattr(registry.domain(domain), "suites", dict)()) if domain else list(registry.suites()[0])
    )
    if not offered:
        raise UsageError(f"no suite is installed{f' for {domain!r}' if domain else ''}: give --suite.")
    return offered[0]


def protocol_hash(task: Task) -> str:
    """sha256 over all that changes a task's numbers: its name, version and settings, and how they are scored."""
    table = {"task": task.name, "version": task.version, "settings": dict(task.settings), "scoring": SCORING}
    return sha256(dumps(table))


def order(suite: str, task: Task, limit: int | None = None) -> list[str]:
    """The samples in the order they are asked, the same for every model; the first ``limit`` are a fair part."""
    mixed = sorted(task.ids, key=lambda sample: sha256(f"{suite}\x1f{task.name}\x1f{sample}".encode()))
    return mixed if limit is None else mixed[:limit]


def grouped(samples: Sequence[str], batch: int) -> list[list[str]]:
    """Runs of ``batch`` samples; the last may be shorter."""
    return [list(samples[i : i + batch]) for i in range(0, len(samples), batch)]


def fully_kept(task: Task, samples: Sequence[str], seed: int) -> frozenset[str]:
    """The samples of which every frame is kept, whatever was read: ``KEPT`` drawn by the seed."""
    if len(samples) <= KEPT:
        return frozenset(samples)
    return frozenset(sorted(samples, key=lambda sample: seed64(seed, "kept", task.name, sample))[:KEPT])
