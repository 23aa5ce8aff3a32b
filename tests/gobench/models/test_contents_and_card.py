"""What a model file tells, in ``gobench info`` and on its card; a dataset is still told as a dataset."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from click.testing import CliRunner

from gobench.cli import cli
from gobench.errors import DataError, UsageError
from gobench.evaluate import evaluate
from gobench.models import load, save
from gobench.models.card import model_card, write_model_card
from gobench.models.contents import contents, holds_model, rows

TENSORS = {
    "net.add": torch.tensor(3),
    "net.more": torch.ones(2, 5),
    "head": torch.ones(3, dtype=torch.bfloat16),
}
CONFIG = {"times": 2, "inner": {"sizes": [1, 2]}}
MADE: dict[str, Any] = {
    "name": "Tiny | one",
    "trained_on": [{"name": "dots", "manifest_sha256": "ab" * 32, "episodes": 12}],
    "frames_watched": 120_000,
    "labels_used": [],
    "flops": 1.5e12,
    "curve": {"net": [{"step": 1, "loss": 2.0}, {"step": 90, "loss": 0.125}]},
}


def told(*words: object) -> str:
    done = CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def model_pt(tmp_path: Path, installed_tiny: str) -> Path:
    path = tmp_path / "run7" / "model.pt"
    save(path, installed_tiny, CONFIG, TENSORS, MADE)
    return path


@pytest.fixture
def installed_tiny(tiny: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """``Tiny`` with a tensor named as this file's."""
    import tiny_models  # type: ignore[import-not-found]

    def make(cls: Any, config: Any, tensors: Any, device: str, dtype: str) -> Any:
        return cls(int(tensors["net.add"].item()) * config["times"])

    monkeypatch.setattr(tiny_models.Tiny, "from_checkpoint", classmethod(make))
    return tiny


def test_contents_count_the_parts_of_both_forms(tmp_path: Path, model_pt: Path, installed_tiny: str) -> None:
    save(tmp_path / "folder", installed_tiny, CONFIG, TENSORS, MADE)
    found = contents(model_pt)
    assert found["parts"]["net"] == {"tensors": 2, "parameters": 10, "bytes": 48}
    assert found["parts"]["head"] == {"tensors": 1, "parameters": 3, "bytes": 6}
    assert (found["parameters"], found["bytes"]) == (13, 54)
    assert found["dtypes"] == ["bfloat16", "float32", "int64"]
    assert found["provenance"] == MADE and found["config"] == CONFIG
    assert contents(tmp_path / "folder") | {"parts": 0} == found | {"parts": 0}
    assert found["weights_sha256"] == load(str(model_pt)).info.weights_sha256


def test_a_matrix_that_is_used_twice_counts_once(tmp_path: Path, installed_tiny: str) -> None:
    table = torch.arange(6.0).view(2, 3)
    other = table.clone()
    other[1, 2] = 9
    tensors = {
        "net.add": torch.tensor(3),
        "net.embed": table,
        "head.out": table,
        "head.other": other,
        "head.turned": table.view(3, 2),
        "head.zeros": torch.zeros(2, 2),
        "head.more_zeros": torch.zeros(2, 2),  # equal by chance, as biases are
        "head.bias": torch.arange(3.0),
        "head.more_bias": torch.arange(3.0),
    }
    for place in (tmp_path / "model.pt", tmp_path / "folder"):
        save(place, installed_tiny, CONFIG, tensors)
        found = contents(place)
        assert sum(part["parameters"] for part in found["parts"].values()) == found["parameters"]
        assert found["parameters"] == 6 + 6 + 6 + 4 + 4 + 3 + 3
        assert found["parts"]["net"]["parameters"] + found["parts"]["head"]["parameters"] == 32
        assert found["bytes"] == 8 + 4 * (32 + 6)  # both lie in the file
        assert load(str(place)).info.parameters == 32


def test_buffers_are_no_parameters(tmp_path: Path, installed_tiny: str) -> None:
    for place in (tmp_path / "model.pt", tmp_path / "folder"):
        save(place, installed_tiny, CONFIG, TENSORS, {"buffers": ["head", "no.such"]})
        found = contents(place)
        assert found["parameters"] == found["parts"]["net"]["parameters"] == 10
        assert found["parts"]["head"] == {"tensors": 1, "parameters": 0, "bytes": 6}
        assert load(str(place)).info.parameters == 10
    with pytest.raises(UsageError, match="provenance has buffers 'head', not a list of texts"):
        save(tmp_path / "model.pt", installed_tiny, CONFIG, TENSORS, {"buffers": "head"})


def test_options_that_were_not_given_are_left_out() -> None:
    options = {"size": "tiny", "encoder": "", "steps": None, "settings": [], "compile": False, "episodes": 0}
    assert list(rows({"options": options})) == [
        ("options.size", "tiny"),
        ("options.compile", "no"),
        ("options.episodes", "0"),
    ]


def test_what_is_a_model_and_what_a_dataset(tmp_path: Path, model_pt: Path) -> None:
    assert holds_model(model_pt) and holds_model(model_pt.parent)
    assert holds_model(tmp_path / "not-there.pt") and not holds_model(tmp_path / "not-there")
    (model_pt.parent / "manifest.json").write_text("{}")
    assert not holds_model(model_pt.parent) and not holds_model(tmp_path)


