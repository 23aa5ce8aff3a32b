"""``verify`` finds what is broken and names it: the file, the key, the frame."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench.build.assemble import SUMS
from gobench.build.plan import read, read_kept
from gobench.build.recipes import configure
from gobench.build.run import build
from gobench.canonical import dumps, read_json, sha256_file
from gobench.clips import ArrayClip
from gobench.codec import CODECS
from gobench.codec.pictures import encode
from gobench.dataset import open_dataset
from gobench.errors import DataError
from gobench.shards import ShardWriter
from gobench.verify.pictures import TOLERANCE, block_difference
from gobench.verify.run import verify
from gobench.verify.shard import Finding

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
    build(domain, configure(domain, "dot-tiny"), folder)
    return folder


def kinds(findings: tuple[Finding, ...]) -> set[tuple[str, str]]:
    return {(finding.kind, finding.file) for finding in findings}


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def resum(folder: Path, *names: str) -> None:
    """Make the sums fit what was changed, as somebody would who hides it."""
    lines = dict(reversed(line.split("  ")) for line in (folder / SUMS).read_text().splitlines())
    for name in names:
        lines[name] = sha256_file(folder / name)
    (folder / SUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(lines.items())))
    manifest = read_json(folder / "manifest.json")
    (folder / "manifest.json").write_bytes(dumps({**manifest, "sums": sha256_file(folder / SUMS)}))


def rewrite(folder: Path, change: Callable[[dict[str, bytes]], None], number: int = 3) -> str:
    """Change the members of one sample, and everything that is derived from them; returns its key."""
    data, plan = open_dataset(folder), read(folder)
    shard = next(s for s in plan.shards or () if s.file == SHARD)
    samples = [data.read(i) for i in range(shard.start, shard.start + shard.count)]
    change(samples[number].members)
    table = read_json(folder / SIDECAR)
    with ShardWriter(folder / SHARD) as writer:
        for sample, row in zip(samples, table["rows"], strict=True):
            writer.add(sample.key, sample.members, row[3])
    table |= {
        "rows": [list(row) for row in writer.rows],
        "bytes": writer.file.bytes,
        "sha256": writer.file.sha256,
    }
    (folder / SIDECAR).write_bytes(dumps(table))
    resum(folder, SHARD, SIDECAR)
    return samples[number].key


@pytest.mark.parametrize("name", sorted(CODECS))
def test_a_fresh_dataset_is_whole(domain: Any, tmp_path: Path, name: str) -> None:
    config = replace(configure(domain, "dot-tiny"), codec=name, episodes=12)
    build(domain, config, tmp_path)
    steps: list[tuple[str, int, int]] = []
    found = verify(tmp_path, domain, progress=lambda *step: steps.append(step))
    assert found.findings == ()
    assert found.ok
    assert (found.samples, found.drawn) == (read(tmp_path).kept, read(tmp_path).kept)
    assert found.files == len((tmp_path / SUMS).read_text().splitlines())
    assert steps[-1] == ("shards", len(read(tmp_path).shards or ()), len(read(tmp_path).shards or ()))
    assert json.loads(json.dumps(found.to_json()))["ok"] is True


def test_a_sample_of_the_pictures(domain: Any, built: Path) -> None:
    assert verify(built, domain, sample=5).drawn == 5
    assert verify(built, domain, sample=5).ok
    assert verify(built, decode=False).drawn == 0
    assert verify(built, decode=False).ok


@pytest.mark.parametrize("fraction", [0.01, 0.2, 0.5, 0.8, 0.999])
def test_one_flipped_byte_is_found(domain: Any, built: Path, fraction: float) -> None:
    size = (built / SHARD).stat().st_size
    flip(built / SHARD, int(size * fraction))
    found = verify(built, domain, decode=False)
    assert ("checksum", SHARD) in kinds(found.findings)
    told = [finding for finding in found.findings if finding.kind == "sample"]
    rows = read_json(built / SIDECAR)["rows"]
    hit = [row[0] for row in rows if row[1] <= int(size * fraction) < row[1] + row[2]]
    assert {finding.key for finding in told if finding.key} == set(hit)
    assert told
    assert all(finding.file == SHARD for finding in told)


@pytest.mark.parametrize(
    "name", ["plan.kept.npy", "index.parquet", "rejected.jsonl", "games/part-00002.jsonl", SIDECAR]
)
def test_a_flipped_byte_anywhere_else_too(domain: Any, built: Path, name: str) -> None:
    flip(built / name, (built / name).stat().st_size // 2)
    assert ("checksum", name) in kinds(verify(built, domain, sample=2).findings)


@pytest.mark.parametrize(
    "name", [SHARD, SIDECAR, "index.parquet", "plan.kept.npy", "games/part-00000.jsonl", SUMS]
)
def test_a_missing_file_is_named(domain: Any, built: Path, name: str) -> None:
    (built / name).unlink()
    found = verify(built, domain)
    assert any(name in str(finding) for finding in found.findings)
    assert [(f.kind, f.file) for f in found.findings] == [("missing", name)]
    shard = next(s for s in read(built).shards or () if s.file == SHARD)
    lost = shard.count if name in (SHARD, SIDECAR) else 0
    assert found.drawn == found.samples - lost


def test_an_unfinished_build(domain: Any, built: Path) -> None:
    (built / "manifest.json").unlink()
    found = verify(built, domain)
    assert kinds(found.findings) == {("unfinished", "manifest.json")}
    assert "again" in str(found.findings[0])


def test_no_dataset_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no dataset"):
        verify(tmp_path)


def test_a_shard_cut_short(domain: Any, built: Path) -> None:
    data = (built / SHARD).read_bytes()
    (built / SHARD).write_bytes(data[: len(data) // 2])
    assert {("checksum", SHARD), ("missing", SHARD)} <= kinds(verify(built, domain, decode=False).findings)


def test_a_record_that_was_edited(domain: Any, built: Path) -> None:
    def edit(members: dict[str, bytes]) -> None:
        record = json.loads(members["json"])
        members["json"] = dumps({**record, "start": record["start"] + 1, "split": "test"})

    key = rewrite(built, edit)
    told = {(f.kind, f.key) for f in verify(built, domain).findings}
    assert {("record", key), ("frames", key), ("picture", key)} <= told
    texts = " ".join(str(f) for f in verify(built, domain).findings)
    assert "split is 'test', not 'train'" in texts
    assert "; start is " in texts or ": start is " in texts


def test_a_record_that_cannot_be_read(domain: Any, built: Path) -> None:
    key = rewrite(built, lambda members: members.update(json=b"{never closed"))
    told = [f for f in verify(built, domain).findings if f.key == key]
    assert [f.kind for f in told] == ["sample"]
    assert "not JSON" in told[0].detail


def test_a_record_that_cannot_be_drawn(domain: Any, built: Path) -> None:
    key = rewrite(built, lambda members: members.update(json=b'{"key":1}'))
    told = [str(f) for f in verify(built, domain).findings if f.key == key]
    assert any("cannot be drawn: KeyError" in text for text in told)


def test_frames_of_another_episode(domain: Any, built: Path) -> None:
    other = open_dataset(built).read(0).members["frames.zip"]
    key = rewrite(built, lambda members: members.update({"frames.zip": other}))
    (told,) = [f for f in verify(built, domain).findings if f.kind == "frames"]
    assert (told.key, told.frame, told.file) == (key, 0, SHARD)


def test_frames_that_do_not_decode(domain: Any, built: Path) -> None:
    key = rewrite(built, lambda members: members.update({"frames.zip": b"PK" + bytes(500)}))
    (told,) = [f for f in verify(built, domain).findings if f.kind == "frames"]
    assert told.key == key
    assert "cannot be decoded" in told.detail


def test_a_still_that_is_not_the_last_frame(domain: Any, built: Path) -> None:
    key = rewrite(built, lambda members: members.update(png=encode(np.zeros((32, 32, 3), np.uint8))))
    (told,) = [f for f in verify(built, domain).findings if f.kind == "picture"]
    assert (told.key, told.frame) == (key, 5)


def test_members_that_are_missing_or_too_many(domain: Any, built: Path) -> None:
    key = rewrite(built, lambda members: members.pop("png"))
    assert ("sample", key) in {(f.kind, f.key) for f in verify(built, domain).findings}


def test_an_index_that_disagrees(domain: Any, built: Path) -> None:
    import pyarrow.parquet as pq

    table = open_dataset(built).table()
    table.loc[7, "offset"] += 512
    pq.write_table(
        __import__("pyarrow").Table.from_pandas(table, preserve_index=False), built / "index.parquet"
    )
    resum(built, "index.parquet")
    (told,) = verify(built, domain).findings
    assert (told.kind, told.file, told.key) == ("index", "index.parquet", "dot-000000007")
    pq.write_table(
        __import__("pyarrow").Table.from_pandas(table[:-1], preserve_index=False), built / "index.parquet"
    )
    assert ("index", "index.parquet") in kinds(verify(built, domain).findings)


def test_a_manifest_that_was_edited(domain: Any, built: Path) -> None:
    manifest = read_json(built / "manifest.json")
    manifest["shards"][1]["samples"] += 1
    manifest["samples"] += 1
    (built / "manifest.json").write_bytes(dumps(manifest))
    texts = [str(f) for f in verify(built, domain, decode=False).findings]
    assert any(text.startswith("manifest: manifest.json: samples is") for text in texts)
    (built / "manifest.json").write_bytes(b"[]")
    assert ("manifest", "manifest.json") in kinds(verify(built, domain).findings)


@pytest.mark.parametrize("name", sorted(CODECS))
def test_a_renderer_that_has_changed(
    domain: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    config = replace(configure(domain, "dot-tiny", options={"size": 48}), codec=name, episodes=10)
    build(domain, config, tmp_path)
    clip = type(domain).clip

    def with_a_hole(self: Any, record: Any) -> ArrayClip:
        frames = clip(self, record).rgb().copy()
        frames[4:, 16:24, 16:24] = 255
        return ArrayClip(frames)

    monkeypatch.setattr(type(domain), "clip", with_a_hole)
    found = [f for f in verify(tmp_path, domain).findings if f.kind == "frames"]
    assert found or CODECS[name].renders
    assert {f.frame for f in found if "block" in f.detail or "stored frame" in f.detail} <= {4}
    if not CODECS[name].renders:
        assert len({f.key for f in found}) == read(tmp_path).kept

    def all_bright(self: Any, record: Any) -> ArrayClip:
        return ArrayClip(255 - clip(self, record).rgb())

    monkeypatch.setattr(type(domain), "clip", all_bright)
    firsts = {f"dot-{shard.start:09d}" for shard in read(tmp_path).shards or ()}
    found = [f for f in verify(tmp_path, domain).findings if f.kind == "frames"]
    assert {f.key for f in found if "otherwise now" in f.detail} == firsts


def test_paths_in_the_sums_stay_in_the_folder(domain: Any, built: Path) -> None:
    with (built / SUMS).open("a") as file:
        file.write(f"{'0' * 64}  ../../etc/passwd\nnonsense\n")
    told = [f for f in verify(built, domain, decode=False).findings if f.kind == "checksum"]
    assert [f.file for f in told] == [SUMS]
    assert "is not '<sha256>  <name>'" in told[0].detail


def test_candidates_match_the_plan(built: Path) -> None:
    assert len(read_kept(built)) == read(built).kept == len(open_dataset(built))


def test_blocks_notice_what_averages_hide() -> None:
    plain = np.full((256, 256), 100, np.uint8)
    noisy = plain + np.random.default_rng(0).integers(0, 12, plain.shape, np.uint8)
    assert block_difference(plain, noisy) < TOLERANCE
    missing = plain.copy()
    missing[40:52, 80:92] = 0
    assert block_difference(plain, missing) > TOLERANCE
    assert block_difference(plain, plain[:, :128]) == 255.0
    assert block_difference(plain[:5, :5], plain[:5, :5]) == 0
