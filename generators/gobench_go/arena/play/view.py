"""What a page is told: the table as plain data."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gobench.types import Record
from gobench_go.arena.model_player import Shown, Try
from gobench_go.arena.play.game import YOU, Game, Ply
from gobench_go.arena.play.table import Table
from gobench_go.arena.result import DRAW, ENDS
from gobench_go.game import coords
from gobench_go.game.position import BLACK, REASONS, WHITE
from gobench_go.tasks import reading
from gobench_go.teachers import Judgement

COLORS = {BLACK: "Black", WHITE: "White"}
STEPS = 9  # of the heat map
FAINT = 0.01  # share of the policy below which a point stays cold


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
        "board": game.now.board.reshape(-1).tolist(),
        "to_move": game.now.to_move,
        "last": _last(game),
        "captures": list(game.captures()),
        "seats": list(game.setup.seats),
        "names": [table.name(seat) for seat in game.setup.seats],
        "opponent": bool(table.seats.opponent),
        "legal": list(game.now.legal_moves()) if yours else [],
        "your_turn": yours,
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
    if game.winner == DRAW:
        return f"A draw by area{how}."
    return f"{COLORS[game.winner]} wins by {abs(game.score):g} by area, every stone alive{how}."


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
    lost = _lost(game, number, ply.move)
    return told | ({"lost": lost} if lost is not None else {})


def _lost(game: Game, number: int, move: int) -> float | None:
    """What a move gave away of the chance of winning, by the oracle's judgement; None where that is unknown."""
    known = game.judged.get(number)
    if known is None or known[0] is not game.positions[number]:
        return None
    found = known[1]
    best, made = float(found.values[found.best]), float(found.values[move])
    return round(max(0.0, best - made), 4) if math.isfinite(best - made) else None


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
    game, ply = table.game, len(table.game.plies)
    told: Record = {
        "name": table.name("oracle"),
        "on": table.oracle_on,
        "error": table.oracle_error,
        "heat": [],
        "text": "",
    }
    known = game.judged.get(ply)
    if table.oracle_on and known is not None and known[0] is game.now:
        told |= {"heat": heat(known[1]), "text": opinion(game, known[1])}
    return told


def heat(found: Judgement) -> list[Record | None]:
    """For each point how warm it is, 1 to 9 by its share of the search, and the mover's chance of winning there."""
    share = _share(found)
    most = max(float(share[:-1].max(initial=0.0)), 1e-9)
    return [_point(float(s), most, float(v)) for s, v in zip(share[:-1], found.values[:-1], strict=True)]


def _point(share: float, most: float, value: float) -> Record | None:
    if share < FAINT:
        return None
    strength = max(1, math.ceil(STEPS * math.sqrt(share / most)))
    return {"strength": strength, "text": f"{100 * value:.0f}" if math.isfinite(value) else ""}


def _share(found: Judgement) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    total = float(found.visits.sum())
    return found.visits / total if total else found.policy.astype(np.float64)


def opinion(game: Game, found: Judgement) -> str:
    """The position in a sentence."""
    parts: Sequence[str] = (f"best {game.name_of(int(found.best))}",)
    color = COLORS[game.now.to_move]
    if math.isfinite(found.value):
        parts = (*parts, f"{color} wins {100 * found.value:.0f}%")
    if math.isfinite(found.lead):
        parts = (*parts, f"{color} {'leads' if found.lead >= 0 else 'is behind'} by {abs(found.lead):.1f}")
    return ", ".join(parts)
