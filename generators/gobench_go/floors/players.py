"""Who chooses the moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench.tasks import MOST_FRAMES
from gobench.types import Array, Json
from gobench_go.floors.seeing import Ints, Prompt
from gobench_go.game.kernels import coded
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules
from gobench_go.video.moves import change

if TYPE_CHECKING:
    from gobench_go.judged import JudgedSet
    from gobench_go.teachers import Judgement

Seeds = npt.NDArray[np.uint64]
NONE = -1  # leaves the board as it is, like a pass
TRIPLE_KO = 6
"""Boards that show every cycle of up to 6 plies; longer ones hardly ever come up."""
STAND_IN = "mcts:100"
"""Who plays for the oracle where the judge has not looked."""


def no_argument(name: str, argument: str) -> None:
    """Raise UsageError for an argument where there is none to give."""
    if argument:
        raise UsageError(f"{name} takes no argument, not {argument!r}: write {name}.")


class RandomLegal:
    """Each legal point with the same chance; never a pass."""

    kind = "floor"
    frames = TRIPLE_KO
    quick = True

    def begin(self, public: Mapping[str, Json]) -> None:
        """It needs to know nothing."""

    def choose(self, prompt: Prompt, seeds: Seeds) -> Ints:
        legal = legal_points(prompt)
        count = legal.sum(axis=1)
        place = np.minimum((unit(seeds) * count).astype(np.int64), count - 1)
        chosen = (legal.cumsum(axis=1) == (place + 1)[:, None]).argmax(axis=1)
        return np.where(count > 0, chosen, NONE)


class FirstEmpty:
    """The first empty point from the top left, row by row, whether it is legal or not."""

    kind = "floor"
    frames = 1
    quick = True

    def begin(self, public: Mapping[str, Json]) -> None:
        """It needs to know nothing."""

    def choose(self, prompt: Prompt, seeds: Seeds) -> Ints:
        empty = prompt.boards[:, -1] == 0
        return np.where(empty.any(axis=1), empty.argmax(axis=1), NONE)


class TeacherPlayer:
    """A teacher's best move, with the sample's seed; it may pass, but not where a next move is asked and a stone is legal."""

    kind = "ceiling"
    frames = MOST_FRAMES
    quick = False

    def __init__(self, name: str) -> None:
        from gobench_go.teachers import is_external, teacher

        if not name:
            raise UsageError(
                "teacher needs a name: write teacher:mcts:VISITS, such as teacher:mcts:200, or teacher:random."
            )
        self.teacher = teacher(name)
        self.provenance = {} if is_external(name) else {"teacher": self.teacher.name}  # with its version
        self.stones = False  # whether only stones are asked for

    def begin(self, public: Mapping[str, Json]) -> None:
        """Learn whether a task asks for stones alone, which next-move tasks do."""
        self.stones = str(public.get("task", "")).endswith("next-move")

    def choose(self, prompt: Prompt, seeds: Seeds) -> Ints:
        rows = zip(prompt.boards, prompt.colors.tolist(), seeds.tolist(), strict=True)
        return np.array([self.move(prompt.rules, *row) for row in rows], np.int64)

    def move(self, rules: Rules, boards: Array, color: int, seed: int) -> int:
        """Its move after boards uint8 [T, R*C]; ``NONE`` where it cannot play on."""
        position = position_of(rules, boards, color)
        if position is None or position.over:
            return NONE
        found = self.teacher.judge(position, seed)
        return best_stone(found, position) if self.stones else int(found.best)


class Oracle:
    """The judge's best move where the shown boards are in the judged set; elsewhere ``STAND_IN`` plays.

    Elsewhere is where a game goes on that the judge has never seen: in rollouts, after the first move that the judged
    game did not play.
    """

    kind = "ceiling"
    frames = MOST_FRAMES
    quick = False

    def __init__(self) -> None:
        self.stand_in = TeacherPlayer(STAND_IN)
        self._known: dict[tuple[int, bytes], list[Entry]] = {}
        self._set = ""

    def begin(self, public: Mapping[str, Json]) -> None:
        """Learn the judged set that a task names. Raises UsageError where it names none."""
        from gobench_go.judged import open_set

        self.stand_in.begin(public)
        name = public.get("judged")
        if not name:
            raise UsageError("oracle plays only where a task names its judged set; this one does not.")
        if name != self._set:
            self._known, self._set = entries(open_set(name)), name

    def choose(self, prompt: Prompt, seeds: Seeds) -> Ints:
        if not self._set:
            raise UsageError(
                "oracle was not told its judged set: call begin(public) with a task's public settings first."
            )
        rows = zip(prompt.boards, prompt.colors.tolist(), seeds.tolist(), strict=True)
        return np.array([self._move(prompt.rules, *row) for row in rows], np.int64)

    def _move(self, rules: Rules, boards: Array, color: int, seed: int) -> int:
        shown = boards.tobytes()
        for entry in self._known.get((color, boards[-1].tobytes()), ()):
            if entry.shown.endswith(shown):
                return entry.best
        return self.stand_in.move(rules, boards, color, seed)


class Entry(NamedTuple):
    """A judged position: sorted, those that tasks ask stand first."""

    passes: bool  # its best move is a pass, which no next-move task asks
    early: bool  # it lies before the game's opening ends
    place: int
    shown: bytes  # the last boards, at most ``MOST_FRAMES``
    best: int


def entries(judged: JudgedSet) -> dict[tuple[int, bytes], list[Entry]]:
    """(side to move, board) -> the judged positions that have them, in the order in which they are believed."""
    found: dict[tuple[int, bytes], list[Entry]] = {}
    for game in judged.games:
        for ply, position in enumerate(game.positions):
            shown = game.boards[max(0, ply + 1 - MOST_FRAMES) : ply + 1]
            passes, early = position.best == judged.rules.points, ply < game.opening
            same = found.setdefault((game.colors[ply], shown[-1].tobytes()), [])
            same.append(Entry(passes, early, len(same), shown.tobytes(), position.best))
    return {key: sorted(same) for key, same in found.items()}


def best_stone(found: Judgement, position: Position) -> int:
    """A teacher's best move that is no pass: its choice, or else the stone that it visited most; a pass where none is."""
    stones = [move for move in position.legal_moves() if move < position.rules.points]
    if found.best in stones or not stones:
        return int(found.best)
    return max(stones, key=lambda move: (found.visits[move], found.policy[move], -move))


