"""Installs the domain ``quiz`` for these tests: a folder with an entry point, seen by child processes too."""

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
    facts = place / "dotquiz-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: dotquiz\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(
        "[gobench.domains]\nquiz = dotquiz:QuizDomain\n\n[gobench.models]\nguesser = dotquiz:Guesser\n"
    )


def forget() -> None:
    """Let the registry look again."""
    registry.installed.cache_clear()
    registry.load.cache_clear()
    registry.domain.cache_clear()


@pytest.fixture
def quiz(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The domain is installed, here and in processes started from here."""
    place = tmp_path_factory.mktemp("installed")
    install(place)
    for path in (str(HERE), str(place)):
        monkeypatch.syspath_prepend(path)
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), str(place), before]))
    monkeypatch.setenv("GIT_DIR", str(place))  # a commit made during the tests would be another environment
    forget()
    yield
    sys.modules.pop("dotquiz", None)
    forget()
