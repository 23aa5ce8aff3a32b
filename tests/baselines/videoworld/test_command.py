"""What ``gobench train videoworld`` is asked, what it makes of it, and what it refuses before anything is trained."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from gobench.build.recipes import configure
from gobench.build.run import build
from gobench.cli import cli
from gobench.errors import DataError, UsageError
from gobench.registry import domain
from gobench_videoworld.config import PAPER_LATENT, PAPER_TOKENIZER, SIZES, VideoWorldConfig, from_json
from gobench_videoworld.configure import Scene, configured, scene, with_settings
from gobench_videoworld.options import STAGES, TrainOptions, horizon_of, work_of

BOARD = Scene("go", "paper", (128, 128), (7, 7), 3, {"rows": 7, "cols": 7})
ROBOT = Scene("arm", "", (96, 160), None, 0, {})


def asked(**changes: Any) -> TrainOptions:
    return TrainOptions(**{"data": Path("d"), "out": Path("m.pt"), "work": Path("w"), **changes})


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six random games on 5x5, drawn when they are read."""
    folder = tmp_path_factory.mktemp("built") / "go5"
    options = {**domain("go").recipes()["go5-tiny"]["options"], "size": 64, "theme": "paper"}
    options["sources"] = [{"kind": "selfplay", "teacher": "random", "max_plies": 12}]
    config = configure(domain("go"), "go5-tiny", {"episodes": 6, "codec": "moves"}, options)
    build(domain("go"), config, folder, workers=1)
    return folder


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"size": "tny"}, "Did you mean 'tiny'"),
        ({"size": "huge"}, "Known: tiny, small, base, 300m, 50m-paper, 150m-paper, 300m-paper"),
        ({"input": "videos"}, "unknown input 'videos'"),
        ({"encoder": "vae"}, "Known: local, scene, conv, paper"),
        ({"latent": "none"}, "Known: located, generic, pixel"),
        ({"stage": "latent", "input": "video"}, r"has the stages tokenizer and transformer only"),
        ({"stage": "tokenizer", "input": "state"}, "has the stage transformer only"),
        (
            {"stage": "latent", "target": "video"},
            "target 'video' has the stages tokenizer and transformer only",
        ),
        ({"input": "video", "target": "codes"}, "needs codes"),
        ({"input": "state", "target": "codes"}, "leave --target out with --input state"),
        ({"precision": "fp16"}, "range needs losses to be scaled"),
        ({"precision": "f64"}, "Known: auto, f32, bf16"),
        ({"steps": 0}, "steps must be a whole number >= 1, not 0"),
        ({"minutes": -1.0}, "minutes is a number greater than 0"),
        ({"lr": float("nan")}, "lr is a number greater than 0"),
        ({"batch": 10, "accumulate": 4}, "must divide batch 10"),
        ({"horizon": (3, 5)}, "horizon must be rising whole numbers from 1, not 3,5"),
        ({"out": Path("d")}, "is the dataset"),
        ({"out": Path("d/model.pt")}, "out d/model.pt lies in the dataset d"),
        ({"work": Path("d/w")}, "work d/w lies in the dataset d"),
        ({"work": Path("m.pt")}, "a folder of its own, such as m-train"),
        ({"seed": -1}, "seed must be"),
    ],
)
def test_what_cannot_be_is_said(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        asked(**changes)


def test_out_may_not_be_a_folder_with_the_name_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "model.pt").mkdir()
    with pytest.raises(UsageError, match="is a folder: give the name of a file in it"):
        asked(out=tmp_path / "model.pt")


def test_places_that_cannot_be_written_are_told_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for changes in ({"out": tmp_path / "file" / "x" / "m.pt"}, {"work": tmp_path / "file"}):
        with pytest.raises(UsageError, match=r"cannot be made: .*file is no folder"):
            asked(**changes)
    asked(out=tmp_path / "new" / "deep" / "m.pt", work=tmp_path / "new" / "work")


def test_stages_follow_from_input_and_target() -> None:
    assert asked().stages == ("tokenizer", "latent", "transformer")
    assert asked(target="video").stages == asked(input="video").stages == ("tokenizer", "transformer")
    assert asked(input="state").stages == ("transformer",)
    assert asked(stage="latent").stages == ("latent",)


