"""What a page is told: the table as plain data."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gobench.types import Record
from gobench_go.arena.model_player import Shown, Try
from gobench_go.arena.play.game import YOU, Game, Ply
from gobench_go.arena.play.table import Table
from gobench_go.arena.result import ENDS
from gobench_go.game import coords
from gobench_go.game.position import BLACK, REASONS, WHITE
from gobench_go.tasks import reading
from gobench_go.teachers import Judgement

COLORS = {BLACK: "Black", WHITE: "White"}
STEPS = 9  # of the heat map
FAINT = 0.01  # share of the policy below which a point stays cold
FEW, PART = 10, 0.02  # a chance of winning is told from so many visits, and from that part of all of them
EARLY = 0.5  # part of the board that is empty, from which a pass is asked about


def state(table: Table) -> Record:
    """Everything that a page shows, for ``Table.look``."""
    game, rules = table.game, table.game.setup.rules
    yours = game.turn == YOU and not game.over
    return {
        "version": table.version,
        "game": game.number,
        "ply": len(game.plies),
        "rows": rules.rows,
        "cols": rules.cols,
        "komi": rules.komi,
        "rules": rules.name,
        "columns": coords.COLUMNS[: rules.cols],
        "stars": [row * rules.cols + col for row, col in coords.stars(rules.rows, rules.cols)],
        "board": game.now.board.reshape(-1).tolist(),
        "to_move": game.now.to_move,
        "last": _last(game),
        "captures": list(game.captures()),
        "seats": list(game.setup.seats),
        "names": [table.name(seat) for seat in game.setup.seats],
        "opponent": bool(table.seats.opponent),
        "legal": list(game.now.legal_moves()) if yours else [],
        "your_turn": yours,
        "if_passed": if_passed(game) if yours else "",
        "thinking": table.thinking,
        "paused": table.paused,
        "over": game.over,
        "result": game.result,
        "end": end(game),
        "error": game.error,
        "moves": [_ply(game, number, ply) for number, ply in enumerate(game.plies)],
        "video": table.video,
        "shown": _shown(game),
        "oracle": oracle(table),
    }


def end(game: Game) -> str:
    """How the game ended, in a sentence; empty while it goes on."""
    if not game.over:
        return ""
    if game.end not in ("passes", "move-limit"):
        why = {"resign": "gave up", "illegal": "showed no legal move"}.get(game.end, ENDS[game.end])
        loser = COLORS[3 - game.winner]
        return f"{COLORS[game.winner]} wins: {loser} {why}{f': {game.message}' if game.message else ''}."
    how = "" if game.end == "passes" else ", as the limit of moves was reached"
    return f"{_by_area(game)}{how}."


def if_passed(game: Game) -> str:
    """What a pass would mean, where it ends the game or comes early; empty where nobody need be asked."""
    other, points = COLORS[3 - game.now.to_move], game.setup.rules.points
    if game.plies and game.plies[-1].move == points:
        return f"{other} has passed: your pass ends the game as it stands. {_by_area(game)}."
    empty = int((game.now.board == 0).sum())
    if empty <= EARLY * points:
        return ""
    return f"{empty} of {points} points are empty. If {other} passes too, the game ends as it stands: {_by_area(game)}."


def _by_area(game: Game) -> str:
    """The result of the board as it stands."""
    if game.score == 0:
        return "A draw by area, every stone alive"
    winner = BLACK if game.score > 0 else WHITE
    return f"{COLORS[winner]} wins by {abs(game.score):g} by area, every stone alive"


def _last(game: Game) -> int:
    points = game.setup.rules.points
    return game.plies[-1].move if game.plies and game.plies[-1].move < points else -1


def _ply(game: Game, number: int, ply: Ply) -> Record:
    """A line of the list of moves."""
    told: Record = {
        "color": ply.color,
        "move": game.name_of(ply.move),
        "who": ply.who,
        "captured": ply.captured,
    }
    if ply.reply is not None and ply.reply.tries > 1:
        told["tries"] = ply.reply.tries
    lost = _lost(game, number)
    return told | ({"lost": lost} if lost is not None else {})


def _lost(game: Game, number: int) -> float | None:
    """The mover's chance of winning before a move minus after it, as the oracle told them of the two positions, and
    never below 0; None where one of them is unknown."""
    before, after = _judged(game, number), _judged(game, number + 1)
    if before is None or after is None or not (_has_chances(before) and _has_chances(after)):
        return None
    return round(max(0.0, before.value - (1 - after.value)), 4)


def _judged(game: Game, ply: int) -> Judgement | None:
    """What the oracle thought of the position after so many plies, if it is still that one."""
    known = game.judged.get(ply)
    return known[1] if known is not None and known[0] is game.positions[ply] else None


def _has_chances(found: Judgement) -> bool:
    """Whether it tells chances of winning: not every teacher has them."""
    return math.isfinite(found.value) and bool(np.isfinite(found.values).any())


def _shown(game: Game) -> Record | None:
    """The model's last frames, as addresses below the page's own."""
    found = game.shown()
    if found is None:
        return None
    ply, shown = found
    at = f"frames/{game.number}/{ply}"
    return {
        "ply": ply,
        "prompt": f"{at}/prompt.png",
        "seen": len(shown.prompt),
        "tries": [_try(game, f"{at}/{n}.png", each) for n, each in enumerate(shown.tries)],
        "legal": _legal(shown),
    }


def _legal(shown: Shown) -> bool:
    return not shown.tries[-1].verdict.why


def _try(game: Game, address: str, each: Try) -> Record:
    verdict = each.verdict
    why = REASONS.get(verdict.why, "") if verdict.move >= 0 else ""
    return {
        "frame": address if each.frame is not None else "",
        "kind": verdict.kind,
        "about": reading.KINDS[verdict.kind],
        "move": game.name_of(verdict.move) if verdict.move >= 0 else "",
        "illegal": why or (verdict.kind if verdict.why else ""),
        "confidence": each.reading.confidence if each.reading else None,
        "unsure": len(each.reading.unsure) if each.reading else 0,
    }


def oracle(table: Table) -> Record | None:
    """What the oracle thinks of the position; None where there is none."""
    if not table.seats.oracle:
        return None
    game = table.game
    told: Record = {
        "name": table.name("oracle"),
        "on": table.oracle_on,
        "error": table.oracle_error,
        "gives": gives(game),
        "heat": [],
        "text": "",
    }
    found = _judged(game, len(game.plies))
    if table.oracle_on and found is not None:
        told |= {"heat": heat(found), "text": opinion(game, found)}
    return told


def gives(game: Game) -> str:
    """What the oracle's judgements hold: ``chances``, ``moves`` alone, or nothing yet."""
    found = [judgement for _, judgement in game.judged.values()]
    return "" if not found else "chances" if any(map(_has_chances, found)) else "moves"


