"""Who was compared with whom: groups of players that results connect, and those that took points from each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]


def reached(edges: Bools) -> Bools:
    """Whether a path leads from one player to another, each to itself too: bool [P, P] -> bool [P, P]."""
    paths = edges | np.eye(len(edges), dtype=np.bool_)
    while True:
        longer = (paths.astype(np.float64) @ paths.astype(np.float64)) > 0
        if np.array_equal(longer, paths):
            return paths
        paths = longer


def groups(paths: Bools) -> list[list[int]]:
    """Players that reach each other, by ``reached``: groups in the order of their first players."""
    both, found, seen = paths & paths.T, list[list[int]](), set[int]()
    for player in range(len(paths)):
        if player not in seen:
            found.append(np.flatnonzero(both[player]).tolist())
            seen.update(found[-1])
    return found


def said(names: Sequence[str], parts: Iterable[Sequence[int]]) -> str:
    """Groups for people: ``{a, b} and {c}``."""
    return " and ".join("{" + ", ".join(names[i] for i in part) + "}" for part in parts)
