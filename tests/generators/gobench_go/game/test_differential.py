"""The referee and the fast board against an independent slow one, move by move on thousands of wild games.

At every ply the legality of a move, the board, the captured points and the score must be equal; at many plies
the legality of all moves. Games fill eyes and go where stones were just taken, so captures, suicides, kos and
repeated boards abound; some start inside a ko fight, some let a colour move twice.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest

from gobench_go.game import coords
from gobench_go.game.position import BLACK, WHITE, Position
from gobench_go.game.rules import KO, Rules

# rows, cols, longest game, games for each of the 6 combinations of ko and suicide
FREE = [
    (1, 1, 6, 1),
    (1, 2, 20, 8),
    (1, 5, 40, 20),
    (4, 1, 40, 20),
    (2, 2, 40, 30),
    (2, 3, 50, 30),
    (3, 3, 60, 30),
    (3, 4, 60, 16),
    (4, 4, 60, 10),
    (5, 5, 90, 6),
    (2, 7, 70, 6),
    (7, 7, 110, 2),
    (9, 9, 140, 1),
    (19, 3, 80, 1),
]
TRIPLE_KO = ". X O . X . X O . X O . . X O . X . X O . X O . . X O . X O . O . X O ."
DOUBLE_KO = ". X O . X . X O . X O . . X O . X O . O . X O ."
FIGHTS = [  # rows, cols, start, the points to fight for, games for each of the 6 combinations
    (9, 4, TRIPLE_KO, {5, 6, 17, 18, 29, 30}, 32),
    (6, 4, DOUBLE_KO, {5, 6, 17, 18}, 8),
]

SLOW = {BLACK: "b", WHITE: "w"}


@dataclasses.dataclass
class Match:
    """One game played on both boards at once."""

    fast: Position
    slow: object
    rng: np.random.Generator
    twice: float  # how often a colour moves out of turn
    told: Counter[str]
    thorough: float = 0.1  # how often all moves are compared
    hot: set[int] = dataclasses.field(default_factory=set)
    moves: list[int] = dataclasses.field(default_factory=list)
    colors: list[int] = dataclasses.field(default_factory=list)
    boards: list[np.ndarray] = dataclasses.field(default_factory=list)
    captures: list[int] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self.setup = self.fast.board

    def point(self, move: int) -> tuple[int, int] | None:
        cols = self.fast.rules.cols
        return None if move == self.fast.rules.points else divmod(move, cols)

    def compare_move(self, move: int, color: int) -> bool:
        why = self.fast.why_illegal(move, color)
        assert (why is None) == self.slow.allowed(self.point(move), SLOW[color]), (self, move, color, why)
        self.told[why or "legal"] += 1
        return why is None

    def compare_boards(self) -> None:
        cols = self.fast.rules.cols
        assert self.fast.board.tolist() == self.slow.board()
        assert set(self.fast.captured) == {row * cols + col for row, col in self.slow.captured}

    def compare_scores(self) -> None:
        assert self.fast.score() == self.slow.area() - self.fast.rules.komi

    def candidates(self, color: int) -> list[int]:
        """Moves in the order in which to try them: often what is fought for first, passes last."""
        points: list[int] = self.rng.permutation(self.fast.rules.points).tolist()
        if self.rng.random() < (0.97 if self.hot else 0.5):
            hot = self.hot or set(self.fast.captured)
            points.sort(key=lambda point: (point not in hot, not self.takes(point, color)))
        passing = self.fast.rules.points
        return [passing, *points] if self.rng.random() < 0.03 else [*points, passing]

    def takes(self, move: int, color: int) -> bool:
        legal = move in self.hot and self.fast.is_legal(move, color)
        return legal and bool(self.fast.play(move, color).captured)

    def play(self, longest: int) -> None:
        for _ in range(longest):
            color = self.fast.to_move
            if self.moves and self.rng.random() < self.twice:
                color = 3 - color
            if self.rng.random() < self.thorough:
                legal = [self.compare_move(move, color) for move in range(self.fast.rules.points + 1)]
                assert self.fast.legal_moves(color) == tuple(np.flatnonzero(legal).tolist())
                self.compare_scores()
            move = next((m for m in self.candidates(color) if self.compare_move(m, color)), None)
            if move is None:
                break
            self.fast = self.fast.play(move, color)
            self.slow.play(self.point(move), SLOW[color])
            self.moves.append(move)
            self.colors.append(color)
            self.boards.append(self.fast.board)
            self.captures.append(len(self.fast.captured))
            self.compare_boards()
        self.compare_scores()


def combinations(rows: int, cols: int) -> Iterator[Rules]:
    for ko in KO:
        for suicide in (False, True):
            yield Rules(rows, cols, ko, suicide, 0.5)


def started(
    reference: ModuleType, rules: Rules, seed: list[int], text: str = "", to_move: int = BLACK
) -> Match:
    rng = np.random.default_rng(seed)
    fast = Position.of_text(rules, text, to_move) if text else Position.start(rules)
    slow = reference.SlowGame(rules.rows, rules.cols, rules.ko, rules.suicide)
    stones = {p: "bw"[fast.board[p] - 1] for p in slow.points if fast.board[p]}
    slow.set_up(stones, SLOW[to_move])
    return Match(fast, slow, rng, rng.choice([0.0, 0.0, 0.0, 0.2]), Counter())


@pytest.fixture(scope="module")
def free(reference: ModuleType) -> list[Match]:
    """Games from the empty board, compared while they were played."""
    matches = []
    for rows, cols, longest, games in FREE:
        for variant, rules in enumerate(combinations(rows, cols)):
            for game in range(games):
                matches.append(started(reference, rules, [rows, cols, variant, game]))
                matches[-1].play(longest)
    return matches


@pytest.fixture(scope="module")
def fights(reference: ModuleType) -> list[Match]:
    """Games from positions full of kos, compared at every move while they were played."""
    matches = []
    for kind, (rows, cols, text, hot, games) in enumerate(FIGHTS):
        for variant, rules in enumerate(combinations(rows, cols)):
            for game in range(games):
                match = started(reference, rules, [99, kind, variant, game], text, 1 + game % 2)
                match.hot, match.thorough = hot, 1.0
                match.play(40)
                matches.append(match)
    return matches


def test_more_than_a_thousand_games(free: list[Match]) -> None:
    told = sum((match.told for match in free), Counter())
    assert len(free) >= 1000
    assert min(told[why] for why in ("legal", "occupied", "suicide", "ko", "superko", "over")) >= 100, told


def test_games_steered_into_ko_fights(fights: list[Match]) -> None:
    for why, least in (("ko", 50), ("superko", 50)):
        assert sum(match.told[why] > 0 for match in fights) >= least
    simple = [match for match in fights if match.fast.rules.ko == "simple"]
    assert len({str(match.fast) for match in simple}) > 1 and not any(m.told["superko"] for m in simple)


def test_the_fast_board_tells_the_same_story(free: list[Match], fights: list[Match]) -> None:
    from gobench_go.game import kernels

    for match in free + fights:
        rules, final = match.fast.rules, match.fast
        boards, captures, illegal = kernels.replay(rules, match.setup, match.moves, match.colors)
        assert illegal == -1
        assert (boards[1:] == np.array(match.boards).reshape(-1, rules.rows, rules.cols)).all()
        assert captures.tolist() == match.captures
        mask = kernels.legal_mask(rules, match.setup, match.moves, match.colors, final.to_move)
        assert np.flatnonzero(mask).tolist() == list(final.legal_moves())
        assert kernels.score(rules, boards[-1]) == final.score()
        for move in np.flatnonzero(~mask)[-3:].tolist():
            story = kernels.replay(rules, match.setup, [*match.moves, move], [*match.colors, final.to_move])
            assert story[2] == len(match.moves)


@pytest.mark.parametrize("size", [(3, 3), (5, 5), (2, 3), (9, 9)])
def test_symmetries_and_colour_swap_change_nothing_on_the_fast_board(size: tuple[int, int]) -> None:
    from gobench_go.game import kernels

    rng = np.random.default_rng([8, *size])
    for rules in combinations(*size):
        start = wild_start(rng, rules)
        game = Position.of_board(rules, start)
        moves, colors = wild_moves(rng, game, 40)
        told = kernels.replay(rules, start, moves, colors)
        assert told.first_illegal == -1
        for table in coords.symmetries(*size):
            for swap in (False, True):
                twin = kernels.replay(
                    rules, seen(start, table, swap), table[moves], 3 - colors if swap else colors
                )
                assert (twin.first_illegal, twin.captures.tolist()) == (-1, told.captures.tolist())
                assert all(
                    np.array_equal(seen(board, table, swap), other)
                    for board, other in zip(told.boards, twin.boards, strict=True)
                )
                assert_same_legality(rules, (start, moves, colors), table, swap)
                komi = rules.komi
                score, other = (kernels.score(rules, each.boards[-1]) + komi for each in (told, twin))
                assert other == (-score if swap else score)


def assert_same_legality(
    rules: Rules, game: tuple[np.ndarray, np.ndarray, np.ndarray], table: np.ndarray, swap: bool
) -> None:
    from gobench_go.game import kernels

    start, moves, colors = game
    for to_move in (BLACK, WHITE):
        mask = kernels.legal_mask(rules, start, moves, colors, to_move)
        side, who = (3 - to_move, 3 - colors) if swap else (to_move, colors)
        twin = kernels.legal_mask(rules, seen(start, table, swap), table[moves], who, side)
        assert np.array_equal(twin[table], mask)


def wild_start(rng: np.random.Generator, rules: Rules) -> np.ndarray:
    """A board uint8 [R, C] of a random game."""
    position = Position.start(rules)
    for _ in range(int(rng.integers(0, 8))):
        if not (legal := position.legal_moves()):
            break
        position = position.play(int(rng.choice(legal)))
    return position.board


def wild_moves(rng: np.random.Generator, game: Position, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Legal moves and their colours from a position on, a colour out of turn now and then, never two passes."""
    moves, colors = [], []
    for _ in range(longest):
        color = game.to_move if rng.random() < 0.8 else 3 - game.to_move
        legal = game.legal_moves(color)
        move = int(rng.choice(legal))
        if move == game.rules.points and game.passes:
            continue
        game = game.play(move, color)
        moves.append(move)
        colors.append(color)
    return np.array(moves, np.int64), np.array(colors, np.int64)


