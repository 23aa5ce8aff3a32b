"""Windows as models see them, what codes mean, and what is imagined: parts on known input, commands on the smallest models."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from gobench.cli import cli
from gobench.dataset import open_dataset
from gobench.errors import DataError, UsageError
from gobench_videoworld.analysis import codes, imagine
from gobench_videoworld.analysis.loading import opened, same_world, with_codes
from gobench_videoworld.analysis.windows import Sight, choose, code_vectors, split_of
from gobench_videoworld.answers import VideoAnswers
from gobench_videoworld.config import LatentConfig, TokenizerConfig, VideoWorldConfig
from gobench_videoworld.data.frames import FrameWindows
from gobench_videoworld.data.tokens import tokenise
from gobench_videoworld.data.windows import Windows

Models = dict[str, Path]


def run(*words: object) -> Any:
    return CliRunner().invoke(cli, ["analyze", *map(str, words)])


def lines(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.open()))


def test_windows_are_chosen_by_the_seed_and_spread_over_episodes() -> None:
    lengths = np.array([1, 30, 2, 40, 0])
    chosen = choose(lengths, 20, 3)
    assert sum(len(times) for _, times in chosen) == 20
    assert [row for row, _ in chosen] == sorted({row for row, _ in chosen}) and not {0, 4} & {
        row for row, _ in chosen
    }
    for row, times in chosen:
        assert (np.diff(times) > 0).all() and times[0] >= 0 and times[-1] <= lengths[row] - 2
    again = choose(lengths, 20, 3)
    assert all(a == b and np.array_equal(x, y) for (a, x), (b, y) in zip(chosen, again, strict=True))
    assert sum(len(times) for _, times in choose(lengths, 10_000, 0)) == 29 + 1 + 39
    with pytest.raises(UsageError, match="no episode of this split has two frames"):
        choose(np.array([1, 1]), 5, 0)


def test_a_batch_is_what_training_sees(untrained: Models, go5: Path, tmp_path: Path) -> None:
    model = with_codes(str(untrained["video+ldm"]))
    answers = model.answers
    assert isinstance(answers, VideoAnswers) and answers.networks.tokenizer is not None
    store = tokenise(go5, "validation", answers.networks.tokenizer, tmp_path, "none")
    windows = Windows(store, model.config.latent.offsets, model.config.transformer.history, symmetric=False)
    everything = windows.at(np.arange(len(windows)))
    seen = 0
    for watched in Sight(model, open_dataset(go5), "validation", 10_000, 0):
        mine = watched.batch(answers)
        rows = everything["episode"] == watched.number
        assert torch.equal(everything["time"][rows], mine["time"])
        for key in ("history", "before", "after", "there", "episode", "symmetry"):
            assert torch.equal(everything[key][rows], mine[key]), key
        seen += len(watched.times)
    assert seen == len(windows)


def test_a_latent_model_of_pixels_sees_what_training_shows_it(untrained: Models, go5: Path) -> None:
    model = with_codes(str(untrained["video+ldm"]))
    assert isinstance(model.answers, VideoAnswers)
    model.config = replace(model.config, latent=LatentConfig("pixel", (1, 3, 5), (4, 4)))
    windows = FrameWindows(go5, "validation", model.config.tokenizer.size, (1, 3, 5), 0, "none")
    everything = windows.at(np.arange(len(windows)))
    for watched in Sight(model, open_dataset(go5), "validation", 10_000, 0):
        rows = everything["episode"] == watched.number
        mine = watched.batch(model.answers)
        for key in ("frames", "there", "time"):
            assert torch.equal(everything[key][rows], mine[key]), key


def test_codes_become_points_with_rows_columns_and_levels() -> None:
    config = VideoWorldConfig(tokenizer=TokenizerConfig(grid=(3, 5)), latent=LatentConfig(levels=(3,)))
    found = code_vectors(config, np.array([[0, 1], [14, 1], [7, 1]]))
    assert found[:, :2].tolist() == [[-1, -1], [1, 1], [0, 0]] and not found[:, 2].any()
    generic = replace(config, latent=LatentConfig("generic", levels=(4, 4)))
    assert code_vectors(generic, np.array([[0], [15]])).shape == (2, 2)


def test_a_table_of_use_has_a_row_a_step_and_one_for_all() -> None:
    rows: list[dict[str, Any]] = [
        {"episode": n % 4, "time": n, "step": 1 + 2 * (n % 2), "cell": n % 2, "symbol": 1, "pattern": "x"}
        for n in range(40)
    ]
    digits = np.array([[n % 2, n % 4] for n in range(40)])
    found = codes.use(codes.Codes(np.zeros((40, 2), np.float32), digits, rows), (25, 4), 0)
    assert [row["step"] for row in found] == [1, 3, "all"]
    whole = found[-1]
    assert whole["codes"] == 100 and whole["codes_used"] == 4 and whole["perplexity"] == pytest.approx(4.0)
    assert whole["purity"] == 1.0 and whole["purity_by_chance"] < 0.9 and whole["digit0_used"] == 2
    assert whole["purity_reverse"] == 0.5  # each move has two codes
    assert found[0]["codes_used"] == 2 and found[0]["digit1_of"] == 4


def test_one_filled_cell_is_a_move_and_nothing_else_is() -> None:
    before = np.array([0, 1, 2, 0], np.uint8)
    for after, want in {
        (2, 1, 2, 0): (0, 2),
        (2, 0, 2, 0): (0, 2),  # something was taken
        (0, 1, 2, 0): imagine.UNCLEAR,
        (2, 1, 2, 1): imagine.UNCLEAR,
        (0, 2, 2, 0): imagine.UNCLEAR,  # another colour on the same cell
    }.items():
        for symbol in (0, 1, 2):  # a code that draws nothing but itself is read whoever is to move
            assert imagine.read_moves(before, np.array(after, np.uint8), symbol, 0) == (want, ())


def test_replies_are_told_from_own_moves_where_pictures_show_them() -> None:
    before = np.array([0, 1, 2, 0, 0], np.uint8)
    for after, symbol, want in (
        ((2, 1, 2, 1, 0), 1, ((3, 1), ((0, 2),))),
        ((2, 1, 2, 1, 0), 2, ((0, 2), ((3, 1),))),
        ((0, 1, 2, 1, 0), 1, ((3, 1), ())),  # the reply is not drawn
        ((1, 1, 2, 1, 0), 1, (imagine.UNCLEAR, ())),
        ((2, 1, 2, 0, 0), 1, (imagine.UNCLEAR, ())),  # the reply alone
        ((2, 1, 2, 1, 2), 1, (imagine.UNCLEAR, ())),  # more than one reply
        ((0, 1, 2, 1, 0), 0, ((3, 1), ())),
    ):
        assert imagine.read_moves(before, np.array(after, np.uint8), symbol, 1) == want


def test_forms_differ_in_what_their_pictures_show() -> None:
    config = VideoWorldConfig(latent=LatentConfig(offsets=(1, 3, 4)))
    assert imagine.between(config) == [0, 0, 0]
    assert imagine.between(replace(config, latent=LatentConfig("generic", (1, 3, 4), (4, 4)))) == [0, 1, 0]


def test_measures_of_imagination_are_shares_of_what_can_be_told() -> None:
    rows: list[dict[str, Any]] = []
    for n in range(40):
        first, there = n % 2, n < 30
        rows.append(
            {
                "episode": n,
                "time": 0,
                "step": 1,
                "read": 1,
                "possible": 1,
                "as_played": first,
                "frame_follows": 1,
            }
        )
        second = {"possible": 0, "as_played": int(first and n % 4 == 1)} if there else {}
        rows.append({"episode": n, "time": 0, "step": 2, "read": 1, **second})
    found = {(row["step"], row["measure"]): row for row in imagine.summary(rows)}
    assert found[1, "as_played"]["value"] == 0.5 and found[1, "as_played"]["paper"] is None
    assert found[2, "as_played"]["n"] == 30 and found[2, "as_played"]["paper"] == 0.743
    assert found[2, "as_played_if_first"]["value"] == pytest.approx(8 / 15)
    assert found[2, "possible"]["value"] == 0 and found[2, "possible"]["high"] < 0.2
    assert (2, "frame_follows") not in found and (2, "reply_read") not in found
    replies = [{**row, "reply_read": 1, "reply_as_played": int(row["episode"] < 10)} for row in rows[1::2]]
    found = {(row["step"], row["measure"]): row for row in imagine.summary([*rows[::2], *replies])}
    assert found[2, "reply_as_played"]["value"] == 0.25 and found[2, "reply_as_played"]["paper"] == 0.743
    assert found[2, "reply_as_played_if_first"]["value"] == 0.25


def test_splits_that_are_held_out_come_first(go5: Path) -> None:
    data = open_dataset(go5)
    assert split_of(data, "held-out") == "validation" and split_of(data, "train") == "train"


@pytest.mark.parametrize("form", ["video+ldm", "generic"])
def test_the_command_tells_codes(form: str, untrained: Models, go5: Path, tmp_path: Path) -> None:
    words = (
        "codes",
        untrained[form],
        "--data",
        go5,
        "--windows",
        60,
        "--projection",
        "pca",
        "--out",
        tmp_path,
    )
    done = run(*words)
    assert done.exit_code == 0, done.output
    assert (
        "purity" in done.output
        and f"Written to {tmp_path}: codes.csv" in done.output
        and "Replaced" not in done.output
    )
    table = lines(tmp_path / "codes.csv")
    assert {row["step"] for row in table} == {"1", "3", "5"} and all(
        row["x"] and row["pattern"] for row in table
    )
    assert [row["step"] for row in lines(tmp_path / "codes-use.csv")] == ["1", "3", "5", "all"]
    facts = json.loads((tmp_path / "codes.json").read_text())
    assert facts["model"]["name"] == f"small-{form}" and len(facts["model"]["weights_sha256"]) == 64
    assert facts["data"]["name"] == "go5" and str(go5.parent) not in json.dumps(facts)
    first = (tmp_path / "codes.csv").read_bytes()
    assert (
        run(*words, "--json", "--no-pictures").exit_code == 0
        and (tmp_path / "codes.csv").read_bytes() == first
    )
    assert (
        "Replaced, with other content: codes.csv, " in run(*words, "--seed", 1, "--no-pictures").output
        and (tmp_path / "codes.csv").read_bytes() != first
    )


def test_a_frame_follows_where_both_pictures_show_the_same_board(untrained: Models, go5: Path) -> None:
    watched = next(
        iter(Sight(with_codes(str(untrained["video+ldm"])), open_dataset(go5), "validation", 20, 0))
    )
    board, other = watched.frames[1], watched.frames[4]
    plain = np.full_like(board, 255)
    assert (watched.domain.states(watched.config.options, plain[None]) > 0).all()  # surely, but of no board
    first, given = np.stack([board, board, plain, board]), np.stack([board, other, plain, plain])
    assert imagine._follows(watched, first, given).tolist() == [True, False, False, False]
    nobody = replace(
        watched, domain=SimpleNamespace(states=watched.domain.states)
    )  # says of no picture that it is none
    assert imagine._follows(nobody, first, given).tolist() == [True, False, True, False]


@pytest.mark.parametrize("form", ["video+ldm", "generic", "codes"])
def test_the_command_imagines(form: str, untrained: Models, go5: Path, tmp_path: Path) -> None:
    words = (
        "imagine",
        f"{untrained[form]}?temperature=0.5",
        "--data",
        go5,
        "--prompts",
        20,
        "--projection",
        "pca",
    )
    done = run(*words, "--out", tmp_path, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert {row["measure"] for row in told["summary"]} >= {"read", "possible", "as_played", "frame_follows"}
    names = {Path(name).name for name in told["files"]}
    assert names >= {
        "imagine.csv",
        "imagine-measures.csv",
        "imagine-sheet.png",
        "imagine-map.svg",
        "imagine.json",
    }
    table = lines(tmp_path / "imagine.csv")
    assert len(table) % 3 == 0 and all(row["code"] and row["x"] for row in table)
    if form == "codes":  # the latent decoder is all that draws, and without training it draws no board
        assert {row["frame_follows"] for row in table if row["step"] == "1"} == {"0"}


def test_numbers_alone_need_no_matplotlib(
    untrained: Models, go5: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gobench_videoworld.analysis.drawing.figure", lambda *a, **k: pytest.fail("drew"))
    words = (
        "codes",
        untrained["video+ldm"],
        "--data",
        go5,
        "--windows",
        10,
        "--projection",
        "pca",
        "--out",
        tmp_path,
    )
    assert run(*words, "--no-pictures").exit_code == 0
    assert not list(tmp_path.glob("*.png")) and (tmp_path / "codes.csv").exists()


@pytest.mark.parametrize("command", ["codes", "imagine"])
def test_a_missing_model_is_told_before_missing_plots(
    command: str, untrained: Models, go5: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking() -> None:
        raise UsageError("pictures need matplotlib")

    monkeypatch.setattr("gobench_videoworld.analysis.drawing.check", lacking)
    for model, says in ((tmp_path / "none.pt", "no model"), (untrained["video+ldm"], "need matplotlib")):
        done = run(command, model, "--data", go5, "--out", tmp_path / "out")
        assert says in str(done.exception), done.exception
    assert not (tmp_path / "out").exists()


def test_each_model_has_a_folder_of_its_own(
    untrained: Models, go5: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "first").mkdir(parents=True)
    for form, place in (("video+ldm", "runs/first/model.pt"), ("generic", "runs/second.pt")):
        Path(place).write_bytes(untrained[form].read_bytes())
        words = ("--data", go5, "--windows", 10, "--projection", "pca", "--no-pictures")
        done = run("codes", place, *words)
        assert done.exit_code == 0 and "Replaced" not in done.output, (done.output, done.exception)
    assert {path.parent.name for path in Path("runs/analysis").glob("*/codes.csv")} == {"first", "second"}


@pytest.mark.parametrize("command", ["codes", "imagine"])
@pytest.mark.parametrize(
    ("form", "says"), [("state", "a state model reads positions"), ("video", "was trained on video alone")]
)
def test_models_without_codes_are_refused(
    command: str, form: str, says: str, untrained: Models, go5: Path, tmp_path: Path
) -> None:
    done = run(command, untrained[form], "--data", go5, "--out", tmp_path)
    assert isinstance(done.exception, UsageError), done.output
    assert says in str(done.exception) and "--input video+ldm" in str(done.exception)
    assert not list(tmp_path.iterdir())


def test_auto_is_a_device_that_is_there(untrained: Models) -> None:
    made = opened(str(untrained["video"]), "auto")
    assert made.answers.device.type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_what_does_not_fit_is_refused(untrained: Models, go5: Path, tmp_path: Path) -> None:
    model = untrained["video+ldm"]
    for words, kind, says in (
        (("codes", tmp_path / "none.pt", "--data", go5), DataError, "there is no model"),
        (("codes", model, "--data", tmp_path), DataError, "holds no"),
        (("codes", model, "--data", go5, "--split", "trian"), UsageError, "Did you mean 'train'"),
        (("codes", model, "--data", go5, "--projection", "tsne"), UsageError, "unknown projection"),
        (("codes", model, "--data", go5, "--device", "foo"), UsageError, "Take cpu, cuda or auto"),
        (("codes", model, "--data", go5, "--device", "cuda:77"), UsageError, "Take cpu, cuda or auto"),
    ):
        done = run(*words, "--out", tmp_path / "out")
        assert isinstance(done.exception, kind) and says in str(done.exception), (words, done.exception)


def test_a_dataset_of_another_world_is_refused(small: VideoWorldConfig, go5: Path) -> None:
    data = open_dataset(go5)
    same_world(small, data)
    for change, says in (
        ({"board": (9, 9)}, "its board is 5x5, and the model watched the board 9x9"),
        ({"theme": "wood"}, "its theme is videoworld"),
        ({"frame_size": (256, 256)}, "its frame size is 64x64"),
        ({"domain": "arm"}, "its domain is go"),
    ):
        with pytest.raises(UsageError, match=says):
            same_world(replace(small, **change), data)  # type: ignore[arg-type]
