"""How often the move between two pictures is misjudged, by kind of change; a table of ``reading_errors.md``.

Pairs come from random legal games on 9x9: true successors, and successors with one fault each.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

import numpy as np

from gobench.seeds import stream
from gobench.types import Array
from gobench_go.game import kernels
from gobench_go.game.rules import named
from gobench_go.video import render
from gobench_go.video.moves import between
from gobench_go.video.themes import look

Pair = tuple[str, str, int, int, Array, Array]  # row of the table, kind, move, colour, before, after
PAIRS = 160
ROWS = {
    "clean move": "clean",
    "capture of 1": "capture",
    "capture of 2 or more": "capture",
    "no change": "no-change",
    "several stones": "several-stones",
    "wrong colour": "wrong-colour",
    "vanished stones": "vanished-stones",
    "capture not drawn": "capture-not-drawn",
}


def pairs() -> dict[str, list[Pair]]:
    """``PAIRS`` pairs for each row of the table."""
    found: dict[str, list[Pair]] = defaultdict(list)
    for seed in range(2000):
        for pair in of_game(seed):
            if len(found[pair[0]]) < PAIRS:
                found[pair[0]].append(pair)
        if len(found) == len(ROWS) and all(len(rows) == PAIRS for rows in found.values()):
            return found
    raise AssertionError(f"too few pairs: { {row: len(of) for row, of in found.items()} }")


def of_game(seed: int) -> Iterator[Pair]:
    """A few pairs of one random game."""
    rules, pick = named("benchmark"), stream(seed, "bench", "moves")
    moves = kernels.random_game(rules, seed, 90)
    played = kernels.replay(rules, None, moves)
    for ply in pick.permutation(len(moves))[:12].tolist():
        before, after = played.boards[ply], played.boards[ply + 1]
        move, color, taken = int(moves[ply]), 1 + ply % 2, int(played.captures[ply])
        if move == rules.points:
            continue
        row = "clean move" if not taken else "capture of 1" if taken == 1 else "capture of 2 or more"
        for name, wanted, shown in [(row, move, after), *faults(before, after, move, color, taken, pick)]:
            yield name, ROWS[name], wanted, color, before, shown


def faults(
    before: Array, after: Array, move: int, color: int, taken: int, pick: np.random.Generator
) -> Iterator[tuple[str, int, Array]]:
    """The successor with one fault each: what is wrong, the move that can be seen, the board shown."""
    yield "no change", -1, before
    if taken:
        shown = before.copy()
        shown.flat[move] = color
        yield "capture not drawn", move, shown
        return
    empty, own = np.flatnonzero(after == 0), np.flatnonzero(before == color)
    several, turned, gone = after.copy(), after.copy(), after.copy()
    several.flat[pick.choice(empty)] = 3 - color
    yield "several stones", move, several
    turned.flat[move] = 3 - color
    yield "wrong colour", -1, turned
    if len(own):
        gone.flat[pick.choice(own)] = 0
        yield "vanished stones", move, gone


def measure(theme: str, wears: dict[str, Callable[[Array], Array]]) -> dict[str, dict[str, Counter[str]]]:
    """Row -> wear -> how often right, wrong, or admitted to be unreadable."""
    drawing, table = look(theme, 256, 9, 9), {}
    for row, of in pairs().items():
        frames = render.frames(drawing, np.concatenate([np.stack([b, a]) for *_, b, a in of]))
        table[row] = {name: verdicts(drawing, of, wear(frames)) for name, wear in wears.items()}
    return table


def verdicts(drawing: object, of: list[Pair], frames: Array) -> Counter[str]:
    """Each pair judged from its two pictures."""
    found = Counter[str]()
    for i, (_, kind, move, color, *_rest) in enumerate(of):
        seen = between(drawing, frames[2 * i], frames[2 * i + 1], color)  # type: ignore[arg-type]
        right = seen.kind == kind and seen.move == move
        found["right" if right else "unreadable" if seen.kind == "unreadable" else "wrong"] += 1
    return found


def page(theme: str, wears: dict[str, Callable[[Array], Array]]) -> str:
    """The table in markdown."""
    table = measure(theme, wears)
    head = f"""
## Errors of moves, by kind

Theme `{theme}`: right verdicts (kind and point) of {PAIRS} pairs of pictures a cell; in brackets those that were
called unreadable, the rest is wrong. The finder of the original's code (the largest changed blob), on perfect
pictures: 160 of 160 without captures, 39 of 72 captures of one stone, 2 of 27 of more.

| | {" | ".join(wears)} |
| --- |{" ---: |" * len(wears)}
"""
    return head + "\n".join(
        f"| {row} | {' | '.join(cell(of[name]) for name in wears)} |"
        for row, of in ((r, table[r]) for r in ROWS)
    )


def cell(found: Counter[str]) -> str:
    """ "160", or "151 (7)" where seven were unreadable."""
    return f"{found['right']}" + (f" ({found['unreadable']})" if found["unreadable"] else "")
