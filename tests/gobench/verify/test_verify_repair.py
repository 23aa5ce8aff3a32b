"""Damage of every kind: told with advice, removed by ``repair``, made anew by the same build."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gobench import atomic, card, croissant
from gobench.build.plan import read
from gobench.build.recipes import configure
from gobench.build.run import build
from gobench.canonical import dumps, read_json
from gobench.errors import BuildError, DataError
from gobench.verify import repair, verify

EXTRAS = (card.extra, croissant.extra)
SHARD = "data/train-00001-of-00003.tar"
SIDECAR = "sidecars/train-00001-of-00003.json"


@pytest.fixture(scope="module")
def domain() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[1])
        yield importlib.import_module("bouncing").Bouncing()


@pytest.fixture(scope="module")
def template(domain: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "built"
    build(domain, configure(domain, "dot-tiny"), folder, extras=EXTRAS)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and ".build" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def flipped(name: str) -> Callable[[Path], None]:
    def flip(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[len(data) // 2] ^= 1
        (folder / name).write_bytes(data)

    return flip


def without(name: str, key: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        table = read_json(folder / name)
        del table[key]
        (folder / name).write_bytes(dumps(table))

    return edit


def cut(name: str, size: int) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:size])


def shards_edited(folder: Path) -> None:
    table = read_json(folder / "plan.json")
    table["shards"] = table["shards"][:-1]
    table["kept"] -= 3
    (folder / "plan.json").write_bytes(dumps(table))


def rows_edited(folder: Path) -> None:
    table = read_json(folder / SIDECAR)
    table["rows"][2][1], table["rows"][3][2] = -512, 1 << 60
    (folder / SIDECAR).write_bytes(dumps(table))


DAMAGE: dict[str, Callable[[Path], Any]] = {
    "shard": flipped(SHARD),
    "shard gone": lambda folder: (folder / SHARD).unlink(),
    "sidecar": flipped(SIDECAR),
    "sidecar without a key": without(SIDECAR, "content"),
    "sidecar with wild places": rows_edited,
    "part": flipped("games/part-00001.jsonl"),
    "part's sidecar without a key": without("games/part-00001.json", "candidates"),
    "kept flipped": flipped("plan.kept.npy"),
    "kept short": cut("plan.kept.npy", 200),
    "kept empty": cut("plan.kept.npy", 0),
    "rejected": flipped("rejected.jsonl"),
    "plan's shards": shards_edited,
    "index": flipped("index.parquet"),
    "index gone": lambda folder: (folder / "index.parquet").unlink(),
    "card": flipped("README.md"),
    "croissant": cut("croissant.json", 10),
    "sums": lambda folder: (folder / "SHA256SUMS").write_bytes(b"\xff\xfe"),
    "sums gone": lambda folder: (folder / "SHA256SUMS").unlink(),
    "manifest": without("manifest.json", "rejected"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_told_removed_and_made_anew(domain: Any, template: Path, built: Path, name: str) -> None:
    DAMAGE[name](built)
    found = verify(built, domain)
    assert not found.ok
    assert f"gobench verify {built} --repair" in found.advice and "\n" not in found.advice
    assert found.to_json()["advice"] == found.advice
    removed = repair(built, found)
    assert set(removed) <= {*contents(template)} and removed
    assert "goes on where it was stopped" in verify(built, domain).advice
    build(domain, configure(domain, "dot-tiny"), built, extras=EXTRAS)
    assert verify(built, domain).findings == ()
    assert contents(built) == contents(template)


def test_little_is_removed(domain: Any, built: Path) -> None:
    DAMAGE["shard"](built)
    assert repair(built, verify(built, domain)) == ("manifest.json", SIDECAR, SHARD)


def test_nothing_is_removed_where_nothing_is_wrong(domain: Any, built: Path) -> None:
    before = contents(built)
    found = verify(built, domain)
    assert found.advice == "" and repair(built, found) == ()
    assert contents(built) == before


@pytest.mark.parametrize("name", ["data/train-00003-of-00003.tar", "data/old/train-00000.tar", "data/.x.tmp"])
def test_strays_are_told_and_stay(domain: Any, built: Path, name: str) -> None:
    (built / name).parent.mkdir(exist_ok=True)
    (built / name).write_bytes(b"somebody's")
    found = verify(built, domain)
    assert [(f.kind, f.file) for f in found.findings] == [("stray", name)]
    assert found.advice == "Move the stray files out of the folder."
    assert repair(built, found) == ()
    assert (built / name).is_file() and (built / "manifest.json").is_file()


def test_a_plan_that_cannot_be_read(domain: Any, built: Path) -> None:
    table = read_json(built / "plan.json")
    (built / "plan.json").write_bytes(dumps({**table, "config": {**table["config"], "dedup": "odd"}}))
    found = verify(built, domain)
    assert [(f.kind, f.file) for f in found.findings] == [("plan", "plan.json")]
    assert "plan.json" in found.findings[0].detail and "--overwrite" in found.advice
    with pytest.raises(DataError, match=r"plan\.json"):
        repair(built, found)


def test_no_repair_beside_a_build(domain: Any, built: Path) -> None:
    DAMAGE["shard"](built)
    found = verify(built, domain)
    with atomic.lock(built / ".build" / "lock", ""), pytest.raises(BuildError, match="another build"):
        repair(built, found)
    assert (built / SHARD).is_file()


def test_workers_find_the_same_in_the_same_order(domain: Any, built: Path) -> None:
    for name in ("shard", "sidecar with wild places", "index"):
        DAMAGE[name](built)
    flipped("data/test-00000-of-00001.tar")(built)
    steps: list[tuple[str, int, int]] = []
    alone = verify(built, domain, sample=20, seed=3)
    crew = verify(built, domain, sample=20, seed=3, workers=2, progress=lambda *step: steps.append(step))
    assert crew == alone and len(alone.findings) > 4 and 0 < alone.drawn < 20
    total = len(read(built).shards or ())
    assert [step for step in steps if step[0] == "shards"] == [("shards", n + 1, total) for n in range(total)]
