"""Judged games: what a strong player thinks of every move of every position, as a frozen test set.

    judged = open_set("go9-lite")
    position = judged.games[0].positions[12]      # before move 12, from the side to move
    position.value[move] - position.value[position.best]

``files`` has the format, ``sets`` the values, ``names`` where a set is found; ``katago_games`` turns games that KataGo
judged into a set, ``judging`` lets an embedded teacher judge games, ``make_small`` makes the shipped small sets.
"""

from __future__ import annotations

from gobench_go.judged.files import read, write
from gobench_go.judged.names import open_set
from gobench_go.judged.sets import Judged, JudgedGame, JudgedSet

__all__ = ["Judged", "JudgedGame", "JudgedSet", "open_set", "read", "write"]
