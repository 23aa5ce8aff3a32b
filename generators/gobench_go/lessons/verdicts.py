"""Answers to "what comes next?" within a recorded game, judged as the task next-move judges them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gobench.errors import UsageError
from gobench.types import Array, Json, Verdict
from gobench_go.drawing import look_of
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules
from gobench_go.sources.record import rules_of, start_of
from gobench_go.tasks import reading
from gobench_go.video import read
from gobench_go.video.moves import SURE


def verdicts(record: Mapping[str, Json], times: Sequence[int], frames: Array) -> list[Verdict]:
    """What each picture is worth as an answer to what comes after a frame of a record's clip.

    Args:
        record: as shipped.
        times: N frames of its clip, 0 the first.
        frames: uint8 [N, H, H, 3], drawn as the record's own but of any size.

    Returns:
        N verdicts: a key of ``tasks.reading.KINDS``, or of ``game.position.REASONS`` where one move was read that
        the game so far forbids. Legal is a move that is read and allowed; so no unchanged board, the pass, is.

    Raises:
        UsageError: times outside the clip, or not as many as pictures. DataError: pictures of another shape.
    """
    asked = np.asarray(times, np.int64)
    if asked.shape != (len(frames),) or ((asked < 0) | (asked >= record["frames"])).any():
        given = f"times {list(times)[:8]} for {len(frames)} pictures"
        raise UsageError(f"one time 0 to {record['frames'] - 1} belongs to each picture, not {given}.")
    if not len(asked):
        return []
    rules, before = rules_of(record), _positions(record, asked + record["first_ply"])
    boards = np.stack([position.board.reshape(-1) for position in before])
    colors = np.array([position.to_move for position in before], np.int64)
    found = reading.changes(rules, boards, _answers(record, frames), colors)
    return [_verdict(*row) for row in zip(before, found.kinds.tolist(), found.moves.tolist(), strict=True)]


def _verdict(position: Position, kind: int, move: int) -> Verdict:
    why = position.why_illegal(move) if move >= 0 else None
    return Verdict(why or reading.NAMES[kind], move >= 0 and why is None)


def _positions(record: Mapping[str, Json], plies: np.ndarray) -> list[Position]:
    """The game after each of ``plies``, the side of the next ply to move; behind the last ply the other side."""
    rules: Rules = rules_of(record)
    moves, colors = record["moves"], record["colors"]
    position = start_of(record, rules)
    found = {0: position}
    for ply in range(int(plies.max())):
        position = position.play(moves[ply], colors[ply])
        if ply + 1 < len(colors) and colors[ply + 1] != position.to_move:
            position = position.turned(colors[ply + 1])
        found[ply + 1] = position
    return [found[ply] for ply in plies.tolist()]


def _answers(record: Mapping[str, Json], frames: Array) -> reading.Answers:
    looked = look_of({**record, "size": frames.shape[1] if frames.ndim == 4 else record["size"]})
    points, confidence = read.boards(looked, frames)
    n = len(points)
    never = np.zeros(n, np.bool_)
    return reading.Answers(points.reshape(n, -1), confidence.reshape(n, -1).min(axis=1) < SURE, never, never)
