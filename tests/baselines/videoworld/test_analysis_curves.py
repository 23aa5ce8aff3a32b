"""What model files and results tell of their trainings: curves, their means, what evaluations found, scaling."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from gobench import results
from gobench.cli import cli
from gobench.errors import DataError, UsageError
from gobench.models import save
from gobench_videoworld.analysis.curves import Point, averaged, curves, ends, marks, means
from gobench_videoworld.analysis.loading import Told, labels, together, told
from gobench_videoworld.analysis.scaling import axes, measures, rows
from gobench_videoworld.config import TransformerConfig, VideoWorldConfig

CONFIG = VideoWorldConfig(
    transformer=TransformerConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2,
                                  intermediate_size=16)
)  # fmt: skip
RESULT = Path(__file__).parents[2] / "data" / "result.json"


def provenance(
    seed: int = 0, name: str = "tiny", legal: Sequence[float] = (0.2, 0.6), **options: Any
) -> dict[str, Any]:
    latent = [{"step": 5, "tokens": 50, "seconds": 2.0, "loss": 9.0}]
    steps = [{"step": 10 * (n + 1), "tokens": 100 * (n + 1), "seconds": 3.0 * (n + 1), "legal": value, "loss": 1.0 - value}
             for n, value in enumerate(legal)]  # fmt: skip
    return {
        "name": name, "seed": seed, "flops": 1e9, "seconds": 8.0, "steps": {"latent": 5, "transformer": 10 * len(legal)},
        "frames_watched": 640, "trained_on": [{"name": "games", "episodes": 7}],
        "options": {"size": "tiny", "batch": 4, "seed": seed, "minutes": 1.0, **options},
        "curve": {"latent": latent, "transformer": steps},
    }  # fmt: skip


def made(seed: int = 0, name: str = "tiny", legal: Sequence[float] = (0.2, 0.6), **options: Any) -> Told:
    return Told(
        "m.pt", CONFIG, provenance(seed, name, legal, **options), 100, f"{name}{seed}{legal}{options}"
    )


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three trainings: two seeds of one, and another."""
    places = [tmp_path / f"{name}.pt" for name in ("a0", "a1", "b0")]
    tables = [provenance(0), provenance(1, legal=(0.4, 0.8)), provenance(0, "video", (0.1, 0.1))]
    for n, (place, table) in enumerate(zip(places, tables, strict=True)):
        save(place, "videoworld", CONFIG.to_json(), {"transformer.w": torch.full((3,), float(n))}, table)
    return places


def result_of(model: Path, folder: Path) -> Path:
    """A result of a model, from the one in the tests' data."""
    found = told(model)
    table = json.loads(RESULT.read_text())
    table["model"] |= {
        "weights_sha256": found.weights_sha256,
        "provenance": found.provenance,
        "name": found.name,
    }
    folder.mkdir()
    (folder / "result.json").write_bytes(results.to_bytes(results.from_plain(table, "a test")))
    return folder / "result.json"


def test_a_curve_counts_earlier_stages_where_it_should() -> None:
    places = {"seconds": [5.0, 8.0], "tokens": [150.0, 250.0], "steps": [10.0, 20.0], "samples": [40.0, 80.0]}
    for axis, want in places.items():
        (curve,) = curves([made()], "legal", axis)
        assert [p.x for p in curve.points] == want and [p.y for p in curve.points] == [0.2, 0.6]


def test_operations_end_at_those_of_the_whole_training() -> None:
    (curve,) = curves([made()], "legal", "flops")
    assert curve.points[-1].x == 1e9 and 0 < curve.points[0].x < 1e9
    with pytest.raises(UsageError, match="does not tell its operations"):
        curves([replace(made(), provenance={**provenance(), "flops": 0})], "legal", "flops")


def test_another_stage_has_its_own_curve() -> None:
    (curve,) = curves([made()], "loss", "seconds", "latent")
    assert curve.points == [Point(2.0, 9.0)]


def test_the_mean_of_seeds_is_taken_where_all_of_them_are() -> None:
    found = averaged([[Point(0, 0.0), Point(2, 1.0)], [Point(1, 1.0), Point(3, 1.0)]])
    assert [(m.x, m.mean, m.low, m.high) for m in found] == [(1, 0.75, 0.5, 1.0), (2, 1.0, 1.0, 1.0)]
    assert averaged([[Point(0, 0.0)], [Point(1, 1.0)]]) == []


