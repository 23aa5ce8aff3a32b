"""Hashes of positions: the same for what is the same position, others for others, in every process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench import sketch
from gobench.build.recipes import configure
from gobench.build.run import build
from gobench.dataset import open_dataset
from gobench.errors import DataError
from gobench.registry import domain
from gobench_go.game import kernels
from gobench_go.game.coords import symmetries
from gobench_go.game.rules import Rules
from gobench_go.mirror import mirror
from gobench_go.positions import hashes, hashes_of_record

SIZES = [(9, 9), (5, 5), (9, 7), (2, 3), (1, 4), (19, 19)]


def boards(rows: int, cols: int, games: int = 12) -> np.ndarray:
    rules = Rules(rows, cols)
    found = [
        kernels.replay(rules, None, kernels.random_game(rules, seed, 60)).boards for seed in range(games)
    ]
    return np.concatenate(found)


def turned(stones: np.ndarray, k: int) -> np.ndarray:
    n, rows, cols = stones.shape
    table, flat = symmetries(rows, cols)[k, :-1], stones.reshape(n, -1)
    out = np.empty_like(flat)
    out[:, table] = flat
    return out.reshape(stones.shape)


@pytest.mark.parametrize(("rows", "cols"), SIZES)
def test_symmetries_and_exchanged_colours_change_nothing(rows: int, cols: int) -> None:
    stones = boards(rows, cols)
    mover = np.arange(len(stones)) % 2 + 1
    plain = hashes(stones, mover)
    for k in range(len(symmetries(rows, cols))):
        assert np.array_equal(hashes(turned(stones, k), mover), plain)
    other = np.where(stones > 0, 3 - stones, 0).astype(np.uint8)
    assert np.array_equal(hashes(other, 3 - mover), plain)


def test_exactly_the_same_positions_have_equal_hashes() -> None:
    stones = boards(5, 5, 60)
    mover = np.random.default_rng(0).integers(1, 3, len(stones))
    own = np.where(mover[:, None, None] == 2, np.where(stones > 0, 3 - stones, 0), stones).astype(np.uint8)
    names = [min(turned(own[i : i + 1], k).tobytes() for k in range(8)) for i in range(len(own))]
    assert len(set(names)) > 500
    assert len(set(hashes(stones, mover).tolist())) == len(set(names))


def test_order_and_company_do_not_matter() -> None:
    stones = boards(9, 9)
    mover = np.random.default_rng(1).integers(1, 3, len(stones))
    whole, order = hashes(stones, mover), np.random.default_rng(2).permutation(len(stones))
    assert np.array_equal(hashes(stones[order], mover[order]), whole[order])
    assert [int(hashes(stones[i : i + 1], mover[i : i + 1])[0]) for i in range(20)] == whole[:20].tolist()


def test_the_size_of_the_board_counts() -> None:
    empty = {hashes(np.zeros((1, r, c), np.uint8), [1]).item() for r in range(1, 20) for c in range(1, 20)}
    assert len(empty) == 19 * 19
    assert hashes(np.zeros((1, 9, 9), np.uint8), [1]) == hashes(np.zeros((1, 9, 9), np.uint8), [2])


def test_a_known_value_stays() -> None:
    stones = np.zeros((2, 9, 9), np.uint8)
    stones[1, 4, 4], stones[1, 2, 3] = 1, 2
    assert [f"{h:016x}" for h in hashes(stones, [1, 2]).tolist()] == KNOWN


KNOWN = ["764890afe7df983a", "c6c4ff6e42faea3f"]


@pytest.mark.parametrize(
    ("stones", "mover"),
    [
        (np.full((1, 3, 3), 3, np.uint8), [1]),
        (np.zeros((1, 3, 3), np.uint8), [0]),
        (np.zeros((1, 3, 3), np.uint8), [3]),
        (np.zeros((1, 3, 3), np.int64), [1]),
        (np.zeros((3, 3), np.uint8), [1, 1, 1]),
        (np.zeros((2, 3, 3), np.uint8), [1]),
    ],
)
def test_what_is_no_position_is_refused(stones: np.ndarray, mover: list[int]) -> None:
    with pytest.raises(DataError):
        hashes(stones, mover)


def test_no_position_has_no_hash() -> None:
    assert hashes(np.zeros((0, 9, 9), np.uint8), []).shape == (0,)


def record(moves: list[int], colors: list[int], **keys: Any) -> dict[str, Any]:
    rules = Rules(5, 5, name="custom")
    table = {
        "rows": 5,
        "cols": 5,
        "rules": rules.name,
        "ko": rules.ko,
        "suicide": False,
        "komi": 7.0,
        "setup": "",
    }
    return {**table, "moves": moves, "colors": colors, **keys}


def test_a_record_has_every_board_of_its_game() -> None:
    game = record([12, 6, 25, 7], [1, 2, 1, 2])
    stones = kernels.replay(Rules(5, 5), None, game["moves"], game["colors"]).boards
    assert np.array_equal(hashes_of_record(game), hashes(stones, [1, 2, 1, 2, 1]))
    assert np.array_equal(hashes_of_record(record([], [])), hashes(stones[:1], [1]))
    setup = record([0], [2], setup="X" + "." * 23 + "O")
    with pytest.raises(DataError, match="illegal"):
        hashes_of_record(setup)


def test_a_dataset_knows_its_own_positions_and_their_mirror_images(tmp_path: Path) -> None:
    go = domain("go")
    source = {"kind": "selfplay", "teacher": "random", "max_plies": 30}
    core = {"codec": "moves", "episodes": 40, "splits": {"train": 0.6, "test": 0.4}}
    options = {"rows": 9, "cols": 9, "size": 64, "sources": [source]}
    build(go, configure(go, "go9-random", core, options), tmp_path / "built")
    data = open_dataset(tmp_path / "built")
    train = [sample.record() for sample in data.samples("train")]
    for k in range(8):
        seen = np.concatenate([go.position_hashes(mirror(r, k)) for r in train[:5]])
        assert not sketch.novel(tmp_path / "built", seen).any()
    tests = np.concatenate([go.position_hashes(s.record())[10:] for s in data.samples("test")])
    assert sketch.novel(tmp_path / "built", tests).mean() > 0.95
    told = data.manifest["sketch"]
    assert told["items"] == sum(len(r["moves"]) + 1 for r in train)
