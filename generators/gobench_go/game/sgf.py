"""SGF files and games: bytes <-> ``SgfGame``. sgfmill's grammar, our decisions.

==============  ==============================================================================================
What            How it is read
==============  ==============================================================================================
encoding        byte-order mark, else what CA says, else UTF-8, else the likeliest of cp932, gb18030 and
                latin-1; bytes that do not decode become U+FFFD and never stop a file from being read
versions        FF[1] to FF[4]; lower-case letters of property names are dropped, as old files need
variations      the main line, which is the first variation everywhere
passes          empty, and ``tt`` (boards here have at most 19 lines); passes after the two that end the game
                are cut
SZ              ``9``, or ``cols:rows``; missing is 19
setup           AB, AW, AE before the first move make the start position; after the last move they are dropped
                (servers mark dead stones so); between moves the game is refused
handicap        HA alone places nothing (as FF[4] says): the stones must stand in AB or be played. When
                neither is the case and White moves first, the game is refused
KM              ``6,5`` is 6.5; numbers of 100 or more are hundredths; 2.75, 3.25 and 3.75 are Chinese counts
                of stones, worth twice as many points; other values that are no multiple of 0.5 are refused
RE              ``B+3.5``, ``W+R``, ``B+T``, ``W+F``, ``B+`` (won, not said how), ``0`` (draw) or ``?``
==============  ==============================================================================================

Nothing in a file raises anything but ``SgfError``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sgfmill import sgf_grammar

from gobench.errors import DataError, UsageError
from gobench_go.game import coords
from gobench_go.game.sgf_text import clean, decode, komi, result, simple, utf8

BLACK, WHITE = 1, 2
MAX_DEPTH = 2_000
MAX_PROPERTY = 1 << 20
MAX_PLIES = 10_000
MAX_SETUP = 50_000

Node = Mapping[str, list[bytes]]

_ROOT = re.compile(rb"\(\s*;\s*(?:GM|FF|SZ|CA|AP|GN|EV|PB|PW|RU|KM)\s*\[")


class SgfError(DataError):
    """A game that cannot be had from a file.

    ``reason`` is a slug of ``REASONS``, ``ply`` the 0-based ply or -1.
    """

    def __init__(self, reason: str, detail: str, ply: int = -1) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.ply = reason, detail, ply

    def __reduce__(self) -> tuple[type[SgfError], tuple[str, str, int]]:
        return type(self), (self.reason, self.detail, self.ply)


REASONS: Mapping[str, str] = {
    "unreadable": "no SGF, or broken SGF",
    "too-deep": f"variations nested deeper than {MAX_DEPTH}",
    "huge-property": f"a property value of more than {MAX_PROPERTY} bytes",
    "too-long": f"more than {MAX_PLIES} plies",
    "not-go": "another game (GM is not 1)",
    "board-size": "SZ is no size from 1 to 19",
    "bad-point": "a move or stone that is no point of the board",
    "bad-node": "two moves in one node",
    "bad-setup": "one point set up twice in different ways, or far too many",
    "setup-midgame": "stones set up or taken off between moves",
    "handicap": "HA without stones, and White moves first",
    "after-the-end": "moves after two passes in a row",
    "komi": "KM is no multiple of 0.5",
}
"""Why a game of a file is refused here."""


@dataclass(frozen=True, slots=True)
class SgfGame:
    """One game as a file states it; legality is not checked yet.

    ``setup`` is empty or R*C characters of ``.XO`` from the top left; ``komi`` is None when the file gives
    none.
    """

    rows: int
    cols: int
    setup: str
    moves: tuple[int, ...]
    colors: tuple[int, ...]
    komi: float | None
    rules: str
    result: str
    black: str
    white: str
    black_rank: str
    white_rank: str
    handicap: int


def read(data: bytes) -> Iterator[SgfGame | SgfError]:
    """Every game of a file in order; a broken one gives its error and reading goes on at the next."""
    text = utf8(data)
    found = 0
    for part in _split(text, data):
        found += 1
        try:
            yield part if isinstance(part, SgfError) else game(part)
        except SgfError as error:
            yield error
    if not found:
        yield SgfError("unreadable", "no game found: an SGF file has '(;' somewhere")


def game(tree: Any) -> SgfGame:
    """The game of sgfmill's coarse tree, whose values are UTF-8. Raises SgfError."""
    nodes = list(sgf_grammar.main_sequence_iter(tree))
    root = nodes[0]
    if (kind := simple(root, "GM") or "1") != "1":
        raise SgfError("not-go", f"GM[{clean(kind)}] is not Go, which is GM[1]")
    rows, cols = _size(simple(root, "SZ") or "19")
    setup, moves, colors = _plies(nodes, rows, cols)
    handicap = _count(simple(root, "HA"))
    if handicap >= 2 and "X" not in setup and colors[:1] == [WHITE]:
        raise SgfError("handicap", f"HA[{handicap}] without AB, and White moves first")
    return SgfGame(
        rows=rows,
        cols=cols,
        setup=setup,
        moves=tuple(moves),
        colors=tuple(colors),
        komi=_komi(simple(root, "KM")),
        rules=clean(simple(root, "RU")),
        result=result(simple(root, "RE")),
        black=clean(simple(root, "PB") or simple(root, "BT")),
        white=clean(simple(root, "PW") or simple(root, "WT")),
        black_rank=clean(simple(root, "BR")),
        white_rank=clean(simple(root, "WR")),
        handicap=handicap,
    )


