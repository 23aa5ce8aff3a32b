"""What a teacher thinks of a position, in the words of the programs that show it; what it does not know is left out."""

from __future__ import annotations

import json
import math
from typing import NamedTuple

from gobench.types import Record
from gobench_go.game import coords
from gobench_go.game.position import Position
from gobench_go.teachers import Judgement


class Candidate(NamedTuple):
    """A move and what the teacher thinks of it; chances and points are the mover's."""

    vertex: str
    visits: int
    winrate: float
    prior: float
    lead: float  # NaN where unknown


def candidates(position: Position, found: Judgement) -> list[Candidate]:
    """The moves that a teacher has an opinion of, its choice first and then the most visited."""
    rules = position.rules
    moves = [move for move in position.legal_moves() if math.isfinite(found.values[move])]
    moves.sort(key=lambda m: (m != found.best, -int(found.visits[m]), -float(found.policy[m]), m))
    return [
        Candidate(
            coords.gtp(move, rules.rows, rules.cols), int(found.visits[move]), float(found.values[move]),
            float(found.policy[move]), float(found.leads[move]),
        )
        for move in moves if found.visits[move] > 0 or move == found.best
    ]  # fmt: skip


def leela(found: list[Candidate], judgement: Judgement) -> str:
    """One line as after lz-analyze: chances in hundredths of a percent."""
    return " ".join(
        f"info move {c.vertex} visits {c.visits} winrate {_basis(c.winrate)} prior {_basis(c.prior)} "
        f"order {n} pv {c.vertex}"
        for n, c in enumerate(found)
    )


def katago(found: list[Candidate], judgement: Judgement) -> str:
    """One line as after kata-analyze: chances from 0 to 1, leads in points."""
    return " ".join(
        f"info move {c.vertex} visits {c.visits} winrate {c.winrate:.6f}{_lead(c.lead)} prior {c.prior:.6f} "
        f"order {n} pv {c.vertex}"
        for n, c in enumerate(found)
    )


def cgos(found: list[Candidate], judgement: Judgement) -> str:
    """One line of JSON as after cgos-genmove_analyze."""
    root: Record = {"visits": int(judgement.visits.sum()), "moves": [_cgos(c) for c in found]}
    if math.isfinite(judgement.value):
        root["winrate"] = round(float(judgement.value), 4)
    if math.isfinite(judgement.lead):
        root["score"] = round(float(judgement.lead), 2)
    return json.dumps(root, separators=(",", ":"), sort_keys=True)


def policy(position: Position, found: Judgement) -> str:
    """The policy of every point, row by row from the top."""
    rows, cols = position.rules.rows, position.rules.cols
    board = found.policy[:-1].reshape(rows, cols)
    return "\n".join(" ".join(f"{value:.3f}" for value in row) for row in board.tolist())


def _cgos(c: Candidate) -> Record:
    told: Record = {
        "move": c.vertex,
        "visits": c.visits,
        "winrate": round(c.winrate, 4),
        "prior": round(c.prior, 4),
    }
    return told | ({"score": round(c.lead, 2)} if math.isfinite(c.lead) else {})


def _basis(chance: float) -> int:
    return round(10_000 * chance)


def _lead(lead: float) -> str:
    return f" scoreMean {lead:.2f} scoreLead {lead:.2f}" if math.isfinite(lead) else ""
