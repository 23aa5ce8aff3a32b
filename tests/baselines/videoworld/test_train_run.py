"""A dataset becomes a model.pt: all stages for all inputs, gone on with, begun anew, and the same every time."""

from __future__ import annotations

import os
import shlex
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gobench import atomic
from gobench.canonical import read_json
from gobench.card import license_of
from gobench.dataset import open_dataset
from gobench.errors import BuildError, DataError, StoppedError, UsageError
from gobench.loader import ClipDataset, View
from gobench.models import load
from gobench.models.card import model_card
from gobench.models.contents import PROVENANCE, contents
from gobench_videoworld.commands.train import videoworld
from gobench_videoworld.configure import configured, scene
from gobench_videoworld.options import TrainOptions, work_of
from gobench_videoworld.train import clock, keep, material
from gobench_videoworld.train.clock import Clock
from gobench_videoworld.train.feed import Feed
from gobench_videoworld.train.parallel import started
from gobench_videoworld.train.run import Trained, _check_slices, prepare, train
from gobench_videoworld.train.stages import LatentStage, TokenizerStage, TransformerStage

SMALL = ("transformer.hidden_size=16", "transformer.num_hidden_layers=1", "transformer.num_attention_heads=2",
         "transformer.num_key_value_heads=2", "transformer.intermediate_size=24", "tokenizer.width=16")  # fmt: skip
FORMS: dict[str, dict[str, Any]] = {
    "state": {"input": "state"},
    "video": {"input": "video"},
    "video+ldm": {},
    "paper-faithful": {"paper_faithful": True},
    "generic": {"latent": "generic"},
    "codes": {"target": "codes"},
    "no codes": {"target": "video"},
    "pixel": {"latent": "pixel", "unchanged": "drop", "horizon": (1, 2),
              "settings": (*SMALL, "latent.width=8", "latent.blocks=1", "latent.levels=4,4")},
    "fewer": {"episodes": 9, "turns": "first", "horizon": (1, 2), "symmetry": "none", "accumulate": 2},
}  # fmt: skip
STEPS, BATCH = 12, 8
TOKENIZED, CODED = 16, 32  # batches of tokenizers and of latent models of tokens
FRAMES = {
    "state": BATCH * (4 + 5),
    "video": TOKENIZED + BATCH * (4 + 1),
    "video+ldm": TOKENIZED + CODED * 6 + BATCH * (4 + 5),
    "paper-faithful": TOKENIZED + CODED * 6 + BATCH * (2 + 5),
    "generic": TOKENIZED + CODED * 6 + BATCH * (4 + 5),
    "codes": TOKENIZED + CODED * 6 + BATCH * (4 + 5),
    "no codes": TOKENIZED + BATCH * (4 + 1),
    "pixel": TOKENIZED + 8 * 3 + BATCH * (4 + 2),
    "fewer": TOKENIZED + CODED * 3 + BATCH * (4 + 2),
}
"""Frames of a step of all stages; with codes of 1, 3, 5 a latent model sees frames 0 to 5."""
SILENT = {"progress": False}

Asked = Callable[..., TrainOptions]


@pytest.fixture(autouse=True)
def few_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(material, "QUESTIONS", 6)


@pytest.fixture
def asked(go5: Path, tmp_path: Path) -> Asked:
    """Options for a training of seconds, ``asked(place="a", seed=1)``."""

    def make(place: str = "own", **changes: Any) -> TrainOptions:
        home = tmp_path / place
        own: dict[str, Any] = {"steps": STEPS, "batch": BATCH, "evaluate_every": 0, "settings": SMALL}
        return TrainOptions(go5, home / "model.pt", home / "work", **{**own, **changes})

    return make