def write(record: Mapping[str, Any]) -> bytes:
    """A record (see KEY.json) as one FF[4] game in UTF-8; ``name`` and ``comment`` of the game are written if given."""
    rows, cols = record["rows"], record["cols"]
    root: dict[str, list[bytes]] = {
        "FF": [b"4"],
        "GM": [b"1"],
        "CA": [b"UTF-8"],
        "SZ": [str(rows).encode() if rows == cols else f"{cols}:{rows}".encode()],
        "KM": [f"{record['komi']:g}".encode()],
    }
    texts = {"RU": "rules", "PB": "black", "PW": "white", "RE": "result", "GN": "name", "C": "comment"}
    for name, key in texts.items():
        if record.get(key):
            root[name] = [sgf_grammar.escape_text(str(record[key]).encode())]
    for name, stone in (("AB", "X"), ("AW", "O")):
        points = [i for i, c in enumerate(record.get("setup", "")) if c == stone]
        if points:
            root[name] = [coords.sgf(p, rows, cols).encode() for p in points]
    tree = sgf_grammar.Coarse_game_tree()
    tree.sequence = [root, *_move_nodes(record)]
    return bytes(sgf_grammar.serialise_game_tree(tree))


def _move_nodes(record: Mapping[str, Any]) -> Iterator[dict[str, list[bytes]]]:
    rows, cols = record["rows"], record["cols"]
    for move, color in zip(record["moves"], record["colors"], strict=True):
        yield {"B" if color == BLACK else "W": [coords.sgf(move, rows, cols).encode()]}


def _split(text: bytes, raw: bytes) -> Iterator[Any]:
    """sgfmill's trees of a file, or an SgfError in the place of a broken game.

    In double-byte encodings the second byte can be ``\\`` or ``]``, so the decoded text is what is parsed.
    Files of programs that escaped byte by byte read only as bytes: the second try.
    """
    for data in dict.fromkeys((text, raw)):
        if error := _guard(data):
            yield error
            return
        try:
            yield from sgf_grammar.parse_sgf_collection(data)
            return
        except ValueError:
            continue
    yield from _one_by_one(text)


def _guard(data: bytes) -> SgfError | None:
    """Refuse what would cost too much before it is parsed."""
    if data.count(b"(") <= MAX_DEPTH and len(data) <= MAX_PROPERTY:
        return None
    depth = 0
    for match in re.finditer(rb"\[[^\\\]]*+(?:\\.[^\\\]]*+)*+\]?|[()]", data, re.DOTALL):
        token = match[0]
        if token == b"(":
            depth += 1
        elif token == b")":
            depth = max(0, depth - 1)
        elif len(token) > MAX_PROPERTY:
            return SgfError(
                "huge-property", f"a property value of {len(token)} bytes (at most {MAX_PROPERTY})"
            )
        if depth > MAX_DEPTH:
            return SgfError("too-deep", f"variations nested deeper than {MAX_DEPTH}")
    return None


def _one_by_one(data: bytes) -> Iterator[Any]:
    """Each game of a file that has broken ones; after a broken one, on from what looks like a root node."""
    at, stop = 0, len(data)
    while at < stop:
        tokens, end = sgf_grammar.tokenise(data, at)
        if not tokens:
            return
        try:
            yield sgf_grammar.parse_sgf_game(data[at:end])
            at = end
        except ValueError as error:
            yield SgfError("unreadable", f"broken SGF near byte {end} of the game's text: {error}")
            following = _ROOT.search(data, end)
            at = following.start() if following else stop