def heat(found: Judgement) -> list[Record | None]:
    """For each point how warm it is, 1 to 9 by its share of the search, and the mover's chance of winning there, told
    where the search has looked often enough to know."""
    share = _share(found)[:-1]
    most = max(float(share.max(initial=0.0)), 1e-9)
    known = (found.visits >= max(FEW, PART * float(found.visits.sum()))) & np.isfinite(found.values)
    texts = [
        f"{100 * value:.0f}" if is_known else "" for value, is_known in zip(found.values, known, strict=True)
    ]
    return [_point(float(s), most, text) for s, text in zip(share, texts[:-1], strict=True)]


def _point(share: float, most: float, text: str) -> Record | None:
    if share < FAINT:
        return None
    return {"strength": max(1, math.ceil(STEPS * math.sqrt(share / most))), "text": text}


def _share(found: Judgement) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    total = float(found.visits.sum())
    return found.visits / total if total else found.policy.astype(np.float64)


def opinion(game: Game, found: Judgement) -> str:
    """The position in a sentence."""
    parts: Sequence[str] = (f"best {game.name_of(int(found.best))}",)
    color = COLORS[game.now.to_move]
    if _has_chances(found):
        parts = (*parts, f"{color} wins {100 * found.value:.0f}%")
    if math.isfinite(found.lead):
        parts = (*parts, f"{color} {'leads' if found.lead >= 0 else 'is behind'} by {abs(found.lead):.1f}")
    return ", ".join(parts)