@pytest.fixture(scope="module")
def trained(
    go5: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], tuple[TrainOptions, Trained]]:
    """Each form, trained once. Nobody writes into their folders."""
    made: dict[str, tuple[TrainOptions, Trained]] = {}

    def make(form: str) -> tuple[TrainOptions, Trained]:
        if form not in made:
            home = tmp_path_factory.mktemp("trained")
            own: dict[str, Any] = {"steps": STEPS, "batch": BATCH, "evaluate_every": 0, "settings": SMALL}
            options = TrainOptions(go5, home / "model.pt", home / "work", **{**own, **FORMS[form]})
            made[form] = options, train(options, **SILENT)
        return made[form]

    return make


@pytest.mark.parametrize("form", FORMS)
def test_every_form_becomes_a_model_that_answers(trained: Any, go5: Path, form: str) -> None:
    options, done = trained(form)
    assert list(done.stages) == list(options.stages)
    assert all(stage.step == STEPS for stage in done.stages.values())
    model = load(str(options.out))
    assert (model.info.weights_sha256, model.info.parameters) == (done.weights_sha256, done.parameters)
    assert model.info.kind == ("state" if form == "state" else "video")
    frames = ClipDataset(go5, "test", View(length=2))[0]["frames"]
    clips = np.asarray(frames)[None]
    answer = model.ask(clips, 2, np.array([1], np.uint64))
    assert answer.shape == (1, 2, *clips.shape[2:]) and answer.dtype == np.uint8


@pytest.mark.parametrize("form", FORMS)
def test_the_model_tells_how_it_was_made(trained: Any, form: str) -> None:
    options, done = trained(form)
    told = contents(options.out)["provenance"]
    assert told.keys() == (PROVENANCE.keys() - {"license"}) | {"weights", "held_out"}
    (dataset,) = told["trained_on"]
    assert dataset["episodes"] == (options.episodes or 27) and len(dataset["manifest_sha256"]) == 64
    assert dataset["license"] == license_of(open_dataset(options.data).manifest) != "other"
    assert told["labels_used"] == (["actions"] if form == "state" else [])
    assert told["frames_watched"] == STEPS * FRAMES[form]
    assert told["held_out"] == "validation" and told["weights"].keys() == set(options.stages)
    if form != "state":
        store = read_json(options.work / "tokens" / "train" / "meta.json")
        assert told["weights"]["tokenizer"] == store["maker"]
    assert told["steps"] == dict.fromkeys(options.stages, STEPS)
    assert told["flops"] == sum(stage.flops for stage in done.stages.values()) > 0
    assert told["curve"].keys() == set(options.stages)
    assert [row["step"] for row in told["curve"]["transformer"]] == [STEPS]
    row = told["curve"]["transformer"][0]
    assert {"loss", "legal", "unchanged", "as_played", "seconds"} <= row.keys()
    assert contents(options.out)["parameters"] == done.parameters  # whitening's moments are none
    assert [name for name in told["buffers"] if ".white." not in name] == []
    assert told["options"] == options.decisive() and str(options.work.parent) not in str(told)


