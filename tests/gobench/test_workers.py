"""How many processes, as people write it."""

from __future__ import annotations

import pytest

from gobench.errors import UsageError
from gobench.workers import cores, worker_count


def test_numbers_of_workers() -> None:
    assert worker_count("3") == 3 and worker_count("auto") == cores() >= 1


@pytest.mark.parametrize("text", ["0", "-1", "many", "", "1.5", "²", "٣"])
def test_what_is_no_number_of_workers(text: str) -> None:
    with pytest.raises(UsageError, match="1 or more, or auto"):
        worker_count(text)