def test_what_decides_the_weights_is_plain_and_names_no_place() -> None:
    one, other = asked(), asked(data=Path("/else"), out=Path("x"), work=Path("y"), threads=3, resume="must")
    assert one.decisive() == other.decisive() == json.loads(json.dumps(one.decisive()))
    assert one.decisive() != asked(seed=1).decisive()


def test_horizons_and_places() -> None:
    assert horizon_of("1,3,5") == (1, 3, 5) and horizon_of("1") == (1,)
    for text in ("", "1,1", "5,3", "one", "0,1"):
        with pytest.raises(UsageError, match="horizon"):
            horizon_of(text)
    assert work_of(Path("runs/model.pt")) == Path("runs/model-train")
    assert work_of(Path("runs/mine")) == Path("runs/mine-train")


def test_a_board_gets_local_tokens_and_located_codes() -> None:
    made = configured(asked(), BOARD)
    assert (made.domain, made.theme, made.frame_size, made.board) == ("go", "paper", (128, 128), (7, 7))
    assert (made.tokenizer.encoder, made.tokenizer.grid, made.tokenizer.size) == ("local", (7, 7), (84, 84))
    assert made.latent.form == "located" and made.latent.digits(49) == (49, 5)
    assert from_json(json.loads(json.dumps(made.to_json()))) == made


def test_a_scene_without_cells_is_seen_in_patches_and_has_no_states() -> None:
    made = configured(asked(), ROBOT)
    assert (made.tokenizer.encoder, made.tokenizer.grid) == ("scene", (6, 10))
    assert made.latent.form == "generic" and made.board == (6, 10)
    with pytest.raises(UsageError, match="'arm' has no cells to read"):
        configured(asked(input="state"), ROBOT)


def test_paper_faithful_switches_every_addition_off() -> None:
    made = configured(asked(paper_faithful=True), BOARD)
    assert made.transformer == configured(asked(), BOARD).transformer.paper_faithful()
    assert (made.latent.form, made.latent.levels, made.tokenizer.encoder) == ("generic", (8, 8, 8), "local")
    kept = configured(asked(paper_faithful=True, latent="located"), BOARD)
    assert kept.latent.form == "located" and not kept.transformer.pointer


def test_paper_sizes_take_the_papers_networks() -> None:
    made = configured(asked(size="50m-paper", horizon=(1, 2)), BOARD)
    assert made.tokenizer == PAPER_TOKENIZER and made.latent == replace(PAPER_LATENT, offsets=(1, 2))
    assert not made.transformer.bidirectional
    for size in SIZES:
        for seen in ("state", "video", "video+ldm"):
            assert configured(asked(size=size, input=seen), BOARD).input == seen


def test_any_key_of_the_tables_can_be_set() -> None:
    given = ["transformer.history=1", "tokenizer.levels=8,8", "latent.levels=[4,3]", "transformer.pointer=false",
             "sampler.temperature=0.5", "sampler.renderer=latent", "transformer.rms_norm_eps=1e-5"]  # fmt: skip
    made = with_settings(VideoWorldConfig(), given)
    assert (made.transformer.history, made.transformer.pointer, made.transformer.rms_norm_eps) == (
        1,
        False,
        1e-5,
    )
    assert (made.tokenizer.levels, made.latent.levels) == ((8, 8), (4, 3))
    assert (made.sampler.temperature, made.sampler.renderer) == (0.5, "latent")
    together = ["transformer.num_attention_heads=2", "transformer.num_key_value_heads=1"]
    assert with_settings(VideoWorldConfig(), together).transformer.num_key_value_heads == 1


@pytest.mark.parametrize(
    ("setting", "match"),
    [
        ("history=1", "write TABLE.KEY=VALUE"),
        ("transformer.history", "write TABLE.KEY=VALUE"),
        ("transformer.histroy=1", "Did you mean 'history'"),
        ("transformer.history=two", "give a whole number, not 'two'"),
        ("transformer.history=0", "history must be a whole number >= 1"),
        ("transformer.pointer=maybe", "give true or false"),
        ("tokenizer.levels=8,x", "whole numbers with commas"),
        ("sampler.temperature=cold", "give a number"),
        ("sampler.temperature=-1", "temperature is a number >= 0"),
        ("transformer.num_attention_heads=5", "even multiple"),
    ],
)
def test_settings_that_cannot_be(setting: str, match: str) -> None:
    with pytest.raises(UsageError, match=match):
        with_settings(VideoWorldConfig(), [setting])


