"""A game as the preview page plays it: boards, words for each ply, the teacher's choice and win rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gobench.types import Json, Record
from gobench_go.drawing import boards_of
from gobench_go.game import coords
from gobench_go.game.position import LETTERS

COLORS = {1: "Black", 2: "White"}


def replay(record: Mapping[str, Json]) -> Record:
    """``gobench.preview.clips.Replay`` of a shipped record; raises DataError on an illegal move."""
    table = game_table(record)
    table |= {"title": _title(record), "facts": facts(record), "first": record["first_ply"]}
    if record["targets"]:
        points = record["rows"] * record["cols"]
        table["hints"] = [target if target < points else -1 for target in record["targets"]] + [-1]
    if record["values"]:
        table["values"] = [*_black(record["values"], record["colors"]), -1]
        table["values_name"] = "Black wins"
    return table


def game_table(record: Mapping[str, Json]) -> Record:
    """The part of it that follows from the moves: boards and words. Raises DataError on an illegal move."""
    rows, cols, moves = record["rows"], record["cols"], record["moves"]
    boards = ["".join(LETTERS[point] for point in board.ravel().tolist()) for board in boards_of(record)]
    return {
        "rows": rows,
        "cols": cols,
        "boards": boards,
        "last": [-1, *(move if move < rows * cols else -1 for move in moves)],
        "labels": ["the start", *_labels(record)],
        "columns": list(coords.COLUMNS[:cols]),
        "lines": [str(rows - row) for row in range(rows)],
        "dots": [row * cols + col for row, col in coords.stars(rows, cols)],
    }


def facts(record: Mapping[str, Json]) -> Record:
    """What a reader wants to know of a game first."""
    size = f"{record['rows']}×{record['cols']}"
    return {
        "Black": record["black"],
        "White": record["white"],
        "result": record["result"],
        "moves": len(record["moves"]),
        "board": size,
        "rules": f"{record['rules']}, komi {record['komi']:g}",
        "teacher": record["teacher"],
        "origin": record["origin"],
        "look": f"{record['theme']}, {record['size']} px",
        "split": record["split"],
        "key": record["key"],
    }


def _labels(record: Mapping[str, Json]) -> list[str]:
    words = []
    for move, color, taken in zip(record["moves"], record["colors"], record["captures"], strict=True):
        name = f"{COLORS[color]} {coords.gtp(move, record['rows'], record['cols'])}"
        words.append(f"{name}, takes {taken}" if taken else name)
    return words


def _title(record: Mapping[str, Json]) -> str:
    black, white = record["black"] or "Black", record["white"] or "White"
    players = black if black == white else f"{black} – {white}"
    return f"{record['result']} · {players}"


def _black(values: Sequence[float], colors: Sequence[int]) -> list[float]:
    """Win rates of the side to move as win rates of Black."""
    return [value if color == 1 else round(1 - value, 4) for value, color in zip(values, colors, strict=True)]