def test_seeds_of_one_training_share_a_label_and_others_say_what_differs() -> None:
    assert labels([made(0), made(1), made(0, "video")]) == ["tiny", "tiny", "video"]
    assert labels([made(0), made(1, minutes=2.0)]) == ["tiny, minutes 1", "tiny, minutes 2"]
    both = curves([made(0), made(1, legal=(0.4, 0.8))], "legal", "steps")
    assert [(m.mean, m.low, m.high) for m in means(both)["tiny"]] == [
        (pytest.approx(0.3), 0.2, 0.4),
        (pytest.approx(0.7), 0.6, 0.8),
    ]
    assert ends(both, "legal", "steps")[0] | {"legal": 0.7} == {
        "label": "tiny", "seeds": 2, "steps": 20.0, "legal": 0.7, "least": 0.6, "greatest": 0.8,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "axis", "stage", "match"),
    [
        ("leagl", "seconds", "transformer", "Did you mean 'legal'"),
        ("legal", "hours", "transformer", "Known: seconds, steps, samples, tokens, flops"),
        ("legal", "seconds", "decoder", "unknown stage"),
        ("legal", "seconds", "tokenizer", "unknown metric of the stage tokenizer"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(metric: str, axis: str, stage: str, match: str) -> None:
    with pytest.raises(UsageError, match=match):
        curves([made()], metric, axis, stage)


def test_a_result_stands_at_the_end_of_its_models_training(files: list[Path], tmp_path: Path) -> None:
    place = result_of(files[0], tmp_path / "eval")
    alone, beside = told(place), together([told(files[0]), told(place.parent)])
    assert len(beside) == 1 and beside[0].config is not None and beside[0].result is not None
    metric = next(iter(json.loads(RESULT.read_text())["tasks"][0]["metrics"]))
    (mark,) = marks([alone], metric, "seconds")
    assert mark.x == 8.0 and mark.low is not None and mark.low <= mark.value
    assert marks([alone], metric, "flops")[0].x == 1e9  # a result alone has no shape, but its end is told
    with pytest.raises(DataError, match=r"has no metric 'nothing'. It has: "):
        marks([alone], "nothing", "seconds")


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "other.pt", "copy-frame", {}, {"w": torch.zeros(1)})
    with pytest.raises(UsageError, match="is for the model 'copy-frame'"):
        told(tmp_path / "other.pt")
    with pytest.raises(UsageError, match="tells no training"):
        told(RESULT)
    with pytest.raises(DataError, match="there is no model"):
        told(tmp_path / "nothing.pt")


def test_the_table_of_scaling_tells_models_apart() -> None:
    table = rows([made(0), replace(made(1, legal=(0.5, 0.9)), parameters=200, parts={"transformer": 150})])
    assert [row["parameters"] for row in table] == [100, 200] and table[1]["parameters_transformer"] == 150
    assert table[0]["episodes"] == 7 and table[1]["legal"] == 0.9 and "step" not in table[0]
    assert axes(table) == ["parameters"] and measures(table) == ["loss", "legal"]
    assert measures(table, "legal") == ["legal"] and measures(table, "nothing") == []


def run(*words: object) -> Any:
    return CliRunner().invoke(cli, ["analyze", *map(str, words)])


def test_the_command_draws_curves_and_writes_every_number(files: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run("curves", *files, "--axis", "samples", "--out", out)
    assert done.exit_code == 0, done.output
    assert "tiny" in done.output and f"Written to {out}: curves.csv" in done.output
    lines = list(csv.DictReader((out / "curves.csv").open()))
    assert sum(row["kind"] == "training" for row in lines) == 6
    band = [row for row in lines if row["kind"] == "mean" and row["label"] == "tiny"]
    assert band[-1]["seeds"] == "2" and band[-1]["low"] == "0.6" and band[-1]["high"] == "0.8"
    assert (out / "curves.png").read_bytes()[:4] == b"\x89PNG" and b"<svg" in (
        out / "curves.svg"
    ).read_bytes()
    first = (out / "curves.png").read_bytes()
    assert run("curves", *files, "--axis", "samples", "--out", out).exit_code == 0
    assert (out / "curves.png").read_bytes() == first


def test_the_command_draws_results_beside_curves(files: list[Path], tmp_path: Path) -> None:
    place = result_of(files[0], tmp_path / "eval")
    metric = next(iter(json.loads(RESULT.read_text())["tasks"][0]["metrics"]))
    done = run("curves", *files, place, "--result-metric", metric, "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["summary"][0]["seeds"] == 2
    kinds = [row["kind"] for row in csv.DictReader((tmp_path / "out" / "curves.csv").open())]
    assert kinds.count("evaluated") == 1


def test_the_command_tells_scaling(files: list[Path], tmp_path: Path) -> None:
    save(
        tmp_path / "big.pt",
        "videoworld",
        CONFIG.to_json(),
        {"transformer.w": torch.zeros(9)},
        provenance(0, "big"),
    )
    done = run("scaling", *files, tmp_path / "big.pt", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "big" in done.output and (tmp_path / "out" / "scaling.svg").exists()
    same = run("scaling", files[0], "--out", tmp_path / "same")
    assert (
        same.exit_code == 0
        and "there is no picture" in same.output
        and not (tmp_path / "same" / "scaling.png").exists()
    )
    wrong = run("scaling", *files, "--metric", "elo", "--out", tmp_path / "wrong")
    assert isinstance(wrong.exception, UsageError) and "There is: " in str(wrong.exception)


def test_a_curve_of_a_single_point_is_seen(tmp_path: Path) -> None:
    """Of one training, and of two that have no place in common: these have no mean, which is said."""
    from gobench_videoworld.analysis.curves_plot import draw

    one = curves([made(legal=(0.3,))], "legal", "steps")
    (line,) = draw(one, [], "legal", "", "steps").axes[0].lines
    assert line.get_marker() == "o" and line.get_xydata().tolist() == [[10.0, 0.3]]
    places = [tmp_path / "a.pt", tmp_path / "b.pt"]
    for seed, place in enumerate(places):
        table = provenance(seed, legal=(0.3,))
        table["curve"]["transformer"][0]["seconds"] += seed
        save(place, "videoworld", CONFIG.to_json(), {"transformer.w": torch.full((3,), float(seed))}, table)
    found = curves([told(place) for place in places], "legal", "seconds")
    shown = [line for line in draw(found, [], "legal", "", "seconds").axes[0].lines if len(line.get_xydata())]
    assert [line.get_marker() for line in shown] == ["o", "o"]
    done = CliRunner().invoke(cli, ["analyze", "curves", *map(str, places), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0 and "no place on this axis in common" in done.output, done.output


def test_what_was_not_asked_for_is_in_no_label() -> None:
    models = [made(), made(minutes=None, steps=7)]
    assert labels(models) == ["tiny, minutes 1", "tiny, steps 7"]
