"""Sketches: nothing is forgotten, few strangers are taken for known ones, and equal sets give equal bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gobench import sketch
from gobench.canonical import dumps, loads
from gobench.errors import DataError
from gobench.sketch import Sketch, novel, read, sized
from gobench.sketch.bloom import MOST_BYTES


def numbers(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 1 << 64, n, dtype=np.uint64)


def filled(items: np.ndarray) -> Sketch:
    made = sized(len(items))
    made.add(items)
    return made


@pytest.mark.parametrize("n", [0, 1, 43, 1000, 30_000])
def test_what_was_added_is_found(n: int) -> None:
    items = numbers(n)
    made = filled(items)
    assert made.contains(items).all()
    assert made.items == n
    assert 12 * n <= made.bits <= max(24 * n, 512)


@pytest.mark.parametrize("items", [np.arange(40_000, dtype=np.uint64), numbers(40_000)], ids=["low", "mixed"])
def test_strangers_are_found_as_seldom_as_stated(items: np.ndarray) -> None:
    made, strangers = filled(items), numbers(400_000, seed=1) | np.uint64(1 << 63)
    strangers = strangers[~np.isin(strangers, items)]
    found = made.contains(strangers).sum()
    expected = made.rate * len(strangers)
    assert 0 < made.rate < 0.01
    assert abs(found - expected) < 5 * expected**0.5


def test_a_sketch_at_its_cap_errs_more_and_says_so() -> None:
    made = sized(1 << 40)
    assert made.bits == 8 * MOST_BYTES
    assert made.hashes == 1
    small = sized(1000)
    small.add(numbers(20_000))
    strangers = numbers(20_000, seed=1)
    assert abs(small.contains(strangers).mean() - small.rate) < 0.02
    assert small.rate > 0.5


def test_order_and_repeats_change_no_bit(tmp_path: Path) -> None:
    items = numbers(5000)
    once, turned = sized(6000), sized(6000)
    once.add(items)
    turned.add(items[::-1][:3000])
    turned.add(items)
    assert np.array_equal(once.words, turned.words)
    assert once.to_bytes() == filled_like(once, items).to_bytes()


def filled_like(other: Sketch, items: np.ndarray) -> Sketch:
    made = sized(6000)
    made.add(np.random.default_rng(3).permutation(items))
    assert made.bits == other.bits
    return made


def test_merging_is_adding_both() -> None:
    items = numbers(3000)
    left, right, both = sized(3000), sized(3000), sized(3000)
    left.add(items[:1000]), right.add(items[1000:]), both.add(items)
    left.merge(right)
    assert left.to_bytes() == both.to_bytes()
    with pytest.raises(DataError, match="one size"):
        left.merge(sized(10**6))


def test_a_file_gives_the_sketch_back(tmp_path: Path) -> None:
    items = numbers(2000)
    made, path = filled(items), tmp_path / sketch.SKETCH
    path.write_bytes(made.to_bytes("of"))
    back = read(path)
    assert np.array_equal(back.words, made.words)
    assert (back.items, back.hashes, back.rate) == (made.items, made.hashes, made.rate)
    head = sketch.facts(path)
    assert (head["content"], head["items"], head["rate"]) == ("of", 2000, made.rate)
    assert novel(tmp_path, items).sum() == 0
    assert novel(tmp_path, numbers(1000, seed=5)).mean() > 0.99


def test_a_folder_without_one_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="build-dataset` again"):
        novel(tmp_path, numbers(1))


def header(data: bytes, **changes: object) -> bytes:
    head, _, bits = data.partition(b"\n")
    return dumps({**loads(head, "head"), **changes}) + b"\n" + bits


BROKEN = {
    "cut short": lambda data: data[:-8],
    "a bit turned": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "no header": lambda data: data[data.index(b"\n") + 1 :],
    "a web page": lambda data: b"<!DOCTYPE html><html>",
    "nothing": lambda data: b"",
    "another format": lambda data: header(data, format="gobench-sketch-0"),
    "no power of two": lambda data: header(data, bits=3 * 512),
    "too large": lambda data: header(data, bits=1 << 50),
    "too many hashes": lambda data: header(data, hashes=8),
    "no hashes": lambda data: header(data, hashes="7"),
    "a rate above 1": lambda data: header(data, rate=2),
    "a list": lambda data: b"[]\n",
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_file_is_refused(how: str, tmp_path: Path) -> None:
    path = tmp_path / sketch.SKETCH
    path.write_bytes(BROKEN[how](filled(numbers(500)).to_bytes()))
    with pytest.raises(DataError, match=r"sketch\.bin"):
        read(path)


@pytest.mark.parametrize("wrong", [np.arange(3), np.zeros((2, 2), np.uint64), np.zeros(2)])
def test_other_things_than_hashes_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(DataError, match="uint64"):
        sized(1).add(wrong)
    with pytest.raises(DataError, match="uint64"):
        sized(1).contains(wrong)
