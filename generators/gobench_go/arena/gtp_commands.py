"""The commands that a GTP session knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import gobench
from gobench.errors import DataError, UsageError
from gobench_go.arena import gtp_analysis as analysis
from gobench_go.arena import gtp_game
from gobench_go.arena import gtp_opinions as opinions
from gobench_go.arena.gtp_server import COLORS, Answer, GtpError, Session, vertex
from gobench_go.game import coords

MANY = 1 << 16
STATUS = ("alive", "dead", "seki")
_NUMBER = re.compile(r"[0-9]{1,20}", re.ASCII)
_DECIMAL = re.compile(r"[-+]?[0-9]{1,9}(?:\.[0-9]{0,9})?", re.ASCII)

Args = Sequence[str]


class Command(NamedTuple):
    """How a command is called and answered."""

    run: Callable[[Session, Args], str | Answer]
    least: int = 0  # words after its name
    most: int = 0
    usage: str = ""
    judges: bool = False  # only where there is a teacher behind the player


def offered(session: Session) -> list[str]:
    """The commands that make sense for a session's player."""
    judges = session.teacher is not None
    return [name for name, command in COMMANDS.items() if judges or not command.judges]


# --- words ---


def _color(word: str) -> int:
    if word.lower() not in COLORS:
        raise GtpError(f"syntax error: {word[:20]!r} is no colour; write black or white")
    return COLORS[word.lower()]


def _number(word: str) -> int:
    if not _NUMBER.fullmatch(word):
        raise GtpError(f"syntax error: {word[:20]!r} is no number")
    return int(word)


def _point(session: Session, word: str) -> int:
    try:
        return coords.index_of_gtp(word[:20], session.game.rules.rows, session.game.rules.cols)
    except UsageError as error:
        raise GtpError(f"invalid vertex: {error}") from None


# --- who is asked ---


def _name(session: Session, args: Args) -> str:
    return f"Video-GoBench {session.player.name}"


def _version(session: Session, args: Args) -> str:
    return f"{gobench.__version__} ({session.player.identity.get('version') or 'no version'})"


def _known(session: Session, args: Args) -> str:
    return "true" if args[0] in offered(session) else "false"


def _list(session: Session, args: Args) -> str:
    return "\n".join(offered(session))


def _last(session: Session, args: Args) -> str:
    """How the benchmark read the frame of the last move."""
    shown = getattr(session.player, "last", None)
    if shown is None:
        return "no frame was read yet"
    words = []
    for number, each in enumerate(shown.tries, 1):
        sure = f", confidence {each.reading.confidence:.2f}" if each.reading else ""
        move = f" {vertex(each.verdict.move, session.game.now)}" if each.verdict.move >= 0 else ""
        not_legal = f", not legal: {each.verdict.why}" if each.verdict.why else ""
        words.append(f"try {number}: {each.verdict.kind}{move}{sure}{not_legal}")
    return "\n".join(words)


# --- the board ---


def _resize(session: Session, rows: int, cols: int) -> str:
    before = session.game.kept()
    try:
        session.game.clear(session.game.rules_on(rows, cols))
        session.new_game()
        session.begin()
    except UsageError as error:
        session.game.restore(before)
        raise GtpError(f"unacceptable size: {error}") from None
    return ""


def _boardsize(session: Session, args: Args) -> str:
    side = _number(args[0])
    return _resize(session, _number(args[1]) if len(args) > 1 else side, side)


def _clear(session: Session, args: Args) -> str:
    session.game.clear()
    session.new_game()
    return ""


def _komi(session: Session, args: Args) -> str:
    if not _DECIMAL.fullmatch(args[0]):
        raise GtpError("syntax error: komi is a number")
    session.game.komi(float(args[0]))
    session.begin_again()
    return ""


def _get_komi(session: Session, args: Args) -> str:
    return f"{session.game.rules.komi:g}"


