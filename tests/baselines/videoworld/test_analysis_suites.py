"""Models on a suite's own tasks: the same numbers as an evaluation, codes replaced at random, failures taken apart."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from gobench.cli import cli
from gobench.errors import UsageError
from gobench.evaluate import evaluate
from gobench.results import read_result
from gobench.tasks import Table
from gobench.types import Array, Json
from gobench_videoworld.analysis import asking, failures, intervene
from gobench_videoworld.analysis.loading import with_codes
from gobench_videoworld.config import VideoWorldConfig

Models = dict[str, Path]


def run(*words: object) -> Any:
    return CliRunner().invoke(cli, ["analyze", *map(str, words)])


def lines(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.open()))


def seeds(*values: int) -> Any:
    return np.array(values, np.uint64)


class Drawer:
    """Answers with the right frames, but for some samples; counts what it is asked."""

    context_keys = ("ask", "id")
    frame_size, max_frames = (64, 64), 2

    def __init__(self, task: Any, wrong: frozenset[str] = frozenset()) -> None:
        self.task, self.wrong, self.asked = task, wrong, 0

    def generate(
        self, frames: Array, n: int, seeds: Any, context: Sequence[Mapping[str, Json]] | None = None
    ) -> Array:
        assert context is not None
        self.asked += len(frames)
        view = asking.View(64, 64, 2)
        rows = [
            frames[i, -1:] if row["id"] in self.wrong else self.task.truth(row["id"], view)
            for i, row in enumerate(context)
        ]
        return np.stack(rows)


@pytest.fixture(scope="module")
def what() -> asking.Asked:
    task = next(t for t in asking.open_suite("go5-lite").tasks if t.name == "go5/next-move")
    return asking.asked("go5-lite", task, 40, 0, 16)


def test_numbers_are_those_of_an_evaluation(untrained: Models, tmp_path: Path) -> None:
    place = untrained["codes"]
    model = with_codes(str(place))
    name, task = asking.fitting(model)
    assert (name, task.name) == ("go5-lite", "go5/next-move")
    asked = asking.asked(name, task, 24, 3, 8)
    own = asking.scored(asked, (made := asking.table(model, asked, "test")), asking.weights(made))
    evaluate(str(place), name, tmp_path / "eval", seed=3, batch=8, limit=24, tasks=[task.name])
    result = read_result(tmp_path / "eval").task(task.name)
    assert result.n == 24 and "legal_within_k" not in own
    for metric, number in own.items():
        told = result.metrics[metric]
        assert told is not None and told.value == pytest.approx(number.value, abs=1e-6)
        assert (told.interval is None) == (number.interval is None)
        if told.interval and number.interval:
            assert told.interval == pytest.approx(number.interval, abs=1e-6)


def test_each_sample_is_asked_once_and_the_answer_judged(what: asking.Asked) -> None:
    wrong = frozenset(what.samples[:10])
    model = Drawer(what.task, wrong)
    made = asking.table(model, what, "drawer")
    assert model.asked == 40
    legal = dict(zip(made.ids, made.columns["legal_first_try"].tolist(), strict=True))
    assert all(legal[sample] == (sample not in wrong) for sample in what.samples)
    own = asking.scored(what, made, asking.weights(made))
    assert own["accuracy"].value == 0.75 and own["accuracy"].low < 0.75 < own["accuracy"].high


def test_tables_are_paired_sample_by_sample(what: asking.Asked) -> None:
    right = asking.table(Drawer(what.task), what, "right")
    worse = asking.table(Drawer(what.task, frozenset(what.samples[::2])), what, "worse")
    found = asking.differences(what, right, worse, asking.weights(right))
    assert found["accuracy"].value == -0.5 and found["accuracy"].high < 0
    other = Table(right.ids[1:], right.clusters[1:], {}, right.kinds[1:], right.clean[1:])
    with pytest.raises(asking.DataError, match="other samples"):
        asking.differences(what, right, other, asking.weights(right))


def test_random_codes_are_uniform_and_the_same_whichever_are_replaced(small: VideoWorldConfig) -> None:
    assert list(intervene.conditions(3)) == ["none", "code 1", "code 2", "code 3", "all"]
    assert list(intervene.conditions(1)) == ["none", "code 1"]
    many = seeds(*range(400))
    every = intervene.randomly(small, (0, 1, 2))(many, 0)
    second = intervene.randomly(small, (1,))(many, 0)
    assert every.shape == (400, 6) and (second[:, [0, 1, 4, 5]] == -1).all()
    assert (second[:, 2:4] == every[:, 2:4]).all()
    assert every[:, 0].unique().tolist() == list(range(25)) and every[:, 1].unique().tolist() == list(
        range(5)
    )
    assert (intervene.randomly(small, (1,))(many, 1) != second).any()  # another frame, other codes
    assert (
        intervene.randomly(small, (1,))(many[7:8], 0) == second[7:8]
    ).all()  # rows do not depend on each other


def test_the_code_that_hurts_most_is_named_and_told_apart(what: asking.Asked) -> None:
    right = asking.table(Drawer(what.task), what, "right")
    bad = asking.table(Drawer(what.task, frozenset(what.samples[:30])), what, "bad")
    found = {"none": right, "code 1": bad, "code 2": right, "all": bad}
    verdict = intervene.verdict(what, found, "accuracy")
    assert verdict["most"] == "code 1" and verdict["hurts"] and verdict["told_apart"]
    assert verdict["against"]["code 2"]["change"] == -0.75
    assert not intervene.verdict(what, {"none": right, "code 1": right, "all": bad}, "accuracy")["hurts"]
    rows = {(row["replaced"], row["metric"]): row for row in intervene.rows(what, found)}
    assert rows["code 1", "accuracy"]["change"] == -0.75 and rows["code 1", "accuracy"]["change_high"] < 0
    assert (
        rows["code 1", "accuracy"]["paper"] == 0.421 and rows["code 1", "accuracy"]["paper_change"] == -0.388
    )
    assert "change" not in rows["none", "accuracy"] and rows["none", "score_loss"]["paper"] is None


def test_a_forced_code_decides_the_answer(untrained: Models) -> None:
    from dataclasses import replace

    from gobench_videoworld.answers import VideoAnswers

    model = with_codes(str(untrained["codes"]))
    assert isinstance(model.answers, VideoAnswers)
    frames = np.random.default_rng(0).integers(0, 256, (2, 1, 64, 64, 3), np.uint8)
    force = intervene.randomly(model.config, (0, 1, 2))
    forced = asking.changed(model, replace(model.answers, intervene=force))
    assert model.answers.intervene is None
    same = [forced.generate(np.stack([frames[0], frames[0]]), 1, seeds(5, 5)) for _ in range(2)]
    assert np.array_equal(same[0], same[1]) and np.array_equal(same[0][0], same[0][1])
    outer = replace(model.answers, intervene=lambda s, added: force(s, added) * 0 - 1)
    assert np.array_equal(
        asking.changed(model, outer).generate(frames, 2, seeds(1, 2)), model.generate(frames, 2, seeds(1, 2))
    )


@pytest.mark.parametrize(
    ("legal", "decoded", "clean", "taken", "want"),
    [
        (True, False, False, True, failures.LEGAL),
        (False, True, True, False, failures.FRAME),
        (False, False, True, False, failures.ILLEGAL),
        (False, False, False, True, failures.ILLEGAL),
        (False, False, False, False, failures.UNDECODED),
    ],
)
def test_failures_have_one_class_each(
    legal: bool, decoded: bool, clean: bool, taken: bool, want: str
) -> None:
    assert failures._class(legal, decoded, clean, taken) == want


def test_shares_of_failures_add_up() -> None:
    kinds = [failures.LEGAL] * 30 + [failures.FRAME] * 5 + [failures.ILLEGAL] * 15
    found = {
        row["class"]: row
        for row in failures.shares([{"class": kind, "cluster": n} for n, kind in enumerate(kinds)])
    }
    assert found[failures.LEGAL]["share"] == 0.6 and found[failures.LEGAL]["of_failures"] is None
    assert found[failures.ILLEGAL]["of_failures"] == 0.75 and found[failures.UNDECODED]["of_failures"] == 0
    assert sum(row["samples"] for row in found.values()) == 50
    perfect = failures.shares([{"class": failures.LEGAL, "cluster": n} for n in range(9)])
    assert all(row["of_failures"] is None for row in perfect)


def test_a_twin_answers_as_the_model_and_keeps_its_codes_picture(
    untrained: Models, what: asking.Asked
) -> None:
    for form in ("video+ldm", "generic"):
        model = with_codes(str(untrained[form]))
        twin = failures.Twin(model)
        frames = np.random.default_rng(0).integers(0, 256, (3, 1, 64, 64, 3), np.uint8)
        context = [{"id": name, "ask": 0} for name in "abc"]
        given = twin.generate(frames, 1, seeds(1, 2, 3), context)
        assert np.array_equal(given, model.generate(frames, 1, seeds(1, 2, 3)))
        assert set(twin.pictures) == set("abc") and bool(twin.places) == (form == "video+ldm")
        if form == "video+ldm":
            assert all(0 <= site < 25 for site in twin.places.values())
        drawn = f"{untrained[form]}?renderer=latent"
        assert np.array_equal(
            np.stack(list(twin.pictures.values())),
            with_codes(drawn).generate(frames, 1, seeds(1, 2, 3))[:, 0],
        )


def test_the_command_intervenes(untrained: Models, tmp_path: Path) -> None:
    words = ("intervene", untrained["video+ldm"], "--suite", "go5-lite", "--limit", 16, "--out", tmp_path)
    done = run(*words)
    assert done.exit_code == 0, done.output
    assert "the paper's" in done.output and "no single code is seen to hurt" in done.output
    table = lines(tmp_path / "intervene.csv")
    assert {row["replaced"] for row in table} == {"none", "code 1", "code 2", "code 3", "all"}
    facts = json.loads((tmp_path / "intervene.json").read_text())
    assert facts["samples"] == 16 and facts["of"] > 100 and len(facts["protocol_hash"]) == 64
    first = (tmp_path / "intervene.csv").read_bytes()
    assert run(*words, "--no-pictures").exit_code == 0 and (tmp_path / "intervene.csv").read_bytes() == first


def test_the_command_splits_failures_of_several_models(untrained: Models, tmp_path: Path) -> None:
    done = run("failures", untrained["video+ldm"], untrained["generic"], "--limit", 16, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert "(located codes)" in done.output and "(generic codes)" in done.output
    samples = lines(tmp_path / "failures-samples.csv")
    assert len(samples) == 32 and {row["class"] for row in samples} <= set(failures.CLASSES)
    located = [row for row in samples if row["model"] == "video+ldm.pt"]
    assert all(row["place"] and row["place_taken"] for row in located)
    assert not any(row["place"] for row in samples if row["model"] == "generic.pt")


def test_files_of_one_name_are_told_apart(untrained: Models, tmp_path: Path) -> None:
    places = [tmp_path / name / "model.pt" for name in "ab"]
    for place, form in zip(places, ("video+ldm", "codes"), strict=True):
        place.parent.mkdir()
        place.write_bytes(untrained[form].read_bytes())
    done = run("failures", *places, "--limit", 4, "--out", tmp_path / "out", "--json", "--no-pictures")
    assert done.exit_code == 0, done.output
    assert {row["model"] for row in json.loads(done.output)["summary"]} == {
        f"{place} (located codes)" for place in places
    }


@pytest.mark.parametrize("command", ["intervene", "failures"])
def test_what_cannot_be_asked_is_refused(command: str, untrained: Models, tmp_path: Path) -> None:
    model = untrained["video+ldm"]
    for words, says in (
        ((untrained["state"],), "a state model reads positions"),
        ((untrained["video"],), "was trained on video alone"),
        ((model, "--suite", "go9-lite"), "watched the board 5x5 and cannot answer the board 9x9"),
        ((model, "--suite", "go5-light"), "Did you mean 'go5-lite'"),
        ((model, "--suite", "go5-lite", "--task", "rollout"), "unknown task of single frames"),
        ((model, "--device", "foo"), "device 'foo' cannot be used"),
    ):
        done = run(command, *words, "--limit", 4, "--out", tmp_path)
        assert isinstance(done.exception, UsageError) and says in str(done.exception), (
            words,
            done.exception,
            done.output,
        )
    assert not list(tmp_path.iterdir())