def test_a_latent_model_of_pixels_learns_from_the_windows_of_the_transformer(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those without a change are dropped for both."""
    seen: dict[str, list[Any]] = {"latent": [], "transformer": []}
    for stage in (LatentStage, TransformerStage):

        def batch(self: Any, step: int, rank: int, world: int, real: Any = stage.batch) -> Any:
            made = real(self, step, rank, world)
            seen[self.name].append(made)
            return made

        monkeypatch.setattr(stage, "batch", batch)
    train(asked(steps=4, **{**FORMS["pixel"], "symmetry": "none"}), **SILENT)
    for made in seen["latent"]:
        assert (made["frames"][:, 0] != made["frames"][:, 1]).flatten(1).any(1).all()
        assert (made["before"][:, 0] != made["after"][:, 0]).any(1).all()
    for one, other in zip(seen["latent"], seen["transformer"], strict=True):
        assert torch.equal(one["episode"], other["episode"]) and torch.equal(one["frames"], other["frames"])


def test_a_card_shows_the_licence_of_the_data_and_none_of_the_weights(trained: Any) -> None:
    options, _ = trained("state")
    text = model_card(options.out)
    licence = license_of(open_dataset(options.data).manifest)
    assert f"license `{licence}`" in text and text.startswith("---\nlicense: other\n")
    assert "The file names no licence." in text and "| weights.transformer |" in text


def test_what_is_not_held_out_is_said(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(material, "held_out", lambda data: "train")
    said: list[str] = []
    train(asked(input="state"), said.append, progress=False)
    assert len([line for line in said if "go5 holds no frames out" in line]) == 1
    assert contents(asked().out)["provenance"]["held_out"] == "train"


def test_a_finished_training_is_left_as_it_is(trained: Any) -> None:
    options, done = trained("video+ldm")
    before = {p: p.stat().st_mtime_ns for p in options.work.rglob("*.safetensors")}
    options.out.unlink()
    again = train(options, **SILENT)
    assert (again.weights_sha256, again.stages, again.parameters) == (
        done.weights_sha256,
        {},
        done.parameters,
    )
    assert {p: p.stat().st_mtime_ns for p in options.work.rglob("*.safetensors")} == before
    assert load(str(options.out)).info.weights_sha256 == done.weights_sha256
    assert again.finished.keys() == done.finished.keys() == done.stages.keys()
    assert all(again.finished[name]["metrics"] == stage.metrics for name, stage in done.stages.items())
    assert again.spent == done.spent and all(again.spent[name] > 0 for name in done.stages)
    # a single stage writes the others' trained weights, too
    assert train(replace(options, stage="tokenizer"), **SILENT).weights_sha256 == done.weights_sha256


def test_the_same_seed_gives_the_same_weights(trained: Any, asked: Asked) -> None:
    _, done = trained("video+ldm")
    assert train(asked("again"), **SILENT).weights_sha256 == done.weights_sha256
    assert train(asked("other", seed=1), **SILENT).weights_sha256 != done.weights_sha256


def test_stages_one_by_one_are_all_at_once(trained: Any, asked: Asked) -> None:
    _, done = trained("video+ldm")
    with pytest.raises(
        BuildError, match=r"the stage tokenizer is not trained yet in .*: train it first with --stage"
    ):
        train(asked(stage="latent"), **SILENT)
    for stage in ("tokenizer", "latent"):
        part = train(asked(stage=stage), **SILENT)
        assert list(part.stages) == [stage] and part.weights_sha256 == "" and not asked().out.exists()
    assert train(asked(stage="transformer"), **SILENT).weights_sha256 == done.weights_sha256


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"lr": 1e-4}, "holds a training with no --lr; now it is --lr 0.0001"),
        ({"steps": STEPS - 1}, f"holds a training with --steps {STEPS}; now it is --steps {STEPS - 1}"),
        (
            {"steps": None, "minutes": 3},
            f"with --steps {STEPS} and no --minutes; now it is no --steps and --minutes 3",
        ),
        (
            {"steps": STEPS + 1, "seed": 1},
            f"with --steps {STEPS} and --seed 0; now it is --steps {STEPS + 1} and --seed 1",
        ),
        ({"steps": STEPS + 1, "stage": "transformer"}, f"now it is --steps {STEPS + 1}"),
        ({"steps": STEPS + 1, "resume": "must"}, f"now it is --steps {STEPS + 1}"),
        ({"input": "video"}, r"holds a training with --input video\+ldm; now it is --input video\."),
        ({"settings": (*SMALL, "transformer.history=1")}, "holds a training with --set"),
    ],
)
def test_another_training_is_refused(trained: Any, change: dict[str, Any], match: str) -> None:
    options, _ = trained("video+ldm")
    with pytest.raises(BuildError, match=match):
        train(replace(options, **change), **SILENT)


def test_who_is_refused_gets_two_commands_that_work(asked: Asked) -> None:
    options = asked(input="state", steps=2)
    train(options, **SILENT)
    with pytest.raises(BuildError) as refused:
        train(replace(options, seed=1), **SILENT)
    lines = [line.strip() for line in str(refused.value).splitlines() if line.startswith("  ")]
    home, made = options.out.parent, list[TrainOptions]()
    for line in lines:
        assert line.startswith(f"gobench train videoworld --data {options.data} --out ")
        command = videoworld.make_context("videoworld", shlex.split(line)[3:])
        given = {k: v for k, v in command.params.items() if k not in ("dry_run", "as_json", "work")}
        made.append(TrainOptions(work=command.params["work"] or work_of(given["out"]), **given))
    beside, anew = made
    assert anew == replace(options, seed=1, resume="never")
    assert beside == replace(options, seed=1, out=home / "model-2.pt", work=home / "model-2-train")
    for again in made:
        assert train(again, **SILENT).stages.keys() == {"transformer"}


def test_a_finished_training_may_be_asked_for_again_only_longer(trained: Any, asked: Asked) -> None:
    """It is what it would have been anywhere else, and tokens of the same tokenizer are not made again."""
    _, wanted = trained("video+ldm")
    short = train(asked(steps=3), **SILENT)
    said: list[str] = []
    done = train(asked(), said.append, progress=False)
    assert done.weights_sha256 == wanted.weights_sha256 != short.weights_sha256
    assert "holds a finished training with --steps 3; now it is --steps 12" in said[0]
    tokens = {p: p.stat().st_mtime_ns for p in (asked().work / "tokens").rglob("*.npy")}
    longer = train(replace(asked(stage="latent", resume="never")), **SILENT)
    assert longer.stages.keys() == {"latent"}
    with pytest.raises(BuildError, match="holds a training with --steps 12; now it is --steps 13"):
        train(asked(steps=STEPS + 1), **SILENT)  # the transformer is not finished
    train(asked(), **SILENT)
    train(asked(minutes=1.0, resume="never"), **SILENT)
    assert {p: p.stat().st_mtime_ns for p in (asked().work / "tokens").rglob("*.npy")} == tokens
    train(asked(minutes=1.5), said.append, progress=False)
    assert "with --minutes 1; now it is --minutes 1.5" in "".join(said)
    assert {p: p.stat().st_mtime_ns for p in (asked().work / "tokens").rglob("*.npy")} == tokens
    assert not list((asked().work / "tokens").rglob("left.txt"))


def test_a_stage_that_others_share_is_never_begun_anew_by_asking_for_more(asked: Asked) -> None:
    train(asked(input="video", steps=2), **SILENT)
    tokenizer = asked().work / "tokenizer"
    tokenizer.rename(tokenizer.with_name("shared"))
    tokenizer.symlink_to("shared", target_is_directory=True)
    with pytest.raises(BuildError, match="holds a training with --steps 2; now it is --steps 3"):
        train(asked(input="video", steps=3), **SILENT)


@pytest.mark.parametrize("cut", ["nothing", "tokens", "meta"])
def test_a_store_that_was_left_is_replaced_whenever_that_was_cut_short(asked: Asked, cut: str) -> None:
    options = asked(input="video", stage="tokenizer", steps=2)
    train(options, **SILENT)
    prepare(replace(options, stage="all"), progress=False)
    first = asked().work / "tokens" / "train"
    before = read_json(first / "meta.json")["maker"]
    train(replace(options, resume="never", seed=1), **SILENT)
    assert (first / "left.txt").exists()
    if cut != "nothing":
        next(first.glob("*.tokens.npy")).unlink()
    if cut == "meta":
        (first / "meta.json").unlink()
    prepare(replace(options, stage="all", seed=1), progress=False)
    assert read_json(first / "meta.json")["maker"] != before and not (first / "left.txt").exists()
    assert (first / "00000.tokens.npy").exists()


def test_what_changes_no_weight_may_differ(trained: Any, tmp_path: Path) -> None:
    options, done = trained("video+ldm")
    more = replace(options, out=tmp_path / "folder", evaluate_every=5, threads=1, resume="must", device="cpu")
    assert train(more, **SILENT).weights_sha256 == done.weights_sha256
    assert load(str(tmp_path / "folder")).info.weights_sha256 == done.weights_sha256


def test_there_must_be_something_to_go_on_with(asked: Asked) -> None:
    with pytest.raises(BuildError, match="holds no training to go on with"):
        train(asked(resume="must"), **SILENT)
    assert not asked().work.exists()


def test_a_training_can_begin_anew(trained: Any, asked: Asked) -> None:
    _, wanted = trained("video+ldm")
    other = train(asked(seed=3, steps=5), **SILENT)
    said: list[str] = []
    done = train(asked(resume="never"), said.append, progress=False)
    assert done.weights_sha256 == wanted.weights_sha256 != other.weights_sha256
    assert any("starting anew" in line for line in said)
    assert train(asked(), **SILENT).stages == {}


@pytest.mark.parametrize("resume", ["never", "auto"])
def test_a_training_at_work_is_left_alone(asked: Asked, resume: str) -> None:
    train(asked(input="state"), **SILENT)
    work = asked().work
    before = {p: p.stat().st_mtime_ns for p in work.rglob("*")}
    with (
        atomic.lock(work / keep.LOCK, "held"),
        pytest.raises(BuildError, match=r"another training is at work in .*work: wait for it"),
    ):
        train(asked(input="state", resume=resume), **SILENT)
    assert {p: p.stat().st_mtime_ns for p in work.rglob("*")} == before


def test_what_begins_anew_deletes_nothing(asked: Asked) -> None:
    """A folder that no training is known to have been in is left as it is; weights and all else move aside."""
    work = asked().work
    for name in ("tokens/mine", "tokenizer"):
        (work / name).mkdir(parents=True)
        (work / name / "note.txt").write_text("mine")
    (work / "tokens" / "train").mkdir()
    (work / "tokens" / "train" / "meta.json").write_text("{}")
    with pytest.raises(DataError, match="whose tokens these are"):
        train(asked(input="state", resume="never"), **SILENT)
    (work / "tokens" / "train" / "meta.json").unlink()
    first = train(asked(input="state"), **SILENT)
    weights = (work / "transformer" / "weights.safetensors").read_bytes()
    store = work / "tokens" / "train" / "meta.json"
    store.write_text(store.read_text() + " ")
    second = train(asked(input="state", resume="never", seed=2), **SILENT)
    assert second.weights_sha256 != first.weights_sha256 and store.read_text().endswith(" ")  # used again
    aside = work / "transformer" / "earlier-1"
    assert {"done.json", "weights.safetensors", "log.csv", "checkpoints"} <= {p.name for p in aside.iterdir()}
    assert (aside / "weights.safetensors").read_bytes() == weights
    assert [(work / name / "note.txt").read_text() for name in ("tokens/mine", "tokenizer")] == ["mine"] * 2


def test_states_make_room_for_tokens(asked: Asked) -> None:
    train(asked(input="state"), **SILENT)
    assert list(train(asked(input="video", resume="never"), **SILENT).stages) == ["tokenizer", "transformer"]
    assert list(train(asked(input="state", resume="never"), **SILENT).stages) == ["transformer"]


def test_what_builds_on_a_stage_begun_anew_is_not_finished(trained: Any, asked: Asked) -> None:
    _, wanted = trained("video+ldm")
    train(asked(seed=3), **SILENT)
    asked().out.unlink()
    part = train(asked(resume="never", stage="tokenizer"), **SILENT)
    assert part.weights_sha256 == "" and not asked().out.exists()
    done = train(asked(), **SILENT)
    assert list(done.stages) == ["latent", "transformer"]
    assert done.weights_sha256 == wanted.weights_sha256


def test_a_training_told_to_stop_goes_on(trained: Any, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    _, wanted = trained("video+ldm")
    real = TransformerStage.batch

    def batch(self: TransformerStage, step: int, rank: int, world: int) -> Any:
        if step == 7:
            os.kill(os.getpid(), signal.SIGTERM)
        return real(self, step, rank, world)

    monkeypatch.setattr(TransformerStage, "batch", batch)
    with pytest.raises(
        StoppedError, match=r"transformer: stopped after step \d+ of 12 .* goes on from there"
    ):
        train(asked(), **SILENT)
    monkeypatch.undo()
    done = train(asked(), **SILENT)
    assert list(done.stages) == ["transformer"]
    assert done.weights_sha256 == wanted.weights_sha256


def test_a_stage_builds_on_no_stage_that_was_trained_on_other_terms(asked: Asked) -> None:
    for stage in ("tokenizer", "latent"):
        train(asked(stage=stage), **SILENT)
    work = asked().work
    before = {p: p.read_bytes() for p in work.rglob("*") if p.is_file()}
    anew = {"stage": "transformer", "resume": "never"}
    for change, match in (
        ({"horizon": (1, 2, 3), "seed": 5}, r"tokenizer was trained with seed 0; now it is 5"),
        ({"horizon": (1, 2)}, r"latent was trained with latent.offsets \[1, 3, 5\]; now it is \[1, 2\]"),
        ({"turns": "first"}, r"latent was trained with turns 'all'.*--stage latent first"),
        ({"settings": (*SMALL, "tokenizer.width=8")}, r"tokenizer was trained with tokenizer.width 16"),
    ):
        with pytest.raises(BuildError, match=match):
            train(asked(**anew, **change), **SILENT)
    assert {p: p.read_bytes() for p in work.rglob("*") if p.is_file()} == before
    own = train(asked(**anew, lr=1e-3, steps=3), **SILENT)  # what concerns the transformer alone may differ
    assert list(own.stages) == ["transformer"] and own.weights_sha256
    assert list(train(asked(stage="latent", resume="never", horizon=(1, 2), steps=3), **SILENT).stages) == [
        "latent"
    ]


def test_broken_weights_of_a_stage_are_named(asked: Asked) -> None:
    train(asked(stage="tokenizer"), **SILENT)
    weights = asked().work / "tokenizer" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-5])
    with pytest.raises(DataError, match=r"weights.safetensors cannot be used .* delete .*tokenizer to train"):
        train(asked(), **SILENT)


def test_parts_that_would_learn_other_frames_are_refused_before_anything_is_trained(asked: Asked) -> None:
    """The next frame is predicted for every fourth window."""
    with pytest.raises(UsageError, match=r"of a multiple of 4 samples each .* Take --batch 16"):
        train(asked(accumulate=4, resume="never"), **SILENT)
    assert not (asked().work / keep.ASKED).exists()
    for form in ({"input": "video"}, {"input": "state"}, {"target": "codes"}):
        with started("cpu") as alone:
            options = asked(accumulate=4, **form)
            _check_slices(options, configured(options, scene(options.data)), alone)


def test_every_stage_is_computed_in_parts(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, set[int]] = {}
    real = Feed.slices

    def slices(self: Feed, step: int) -> Any:
        for index, batch in real(self, step):
            seen.setdefault(self.stage.name, set()).add(len(next(iter(batch.values()))))
            yield index, batch

    monkeypatch.setattr(Feed, "slices", slices)
    train(asked(accumulate=2, steps=2), **SILENT)
    assert seen == {"tokenizer": {TOKENIZED // 2}, "latent": {CODED // 2}, "transformer": {BATCH // 2}}


def test_minutes_are_kept_and_settle_the_steps(asked: Asked) -> None:
    options = asked(minutes=0.05, steps=None, input="state")
    done = train(options, **SILENT)
    assert done.stages["transformer"].step >= 1 and done.seconds < 30
    assert read_json(options.work / "transformer" / "minutes.json")["minutes"] <= 0.05
    assert train(options, **SILENT).weights_sha256 == done.weights_sha256


def test_minutes_are_of_all_calls_together(asked: Asked) -> None:
    options = asked(minutes=0.05, steps=None, input="video")
    train(replace(options, stage="tokenizer"), **SILENT)
    noted = clock.seconds(options.work)
    assert noted.keys() == {"tokenizer"} and 0.1 < noted["tokenizer"] < 10
    assert noted["tokenizer"] >= read_json(options.work / "tokenizer" / "done.json")["seconds"]
    (options.work / clock.ELAPSED).write_text('{"tokenizer": 1.5}')
    train(options, **SILENT)
    assert read_json(options.work / "transformer" / "minutes.json")["minutes"] <= 0.05 - 1.5 / 60
    assert clock.seconds(options.work).keys() == {"tokenizer", "transformer"}
    train(replace(options, stage="transformer", resume="never"), **SILENT)
    assert clock.seconds(options.work)["tokenizer"] == 1.5


def test_time_is_counted_however_a_stage_ends(tmp_path: Path) -> None:
    own = Clock(tmp_path, writes=True)
    with pytest.raises(KeyboardInterrupt), own.of("latent"):
        time.sleep(0.02)
        raise KeyboardInterrupt
    first = own.spent({})
    assert 0.02 <= first == clock.seconds(tmp_path)["latent"] < 1
    with own.of("latent"):
        time.sleep(0.02)
        assert own.spent({}) >= first + 0.02
        assert own.spent({"tokenizer": 100.0, "latent": 0.001}) == pytest.approx(first + 100, abs=1)
    assert Clock(tmp_path, writes=False).spent({}) >= first + 0.02
    clock.forget(tmp_path, ("latent",))
    assert own.spent({}) == 0


def test_the_tokenizer_is_told_how_many_steps_there_will_be(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []
    real = TokenizerStage.batch

    def batch(self: TokenizerStage, step: int, rank: int, world: int) -> Any:
        made = real(self, step, rank, world)
        seen.append(float(made["progress"][0]))
        return made

    monkeypatch.setattr(TokenizerStage, "batch", batch)
    options = asked(minutes=0.05, steps=None, stage="tokenizer")
    steps = train(options, **SILENT).stages["tokenizer"].step
    assert steps < 150 and seen[-1] == pytest.approx((steps - 1) / steps)


def test_pictures_and_logs_lie_in_the_work_folder(trained: Any) -> None:
    options, _ = trained("video+ldm")
    for stage in options.stages:
        assert (options.work / stage / "log.csv").is_file()
    for stage in ("tokenizer", "transformer"):
        assert [p.name for p in (options.work / stage / "samples").iterdir()] == [f"{STEPS:08d}.png"]


def test_other_data_is_refused(trained: Any, go5: Path, tmp_path: Path) -> None:
    """The folder's name does not count: its content does."""
    import shutil

    from gobench.build.recipes import configure
    from gobench.build.run import build
    from gobench.registry import domain

    options, done = trained("video+ldm")
    shutil.copytree(go5, tmp_path / "moved")
    moved = replace(options, data=tmp_path / "moved")
    assert train(moved, **SILENT).weights_sha256 == done.weights_sha256
    config = configure(domain("go"), "go5-tiny", {"episodes": 30, "codec": "moves", "seed": 9}, {
        **domain("go").recipes()["go5-tiny"]["options"], "size": 64, "theme": "videoworld",
        "sources": [{"kind": "selfplay", "teacher": "random", "max_plies": 14}],
    })  # fmt: skip
    build(domain("go"), config, tmp_path / "other", workers=1)
    with pytest.raises(DataError, match="of another dataset"):
        train(replace(options, data=tmp_path / "other"), **SILENT)


def test_stages_that_come_to_little_are_told_of(asked: Asked) -> None:
    said: list[str] = []
    train(asked(stage="tokenizer", steps=1), said.append, progress=False)
    assert any("tokenizer: only" in line and "--minutes" in line for line in said)
