"""The commands as a user runs them: real processes, real Go datasets, exit codes and messages."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

GOBENCH = [sys.executable, "-m", "gobench"]
SMALL = ["--games", "12", "--theme", "paper", "--size", "64", "--shard-size", "5", "--seed", "3"]


def gobench(*words: str | Path, code: int = 0, env: dict[str, str] | None = None) -> str:
    """Run a command, check its exit code, return stdout (or stderr where it failed)."""
    command = [*GOBENCH, *map(str, words)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env={**os.environ, **(env or {})}
    )
    assert done.returncode == code, f"{words} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout if code == 0 else done.stdout + done.stderr


def sums(folder: Path) -> str:
    return (folder / "SHA256SUMS").read_text()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve random games, one worker, never interrupted."""
    out = tmp_path_factory.mktemp("cli") / "games"
    gobench("build-dataset", "go9-random", *SMALL, "--out", out, "--workers", "1")
    return out


@pytest.fixture
def copy(built: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    out = tmp_path / "copy"
    subprocess.run(["cp", "-r", built, out], check=True)
    return out


def test_workers_do_not_change_a_byte(built: Path, tmp_path: Path) -> None:
    gobench("build-dataset", "go9-random", *SMALL, "--out", tmp_path / "two", "--workers", "2")
    assert sums(tmp_path / "two") == sums(built)


def test_array_tasks_end_in_the_same_bytes(built: Path, tmp_path: Path) -> None:
    words = [
        "build-dataset",
        "go9-random",
        *SMALL,
        "--out",
        tmp_path / "tasks",
        "--workers",
        "1",
        "--task-count",
        "2",
    ]
    gobench(*words, "--task-index", "0", code=75)
    for index in ("1", "0"):
        subprocess.run([*GOBENCH, *map(str, words), "--task-index", index], check=False, timeout=100)
    gobench(*words, "--task-index", "1")
    assert sums(tmp_path / "tasks") == sums(built)


@pytest.mark.parametrize("wait", [0.3, 1.2, 2.0])
def test_killed_and_run_again_ends_in_the_same_bytes(built: Path, tmp_path: Path, wait: float) -> None:
    words = ["build-dataset", "go9-random", *SMALL, "--out", str(tmp_path / "killed"), "--workers", "2"]
    child = subprocess.Popen([*GOBENCH, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(wait)
    child.send_signal(signal.SIGKILL)
    child.wait()
    gobench(*words)
    assert sums(tmp_path / "killed") == sums(built)


def test_sha256sum_agrees(built: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=built, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_a_second_run_says_so_and_changes_nothing(built: Path) -> None:
    before = sums(built)
    report = json.loads(
        gobench("build-dataset", "go9-random", *SMALL, "--out", built, "--workers", "1", "--json")
    )
    assert report["made_parts"] == report["made_shards"] == 0
    assert sums(built) == before


def test_another_config_is_refused_and_named(built: Path) -> None:
    message = gobench("build-dataset", "go9-random", *SMALL, "--theme", "dark", "--out", built, code=4)
    assert "options.theme" in message and '"paper"' in message and "--overwrite" in message


def test_overwrite_starts_anew(copy: Path, built: Path) -> None:
    gobench(
        "build-dataset", "go9-random", *SMALL, "--seed", "4", "--overwrite", "--out", copy, "--workers", "1"
    )
    assert sums(copy) != sums(built)
    gobench("verify", copy)


def test_building_and_verifying_need_no_torch(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('torch is not to be imported here')\n")
    env = {"PYTHONPATH": str(tmp_path)}
    gobench(
        "build-dataset",
        "go9-random",
        "--games",
        "3",
        "--size",
        "64",
        "--out",
        tmp_path / "a",
        "--workers",
        "2",
        env=env,
    )
    gobench("verify", tmp_path / "a", env=env)
    gobench("info", tmp_path / "a", env=env)
    gobench("preview", tmp_path / "a", env=env)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["build-dataset", "go8"], 2, "Did you mean 'go9'"),
        (["trian", "videoworld"], 2, "gobench command 'trian'. Did you mean 'train'?"),
        (
            ["train", "videowrld"],
            2,
            "gobench train command 'videowrld'. Did you mean 'videoworld'? Known: idm, policy, videoworld.",
        ),
        (["analyze", "cods"], 2, "gobench analyze command 'cods'. Did you mean 'codes'?"),
        (["go", "mtch"], 2, "gobench go command 'mtch'. Did you mean 'match'?"),
        (["build-dataset", "go9-tiny", "--theme", "wod"], 2, "Did you mean 'wood'"),
        (["build-dataset", "go9-tiny", "--codec", "mp5"], 2, "h264-direct"),
        (["build-dataset", "go9-tiny", "--teacher", "mcst:50"], 2, "mcts:VISITS"),
        (["build-dataset", "go9-sgf"], 2, "--sgf games.zip"),
        (["build-dataset", "go9-sgf", "--sgf", "absent.zip"], 2, "does not exist"),
        (["build-dataset", "go9-tiny", "--size", "101"], 2, "even"),
        (["build-dataset", "go9-tiny", "--games", "-1"], 2, "-1"),
        (["build-dataset", "go9-tiny", "--task-index", "3"], 2, "--task-count"),
        (["build-dataset", "go9-tiny", "--task-count", "3"], 2, "--task-index"),
        (["build-dataset", "go9-tiny", "--set", "clip"], 2, "KEY=VALUE"),
        (["build-dataset", "go9-tiny", "--set", "clip.fsp=3"], 2, "clip"),
        (["build-dataset", "go9-tiny", "--set", "sources.7.teacher=random"], 2, "sources.7"),
        (["build-dataset", "go9-tiny", "--set", "komi=6.75"], 2, "0.5"),
        (["build-dataset", "absent.toml"], 2, "absent.toml"),
        (["verify", "absent"], 3, "gobench"),
        (["info", "absent"], 3, "absent"),
        (["go", "render", "--moves", "E5 E5", "x.png"], 2, "a stone stands there"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else "",
)
def test_bad_requests_are_one_clear_line(words: list[str], code: int, said: str, tmp_path: Path) -> None:
    out = ["--out", str(tmp_path / "out")] if words[0] == "build-dataset" else []
    message = gobench(*words, *out, code=code)
    assert said in message
    assert not list((tmp_path / "out").glob("data/*"))


def test_a_flipped_byte_is_found_and_named(copy: Path) -> None:
    shard = min((copy / "data").glob("train-*.tar"))
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    assert shard.name in gobench("verify", copy, code=3)


def test_what_is_broken_is_removed_and_made_anew(copy: Path, built: Path) -> None:
    shard = min((copy / "data").glob("train-*.tar"))
    data = bytearray(shard.read_bytes())
    data[len(data) // 3] ^= 4
    shard.write_bytes(data)
    assert "--repair" in gobench("verify", copy, "--no-decode", "--workers", "1", code=3)
    gobench("verify", copy, "--repair", "--no-decode", "--workers", "1", code=3)
    assert not shard.exists()
    gobench("build-dataset", "go9-random", *SMALL, "--out", copy, "--workers", "1")
    gobench("verify", copy)
    assert sums(copy) == sums(built)


def test_a_missing_shard_is_found_and_named(copy: Path) -> None:
    shard = min((copy / "data").glob("train-*.tar"))
    shard.unlink()
    assert shard.name in gobench("verify", copy, code=3)


def test_a_missing_manifest_is_an_unfinished_build(copy: Path) -> None:
    (copy / "manifest.json").unlink()
    assert "manifest.json" in gobench("verify", copy, code=3)
    gobench("build-dataset", "go9-random", *SMALL, "--out", copy)
    gobench("verify", copy)


def test_info_tells_counts_and_the_index(built: Path) -> None:
    manifest = json.loads(gobench("info", built, "--json"))
    assert manifest["samples"] == 12
    lines = gobench("info", built, "--table").splitlines()
    assert lines[0].split("\t")[:3] == ["key", "split", "shard"] and len(lines) == 13


def test_any_option_can_be_set(tmp_path: Path) -> None:
    words = ["--set", "clip.fps=8", "--set", "rules=tromp-taylor", "--set", "sources.0.max_plies=20"]
    gobench("build-dataset", "go9-random", "--games", "2", "--size", "64", *words, "--out", tmp_path / "a")
    options = json.loads(gobench("info", tmp_path / "a", "--json"))["config"]["options"]
    assert (options["clip"]["fps"], options["rules"], options["sources"][0]["max_plies"]) == (
        8,
        "tromp-taylor",
        20,
    )


def test_a_recipe_of_ones_own(data: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        'base = "go9-sgf"\nepisodes = 5\ncodec = "moves"\n[options]\nsize = 64\n[[options.sources]]\nkind = "sgf"\n'
        f'paths = ["{data / "go9_katago_sgf.zip"}"]\nfilters = {{ min_moves = 60 }}\n'
    )
    report = json.loads(gobench("build-dataset", recipe, "--out", tmp_path / "a", "--json"))
    assert report["samples"] == 5 and set(report["rejected"]) == {"over-limit", "filter-moves"}


def test_a_recipe_with_a_strange_key_is_refused(tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text('base = "go9-random"\nepisode = 5\n')
    assert "Did you mean 'episodes'" in gobench("build-dataset", recipe, code=2)


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "dry"
    found = json.loads(gobench("build-dataset", "go9-random", "--out", out, "--dry-run", "--json"))
    assert found["clips"] == 2000 and found["bytes"] > 0 and not out.exists()


def test_a_dry_run_that_keeps_nothing_says_why(data: Path) -> None:
    words = ["--sgf", data / "go9_katago_sgf.zip", "--set", "sources.0.filters.min_moves=500"]
    assert "filter-moves 64" in gobench("build-dataset", "go9-sgf", *words, "--dry-run", code=4)


def test_every_recipe_is_listed_and_can_be_estimated() -> None:
    table = json.loads(gobench("recipes", "--json"))
    assert {"go5-tiny", "go7-tiny", "go9-tiny", "go13-tiny", "go19-tiny", "go9-sgf", "go9"} <= set(table)
    assert all(recipe["about"] for recipe in table.values())


def test_two_builds_at_once_are_refused(tmp_path: Path) -> None:
    words = [
        "build-dataset",
        "go9-random",
        "--games",
        "3000",
        "--out",
        str(tmp_path / "one"),
        "--workers",
        "1",
    ]
    first = subprocess.Popen([*GOBENCH, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (tmp_path / "one" / "plan.json").exists():
            assert first.poll() is None
            time.sleep(0.05)
        assert "another build is at work" in gobench(*words, code=4)
    finally:
        first.terminate()
        assert first.wait(30) in (4, 130, -signal.SIGTERM)