def test_a_dataset_is_looked_at(dataset: Path) -> None:
    seen = scene(dataset)
    assert seen[:5] == ("go", "paper", (64, 64), (5, 5), 3) and seen.options["rules"]
    made = configured(asked(input="state"), seen)
    assert made.sites == 25 and made.digits == (26, 3) and made.options == seen.options
    with pytest.raises(DataError, match="is not a folder"):
        scene("absent")


FINISHED: dict[str, Any] = {
    "tokenizer": {"step": 300, "loss": 0.1, "metrics": {"exact": 1.0, "churn": 1.0}},
    "latent": {
        "step": 1200,
        "loss": 0.07,
        "metrics": {"exact": 0.9471, "exact_captures": 0.9333, "captures": 0.1},
    },
    "transformer": {
        "step": 77,
        "loss": 12.5,
        "metrics": {"legal": 0.5, "unchanged": 0.0156, "as_played": 0.0469},
    },
}


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> tuple[Any, list[TrainOptions]]:
    """The command with a stand-in for the training: its output, and what the training was asked."""
    seen: list[TrainOptions] = []

    def train(options: TrainOptions, report: Any) -> Any:
        seen.append(options)
        report("going on")
        told = {"model": str(options.out), "steps": {"latent": 1200}}
        whole = options.stage != "latent"
        return SimpleNamespace(to_json=lambda: told, weights_sha256="ab" if whole else "", parameters=435213,
                               stages=told["steps"] if options.resume != "must" else {},
                               finished=FINISHED if whole else {"latent": FINISHED["latent"]},
                               spent={"tokenizer": 9.0, "latent": 61.2, "transformer": 106.0})  # fmt: skip

    fake = ModuleType("gobench_videoworld.train.run")
    fake.train = train  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, fake.__name__, fake)
    given = ["train", "videoworld", *map(str, words)]
    return CliRunner().invoke(cli, given, catch_exceptions=False), seen


def test_the_command_asks_and_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    told, seen = run(monkeypatch, "--data", "d", "--out", "runs/m.pt", "--minutes", 3, "--horizon", "1,2",
                     "--set", "latent.width=32", "--set", "transformer.history=1")  # fmt: skip
    assert told.exit_code == 0 and told.stdout.splitlines() == [
        "runs/m.pt: a model of input video+ldm, size tiny, 435,213 parameters; 2.9 of 3 minutes used.",
        "tokenizer   300 steps, 0.1 minutes: 100.0% of held-out frames are read the same after tokens",
        "latent      1,200 steps, 1.0 minutes: 94.7% of held-out frames come back exactly from their codes, 93.3% where more "
        "than one site changed",
        "transformer 77 steps, 1.8 minutes: 50.0% of held-out prompts got a legal first try, 1.6% no change, 4.7% what was "
        "played",
        "What was measured and drawn on the way: log.csv and samples/ of each stage in runs/m-train",
        "Score it:   gobench evaluate runs/m.pt --limit 200 --trained-on d    (without --limit: all, in minutes)",
        "About it:   gobench info runs/m.pt",
    ]
    (options,) = seen
    assert (options.work, options.minutes, options.horizon) == (Path("runs/m-train"), 3.0, (1, 2))
    assert options.settings == ("latent.width=32", "transformer.history=1")
    defaults = asked(data=Path("d"), out=Path("runs/m.pt"), work=Path("runs/m-train"))
    assert replace(options, minutes=None, horizon=(1, 3, 5), settings=()) == defaults


def test_json_is_one_object_and_other_ranks_are_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    told, _ = run(monkeypatch, "--data", "d", "--out", "m.pt", "--json")
    assert json.loads(told.stdout) == {"model": "m.pt", "steps": {"latent": 1200}}
    monkeypatch.setenv("RANK", "1")
    told, seen = run(monkeypatch, "--data", "d", "--out", "m.pt")
    assert told.stdout == "" and len(seen) == 1


def test_a_single_stage_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    told, _ = run(monkeypatch, "--data", "d", "--out", "m.pt", "--stage", "latent")
    lines = told.stdout.splitlines()
    assert lines[0].startswith("m.pt: not written yet") and "without --stage" in lines[-1] and len(lines) == 4