def test_rows_show_the_end_of_curves_and_numbers_for_people() -> None:
    assert list(rows(MADE | {"seed": 7, "resumed": True}))[-4:] == [
        ("curve, last row.net.step", "90"),
        ("curve, last row.net.loss", "0.125"),
        ("seed", "7"),
        ("resumed", "yes"),
    ]
    assert dict(rows(MADE))["frames_watched"] == "120,000"
    assert dict(rows(MADE))["trained_on[0].episodes"] == "12"
    assert dict(rows(MADE))["labels_used"] == "none"
    odd = {"pairs": [[8, 1], [30, 0.5]], "text": "", "nothing": None, "lines": "a\n b"}
    assert [text for _, text in rows(odd)] == ["[8, 1], [30, 0.5]", "-", "-", "a b"]


def test_info_tells_it_all(model_pt: Path) -> None:
    text = told("info", model_pt)
    for word in (
        "a model of tiny",
        "13",
        "net",
        "in 2 tensors",
        "120,000",
        "1.5e+12",
        "inner.sizes",
        "1, 2",
        "0.125",
    ):
        assert word in text, word
    assert json.loads(told("info", model_pt, "--json")) == contents(model_pt)
    assert json.loads(told("info", model_pt.parent, "--json")) == contents(model_pt)


def test_info_needs_no_installed_model(tmp_path: Path) -> None:
    save(tmp_path / "m.pt", "nobody-has-this", CONFIG, TENSORS)
    assert "a model of nobody-has-this" in told("info", tmp_path / "m.pt")
    assert "is not at hand" in told("card", tmp_path / "m.pt")


@pytest.mark.parametrize(
    ("words", "error", "match"),
    [
        (["info", "absent.pt"], DataError, "there is no model absent.pt"),
        (["info", "absent"], DataError, "absent is not a folder"),
        (["card", "absent.pt"], DataError, "there is no model absent.pt"),
        (["info", "{model}", "--table"], UsageError, "--table prints the index of a dataset"),
        (["card", "{folder}", "--result", "x"], UsageError, "--result goes with a model"),
        (["card", "{model}", "--result", "absent"], DataError, "cannot read absent"),
    ],
)
def test_what_cannot_be_is_said(
    model_pt: Path, tmp_path: Path, words: list[str], error: type[Exception], match: str
) -> None:
    given = [word.format(model=model_pt, folder=tmp_path) for word in words]
    with pytest.raises(error, match=match):
        CliRunner().invoke(cli, given, catch_exceptions=False)


def test_a_card_says_what_the_file_says(model_pt: Path) -> None:
    text = model_card(model_pt)
    header = yaml.safe_load(text.split("---\n")[1])
    assert header["library_name"] == "video-gobench" and header["license"] == "other"
    assert header["tags"] == ["tiny", "video", "video-gobench", "world-model"] and "model-index" not in header
    for word in (
        "# Tiny | one", "`dots`", "episodes `12`", "repetitions counted: 120,000.", "No label of any kind was used",
        "2 frames of 16×24 pixels", "| net.loss | `0.125` |", "| flops | `1.5e+12` |", "| inner.sizes | `1, 2` |",
    ):  # fmt: skip
        assert word in text, word
    for heading in (
        "What it watched",
        "How it was trained",
        "What it scores",
        "Use it",
        "Limits",
        "Licence",
        "Cite",
    ):
        assert f"\n## {heading}\n" in text
    assert "\n\n\n" not in text and str(model_pt.parent) not in text and text == model_card(model_pt)


def test_a_file_that_says_nothing_gets_a_card_that_says_so(tmp_path: Path, installed_tiny: str) -> None:
    save(tmp_path / "m.pt", installed_tiny, CONFIG, TENSORS)
    text = model_card(tmp_path / "m.pt")
    assert (
        "does not say on what" in text and "does not say whether labels" in text and "does not say.\n" in text
    )
    assert "names no licence" in text and "No result was given" in text and "\n\n\n" not in text


