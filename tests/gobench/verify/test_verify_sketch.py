"""``verify`` and the sketch: it is whole, and knows the positions of the samples that are looked at."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gobench import atomic, sketch
from gobench.build.assemble import SUMS
from gobench.build.recipes import configure
from gobench.build.run import build
from gobench.canonical import pretty, read_json, sha256_file
from gobench.verify import repair, verify

SKETCH = "sketch.bin"


@pytest.fixture(scope="module")
def domain() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[1])
        yield importlib.import_module("bouncing").Placed()


@pytest.fixture(scope="module")
def template(domain: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verify-sketch") / "built"
    build(domain, configure(domain, "dot-tiny"), folder)
    return folder


def resigned(folder: Path) -> None:
    """Make sums and manifest fit what lies in the folder, as somebody would who wants to hide a change."""
    table = read_json(folder / "manifest.json")
    lines = [line.split("  ") for line in (folder / SUMS).read_text().splitlines()]
    text = "".join(f"{sha256_file(folder / name)}  {name}\n" for _, name in lines)
    table["sums"] = atomic.write(folder / SUMS, text.encode())
    head = sketch.facts(folder / SKETCH)
    table["sketch"] |= {key: head[key] for key in ("items", "bits", "hashes", "rate")}
    (folder / "manifest.json").write_bytes(pretty(table))


def test_a_whole_dataset_passes(domain: Any, built: Path) -> None:
    assert verify(built, domain).ok
    assert verify(built, domain, workers=2, sample=5).ok


def test_a_turned_bit_is_found_and_mended(domain: Any, built: Path, template: Path) -> None:
    data = bytearray((built / SKETCH).read_bytes())
    data[-5] ^= 4
    (built / SKETCH).write_bytes(bytes(data))
    found = verify(built, domain)
    assert {(f.kind, f.file) for f in found.findings} == {("checksum", SKETCH)}
    assert SKETCH in repair(built, found)
    build(domain, configure(domain, "dot-tiny"), built)
    assert (built / SKETCH).read_bytes() == (template / SKETCH).read_bytes()
    assert verify(built, domain).ok


def test_a_missing_sketch_is_missed(domain: Any, built: Path) -> None:
    (built / SKETCH).unlink()
    assert ("missing", SKETCH) in {(f.kind, f.file) for f in verify(built, domain).findings}


def test_a_sketch_of_other_positions_is_found_by_looking_samples_up(domain: Any, built: Path) -> None:
    content = sketch.facts(built / SKETCH)["content"]
    (built / SKETCH).write_bytes(sketch.sized(100).to_bytes(content))
    resigned(built)
    found = verify(built, domain).findings
    assert {(f.kind, f.file) for f in found} == {("sketch", SKETCH)}
    train = {
        f"placed-{n:09d}" for n in range(read_json(built / "manifest.json")["splits"]["train"]["samples"])
    }
    assert {f.key for f in found} == train
    assert verify(built, domain, sample=0).ok
    assert SKETCH in repair(built, verify(built, domain))


def test_a_dataset_without_a_sketch_passes(
    domain: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.delattr(type(domain), "position_hashes")
        build(domain, configure(domain, "dot-tiny"), tmp_path / "old")
    assert verify(tmp_path / "old", domain).ok
