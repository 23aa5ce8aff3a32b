"""Identities of games: mirror images are one game, anything else is not."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from gobench.errors import UsageError
from gobench_go.game.coords import symmetries
from gobench_go.sources.fingerprint import fingerprint

EXACT, SYMMETRY = "92a66e53a3595a94", "1e0c9351e1c4d577"
GAME = {
    "rows": 9,
    "cols": 9,
    "setup": "",
    "moves": [40, 31, 22, 81, 3],
    "colors": [1, 2, 1, 2, 1],
    "komi": 7.0,
}


def moved(game: dict, k: int) -> dict:
    """The mirror image ``k`` of a game."""
    table = symmetries(game["rows"], game["cols"])[k]
    setup = np.array(list(game["setup"])) if game["setup"] else None
    if setup is not None:
        turned = np.empty_like(setup)
        turned[table[:-1]] = setup
        game = {**game, "setup": "".join(turned)}
    return {**game, "moves": [int(table[m]) for m in game["moves"]]}


def random_game(seed: int, rows: int, cols: int, setup: bool) -> dict:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 80))
    stones = "".join(rng.choice(list(".XO"), rows * cols, p=[0.8, 0.1, 0.1])) if setup else ""
    moves = rng.integers(0, rows * cols + 1, n).tolist()
    return {
        "rows": rows,
        "cols": cols,
        "setup": stones,
        "moves": moves,
        "colors": [1 + i % 2 for i in range(n)],
    }


@pytest.mark.parametrize(("rows", "cols"), [(9, 9), (5, 5), (3, 7), (7, 3), (19, 19), (1, 4)])
@pytest.mark.parametrize("setup", [False, True])
def test_mirror_images_are_one_game(rows, cols, setup):
    for seed in range(20):
        game = random_game(seed, rows, cols, setup)
        images = [moved(game, k) for k in range(len(symmetries(rows, cols)))]
        assert len({fingerprint(image, "symmetry") for image in images}) == 1
        different = {(image["setup"], tuple(image["moves"])) for image in images}
        assert len({fingerprint(image, "exact") for image in images}) == len(different)


def test_everything_of_the_game_counts():
    others = [
        {**GAME, "moves": [40, 31, 22, 81, 4]},
        {**GAME, "moves": [31, 40, 22, 81, 3]},
        {**GAME, "moves": GAME["moves"][:-1], "colors": GAME["colors"][:-1]},
        {**GAME, "colors": [2, 1, 2, 1, 2]},
        {**GAME, "setup": "X" + "." * 80},
        {**GAME, "setup": "O" + "." * 80},
        {**GAME, "rows": 10, "cols": 9},
    ]
    for kind in ("exact", "symmetry"):
        assert len({fingerprint(g, kind) for g in [GAME, *others]}) == 8


def test_names_rules_and_komi_do_not_count():
    assert fingerprint({**GAME, "komi": 0.5, "black": "x"}) == fingerprint(GAME)


def test_no_collisions_among_many_games():
    games = [random_game(seed, 9, 9, False) for seed in range(3000)]
    different = {tuple(g["moves"]) for g in games}
    assert len({fingerprint(g, "exact") for g in games}) == len(different)


def test_the_numbers_stay_what_they_are():
    """A change here changes splits and deduplication of every dataset: raise the domain's version."""
    assert f"{fingerprint(GAME, 'exact'):016x}" == EXACT
    assert f"{fingerprint(GAME):016x}" == SYMMETRY
    code = f"from gobench_go.sources.fingerprint import fingerprint; print(fingerprint({GAME!r}))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(other.stdout) == int(SYMMETRY, 16)


def test_an_empty_game():
    assert fingerprint({"rows": 9, "cols": 9, "setup": "", "moves": [], "colors": []}) < 1 << 64


def test_unknown_kinds():
    with pytest.raises(UsageError, match=r"exakt.*exact.*symmetry"):
        fingerprint(GAME, "exakt")