def test_labels_and_licences_are_named(tmp_path: Path, installed_tiny: str) -> None:
    facts = {"labels_used": ["moves", "boards"], "license": "cc0-1.0", "trained_on": "dots"}
    save(tmp_path / "m.pt", installed_tiny, CONFIG, TENSORS, facts)
    text = model_card(tmp_path / "m.pt")
    assert "read beside the frames: `moves`, `boards`." in text
    assert yaml.safe_load(text.split("---\n")[1])["license"] == "cc0-1.0" and "- `dots`\n" in text


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("frames_watched", "1M", "frames_watched '1M', not a whole number from 0"),
        ("frames_watched", None, "frames_watched None, not a whole number"),
        ("frames_watched", True, "not a whole number"),
        ("labels_used", 3, "labels_used 3, not a list of texts"),
        ("labels_used", ["moves", 4], "not a list of texts"),
        ("trained_on", [7], "not a list of tables or names"),
        ("steps", {"net": "many"}, "not a table of whole numbers"),
        ("flops", -1.0, "not a number from 0"),
        ("seconds", "long", "not a number from 0"),
        ("name", ["a"], "not a text"),
        ("license", {}, "not a text"),
        ("curve", {"net": 3}, "not a table of lists"),
        ("options", "x" * 99, "x..., not a table"),
    ],
)
def test_what_a_file_says_of_its_making_is_checked_where_it_is_read(
    key: str, value: Any, says: str, tmp_path: Path, installed_tiny: str
) -> None:
    with pytest.raises(UsageError, match=f"cannot be written.*{says}"):
        save(tmp_path / "m.pt", installed_tiny, CONFIG, TENSORS, {key: value})
    save(tmp_path / "folder", installed_tiny, CONFIG, TENSORS, MADE)
    place = tmp_path / "folder" / "config.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), "provenance": {key: value}}))
    for read in (contents, model_card, lambda path: load(str(path))):
        with pytest.raises(DataError, match=says):
            read(tmp_path / "folder")


def test_keys_of_a_training_of_its_own_hold_what_they_like(tmp_path: Path, installed_tiny: str) -> None:
    facts = {
        "own": [1, "a", {"b": None}],
        "code": "abc",
        "trained_on": {"name": "dots"},
        "labels_used": "moves",
    }
    save(tmp_path / "m.pt", installed_tiny, CONFIG, TENSORS, facts)
    assert "- `dots`" in model_card(tmp_path / "m.pt")


def test_foreign_texts_stay_texts(tmp_path: Path, installed_tiny: str) -> None:
    evil = "x\n\n<script>alert(1)</script>\n# [y](javascript:z) ![p](http://q) `c` \\[w](v) a|b"
    facts = {"name": evil, "own": {evil: evil}, "trained_on": [{"name": evil, evil: evil}], "labels_used": [evil],
             "license": evil, "curve": {evil: [{evil: 1.0}]}}  # fmt: skip
    save(tmp_path / "m.pt", installed_tiny, {**CONFIG, evil: evil}, TENSORS, facts)
    _, header, text = model_card(tmp_path / "m.pt").split("---\n", 2)
    assert yaml.safe_load(header)["license"] == evil
    plain = re.sub(r"`[^`]*`", "", text.replace("\\`", ""))
    assert "<" not in plain and not re.search(r"(?<!\\)(\\\\)*\[[yp]\]", plain)
    assert text.strip().splitlines()[0] == (
        r"# x &lt;script&gt;alert(1)&lt;/script&gt; # \[y\](javascript:z) !\[p\](http://q) \`c\` \\\[w\](v) a|b"
    )
    assert not re.search("^# .", text.strip().partition("\n")[2], re.M)


def test_a_file_that_the_installed_model_does_not_make_has_a_card(
    tmp_path: Path, installed_tiny: str
) -> None:
    save(tmp_path / "m.pt", installed_tiny, {"no": "times"}, TENSORS, MADE)
    with pytest.raises(DataError, match="cannot be made from it"):
        load(str(tmp_path / "m.pt"))
    text = model_card(tmp_path / "m.pt")
    assert "is not at hand" in text and "repetitions counted: 120,000." in text


def test_the_card_lies_beside_the_model(model_pt: Path, tmp_path: Path, installed_tiny: str) -> None:
    assert write_model_card(model_pt) == model_pt.with_name("model.md")
    save(tmp_path / "folder", installed_tiny, CONFIG, TENSORS, MADE)
    assert told("card", tmp_path / "folder", "--write").strip() == str(tmp_path / "folder" / "README.md")
    assert (tmp_path / "folder" / "README.md").read_text() == model_card(tmp_path / "folder")
    assert told("card", model_pt) == (model_pt.with_name("model.md")).read_text()


def test_scores_of_this_model_and_no_other(
    tmp_path: Path, installed_tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tiny_models

    monkeypatch.setattr(tiny_models.Tiny, "frame_size", (64, 64))
    for name, add in (("a", 0), ("b", 1)):
        tensors = {"net.add": torch.tensor(add)}
        save(tmp_path / name / "model.pt", installed_tiny, CONFIG, tensors)
    done = evaluate(
        str(tmp_path / "a" / "model.pt"),
        suite="go5-lite",
        out=tmp_path / "eval",
        limit=6,
        tasks=["go5/next-move"],
    )
    text = model_card(tmp_path / "a" / "model.pt", [done])
    index = yaml.safe_load(text.split("---\n")[1])["model-index"][0]
    assert index["results"][0]["dataset"]["type"] == "go5-lite"
    assert "| go5-lite, standard | go5/next-move 1 | **score_loss** |" in text and ", a part |" in text
    assert "Lower is better for" in text and "--suite go5-lite" in text
    with pytest.raises(DataError, match="a result of other weights"):
        model_card(tmp_path / "b" / "model.pt", [done])


def test_a_dataset_is_told_without_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from click.testing import CliRunner; from gobench.cli import cli\n"
        f"done = CliRunner().invoke(cli, ['info', {str(tmp_path)!r}])\n"
        "assert 'manifest.json' in str(done.exception), done\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