def legal_points(prompt: Prompt) -> npt.NDArray[np.bool_]:
    """Where each side may play by the rules and the boards that are shown: bool [N, R*C]."""
    from gobench_go.floors import kernels

    legal = np.zeros((len(prompt.boards), prompt.rules.points), np.bool_)
    kernels.legal_points(coded(prompt.rules), np.ascontiguousarray(prompt.boards), prompt.colors, legal)
    return legal


def position_of(rules: Rules, boards: Array, color: int) -> Position | None:
    """The position after boards uint8 [T, R*C], with as much of its history as legal moves explain.

    None for a last board that cannot be: one with a chain without liberties.
    """
    shape, position = (rules.rows, rules.cols), None
    for t, board in enumerate(boards):
        turn = color if (len(boards) - 1 - t) % 2 == 0 else 3 - color
        position = _next(position, rules, board.reshape(shape), turn)
    return position


def _next(position: Position | None, rules: Rules, board: Array, turn: int) -> Position | None:
    """The position with this board, played on from the one before where that can be."""
    if position is not None:
        seen = change(position.board, board, 3 - turn)
        move = rules.points if seen.kind == "no-change" else seen.move
        if (seen.ok or seen.kind == "no-change") and position.is_legal(move):
            return position.play(move)
    try:
        return Position.of_board(rules, board, turn)
    except UsageError:
        return None


def unit(seeds: Seeds) -> npt.NDArray[np.float64]:
    """A random-looking number in [0, 1) for each seed, a multiple of 2**-53."""
    z = seeds + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53
