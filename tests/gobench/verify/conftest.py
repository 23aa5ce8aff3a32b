"""A built dataset to spoil: each test has a copy of its module's own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def built(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "built"))