def test_a_training_with_nothing_left_to_do_says_so_and_what_it_came_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told, _ = run(monkeypatch, "--data", "d", "--out", "my model.pt", "--resume", "must")
    assert "All of it was trained before" in told.stdout and "50.0% of held-out prompts" in told.stdout
    assert told.stdout.endswith("gobench info 'my model.pt'\n")


def test_a_domain_that_tells_little_is_told_by_the_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FINISHED, "transformer", {"step": 77, "loss": 12.5, "metrics": {"code1": 3.0}})
    told, _ = run(monkeypatch, "--data", "d", "--out", "m.pt")
    assert "transformer 77 steps, 1.8 minutes: loss 12.5\n" in told.stdout


def test_wrong_words_train_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="fp16"):
        run(monkeypatch, "--data", "d", "--out", "m.pt", "--precision", "fp16")
    told, seen = run(monkeypatch, "--out", "m.pt")
    assert told.exit_code == 2 and "--data" in told.output and not seen


@pytest.mark.parametrize("seen", ["video+ldm", "video", "state"])
def test_a_dry_run_tells_sizes_and_trains_nothing(dataset: Path, tmp_path: Path, seen: str) -> None:
    words = ["train", "videoworld", "--data", str(dataset), "--out", str(tmp_path / "m.pt"), "--input", seen,
             "--dry-run", "--steps", "50", "--batch", "8"]  # fmt: skip
    found = json.loads(CliRunner().invoke(cli, [*words, "--json"], catch_exceptions=False).output)
    assert list(found["stages"]) == sorted(asked(input=seen).stages)
    assert (
        found["parameters"]["all"] == sum(v for k, v in found["parameters"].items() if k != "all") > 100_000
    )
    stages, whole = found["stages"].values(), found["all"]
    for key in ("steps", "samples", "flops"):
        assert whole[key] == pytest.approx(sum(stage[key] for stage in stages)) and whole[key] > 0
    last = found["stages"]["transformer"]
    assert (last["steps"], last["batch"], found["data"]["name"]) == (50, 8, "go5")
    assert last["flops"] == 50 * last["flops_a_step"]
    unlearnt = 6 * 25 if seen == "video+ldm" else 0  # the next frame of every fourth window is
    assert last["tokens_a_step"] == 8 * found["model"]["sequence"] - unlearnt
    learnt = sum(p for name, p in found["parameters"].items() if name == "transformer")
    memory = last["memory"]
    assert memory["optimizer"] == 2 * memory["gradients"] == 8 * learnt and memory["activations"] > 0
    assert whole["memory"] == max(stage["memory"]["all"] for stage in stages) >= memory["all"]
    assert last["disk"] >= 2 * (memory["weights"] + memory["optimizer"])
    tokens = found["tokens"]
    assert tokens["episodes"] >= found["data"]["episodes"] > 0 and tokens["symmetries"] == 8
    assert tokens["frames"] >= found["data"]["frames"] and tokens["frames_a_second"] > 0
    assert whole["disk"] == sum(stage["disk"] for stage in stages) + tokens["bytes"]
    minutes = sum(stage["minutes"] for stage in stages) + tokens["seconds"] / 60
    assert whole["minutes"] == pytest.approx(minutes) and minutes > 0
    assert not list(tmp_path.iterdir())
    told = CliRunner().invoke(cli, words, catch_exceptions=False).output.splitlines()
    (head, *rows) = [line for line in told if line.startswith((" ", *STAGES, "tokens to", "in all"))]
    assert "about minutes" in head and "memory" in head and "on disk" in head
    assert [line.split("  ")[0] for line in rows] == [*asked(input=seen).stages, "tokens to make", "in all"]
    assert "an estimate" in told[-2] and "Nothing was written" in told[-1]