def seen(board: np.ndarray, table: np.ndarray, swap: bool) -> np.ndarray:
    """A board uint8 [R, C] through a symmetry and perhaps with the colours exchanged."""
    new = np.empty(board.size, np.uint8)
    new[table[:-1]] = board.ravel()
    return ((3 - new) * (new > 0) if swap else new).reshape(board.shape)


def transformed(game: Position, table: np.ndarray, swap: bool) -> Position:
    """The start of a game, seen through a symmetry and perhaps with the colours exchanged."""
    rules = dataclasses.replace(game.rules, komi=-game.rules.komi) if swap else game.rules
    return Position.of_board(rules, seen(game.board, table, swap), WHITE if swap else BLACK)


@pytest.mark.parametrize("size", [(3, 3), (5, 5), (2, 3), (9, 9)])
def test_symmetries_and_colour_swap_change_nothing(size: tuple[int, int], reference: ModuleType) -> None:
    for variant, rules in enumerate(combinations(*size)):
        match = started(reference, rules, [7, *size, variant])
        match.twice = 0.0
        match.play(40)
        for k, table in enumerate(coords.symmetries(*size)):
            swap = bool((k + variant) % 2)
            game, twin = Position.start(rules), transformed(Position.start(rules), table, swap)
            for move in match.moves:
                legal = sorted(table[list(game.legal_moves())].tolist())
                assert legal == list(twin.legal_moves())
                game, twin = game.play(move), twin.play(int(table[move]))
                assert sorted(table[list(game.captured)].tolist()) == list(twin.captured)
            board = game.board.ravel()
            expected = (3 - board) * (board > 0) if swap else board
            assert (twin.board.ravel()[table[:-1]] == expected).all()
            assert twin.score() == (-game.score() if swap else game.score())
