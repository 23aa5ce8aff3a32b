"""A small set to break: two games on 3x3 with made-up judgements."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gobench.types import Record
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules
from gobench_go.judged.files import rules_record

RULES = Rules(3, 3, komi=2.5, name="tiny")
HEADER: Record = {
    "name": "tiny",
    "version": "1",
    "rules": rules_record(RULES),
    "oracle": {"name": "nobody", "version": "0", "visits": 9, "child_visits": 1},
    "licence": "CC0-1.0",
    "note": "made up",
}


def game(number: int, moves: list[int]) -> Record:
    """A game with a judgement that says which move it is about: value = move / 100, lead = move."""
    position, positions = Position.start(RULES), []
    for move in moves:
        legal = position.legal_moves()
        positions.append(
            {
                "policy": [1000 * (m + 1) if m in legal else -1 for m in range(10)],
                "winrate": 0.25,
                "lead": -1.5,
                "search": {str(legal[0]): [4, 0.875, 7], str(legal[1]): [3, 0.125, 8.5]},
                "best": legal[0],
                "child_value": [m / 100 if m in legal else None for m in range(10)],
                "child_lead": [float(m) if m in legal else None for m in range(10)],
            }
        )
        position = position.play(move)
    colors = [1 + t % 2 for t in range(len(moves))]
    return {
        "id": f"g{number:03d}", "setup": "", "opening": 1, "moves": moves, "colors": colors, "lead": 2.5,
        "positions": positions,
    }  # fmt: skip


@pytest.fixture
def games() -> list[Record]:
    return copy.deepcopy([game(0, [4, 1, 3, 9, 9]), game(1, [4, 2])])


@pytest.fixture
def raw(tmp_path: Path, games: list[Record]) -> Callable[..., Path]:
    """Write a file without any check: header changes as keywords, the games as they are now."""

    def put(**changes: Any) -> Path:
        header = {
            **copy.deepcopy(HEADER), "format": "gobench-judged-1", "games": len(games), "positions": 7, **changes,
        }  # fmt: skip
        path = tmp_path / "raw.jsonl.gz"
        path.write_bytes(
            gzip.compress("".join(json.dumps(line) + "\n" for line in (header, *games)).encode())
        )
        return path

    return put
