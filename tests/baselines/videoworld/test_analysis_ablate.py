"""Ablations: which rows there are, what each is trained for, and that finished rows are kept. Trainings are stand-ins here."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from gobench import results
from gobench.cli import cli
from gobench.errors import BuildError, StoppedError, UsageError
from gobench.models import save
from gobench_videoworld.analysis import ablate
from gobench_videoworld.analysis.ablations import AXES, Plan, paper_row, slug, variants
from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.configure import configured, scene
from gobench_videoworld.options import TrainOptions

RESULT = Path(__file__).parents[2] / "data" / "result.json"
METRICS = ("legal_first_try", "accuracy", "policy_ratio")


def facts_of(name: str, content: str = "c0ffee") -> dict[str, Any]:
    return {"name": name, "recipe": "go5-tiny", "content": content * 8, "manifest_sha256": "f00d" * 16}


def plan_of(out: Path, axis: str = "target", only: tuple[str, ...] = (), **changes: Any) -> Plan:
    base = TrainOptions(
        data=Path("go5"), out=out / "m.pt", work=out / "w", minutes=1.0, settings=("transformer.history=1",)
    )
    rows = variants(axis, (Path("go5"),), 320, only)
    facts = (facts_of("go5"),)
    return replace(
        Plan(axis, rows, (Path("go5"),), facts, base, out, 1, "go5-lite", "go5/next-move", 8), **changes
    )


@dataclass
class Trainings:
    """Stands in for trainings and evaluations; notes what was asked."""

    trained: list[TrainOptions] = field(default_factory=list)
    prepared: list[TrainOptions] = field(default_factory=list)
    evaluated: list[Path] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)
    stop_at: int = -1

    def prepare(self, asked: TrainOptions, progress: bool = True) -> None:
        self.prepared.append(asked)
        (asked.work / "tokens").mkdir(parents=True, exist_ok=True)
        if asked.input != "state":
            (asked.work / "tokenizer").mkdir(exist_ok=True)

    def train(self, asked: TrainOptions, progress: bool = True) -> None:
        if len(self.trained) == self.stop_at:
            raise StoppedError("stopped.")
        self.trained.append(asked)
        told = {"name": "x", "seed": asked.seed, "steps": {"transformer": 7}, "seconds": 60.0, "flops": 1e9,
                "options": asked.decisive(), "curve": {"transformer": [{"step": 7, "legal": 0.5, "tokens": 1}]}}  # fmt: skip
        save(
            asked.out,
            "videoworld",
            VideoWorldConfig().to_json(),
            {"transformer.w": torch.zeros(len(self.trained))},
            told,
        )

    def evaluate(self, text: str, suite: str, out: Path, device: str = "", **_: Any) -> Path:
        self.evaluated.append(Path(text))
        self.devices.append(device)
        table = json.loads(RESULT.read_text())
        (task,) = [task for task in table["tasks"] if task["metrics"]][:1]
        number = {
            "better": "higher",
            "interval": [0.1, 0.9],
            "method": "wilson",
            "n": task["n"],
            "unit": "proportion",
        }
        values = {name: 0.2 + 0.1 * len(self.evaluated) for name in METRICS}
        task |= {"name": "go5/next-move", "headline": "accuracy", "slices": {},
                 "metrics": {name: {**number, "value": value} for name, value in values.items()}, "clean": {}}  # fmt: skip
        table |= {"tasks": [task], "evidence": [], "matches": [], "standing": None, "oracle": {}}
        out.mkdir(parents=True)
        (out / "result.json").write_bytes(results.to_bytes(results.from_plain(table, "a test")))
        return out


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Trainings:
    made = Trainings()
    for name in ("prepare", "train", "evaluate"):
        monkeypatch.setattr(ablate, name, getattr(made, name))
    return made


def test_every_row_is_a_training_that_can_be(go5: Path) -> None:
    seen = scene(go5)
    for axis, rows in AXES.items():
        for variant in rows:
            plan = plan_of(Path("out"), axis, (variant.name,), data=(go5,))
            made = configured(plan.options(variant, 0), seen)
            assert made.transformer.history == 1, "the shared --set is kept"
            if axis == "codebook" and variant.name != "located":
                assert made.digits == (int(variant.name),)
            if axis == "horizon" and variant.paper.isdigit():
                assert made.latent.offsets[-1] == int(variant.paper)
            if axis == "target":
                assert (made.codes > 0, made.frames) == ("codes" in variant.name, "video" in variant.name)


def test_rows_of_the_papers_tables_have_its_numbers() -> None:
    for axis in ("horizon", "codebook", "target", "input"):
        named = [variant.paper for variant in AXES[axis] if variant.paper]
        assert named and all(paper_row(axis, variant) for variant in AXES[axis] if variant.paper)
    (row,) = [variant for variant in AXES["target"] if variant.name == "codes"]
    theirs = paper_row("target", row)
    assert theirs is not None and theirs.accuracy == 78.6


def test_amounts_of_one_dataset_or_several_datasets_are_rows() -> None:
    amounts = variants("data", (Path("a"),), 320)
    assert [variant.changes["episodes"] for variant in amounts] == [20, 80, 320]
    several = variants("data", (Path("x/a"), Path("x/b")), 320)
    assert [(variant.name, variant.data) for variant in several] == [("a", 0), ("b", 1)]
    for call, match in (
        (lambda: variants("data", (Path("x/a"), Path("y/a")), 9), "names of their own"),
        (lambda: variants("target", (Path("a"), Path("b")), 9), "several are compared on --axis data alone"),
        (lambda: variants("sizes", (Path("a"),), 9), "unknown axis 'sizes'"),
        (lambda: variants("target", (Path("a"),), 9, ["code"]), "Did you mean 'codes'"),
    ):
        with pytest.raises(UsageError, match=match):
            call()


def test_rows_are_trained_on_what_they_share(tmp_path: Path, trainings: Trainings) -> None:
    plan = plan_of(tmp_path, "input", seeds=2)
    rows = ablate.run(plan)
    assert [(row["row"], row["seed"]) for row in rows] == [
        (n, s) for s in (0, 1) for n in ("state", "video", "video+ldm")
    ]
    assert [asked.seed for asked in trainings.trained] == [0, 0, 0, 1, 1, 1]
    assert {asked.input for asked in trainings.prepared} == {"state", "video+ldm"}
    by_home = {(asked.work, asked.input) for asked in trainings.prepared}
    assert len(by_home) == 4, "states and tokens, for each seed"
    first, second = (plan.folder(plan.rows[place], 0) / "train" for place in (1, 2))
    assert (first / "tokenizer").resolve() == (second / "tokenizer").resolve() != (first / "tokenizer")
    assert not (first / "tokenizer").readlink().is_absolute()
    state = plan.folder(plan.rows[0], 0) / "train"
    assert (state / "tokens").is_dir() and not (state / "tokenizer").exists()


def test_finished_rows_are_kept(tmp_path: Path, trainings: Trainings) -> None:
    trainings.stop_at = 2
    plan = plan_of(tmp_path)
    with pytest.raises(StoppedError):
        ablate.run(plan)
    trainings.stop_at = -1
    rows = ablate.run(plan)
    assert len(rows) == 3 and len(trainings.trained) == 3 and len(trainings.evaluated) == 3
    more = ablate.run(replace(plan, seeds=2))
    assert len(more) == 6 and len(trainings.trained) == 6
    assert more[:3] == rows
    with pytest.raises(BuildError, match=r"with minutes 1.0; now it is 2.0.*another --out"):
        ablate.run(replace(plan, base=replace(plan.base, minutes=2.0)))
    with pytest.raises(BuildError, match="with limit 8; now it is None"):
        ablate.run(replace(plan, limit=None))


def test_rows_of_another_dataset_are_not_taken_for_its_own(tmp_path: Path, trainings: Trainings) -> None:
    plan = plan_of(tmp_path)
    ablate.run(plan)
    other = replace(plan, data=(Path("elsewhere/go5"),), facts=(facts_of("go5", "decade"),))
    with pytest.raises(BuildError, match=r"data of the content 'c0ffee.*now it is 'decade.*another --out"):
        ablate.run(other)
    moved = replace(plan, data=(Path("elsewhere/renamed"),), facts=(facts_of("renamed"),))
    ablate.run(moved)
    assert len(trainings.trained) == 3, "the same content under another name is the same dataset"


def test_datasets_as_rows_are_told_apart_by_content(tmp_path: Path, trainings: Trainings) -> None:
    def of(*data: tuple[str, str]) -> Plan:
        places = tuple(Path(name) for name, _ in data)
        facts = tuple(facts_of(*each) for each in data)
        return replace(
            plan_of(tmp_path), axis="data", rows=variants("data", places, 9), data=places, facts=facts
        )

    first = ablate.run(of(("a", "c0ffee"), ("b", "facade")))
    assert [(row["data"], row["content"][:6]) for row in first] == [("a", "c0ffee"), ("b", "facade")]
    again = ablate.run(of(("a", "c0ffee"), ("b", "decade"), ("c", "ba5e00")))
    assert len(trainings.trained) == 4 and again[0] == first[0]
    assert again[1]["weights_sha256"] != first[1]["weights_sha256"]
    assert len({asked.work for asked in trainings.prepared}) == 4
    with pytest.raises(BuildError, match="content 'of each row'"):
        ablate.run(replace(plan_of(tmp_path), axis="data"))


def test_the_table_has_means_over_seeds_and_the_papers_numbers(tmp_path: Path, trainings: Trainings) -> None:
    plan = plan_of(tmp_path, seeds=2)
    rows = ablate.run(plan)
    assert (
        rows[0]["accuracy"] == pytest.approx(0.3)
        and rows[0]["accuracy_low"] == 0.1
        and rows[0]["held_out_legal"] == 0.5
    )
    table = {(line["row"], line["metric"]): line for line in ablate.summary(plan, rows, METRICS)}
    one = table["codes", "accuracy"]
    assert one["value"] == pytest.approx(0.55) and (one["low"], one["high"]) == (
        pytest.approx(0.4),
        pytest.approx(0.7),
    )
    assert one["seeds"] == 2 and one["paper"] == 0.786 and one["between"] == "least and greatest"
    single = ablate.summary(replace(plan, seeds=1), rows[:3], ["accuracy"])[0]
    assert (single["low"], single["high"], single["between"]) == (0.1, 0.9, "95% interval")
    people = ablate.people(plan, list(table.values()))
    assert people[1]["accuracy"] == "55.0% (40.0% to 70.0%)" and people[1]["paper_accuracy"] == "78.6%"


def test_rows_are_asked_where_they_are_trained(
    tmp_path: Path, trainings: Trainings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ablate, "choose_device", lambda name: {"auto": "cuda:0", "cpu": "cpu"}[name])
    ablate.run(plan_of(tmp_path, only=("codes",)))
    assert trainings.devices == ["cuda:0"]


def test_names_of_rows_are_names_of_folders() -> None:
    assert slug("re-annotated human") == "re-annotated-human" and slug("codes+video") == "codes+video"


def run(*words: object) -> Any:
    return CliRunner().invoke(cli, ["analyze", "ablate", *map(str, words)])


def test_the_command_writes_one_table(go5: Path, tmp_path: Path, trainings: Trainings) -> None:
    words = ("--axis", "target", "--data", go5, "--steps", 5, "--seeds", 2, "--limit", 8, "--out", tmp_path,
             "--unchanged", "drop")  # fmt: skip
    done = run(*words)
    assert done.exit_code == 0, done.output
    assert "the paper's accuracy" in done.output and "78.6%" in done.output
    assert len(list(csv.DictReader((tmp_path / "ablate-target.csv").open()))) == 6
    table = (tmp_path / "ablate-target.md").read_text()
    assert table.count("\n| ") == 4 and "codes+video" in table
    facts = json.loads((tmp_path / "ablate-target.json").read_text())
    assert facts["suite"] == "go5-lite" and facts["steps"] == 5 and str(tmp_path) not in json.dumps(facts)
    manifest = json.loads((go5 / "manifest.json").read_text())
    assert [(row["name"], row["content"]) for row in facts["data"]] == [("go5", manifest["content"])]
    assert facts["unchanged"] == "drop" and trainings.trained[0].unchanged == "drop"
    assert (tmp_path / "ablate-target.png").exists() and trainings.trained[0].minutes is None
    again = run(*words, "--json")
    assert (
        again.exit_code == 0 and len(json.loads(again.output)["summary"]) == 9 and len(trainings.trained) == 6
    )


def test_what_cannot_be_is_refused_before_anything_is_trained(
    go5: Path, tmp_path: Path, trainings: Trainings
) -> None:
    for words, says in (
        (("--axis", "size"), "unknown axis 'size'"),
        (("--axis", "target", "--row", "none"), "unknown row of the axis target"),
        (
            ("--axis", "target", "--suite", "go9-lite"),
            "watched the board 5x5 and cannot answer the board 9x9",
        ),
        (("--axis", "target", "--size", "tny"), "Did you mean 'tiny'"),
        (("--axis", "target", "--unchanged", "drp"), "Did you mean 'drop'"),
        (("--axis", "target", "--device", "foo"), "Take cpu, cuda or auto"),
        (("--axis", "target", "--set", "transformer.depth=3"), "unknown key of the table transformer"),
        (("--axis", "target", "--data", go5), "several are compared on --axis data alone"),
    ):
        done = run("--data", go5, *words, "--out", tmp_path / "out")
        assert isinstance(done.exception, UsageError) and says in str(done.exception), (
            words,
            done.exception,
            done.output,
        )
    assert not trainings.trained and not trainings.prepared and not (tmp_path / "out").exists()


def test_a_real_ablation_of_a_few_steps(go5: Path, tmp_path: Path) -> None:
    small = [
        f"transformer.{key}" for key in ("hidden_size=32", "num_hidden_layers=1", "num_attention_heads=2")
    ]
    words = [
        "--axis",
        "input",
        "--data",
        go5,
        "--steps",
        3,
        "--limit",
        6,
        "--suite",
        "go5-lite",
        "--threads",
        1,
    ]
    words += [word for key in (*small, "transformer.num_key_value_heads=2") for word in ("--set", key)]
    done = run(*words, "--out", tmp_path, "--no-pictures")
    assert done.exit_code == 0, (done.output, done.exception)
    rows = {row["row"]: row for row in csv.DictReader((tmp_path / "ablate-input.csv").open())}
    assert list(rows) == ["state", "video", "video+ldm"] and {row["n"] for row in rows.values()} == {"6"}
    assert len({row["weights_sha256"] for row in rows.values()}) == 3
    homes = {
        (tmp_path / "input" / name / "seed-0" / "train" / "tokenizer").resolve()
        for name in ("video", "video+ldm")
    }
    assert len(homes) == 1
    models = [tmp_path / "input" / name / "seed-0" / "model.pt" for name in rows]
    drawn = CliRunner().invoke(
        cli, ["analyze", "curves", *map(str, models), "--axis", "steps", "--out", str(tmp_path / "c")]
    )
    assert drawn.exit_code == 0, (drawn.output, drawn.exception)


def test_a_bar_ends_with_its_stage_and_the_next_one_counts_anew(capsys: pytest.CaptureFixture[str]) -> None:
    from gobench_videoworld.commands.analyze import Bars

    with Bars(False) as bars:
        for _ in range(2):
            for done in (0, 2, 4, 4):
                bars("suite", done, 4)
    shown = capsys.readouterr().err.replace("\r", "\n")
    assert shown.count("| 4/4 [") == 2 and shown.count("| 0/4 [") == 2
