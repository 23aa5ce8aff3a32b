"""The same command mends a folder that lost something, and notices what it must not build upon."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import importlib
import json
import shutil
import tracemalloc
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench import atomic
from gobench.build import candidates
from gobench.build.candidates import Candidates, scan_lines
from gobench.build.estimate import estimate
from gobench.build.plan import KEPT, PLAN, Part, Plan, Shard, lay_out, read, read_kept
from gobench.build.recipes import BuildConfig, configure
from gobench.build.run import build
from gobench.build.stages import made, sidecar
from gobench.canonical import dumps, read_json
from gobench.errors import BuildError, DataError, UsageError

HERE = Path(__file__).parents[1]  # where bouncing.py lies


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(HERE)
    return importlib.import_module("bouncing").Bouncing()


@pytest.fixture
def config(domain: Any) -> BuildConfig:
    return configure(domain, "dot-tiny", options={"starts": 80})


@pytest.fixture
def built(domain: Any, config: BuildConfig, tmp_path: Path) -> Path:
    build(domain, config, tmp_path / "built", extras=[card])
    return tmp_path / "built"


def card(folder: Path, manifest: Mapping[str, Any]) -> Mapping[str, bytes]:
    return {"README.md": f"{manifest['samples']} samples".encode()}


def listing(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and ".build" not in path.parts]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.mark.parametrize(
    "lost",
    [
        "index.parquet",
        "README.md",
        "report.json",
        "rejected.jsonl",
        KEPT,
        "SHA256SUMS",
        "sidecars/train-00000-of-00002.json",
        "games/part-00003.json",
    ],
)
def test_a_finished_folder_gets_back_what_it_lost(
    domain: Any, config: BuildConfig, built: Path, lost: str
) -> None:
    before = listing(built)
    (built / lost).unlink()
    assert build(domain, config, built, extras=[card]).done
    assert listing(built) == before


@pytest.mark.parametrize("text", ["{", "[]", "{}", None])
def test_a_damaged_manifest_is_written_anew(
    domain: Any, config: BuildConfig, built: Path, text: str | None
) -> None:
    before = listing(built)
    path = built / "manifest.json"
    path.write_text(path.read_text().replace('"rejected"', '"refused"') if text is None else text)
    build(domain, config, built, extras=[card])
    assert listing(built) == before


def test_sums_that_cannot_be_read_are_written_anew(domain: Any, config: BuildConfig, built: Path) -> None:
    before = listing(built)
    (built / "SHA256SUMS").write_bytes(b"\xff\xfe")
    build(domain, config, built, extras=[card])
    assert listing(built) == before


def test_a_whole_folder_is_not_written_to(domain: Any, config: BuildConfig, built: Path) -> None:
    def inodes() -> dict[Path, int]:
        return {path: path.stat().st_ino for path in built.rglob("*") if ".build" not in path.parts}

    before = inodes()
    build(domain, config, built, extras=[card])
    assert inodes() == before


def test_further_files_are_added_by_a_later_call(domain: Any, config: BuildConfig, tmp_path: Path) -> None:
    build(domain, config, tmp_path)
    build(domain, config, tmp_path, extras=[card])
    assert "  README.md\n" in (tmp_path / "SHA256SUMS").read_text()
    with_card = listing(tmp_path)
    (tmp_path / "index.parquet").unlink()
    build(domain, config, tmp_path)
    assert listing(tmp_path) == with_card  # a call without the card does not unlist it


def broken_kept(path: Path, how: str) -> None:
    kept = np.load(path)
    if how == "empty":
        path.write_bytes(b"")
    else:
        np.save(path, {"short": kept[:-3], "reversed": kept[::-1], "floats": kept.astype(float)}[how])


@pytest.mark.parametrize("how", ["short", "reversed", "empty", "floats"])
def test_what_was_kept_is_checked_against_the_plan(
    domain: Any, config: BuildConfig, built: Path, how: str
) -> None:
    before = listing(built)
    broken_kept(built / KEPT, how)
    for path in (built / "data").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"plan\.kept\.npy"):
        read_kept(built)
    with pytest.raises(DataError, match=r"plan\.kept\.npy.*Remove it and run the same build again"):
        build(domain, config, built, extras=[card])
    (built / KEPT).unlink()
    build(domain, config, built, extras=[card])
    assert listing(built) == before


def test_an_impossible_build_does_not_cost_the_good_one(
    domain: Any, config: BuildConfig, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = listing(built)
    odd = configure(domain, "dot-tiny", {"codec": "h264"}, {"size": 31})
    for bad, message in ((odd, "even"), (replace(config, codec="h265"), "h265")):
        with pytest.raises(UsageError, match=message):
            build(domain, bad, built, overwrite=True)
        assert listing(built) == before

    def lost(*given: object) -> None:
        raise DataError("games.zip is not there")

    monkeypatch.setattr(type(domain), "source", lost)
    with pytest.raises(DataError, match=r"games\.zip"):
        build(domain, config, built, overwrite=True)
    assert listing(built) == before


def test_overwrite_says_what_it_cannot_remove(
    domain: Any, config: BuildConfig, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, **given: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(shutil, "rmtree", refused)
    with pytest.raises(BuildError, match=r"games cannot be written \(Permission denied\)"):
        build(domain, config, built, overwrite=True)
    assert (built / PLAN).exists()


def test_overwrite_removes_a_build_with_damaged_sums(domain: Any, config: BuildConfig, built: Path) -> None:
    (built / "SHA256SUMS").write_bytes(b"\xff../..")
    assert build(domain, config, built, overwrite=True, extras=[card]).made_parts == 8


@pytest.mark.parametrize("key", ["versions", "inputs", "units"])
def test_pieces_of_another_plan_are_not_taken(built: Path, key: str) -> None:
    plan = read(built)
    other = replace(plan, **{key: {"versions": {}, "inputs": {"dots": "1"}, "units": 59}[key]})  # type: ignore[arg-type]
    pieces: list[Part | Shard] = [plan.parts[0], *(plan.shards or ())]
    for piece in pieces:
        assert made(built, piece, plan) is not None
        assert made(built, piece, other) is None


@pytest.mark.parametrize("name", ["games/part-00000.json", "sidecars/train-00000-of-00002.json"])
def test_an_odd_sidecar_counts_as_not_there(domain: Any, config: BuildConfig, built: Path, name: str) -> None:
    before, path = listing(built), built / name
    table = read_json(path)
    rows = "rows" if "rows" in table else "rejected"
    odd: list[Any] = [{k: v for k, v in table.items() if k != key} for key in table]
    odd += [table | {"more": 1}, table | {rows: [["x"]]}, table | {"bytes": str(table["bytes"])}, [], None]
    for value in odd:
        path.write_bytes(dumps(value))
        assert sidecar(path, config.hash) is None
    build(domain, config, built, extras=[card])
    assert listing(built) == before


def test_an_edited_plan_is_named(built: Path) -> None:
    path = built / PLAN
    whole = path.read_text()
    for old, new in (
        ('"symmetry"', '"symetry"'),
        ('"units": 60', '"units": "many"'),
        ('"train": 0.8', '"train": 8'),
    ):
        assert old in whole
        path.write_text(whole.replace(old, new))
        with pytest.raises(DataError, match=r"plan\.json"):
            read(built)


def test_all_that_is_not_kept_is_listed(
    domain: Any, config: BuildConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = type(domain).source
    monkeypatch.setattr(
        type(domain), "source", lambda self, options, n, seed: source(self, options, 3 * n, seed)
    )
    build(domain, replace(config, episodes=20), tmp_path)
    counts = read_json(tmp_path / "report.json")["rejected"]
    rows = [json.loads(line) for line in (tmp_path / "rejected.jsonl").read_text().splitlines()]
    assert {reason: sum(row["reason"] == reason for row in rows) for reason in counts} == counts
    assert counts["over-limit"] > 10 and counts["duplicate"] > 3
    assert len({row["origin"] for row in rows}) == len(rows) == 60 - 20
    games = [json.loads(x) for p in sorted((tmp_path / "games").glob("*.jsonl")) for x in p.open()]
    starts = {game["origin"]: game["start"] for game in games}
    repeats = [row for row in rows if row["reason"] == "duplicate"]
    assert all(starts[r["origin"]] == starts[r["detail"].removeprefix("repeats ")] for r in repeats)


def test_a_foreign_folder_is_left_as_it_was(domain: Any, config: BuildConfig, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(BuildError, match="not empty and holds no build"):
        build(domain, config, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOLCK, "cannot be locked"), (errno.EWOULDBLOCK, "another")]
)
def test_why_a_lock_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def refused(handle: int, mode: int) -> None:
        raise OSError(number, "the system's words")

    monkeypatch.setattr(fcntl, "flock", refused)
    with pytest.raises(BuildError, match=words), atomic.lock(tmp_path / "lock", "another build"):
        pass


def test_left_overs_of_killed_tasks_are_swept_by_the_last(
    domain: Any, config: BuildConfig, built: Path, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    for task in (0, 1, 0):
        build(domain, config, shared, task_index=task, task_count=2, extras=[card])
    (shared / "data/.train-00000-of-00002.tar.7.tmp").write_bytes(b"half")
    assert build(domain, config, shared, task_index=1, task_count=2, extras=[card]).done
    assert listing(shared) == listing(built)


@pytest.mark.parametrize(
    ("units", "parts"), [(5, 1), (200, 15), (2000, 46), (10_000, 100), (1_000_000, 3907)]
)
def test_the_first_stage_has_turns_for_many_workers(units: int, parts: int) -> None:
    plan = Plan(BuildConfig("dot", "r", "png"), {}, {}, units)
    assert len(plan.parts) == parts
    assert plan.parts[-1].stop == units


def test_more_workers_than_pieces_are_not_promised_to_help(
    domain: Any, config: BuildConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 10_000, 100))
    monkeypatch.setattr("gobench.build.estimate.time.perf_counter", lambda: next(clock))
    few, many = (estimate(domain, config, workers=n).seconds for n in (8, 800))
    assert few == many > 0  # 8 parts, fewer shards
    assert estimate(domain, config, workers=1).seconds > 3 * few


def synthetic(folder: Path, lines: int, width: int) -> Plan:
    """A plan with one part of so many lines."""
    (folder / "games").mkdir()
    path = folder / "games/part-00000.jsonl"
    with path.open("wb") as file:
        for number in range(lines):
            file.write(dumps({"n": number, "pad": "x" * width}) + b"\n")
    kept = np.arange(lines, dtype=np.int64)
    np.save(folder / KEPT, kept)
    config = BuildConfig("dot", "r", "png", shard_size=100)
    digest = hashlib.sha256((folder / KEPT).read_bytes()).hexdigest()
    shards = lay_out({"train": lines}, config)
    own = (scan_lines(path)[1],)
    return Plan(config, {}, {}, 1, 0, lines, (lines,), own, lines, digest, shards, {})


def test_memory_does_not_grow_with_the_games_of_a_part(tmp_path: Path) -> None:
    plan = synthetic(tmp_path, 3000, 20_000)  # 60 MB
    tracemalloc.start()
    found = [record["n"] for _, record in Candidates(tmp_path, plan).read(range(0, 3000, 7))]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == list(range(0, 3000, 7))
    assert peak < 8 << 20


def test_a_part_is_read_through_once_for_all_its_shards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, scans = synthetic(tmp_path, 1000, 10), list[Path]()

    def counted(path: Path) -> Any:
        scans.append(path)
        return scan_lines(path)

    monkeypatch.setattr(candidates, "scan_lines", counted)
    reader = Candidates(tmp_path, plan)
    numbers = [record["n"] for shard in plan.shards or () for _, record in reader.of(shard)]
    assert numbers == list(range(1000))
    assert len(plan.shards or ()) == 10
    assert len(scans) == 1


def test_places_of_lines_are_forgotten_before_they_are_too_many(
    domain: Any, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "REMEMBERED", 20)
    plan = read(built)
    reader = Candidates(built, plan)
    wanted = [*range(plan.candidates), 0, plan.candidates - 1]
    assert [i for i, _ in reader.read(wanted)] == wanted
    assert sum(map(len, reader._places.values())) <= 20