def _play(session: Session, args: Args) -> str:
    color, move = _color(args[0]), _point(session, args[1])
    try:
        session.game.play(color, move)
    except UsageError as error:
        raise GtpError(f"illegal move: {error}") from None
    return ""


def _undo(session: Session, args: Args) -> str:
    if not session.game.undo():
        raise GtpError("cannot undo")
    return ""


def _undo_many(session: Session, args: Args) -> str:
    plies = _number(args[0]) if args else 1
    if plies > session.game.now.plies:
        raise GtpError("cannot undo")
    for _ in range(plies):
        session.game.undo()
    return ""


def _sequence(session: Session, args: Args) -> str:
    """All plies or none, as GoGui wants it."""
    if len(args) % 2:
        raise GtpError("syntax error: a colour without a vertex")
    before = session.game.kept()
    try:
        for color, point in zip(args[::2], args[1::2], strict=True):
            _play(session, (color, point))
    except GtpError:
        session.game.restore(before)
        raise
    return ""


def _show(session: Session, args: Args) -> str:
    return "\n" + gtp_game.diagram(session.game.now)


def _load(session: Session, args: Args) -> str:
    before = None
    if len(args) > 1 and _NUMBER.fullmatch(args[-1]):
        before, args = max(1, int(args[-1])), args[:-1]
    now = session.game.kept()
    try:
        session.game.load(Path(" ".join(args)), before)
        session.new_game()
        session.begin()
    except (DataError, UsageError) as error:
        session.game.restore(now)
        raise GtpError(f"cannot load file: {error}") from None
    return ""


# --- handicap ---


def _empty(session: Session) -> None:
    if session.game.now.plies or session.game.now.black or session.game.now.white:
        raise GtpError("board not empty")


def _handicap(session: Session, points: Sequence[int]) -> str:
    session.game.handicap(points)
    rules = session.game.rules
    return " ".join(coords.gtp(point, rules.rows, rules.cols) for point in points)


def _fixed(session: Session, args: Args) -> str:
    _empty(session)
    try:
        return _handicap(session, gtp_game.fixed_points(session.game.rules, _number(args[0])))
    except UsageError as error:
        raise GtpError(f"invalid number of stones: {error}") from None


def _free(session: Session, args: Args) -> str:
    """The usual points, and fewer than asked where the board has no more of them, as GTP allows."""
    stones = min(_number(args[0]), max(2, gtp_game.most_stones(session.game.rules)))
    return _fixed(session, [str(stones)])


def _set_free(session: Session, args: Args) -> str:
    _empty(session)
    points = [_point(session, word) for word in args]
    if len(set(points)) < len(points) or session.game.rules.points in points:
        raise GtpError("bad vertex list: a point twice, or a pass")
    try:
        return _handicap(session, points) and ""
    except UsageError as error:
        raise GtpError(f"bad vertex list: {error}") from None


# --- moving ---


def _genmove(session: Session, args: Args) -> str:
    color = _color(args[0])
    position = session.game.turn(color)
    return session.made(color, position.rules.points if position.over else session.move(position))


def _cleanup(session: Session, args: Args) -> str:
    """As genmove, also after two passes: dead stones count as alive here, so that whoever wants them taken takes them."""
    color = _color(args[0])
    return session.made(color, session.move(gtp_game.going_on(session.game.turn(color))))


def _reg_genmove(session: Session, args: Args) -> str:
    position = session.game.turn(_color(args[0]))
    return vertex(position.rules.points if position.over else session.move(position), position)


# --- the end ---


def _score(session: Session, args: Args) -> str:
    score = session.game.now.score()
    return "0" if score == 0 else f"{'B' if score > 0 else 'W'}+{abs(score):g}"


def _status(session: Session, args: Args) -> str:
    if args[0].lower() not in STATUS:
        raise GtpError(f"syntax error: {args[0][:20]!r} is no status; write {', '.join(STATUS)}")
    if args[0].lower() != STATUS[0]:
        return ""
    rules, found = session.game.rules, gtp_game.chains(session.game.now)
    return "\n".join(" ".join(coords.gtp(p, rules.rows, rules.cols) for p in chain) for chain in found)


