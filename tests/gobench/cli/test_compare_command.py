"""``gobench power`` and ``compare`` as typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gobench.cli.compare import compare, power
from gobench.errors import DataError, UsageError


def typed(*words: str) -> str:
    found = CliRunner().invoke(power, list(words), catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output


def test_power_says_how_many_and_what_they_show() -> None:
    text = typed(
        "--rate", "0.3", "--difference", "0.05", "--clusters", "110", "--per-cluster", "66", "--icc", "0.02"
    )
    assert "design effect 2.30" in text
    assert "With 110 clusters of 66" in text and "smallest rise" in text


def test_power_as_json_agrees_with_the_library() -> None:
    from gobench import statistics

    found = json.loads(typed("--rate", "0.3", "--difference", "0.05", "--discordance", "0.15", "--json"))
    need = statistics.samples_needed(0.3, 0.05, discordance=0.15)
    assert found["same"]["samples"] == need.samples < found["apart"]["samples"]
    assert "achieved_power" not in found["same"]


@pytest.mark.parametrize(
    "words", [("0.9", "0.2"), ("0.3", "0"), ("0.3", "0.05", "--discordance", "0.01")], ids=" ".join
)
def test_power_refuses_what_cannot_be(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=r"\d"):
        typed("--rate", words[0], "--difference", *words[1:])


@pytest.mark.parametrize(
    ("words", "lost"), [((), "--rate and --difference"), (("--rate", "0.3"), "--difference")]
)
def test_power_without_its_options_shows_an_example(words: tuple[str, ...], lost: str) -> None:
    with pytest.raises(UsageError, match=f"needs {lost}:.*gobench power --rate 0.3 --difference 0.05"):
        typed(*words)


def test_power_needs_no_heavy_import() -> None:
    code = (
        "import sys; from gobench.cli.compare import power; "
        "power.main(['--rate', '.3', '--difference', '.1'], standalone_mode=False); "
        "assert not {'torch', 'numba', 'pydantic', 'jinja2', 'scipy'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_compare_names_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read"):
        CliRunner().invoke(compare, [str(tmp_path / "a"), str(tmp_path / "b")], catch_exceptions=False)
