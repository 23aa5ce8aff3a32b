"""Results: strict, canonical, guarded by a golden file and a committed schema."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from gobench import results
from gobench.canonical import pretty
from gobench.errors import DataError

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "cards" / "result.schema.json"
GOLDEN_HASH = "99ff94d162dd675bff7be27c7eaf870081ae76ddd71c1fff60d2597778c6192a"


@pytest.fixture
def golden(data: Path) -> dict[str, Any]:
    table: dict[str, Any] = json.loads((data / "result.json").read_bytes())
    return table


def test_the_golden_result_reads_and_writes_the_same_bytes(data: Path) -> None:
    path = data / "result.json"
    result = results.read_result(path)
    assert results.to_bytes(result) == path.read_bytes()
    assert results.content_hash(result) == GOLDEN_HASH
    assert result.task("dots/next").metrics["hit"].value == 0.416667  # type: ignore[union-attr]


def test_the_committed_schema_is_the_code() -> None:
    assert SCHEMA.read_bytes() == pretty(results.schema()), "run: gobench schema > cards/result.schema.json"


def test_the_schema_takes_the_golden_result_and_refuses_strangers(golden: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(golden, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**golden, "elo": 1}, schema)


def change(table: dict[str, Any], place: str, value: Any) -> dict[str, Any]:
    """A copy with one field set; steps are split at dots."""
    table = copy.deepcopy(table)
    at: Any = table
    *way, last = [int(step) if step.isdigit() else step for step in place.split("/")]
    for step in way:
        at = at[step]
    at[last] = value
    return table


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("tasks/0/metrics/hit/value", 1.5, "a proportion lies in [0, 1], not 1.5"),
        ("tasks/0/metrics/hit/value", "0.4", "tasks.0.metrics.hit.value: Input should be a valid number"),
        ("tasks/0/metrics/hit/interval", [0.5, 0.3], "turned round"),
        ("tasks/0/metrics/hit/interval", [-0.1, 0.5], "a proportion lies in"),
        ("tasks/0/metrics/hit/n", 0, "tasks.0.metrics.hit.n"),
        ("tasks/0/metrics/hit/better", "more", "tasks.0.metrics.hit.better"),
        ("tasks/0/audit/clean", 7, "the audit counts"),
        ("tasks/0/of", 3, "60 samples of 3"),
        ("tasks/0/protocol_hash", "abc", "tasks.0.protocol_hash"),
        ("model/weights_sha256", "ABC", "model.weights_sha256"),
        ("model/wings", 2, "model.wings: Extra inputs are not permitted"),
        ("status", "great", "status: Input should be 'complete' or 'partial'"),
        ("schema_version", 2, "schema_version"),
        ("provenance/level", "trust me", "provenance.level"),
    ],
)
def test_what_does_not_fit_is_named(golden: dict[str, Any], place: str, value: Any, said: str) -> None:
    data = json.dumps(change(golden, place, value)).encode()
    with pytest.raises(DataError) as error:
        results.parse(data, "a.json")
    assert said in str(error.value) and "a.json is no result of this version" in str(error.value)


def test_a_missing_field_a_broken_file_and_no_file_are_clear(golden: dict[str, Any], tmp_path: Path) -> None:
    del golden["suite"]
    with pytest.raises(DataError, match="suite: Field required"):
        results.parse(json.dumps(golden).encode(), "a.json")
    (tmp_path / "result.json").write_bytes(b'{"suite": ')
    with pytest.raises(DataError, match="Invalid JSON"):
        results.read_result(tmp_path)
    with pytest.raises(DataError, match=r"cannot read .*absent.json.*gobench evaluate"):
        results.read_result(tmp_path / "absent.json")


def test_nan_and_infinity_are_no_numbers(golden: dict[str, Any]) -> None:
    text = json.dumps(golden).replace("0.416667", "NaN", 1)
    with pytest.raises(DataError):
        results.parse(text.encode(), "a.json")
    with pytest.raises(ValueError, match="is no number"):
        results.number(math.nan, (0.0, 1.0), 3, "wilson", "higher", "proportion")


def test_results_do_not_change_and_numbers_are_rounded(data: Path) -> None:
    result = results.read_result(data / "result.json")
    with pytest.raises(ValidationError):
        result.status = "partial"  # type: ignore[misc]
    number = results.number(1 / 3, (-0.00000001, 2 / 3), 9, "wilson", "higher", "proportion")
    assert (number["value"], number["interval"]) == (0.333333, [0.0, 0.666667])
    assert math.copysign(1, number["interval"][0]) == 1, "no minus zero"
    assert results.number(1.0, None, 1, "one-cluster", "lower", "points")["interval"] is None


def test_an_unknown_task_is_told_with_those_there_are(data: Path) -> None:
    with pytest.raises(DataError, match=r"no task 'x'. It has: dots/next, dots/walk"):
        results.read_result(data / "result.json").task("x")
