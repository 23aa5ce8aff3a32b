"""Which positions of judged games are asked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gobench.canonical import dumps
from gobench.seeds import seed64, stream
from gobench.tasks import MOST_FRAMES
from gobench_go.judged import JudgedGame, JudgedSet

PART_SEED = 0


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


def next_moves(judged: JudgedSet, colors: Sequence[int], most: int = 0) -> Asked:
    """Positions from each game's opening on whose best move is a stone, of the given colours, each question once.

    A question is what the longest prompt shows and who is to move: boards before do not tell two questions apart.
    Where there are more than ``most``, a part is taken that only their names decide; 0 takes all.
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
    return Asked(_part(samples, most), repeats, passes)


def digest(samples: Sequence[Sample]) -> str:
    """sha256 in hex over which positions are asked, in their order, and who is to move."""
    return hashlib.sha256(dumps([[sample.id, sample.color] for sample in samples])).hexdigest()


def _part(samples: Sequence[Sample], most: int) -> Sequence[Sample]:
    if not most or len(samples) <= most:
        return tuple(samples)
    drawn = sorted(samples, key=lambda sample: seed64(PART_SEED, "part", sample.id))
    return tuple(sorted(drawn[:most], key=lambda sample: (sample.game, sample.ply)))


def _positions(judged: JudgedSet) -> Iterator[tuple[Sample, JudgedGame]]:
    for number, game in enumerate(judged.games):
        for ply in range(game.opening, len(game.positions)):
            yield _sample(game, number, ply), game


def _sample(game: JudgedGame, number: int, ply: int) -> Sample:
    return Sample(f"{game.id}-p{ply:03d}", number, ply, game.colors[ply])


def _question(game: JudgedGame, sample: Sample) -> bytes:
    boards = game.boards[max(0, sample.ply + 1 - MOST_FRAMES) : sample.ply + 1]
    return bytes([sample.color]) + boards.tobytes()


def starts(judged: JudgedSet, seed: int, a_game: int) -> Sequence[Sample]:
    """Where rollouts begin, each with a question of its own (see ``next_moves``).

    With two starts a game one is at its opening and one in the middle half of what follows; with one they alternate from
    game to game. A start whose question is there already moves on, ply by ply; where none is left it is dropped.
    """
    seen, samples = set[bytes](), list[Sample]()
    for number, game in enumerate(judged.games):
        plies = [game.opening, _middle(game, seed)]
        for ply in plies if a_game == 2 else plies[number % 2 :][:1]:
            if (found := _unasked(game, number, ply, seen)) is not None:
                samples.append(found)
    return tuple(samples)


def _middle(game: JudgedGame, seed: int) -> int:
    """A ply of the middle half of a game after its opening."""
    length = len(game.positions) - 1 - game.opening
    return (
        game.opening
        + max(length, 0) // 4
        + int(stream(seed, "rollout", game.id).integers(max(length, 0) // 2 + 1))
    )


def _unasked(game: JudgedGame, number: int, ply: int, seen: set[bytes]) -> Sample | None:
    """The first position from a ply on whose question is new, noted in ``seen``."""
    for t in range(ply, len(game.positions)):
        sample = _sample(game, number, t)
        question = _question(game, sample)
        if question not in seen:
            seen.add(question)
            return sample
    return None