def _nothing(session: Session, args: Args) -> str:
    """Taken note of: a player has its own time for a move."""
    return ""


def _times(session: Session, args: Args) -> str:
    for word in args:
        _number(word)
    return ""


def _time_left(session: Session, args: Args) -> str:
    _color(args[0])
    return _times(session, args[1:])


def _seed(session: Session, args: Args) -> str:
    session.seed, session.games = _number(args[0]), 0
    session.begin_again()
    return ""


def _quit(session: Session, args: Args) -> Answer:
    return Answer(quit=True)


# --- what programs show ---


def _gogui(session: Session, args: Args) -> str:
    known = {
        "string/How the last frame was read/gobench-last": "gobench-last",
        "dboard/Policy/gobench-policy": "gobench-policy",
    }
    return "\n".join(line for line, name in known.items() if name in offered(session))


COLOR, SIDE = "black|white", "N"
COMMANDS: Mapping[str, Command] = {
    "protocol_version": Command(lambda session, args: "2"),
    "name": Command(_name),
    "version": Command(_version),
    "known_command": Command(_known, 1, 1, "COMMAND"),
    "list_commands": Command(_list),
    "quit": Command(_quit),
    "boardsize": Command(_boardsize, 1, 2, "SIDE"),
    "rectangular_boardsize": Command(_boardsize, 2, 2, "COLUMNS ROWS"),
    "clear_board": Command(_clear),
    "komi": Command(_komi, 1, 1, "POINTS"),
    "get_komi": Command(_get_komi),
    "set_random_seed": Command(_seed, 1, 1, SIDE),
    "play": Command(_play, 2, 2, f"{COLOR} VERTEX"),
    "genmove": Command(_genmove, 1, 1, COLOR),
    "reg_genmove": Command(_reg_genmove, 1, 1, COLOR),
    "undo": Command(_undo),
    "gg-undo": Command(_undo_many, 0, 1, "[PLIES]"),
    "gogui-play_sequence": Command(_sequence, 0, MANY, "COLOR VERTEX ..."),
    "fixed_handicap": Command(_fixed, 1, 1, "STONES"),
    "place_free_handicap": Command(_free, 1, 1, "STONES"),
    "set_free_handicap": Command(_set_free, 2, MANY, "VERTEX VERTEX ..."),
    "loadsgf": Command(_load, 1, MANY, "FILE [MOVE]"),
    "final_score": Command(_score),
    "final_status_list": Command(_status, 1, 1, "|".join(STATUS)),
    "showboard": Command(_show),
    "time_settings": Command(_times, 3, 3, "MAIN BYO-YOMI STONES"),
    "time_left": Command(_time_left, 3, 3, f"{COLOR} SECONDS STONES"),
    "kgs-time_settings": Command(_nothing, 1, MANY, "SYSTEM ..."),
    "kgs-genmove_cleanup": Command(_cleanup, 1, 1, COLOR),
    "kgs-game_over": Command(_nothing),
    "gobench-last": Command(_last),
    "gogui-analyze_commands": Command(_gogui),
    "gobench-policy": Command(opinions.policy, judges=True),
    "lz-analyze": Command(opinions.analyze(analysis.leela), 0, MANY, judges=True),
    "kata-analyze": Command(opinions.analyze(analysis.katago), 0, MANY, judges=True),
    "lz-genmove_analyze": Command(opinions.genmove_analyze(analysis.leela), 0, MANY, judges=True),
    "kata-genmove_analyze": Command(opinions.genmove_analyze(analysis.katago), 0, MANY, judges=True),
    "cgos-genmove_analyze": Command(opinions.genmove_analyze(analysis.cgos), 1, MANY, COLOR, judges=True),
}
"""Name -> the command. Those with a hyphen are extensions of KGS, CGOS, GoGui, Leela Zero, KataGo, and ours."""
