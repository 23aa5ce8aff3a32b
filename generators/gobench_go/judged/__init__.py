"""Judged games: what a strong player thinks of every move of every position, as a frozen test set.

    judged = open_set("go9-lite")
    position = judged.games[0].positions[12]      # before move 12, from the side to move
    position.value[move] - position.value[position.best]

``files`` has the format, ``sets`` the values, ``names`` where a set is found; ``judges`` says who judges: ``judging`` an
embedded teacher, ``katago_judge`` KataGo, each position once (``cache``); ``pieces`` judges many games. ``katago_games``
turns what KataGo said elsewhere into a set, ``make_small`` makes the shipped small sets.

How the sets are made, each the same again from the same input and by the same version of the teacher. The small ones
were made by mcts@1 and stay as they are: with another version ``make_small`` says so and makes nothing.

go9-lite    python -m gobench_go.judged.katago_games GAMES.jsonl.gz go9-lite.jsonl.gz
go7-lite    python -m gobench_go.judged.make_small go7-lite go7-lite.jsonl.gz
go5-lite    python -m gobench_go.judged.make_small go5-lite go5-lite.jsonl.gz
go9         not shipped, 1,000 games on 9x9 by the benchmark's rules that you judge yourself, on games of a seed that
            no training recipe has, with KataGo or with the embedded mcts (docs/judging.md):

                gobench build-dataset go9-small --games 1000 --seed 9000001 --codec moves --out runs/go9-games
                gobench go judge runs/go9-games --teacher 'katago:NET?visits=200&threads=16' --name go9 \\
                    --out ~/.cache/video-gobench/judged/go9.jsonl.gz

            Without KataGo: --teacher mcts:20000 --child-visits 256. What a KataGo elsewhere has said becomes a set by
            python -m gobench_go.judged.katago_games (its --help has the format).

A set of any name in ``~/.cache/video-gobench/judged``, or in the folder that GOBENCH_JUDGED names, opens by its name.
"""

from __future__ import annotations

from gobench_go.judged.files import read, write
from gobench_go.judged.names import open_set
from gobench_go.judged.sets import Judged, JudgedGame, JudgedSet

__all__ = ["Judged", "JudgedGame", "JudgedSet", "open_set", "read", "write"]
