"""One numba cache for a whole test run, warmed before parallel workers start."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / ".numba_cache"))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
SHARED = ROOT.parent / "shared"


def pytest_configure(config: pytest.Config) -> None:
    """Compile in the controller, once, when tests are handed to several workers."""
    parallel = getattr(config.option, "numprocesses", None)
    if parallel and not hasattr(config, "workerinput"):
        from gobench.registry import domain

        warm = getattr(domain("go"), "warm", None)
        if warm:
            warm()


@pytest.fixture(scope="session")
def data() -> Path:
    """The test data that the repository carries."""
    return ROOT / "tests" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The larger data beside the checkout; tests that need it are skipped where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip("needs ../shared/data, which is not beside this checkout")
    return SHARED / "data"
