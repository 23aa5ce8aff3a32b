"""Installs the domain ``lamps`` for these tests, and evaluates two models on it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gobench import registry

HERE = Path(__file__).parent


def install(place: Path) -> None:
    """Write what an installed package leaves: its metadata with an entry point."""
    facts = place / "lamps-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: lamps\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[gobench.domains]\nlamps = lamps:Lamps\n")


def forget() -> None:
    """Let the registry look again."""
    for found in (registry.installed, registry.load, registry.domain):
        found.cache_clear()


@pytest.fixture(scope="module")
def lamps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The domain is installed."""
    place = tmp_path_factory.mktemp("installed")
    install(place)
    with pytest.MonkeyPatch.context() as patch:
        for path in (str(HERE), str(place)):
            patch.syspath_prepend(path)
        before = os.environ.get("PYTHONPATH", "")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), str(place), before]))
        forget()
        yield
        sys.modules.pop("lamps", None)
    forget()


@pytest.fixture(scope="module")
def runs(lamps: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with evaluated runs: worse, better, short (some samples only), strict (another protocol)."""
    from gobench.evaluate import evaluate

    place = tmp_path_factory.mktemp("runs")
    evaluate("lamps:Worse", "lamps", place / "worse")
    evaluate("lamps:Better", "lamps", place / "better")
    evaluate("lamps:Better", "lamps", place / "short", limit=100)
    evaluate("lamps:Better", "lamps", place / "strict", protocol="strict")
    return place