def _size(text: str) -> tuple[int, int]:
    sides = text.split(":")
    if not 1 <= len(sides) <= 2 or not all(re.fullmatch(r"[0-9]{1,3}", s.strip(), re.ASCII) for s in sides):
        raise SgfError("board-size", f"SZ[{clean(text)}] is no board size")
    cols, rows = int(sides[0]), int(sides[-1])
    if not (1 <= rows <= coords.MAX_SIDE and 1 <= cols <= coords.MAX_SIDE):
        raise SgfError("board-size", f"a board of {rows}x{cols}; sides go from 1 to {coords.MAX_SIDE}")
    return rows, cols


def _count(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,2}", text, re.ASCII) else 0


def _komi(text: str) -> float | None:
    if not text:
        return None
    value = komi(text)
    if value is None:
        raise SgfError("komi", f"KM[{clean(text)}] is no multiple of 0.5")
    return value


def _plies(nodes: list[Node], rows: int, cols: int) -> tuple[str, list[int], list[int]]:
    """(setup, moves, colors) of the main line."""
    setup: dict[int, str] = {}
    moves: list[int] = []
    colors: list[int] = []
    late, work = -1, 0
    for node in nodes:
        if "AB" in node or "AW" in node or "AE" in node:
            late = len(moves) if moves else -1
            if not moves:
                work = _set_up(node, setup, work, rows, cols)
        if "B" in node or "W" in node:
            _add(node, moves, colors, late, rows, cols)
    _cut(moves, colors, rows * cols)
    points = "".join(setup.get(i, ".") for i in range(rows * cols))
    return (points if points.strip(".") else ""), moves, colors


def _add(node: Node, moves: list[int], colors: list[int], late: int, rows: int, cols: int) -> None:
    ply = len(moves)
    if late >= 0:
        raise SgfError("setup-midgame", "stones are set up or taken off between moves", late)
    if ply >= MAX_PLIES:
        raise SgfError("too-long", f"more than {MAX_PLIES} plies", ply)
    values = [(BLACK, v) for v in node.get("B", [])] + [(WHITE, v) for v in node.get("W", [])]
    if len(values) != 1:
        raise SgfError("bad-node", "two moves in one node", ply)
    color, value = values[0]
    moves.append(_point(value, rows, cols, ply))
    colors.append(color)


def _point(value: bytes, rows: int, cols: int, ply: int = -1) -> int:
    """The index of a raw value; R*C for a pass."""
    try:
        return coords.index_of_sgf(value.decode("ascii", "replace"), rows, cols)
    except UsageError:
        detail = f"[{clean(decode(value.strip()[:12]))}] is no point of a {rows}x{cols} board"
        raise SgfError("bad-point", detail, ply) from None


def _set_up(node: Node, setup: dict[int, str], work: int, rows: int, cols: int) -> int:
    """Apply AB, AW and AE of one node, no point in two of them; returns ``work`` plus the points named."""
    seen: dict[int, str] = {}
    for name, stone in (("AB", "X"), ("AW", "O"), ("AE", ".")):
        for value in node.get(name, []):
            for point in _points(value, rows, cols):
                work += 1
                if seen.setdefault(point, stone) != stone:
                    where = coords.gtp(point, rows, cols)
                    raise SgfError("bad-setup", f"{where} is set up twice in different ways")
            if work > MAX_SETUP:
                raise SgfError("bad-setup", f"more than {MAX_SETUP} points are named in AB, AW and AE")
    setup.update(seen)
    return work


def _points(value: bytes, rows: int, cols: int) -> Iterator[int]:
    """The points of ``aa`` or of a rectangle ``aa:cc``; an empty value is an empty list."""
    if not value.strip():
        return
    first, _, last = value.partition(b":")
    a = _point(first, rows, cols)
    b = _point(last, rows, cols) if last else a
    if rows * cols in (a, b):
        raise SgfError("bad-point", f"[{clean(decode(value[:12]))}] is no point to set a stone on")
    (r0, c0), (r1, c1) = divmod(a, cols), divmod(b, cols)
    for row in range(min(r0, r1), max(r0, r1) + 1):
        for col in range(min(c0, c1), max(c0, c1) + 1):
            yield row * cols + col


def _cut(moves: list[int], colors: list[int], pass_: int) -> None:
    """Cut passes after the two that end the game; anything else after them is an error."""
    for ply in range(1, len(moves) - 1):
        if moves[ply - 1] == pass_ == moves[ply]:
            if any(move != pass_ for move in moves[ply + 1 :]):
                raise SgfError("after-the-end", "moves after two passes in a row", ply + 1)
            del moves[ply + 1 :], colors[ply + 1 :]
            return