def test_a_dry_run_tells_the_tokens_as_they_come_to_be(go5: Path, tmp_path: Path) -> None:
    """Bytes on disk, but for the heads of the files."""
    from gobench_videoworld.forecast import forecast
    from gobench_videoworld.train.run import prepare

    for seen in ("state", "video+ldm"):
        options = TrainOptions(
            go5, tmp_path / "m.pt", tmp_path / seen, steps=3, input=seen, settings=("tokenizer.width=8",)
        )
        tokens = forecast(options)["tokens"]
        assert not options.work.exists()
        prepare(options, progress=False)
        stores = options.work / "tokens"
        found = [p for p in stores.rglob("*.npy") if p.name != "frames.npy"]
        arrays = [np.load(path) for path in found]
        assert tokens["frames"] == sum(
            len(a) for p, a in zip(found, arrays, strict=True) if ".tokens." in p.name
        )
        frames = [np.load(p) for p in stores.rglob("frames.npy")]
        assert tokens["bytes"] == sum(a.nbytes for a in (*arrays, *frames))


def test_a_dry_run_of_the_first_stage_alone_makes_no_tokens(dataset: Path, tmp_path: Path) -> None:
    words = ["train", "videoworld", "--data", str(dataset), "--out", str(tmp_path / "m.pt"), "--dry-run",
             "--stage", "tokenizer"]  # fmt: skip
    found = json.loads(CliRunner().invoke(cli, [*words, "--json"], catch_exceptions=False).output)
    assert found["tokens"] is None and list(found["stages"]) == ["tokenizer"]
    assert "tokens to make" not in CliRunner().invoke(cli, words, catch_exceptions=False).output


@pytest.mark.parametrize(
    ("given", "steps", "limit"),
    [
        (("--minutes", "1e-6"), 1, "minutes"),
        (("--minutes", "2"), None, "minutes"),
        (("--minutes", "60", "--steps", "7"), 7, "steps"),
        ((), 6000, "steps"),
    ],
)
def test_steps_are_those_that_fit_into_the_minutes(
    dataset: Path, tmp_path: Path, given: tuple[str, ...], steps: int | None, limit: str
) -> None:
    words = [
        "train",
        "videoworld",
        "--data",
        str(dataset),
        "--out",
        str(tmp_path / "m.pt"),
        "--dry-run",
        *given,
    ]
    found = json.loads(CliRunner().invoke(cli, [*words, "--json"], catch_exceptions=False).output)
    last = found["stages"]["transformer"]
    assert last["limit"] == limit and last["steps"] == (steps or last["steps"]) >= 1
    assert last["flops"] == last["steps"] * last["flops_a_step"] and last["samples"] == last["steps"] * 64
    if limit == "minutes":
        assert found["all"]["minutes"] == pytest.approx(float(given[1]), rel=0.02)
    if given == ("--minutes", "1e-6"):  # the least that teach anything
        assert (found["stages"]["tokenizer"]["steps"], found["stages"]["latent"]["steps"]) == (100, 500)


def test_a_large_model_is_told_without_its_memory(dataset: Path, tmp_path: Path) -> None:
    words = ["train", "videoworld", "--data", str(dataset), "--out", str(tmp_path / "m.pt"), "--size", "300m",
             "--input", "video", "--dry-run", "--json"]  # fmt: skip
    found = json.loads(CliRunner().invoke(cli, words, catch_exceptions=False).output)
    assert 300e6 < found["parameters"]["transformer"] < 310e6 and found["all"]["flops"] > 1e18
    assert found["all"]["memory"] > 16 * 300e6 and found["all"]["disk"] > 2 * 12 * 300e6


def test_the_papers_form_is_told_without_its_memory(dataset: Path, tmp_path: Path) -> None:
    words = ["train", "videoworld", "--data", str(dataset), "--out", str(tmp_path / "m.pt"), "--size", "300m-paper",
             "--dry-run", "--json"]  # fmt: skip
    found = json.loads(CliRunner().invoke(cli, words, catch_exceptions=False).output)
    own = found["model"]
    assert (own["tokenizer"], own["latent"], own["form"]) == ("paper", "pixel", "plain")
    assert own["codes"] == "3 of 64,000 values" and own["frame"] == "16 of 64,000 values"
    assert found["parameters"]["transformer"] > 500e6 and 2e6 < found["parameters"]["latent"] < 4e6


def test_the_quickstart_trains_on_no_game_that_it_is_scored_on() -> None:
    """The archive of tests/data holds the games of go9-lite."""
    made = (Path(__file__).parents[3] / "Makefile").read_text()
    builds = [
        line for line in made.splitlines() if "build-dataset go9-tiny --" in line and "--out $(OUT)" in line
    ]
    assert len(builds) == 2 and not [line for line in builds if "--sgf" in line]
