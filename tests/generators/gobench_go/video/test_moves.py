"""Two boards to a move: every kind, and real games with their captures."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from gobench.types import Array
from gobench_go.game.position import Position
from gobench_go.game.rules import named
from gobench_go.video import moves, render
from gobench_go.video.styles import THEMES
from gobench_go.video.themes import look

BLACK, WHITE = 1, 2


def board(text: str) -> Array:
    return np.array([[".XO".index(c) for c in row] for row in text.split()], np.uint8)


BEFORE = board("OX... XX... ..OX. .OX.. .....")
CASES = [
    ("clean", "OX... XX... ..OX. .OX.. ....X", BLACK, 24, (), ()),
    ("clean", "OX... XX... ..OX. .OX.. ....O", WHITE, 24, (), ()),
    ("no-change", "OX... XX... ..OX. .OX.. .....", BLACK, -1, (), ()),
    ("several-stones", "OX... XX... ..OX. .OX.. ...XX", BLACK, -1, (), (23, 24)),
    ("several-stones", "OX... XX... ..OX. .OX.. ...OX", BLACK, 24, (), (23, 24)),
    ("wrong-colour", "OX... XX... ..OX. .OX.. ....O", BLACK, -1, (), (24,)),
    ("wrong-colour", "OX... XX... ..XX. .OX.. ....X", BLACK, 24, (), (12,)),
    ("vanished-stones", ".X... XX... ..OX. .OX.. ....X", BLACK, 24, (), (0,)),
    ("vanished-stones", "OX... XX... ...X. .OX.. .....", BLACK, -1, (), (12,)),
]


@pytest.mark.parametrize(("kind", "after", "to_move", "move", "captured", "points"), CASES)
def test_kinds(
    kind: str, after: str, to_move: int, move: int, captured: tuple[int, ...], points: tuple[int, ...]
) -> None:
    assert moves.change(BEFORE, board(after), to_move) == moves.Change(kind, move, captured, points)
    assert kind in moves.KINDS


def test_captures_drawn_and_not_drawn() -> None:
    before = board("OX. O.. XX.")
    done = moves.change(before, board(".X. .X. XX."), BLACK)
    assert done == moves.Change("capture", 4, (0, 3)) and done.ok
    left = moves.change(before, board("OX. OX. XX."), BLACK)
    assert left == moves.Change("capture-not-drawn", 4, (0, 3), (0, 3)) and not left.ok
    half = moves.change(before, board("OX. .X. XX."), BLACK)
    assert half == moves.Change("capture-not-drawn", 4, (0, 3), (0,))
    more = moves.change(before, board(".X. .X. .X."), BLACK)
    assert more == moves.Change("vanished-stones", 4, (0, 3), (6,))


def games(count: int) -> list[list[Position]]:
    random = np.random.default_rng(3)
    found = []
    for _ in range(count):
        game = [Position.start(named("benchmark", 7, 7))]
        while len(game) < 60 and not game[-1].over:
            legal = game[-1].legal_moves()
            game.append(game[-1].play(int(random.choice(legal[:-1] or legal))))
        found.append(game)
    return found


def test_real_games_in_every_theme() -> None:
    """Every move of random games is read off pictures as it was played: captures are all there."""
    played = games(4)
    captured = 0
    for theme in THEMES:
        drawn = look(theme, 84, 7, 7)
        for game in played:
            frames = render.frames(drawn, np.stack([p.board for p in game]))
            for before, after, frame, following in zip(game, game[1:], frames, frames[1:], strict=False):
                change = moves.between(drawn, frame, following, before.to_move)
                passed = after.last == 49
                kind = "no-change" if passed else "capture" if after.captured else "clean"
                assert (change.kind, change.captured) == (kind, after.captured)
                assert change.move == (-1 if passed else after.last)
                captured += len(after.captured)
    assert captured > 5 * 20


def test_captures_agree_with_the_rules() -> None:
    for game in games(6):
        for before, after in pairwise(game):
            if after.last < 49:
                assert moves.captures(before.board, after.last, before.to_move) == after.captured


def test_the_referee_says_what_is_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Position, "play", lambda self, move: pytest.fail("asked"))
    with pytest.raises(pytest.fail.Exception, match="asked"):
        moves.captures(board("OX. ... ..."), 3, BLACK)


def test_captures_on_boards_that_no_game_has() -> None:
    """A misread board may hold chains without liberties, and a stone may be drawn where it has none."""
    dead = board("OX.. X... ..XO ..OX")
    assert moves.captures(dead, 2, WHITE) == ()
    assert moves.captures(board("OX. X.. ..O"), 5, BLACK) == ()
    assert moves.captures(board(".X. X.. ..."), 0, WHITE) == ()  # suicide takes nothing of the enemy's
    assert moves.captures(board(".OX OX. X.."), 0, WHITE) == ()


def test_a_smeared_point_is_unreadable() -> None:
    drawn = look("videoworld", 128, 5, 5)
    clean = render.board(drawn, BEFORE)
    smeared = clean.copy()
    y0, y1, x0, x1 = drawn.boxes[4, 4]
    stone = render.board(drawn, np.full((5, 5), 1))
    smeared[y0:y1, x0:x1] = (clean[y0:y1, x0:x1].astype(int) + stone[y0:y1, x0:x1]) // 2
    assert moves.between(drawn, clean, smeared, BLACK) == moves.Change("unreadable", points=(24,))
