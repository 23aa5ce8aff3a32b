"""Put a model through all checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gobench.errors import UsageError
from gobench.models import Loaded, load, wrap
from gobench.smoke.bench import Bench
from gobench.smoke.checks import examine
from gobench.smoke.questions import questions_of
from gobench.smoke.report import Report

SAMPLES = 6  # questions of each task


def smoke(
    model: str | Loaded | Any,
    suite: str | None = None,
    protocol: str = "standard",
    *,
    samples: int = SAMPLES,
    device: str = "cpu",
    dtype: str = "float32",
    timeout: float = 600.0,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Ask a model a few questions of each task of a suite, several times and in several ways.

    Args:
        model: a text as for ``gobench.models.load``, or a model itself.
        suite: by default the model's domain's first; made-up pictures where no suite can be opened.
        samples: questions of each task, at least 2.
        progress: called with the name of each check before it is made.

    Raises:
        UsageError, DataError, ChildError: the model cannot be loaded, or there is no such suite.
    """
    if samples < 2:
        raise UsageError(f"{samples} samples cannot be compared with each other: give at least 2.")
    loaded = _loaded(model, device, dtype, timeout)
    try:
        name, cases, early = questions_of(loaded, suite, protocol, samples)
        bench = Bench(loaded, cases)
        findings = [*early, *examine(bench, progress or (lambda check: None))]
        return Report(loaded.info, name, tuple(findings), bench.seconds)
    finally:
        if isinstance(model, str):
            loaded.close()


def _loaded(model: Any, device: str, dtype: str, timeout: float) -> Loaded:
    if isinstance(model, Loaded):
        return model
    return load(model, device, dtype, timeout) if isinstance(model, str) else wrap(model, timeout=timeout)
