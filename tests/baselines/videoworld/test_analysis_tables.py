"""Tables and pictures on disk, points in the plane, patterns around moves: on made-up input with known answers."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from gobench.errors import UsageError
from gobench_videoworld.analysis import drawing, paper, projection
from gobench_videoworld.analysis.output import Output, clean, to_csv, to_markdown
from gobench_videoworld.analysis.patterns import (
    NONE,
    OFF,
    around,
    commonest,
    described,
    line,
    pattern,
    region,
    taken,
    touch,
)
from gobench_videoworld.commands.analyze import home

GRID = (3, 4)


def state(text: str) -> Any:
    """Rows of ".xo" (o is 1) as one state uint8 [1, cells]."""
    return np.array([[".ox".index(letter) for letter in text.replace("/", "")]], np.uint8)


def read(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode())))


def test_rows_become_csv_under_all_their_columns() -> None:
    rows = [{"a": 1, "b": 0.123456789}, {"a": np.int64(2), "c": "x,y", "b": float("nan")}, {"c": None}]
    assert read(to_csv(rows)) == [
        {"a": "1", "b": "0.123457", "c": ""},
        {"a": "2", "b": "", "c": "x,y"},
        {"a": "", "b": "", "c": ""},
    ]


def test_markdown_shows_missing_values_and_keeps_bars() -> None:
    table = to_markdown([{"a": "x|y", "b": 0.25}, {"a": 3}], {"a": "first", "b": "second"})
    assert table.splitlines()[2:] == ["| x\\|y | 0.25 |", "| 3 | – |"]


def test_what_is_not_finite_is_null_and_numpy_is_plain() -> None:
    found = clean({"a": [np.float32(0.5), float("inf")], "b": (np.int64(3), True, None, "x")})
    assert json.loads(json.dumps(found)) == {"a": [0.5, None], "b": [3, True, None, "x"]}


def test_an_output_writes_numbers_facts_and_pictures(tmp_path: Path) -> None:
    output = Output(tmp_path / "new", "thing")
    output.table([{"x": 1}], "part")
    output.facts({"seed": 3})
    output.picture(_dots())
    assert [path.name for path in output.files] == ["thing-part.csv", "thing.json", "thing.png", "thing.svg"]
    assert json.loads((tmp_path / "new" / "thing.json").read_text())["seed"] == 3
    assert not list((tmp_path / "new").glob(".*"))


def test_an_output_tells_what_it_replaces(tmp_path: Path) -> None:
    Output(tmp_path, "thing").table([{"x": 1}])
    again, other = Output(tmp_path, "thing"), Output(tmp_path, "thing")
    again.table([{"x": 1}])
    assert not again.replaced
    assert [other.table([{"x": 2}])] == other.replaced == other.files


@pytest.mark.parametrize(
    ("places", "name"),
    [
        (["runs/go9-tiny-model/model.pt"], "go9-tiny-model"),
        (["videoworld:./runs/go9-tiny-model/model.pt?temperature=0"], "go9-tiny-model-temperature=0"),
        (["runs/video.pt"], "video"),
        (["model.pt"], "model"),
        (["runs/input/video/seed-0/model.pt"], "input-video-seed-0"),
        (["runs/a.pt", "runs/b.pt", "runs/a.pt", "runs/eval/a/result.json"], "a+b+eval-a"),
        (["."], "here"),
    ],
)
def test_a_folder_is_named_after_what_is_looked_at(places: list[str], name: str) -> None:
    assert home(*places) == Path("runs", "analysis", name)


def test_many_models_make_no_endless_name() -> None:
    many = [f"runs/model-{n}.pt" for n in range(100)]
    found = home(*many).name
    assert found.startswith("model-0+99-") and len(found) < 100 and home(*many[:99]).name != found
    assert home("/elsewhere/x/model.pt").name == "elsewhere-x"


@drawing.styled
def _dots() -> Any:
    figure, (axes,) = drawing.figure(2, 2)
    drawing.bars(axes, ["a", "b"], [0.5, None], [0.4, None], [0.6, None], [None, 0.7])
    drawing.plain(axes, "t", "x", "y")
    return figure


@pytest.mark.parametrize("form", ["png", "svg"])
def test_equal_pictures_have_equal_bytes(form: str) -> None:
    assert drawing.rendered(_dots(), form) == drawing.rendered(_dots(), form)


def test_pictures_without_matplotlib_are_refused_before_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"-c constraints.txt -e '.\[plots\]'.*--no-pictures"):
        drawing.check()


def test_pca_finds_the_direction_of_most_variance() -> None:
    t = np.linspace(-1, 1, 50)
    noise = 0.01 * np.random.default_rng(0).normal(size=50)
    plane, share = projection.pca(np.stack([3 * t, -4 * t, noise], 1))
    assert share > 0.999 and np.allclose(np.abs(plane[:, 0]), 5 * np.abs(t), atol=0.05)
    assert np.array_equal(projection.pca(np.stack([3 * t, -4 * t, noise], 1))[0], plane)


def test_a_plane_is_found_for_one_dimension_and_for_equal_points() -> None:
    plane, how = projection.projected(np.array([[1.0], [2.0], [4.0]]), "pca", 0)
    assert plane.shape == (3, 2) and not plane[:, 1].any() and how == "PCA, 100% of the variance"
    assert not projection.projected(np.ones((4, 3)), "pca", 0)[0].any()


def test_umap_is_taken_where_it_is_and_refused_by_name_where_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "find_spec", lambda name: None)
    assert projection.chosen("auto") == "pca"
    with pytest.raises(UsageError, match=r"umap is not installed.*\[analysis\]"):
        projection.chosen("umap")
    with pytest.raises(UsageError, match="unknown projection 'tsne'"):
        projection.chosen("tsne")
    monkeypatch.setattr(projection, "find_spec", lambda name: object())
    made = ModuleType("umap")
    made.UMAP = _Doubled  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "umap", made)
    plane, how = projection.projected(np.arange(20.0).reshape(10, 2), "auto", 2**40 + 5)
    assert how == "UMAP" and plane[9].tolist() == [36.0, 38.0]
    assert projection.projected(np.arange(4.0).reshape(2, 2), "auto", 0)[1].startswith(
        "PCA"
    )  # too few points


class _Doubled:
    def __init__(self, n_neighbors: int, random_state: int) -> None:
        assert n_neighbors == 9 and 0 <= random_state < 2**32

    def fit_transform(self, points: Any) -> Any:
        return 2 * points


def test_cells_around_a_place_know_the_edge() -> None:
    board = state("o.x./..../.o..")
    assert around(board, np.array([0]), GRID)[0].tolist() == [OFF, OFF, OFF, OFF, 1, 0, OFF, 0, 0]
    assert around(board, np.array([5]), GRID)[0].reshape(3, 3).tolist() == [[1, 0, 2], [0, 0, 0], [0, 1, 0]]


def test_patterns_are_seen_by_the_mover_and_equal_under_symmetries() -> None:
    cells = around(state("o.x./..../.o.."), np.array([5]), GRID)[0]
    seen = pattern(cells.tolist(), 1)
    assert sorted(seen.replace("/", "")) == sorted("o.x....o.")
    turned = np.rot90(cells.reshape(3, 3)).T.reshape(-1)
    assert pattern(turned.tolist(), 1) == seen
    swapped = np.array([0, 2, 1])[cells]
    assert pattern(swapped.tolist(), 2) == seen != pattern(cells.tolist(), 2)


@pytest.mark.parametrize(
    ("cells", "gone", "want"),
    [
        ([0, 0, 0, 0, 0, 0, 0, 0, 0], 0, "open"),
        ([2, 0, 2, 0, 0, 0, OFF, OFF, OFF], 0, "open"),  # diagonals do not touch
        ([0, 1, 0, 0, 0, 0, 0, 0, 0], 0, "touches own"),
        ([0, 2, 0, 0, 0, 0, 0, 0, 0], 0, "touches other"),
        ([0, 2, 0, 1, 0, 0, 0, 0, 0], 0, "touches both"),
        ([0, 2, 0, 1, 0, 0, 0, 0, 0], 2, "takes stones"),
    ],
)
def test_what_a_move_touches(cells: list[int], gone: int, want: str) -> None:
    assert touch(cells, 1, gone) == want


def test_lines_and_regions_of_a_board() -> None:
    nine = (9, 9)
    assert [line(cell, nine) for cell in (0, 10, 40, 80)] == [1, 2, 5, 1]
    assert [region(cell, nine) for cell in (0, 4, 40, 30, 20)] == [
        "corner",
        "side",
        "centre",
        "centre",
        "corner",
    ]


def test_moves_between_states_are_described() -> None:
    before = np.concatenate([state("ox../o.../...."), state("..../..../....")])
    after = np.concatenate([state("o.o./o.../...."), state("..../..../....")])
    assert taken(before, after).tolist() == [1, 0]
    first, second = described(before, after, np.array([[2, 1], [12, 0]]), GRID)
    assert (
        first["row"] == 0 and first["col"] == 2 and first["taken"] == 1 and first["touch"] == "takes stones"
    )
    assert second == {"touch": NONE, "pattern": NONE, "region": NONE}


def test_the_commonest_values_come_first_and_nothing_is_no_value() -> None:
    assert commonest(["b", "a", NONE, NONE, NONE, "b", "c"], 2) == ["b", "a"]


def test_the_papers_numbers_are_proportions() -> None:
    assert paper.of(paper.INTERVENTION["code 1"], "policy_ratio") == 0.462
    assert paper.of(paper.AXES["target"]["codes"], "accuracy") == 0.786
    assert paper.of(None, "accuracy") is None and paper.of(paper.REPLIES, "score_loss") is None


def test_the_page_tells_every_command_axis_measure_and_class() -> None:
    from click import Context

    from gobench.cli import SharedGroup
    from gobench_videoworld.analysis.ablations import AXES
    from gobench_videoworld.analysis.failures import CLASSES
    from gobench_videoworld.analysis.imagine import MEASURES

    page = (Path(__file__).parents[3] / "docs" / "analyses.md").read_text()
    group = SharedGroup("analyze")
    for name in group.list_commands(Context(group)):
        assert f"| `{name} " in page and f"gobench analyze {name} " in page, name
    for name in AXES:
        assert f"| `{name}` |" in page, name
    for name in MEASURES:
        assert f"`{name}`" in page, name
    for name in CLASSES:
        assert f"| {name} |" in page, name
