"""``verify`` works out each sample's fingerprint and split anew, whatever the folder says of itself."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench.build.plan import read, read_kept
from gobench.build.recipes import configure
from gobench.build.run import build
from gobench.canonical import dumps, read_json, sha256_file
from gobench.verify import repair, verify


@pytest.fixture(scope="module")
def domain() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[1])
        yield importlib.import_module("bouncing").Bouncing()


@pytest.fixture
def built(domain: Any, tmp_path: Path) -> Path:
    build(domain, configure(domain, "dot-tiny", {"codec": "moves"}), tmp_path / "built")
    return tmp_path / "built"


def reverse(folder: Path) -> None:
    """Keep other candidates in each split, with sums and hashes that fit."""
    np.save(folder / "plan.kept.npy", read_kept(folder)[::-1].copy())
    plan = read_json(folder / "plan.json")
    plan["kept_sha256"] = sha256_file(folder / "plan.kept.npy")
    (folder / "plan.json").write_bytes(dumps(plan))
    for path in (*folder.glob("data/*"), *folder.glob("sidecars/*"), folder / "manifest.json"):
        path.unlink()


def test_samples_in_other_splits_are_told(domain: Any, built: Path) -> None:
    config = read(built).config
    before = {path.name: path.read_bytes() for path in built.glob("data/*.tar")}
    reverse(built)
    build(domain, config, built)
    assert {path.name: path.read_bytes() for path in built.glob("data/*.tar")} != before
    for world, decode in ((domain, True), (domain, False), (None, False)):
        told = [f for f in verify(built, world, decode=decode).findings if f.kind == "split"]
        assert len(told) > 5, "with a domain or without: the plan's own fingerprints say as much"
        assert "it lies in train, and its fingerprint" in " ".join(f.detail for f in told)
    repair(built, verify(built, domain))
    build(domain, config, built)
    assert verify(built, domain).ok
    assert {path.name: path.read_bytes() for path in built.glob("data/*.tar")} == before


def test_another_episode_under_the_same_key_is_told(domain: Any, built: Path) -> None:
    """Part, sidecar and shard agree with each other, but not with the fingerprint that was planned with."""
    part = read(built).parts[0]
    table = read_json(built / part.sidecar)
    table["canonical"] = f"{int(table['canonical'][:16], 16) ^ 1:016x}" + table["canonical"][16:]
    (built / part.sidecar).write_bytes(dumps(table) + b"\n")
    kept = read_kept(built).tolist()
    key = f"dot-{kept.index(0):09d}"
    told = [f for f in verify(built, domain).findings if f.key == key]
    assert any(f.kind == "record" and "that of its candidate" in f.detail for f in told)


def test_a_domain_that_needs_more_than_the_record(domain: Any, built: Path, monkeypatch: Any) -> None:
    def fingerprint(self: Any, episode: Any, dedup: str) -> int:
        return int(episode.record["only before it is finished"])

    monkeypatch.setattr(type(domain), "fingerprint", fingerprint)
    assert verify(built, domain).ok


def test_a_record_without_what_its_fingerprint_needs(domain: Any, built: Path, monkeypatch: Any) -> None:
    def fingerprint(self: Any, episode: Any, dedup: str) -> int:
        return json.loads(episode.record["origin"])

    monkeypatch.setattr(type(domain), "fingerprint", fingerprint)
    told = verify(built, domain).findings
    assert {f.kind for f in told} == {"record"}
    assert "its fingerprint cannot be told: JSONDecodeError" in told[0].detail
