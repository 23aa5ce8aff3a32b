"""Which positions of judged games are asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gobench.seeds import stream
from gobench.tasks import MOST_FRAMES
from gobench_go.judged import JudgedGame, JudgedSet


class Sample(NamedTuple):
    """A position of a judged game."""

    id: str
    game: int  # its place in the set
    ply: int  # moves made before
    color: int  # who is to move: 1 black, 2 white


class Asked(NamedTuple):
    """The samples of a next-move task, and what was left out."""

    samples: Sequence[Sample]
    repeats: int  # positions that an earlier game had asked already
    passes: int  # positions whose best move is a pass


def next_moves(judged: JudgedSet, colors: Sequence[int]) -> Asked:
    """Positions from each game's opening on whose best move is a stone, of the given colours, each question once.

    A question is what the longest prompt shows and who is to move: boards before do not tell two questions apart.
    """
    seen, samples, repeats, passes = set[bytes](), list[Sample](), 0, 0
    for sample, game in _positions(judged):
        if sample.color not in colors:
            continue
        if game.positions[sample.ply].best == judged.rules.points:
            passes += 1
            continue
        question = _question(game, sample)
        if question in seen:
            repeats += 1
            continue
        seen.add(question)
        samples.append(sample)
    return Asked(tuple(samples), repeats, passes)


def _positions(judged: JudgedSet) -> Iterator[tuple[Sample, JudgedGame]]:
    for number, game in enumerate(judged.games):
        for ply in range(game.opening, len(game.positions)):
            yield _sample(game, number, ply), game


def _sample(game: JudgedGame, number: int, ply: int) -> Sample:
    return Sample(f"{game.id}-p{ply:03d}", number, ply, game.colors[ply])


def _question(game: JudgedGame, sample: Sample) -> bytes:
    boards = game.boards[max(0, sample.ply + 1 - MOST_FRAMES) : sample.ply + 1]
    return bytes([sample.color]) + boards.tobytes()


def starts(judged: JudgedSet, seed: int) -> Sequence[Sample]:
    """Where rollouts begin: one start a game, in every other game at its opening, in the others in its middle half.

    Unlike next moves, games that begin with equal boards are kept: a start is asked once by its game's name.
    """
    return tuple(_start(game, number, seed) for number, game in enumerate(judged.games) if game.positions)


def _start(game: JudgedGame, number: int, seed: int) -> Sample:
    last = len(game.positions) - 1
    ply = min(game.opening, last)
    if number % 2:
        length = last - ply
        ply += length // 4 + int(stream(seed, "rollout", game.id).integers(length // 2 + 1))
    return _sample(game, number, ply)
