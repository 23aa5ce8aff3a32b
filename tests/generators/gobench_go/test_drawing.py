"""Records as clips: what a foreign or broken record meets."""

from __future__ import annotations

import numpy as np
import pytest

from gobench.errors import DataError
from gobench_go.drawing import boards_of

RECORD = {
    "key": "go-7",
    "rows": 3,
    "cols": 3,
    "rules": "benchmark",
    "ko": "positional",
    "suicide": False,
    "komi": 7.0,
    "setup": "X........",
    "moves": [4, 5],
    "colors": [1, 2],
}


def test_boards_of_a_record() -> None:
    boards = boards_of(RECORD)
    assert boards.dtype == np.uint8
    assert boards[-1].tolist() == [[1, 0, 0], [0, 1, 2], [0, 0, 0]]


@pytest.mark.parametrize(
    "change",
    [
        *({"moves": [4, 70000]}, {"moves": [4, 65536 + 5]}, {"moves": [4, 2**70]}, {"moves": [4, 4]}),
        *({"moves": [4, -1]}, {"moves": [4, "5"]}, {"moves": [4]}, {"moves": [[4], [5]]}, {"moves": 4}),
        *({"moves": [[4], 5]}, {"moves": None}),
        *({"colors": [1, 300]}, {"colors": [257, 2]}, {"colors": [1, 0]}, {"colors": [1]}),
        *({"setup": "X"}, {"setup": "é........"}, {"setup": "#........"}, {"setup": "OX.X....."}),
        *({"setup": 7}, {"rows": 30}, {"rows": "3"}, {"ko": "none"}),
    ],
)
def test_a_foreign_record_is_a_data_error_that_names_it(change: dict) -> None:
    with pytest.raises(DataError, match="go-7"):
        boards_of({**RECORD, **change})


@pytest.mark.parametrize("missing", ["rows", "ko", "setup", "moves", "colors"])
def test_a_record_that_lacks_something(missing: str) -> None:
    with pytest.raises(DataError, match=f"go-7.*'{missing}'"):
        boards_of({key: value for key, value in RECORD.items() if key != missing})
