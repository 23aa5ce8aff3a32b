"""The metrics of a next move: what each is, and how it follows from moves and judgements.

Everything is seen from the side to move. V is the judge's chance that it wins after a move, the lead its points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gobench.tasks import Metric
from gobench_go.judged import JudgedSet
from gobench_go.tasks.samples import Sample

TIE = 0.01  # V this near to V(best) is a tie
LEAST_VALUE = 0.05  # V(best) from which value_ratio is defined

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_ZERO = "an illegal or unreadable answer counts 0"
_WORST = "an illegal or unreadable answer counts as the worst legal move, the pass included"
_PAPER = "VideoWorld (arXiv 2501.09781)"


def metrics(tries: int, scored: str) -> Mapping[str, Metric]:
    """The table of metrics; ``scored`` says which try counts: "first", or "first-legal" (without one: the first)."""
    which = {"first": "of the first try", "first-legal": "of the first legal try"}[scored]
    return {
        "legal_first_try": Metric(
            "proportion of samples whose first answer shows a legal move", source=f"{_PAPER}, legal rate"
        ),
        "legal_within_k": Metric(
            f"proportion of samples with a legal move among at most {tries} tries",
            source=f"{_PAPER}, code: an illegal move is sampled again, up to 10 tries",
        ),
        "accuracy": Metric(
            f"the move {which} is the judge's best move; {_ZERO}", source=f"{_PAPER}, action accuracy"
        ),
        "accuracy_with_ties": Metric(f"V(move) >= V(best) - {TIE}, {which}; {_ZERO}"),
        "policy_ratio": Metric(
            f"policy(move) / the largest policy of a legal move (the pass included), {which}; {_ZERO}",
            source=f"{_PAPER}, code: what it calls Action-Value",
        ),
        "value_ratio": Metric(
            f"V(move) / V(best), {which}, over positions with V(best) >= {LEAST_VALUE}; can exceed 1, for the best move is "
            f"the search's first choice and not the largest V; {_ZERO}",
            unit="ratio",
            source=f"{_PAPER}, text: Action-Value",
            conditional=True,
        ),
        "winrate_loss": Metric(f"max(0, V(best) - V(move)), {which}; {_WORST}", better="lower"),
        "score_loss": Metric(
            f"max(0, lead(best) - lead(move)) in points, {which}; {_WORST}", better="lower", unit="points"
        ),
        "exact_frame": Metric(
            f"the answer {which} shows a legal move and is read, every point surely, as the board that the rules leave "
            f"after it; {_ZERO}"
        ),
        "exact_capture": Metric(
            f"exact_frame over the answers {which} whose legal move captures: are the captured stones gone and all others "
            "there"
        ),
    }


@dataclass(frozen=True, slots=True, eq=False)
class Judgements:
    """The judgements of many positions as arrays: N positions, P points, the pass is move P."""

    policy: Floats  # [N, P+1]
    legal: Bools  # [N, P+1]
    value: Floats  # [N, P+1]
    lead: Floats  # [N, P+1]
    best: Ints  # [N]

    def of(self, rows: Ints) -> Judgements:
        """Those of some positions."""
        return Judgements(
            self.policy[rows], self.legal[rows], self.value[rows], self.lead[rows], self.best[rows]
        )


def judgements(judged: JudgedSet, samples: Sequence[Sample]) -> Judgements:
    """The judgements of samples, in their order."""
    found = [judged.games[s.game].positions[s.ply] for s in samples]
    shape = (len(found), judged.rules.points + 1)
    policy, legal, value, lead = (
        np.array([getattr(p, key) for p in found]).reshape(shape)
        for key in ("policy", "legal", "value", "lead")
    )
    return Judgements(
        policy, legal.astype(np.bool_), value, lead, np.array([p.best for p in found], np.int64)
    )


def judged_columns(j: Judgements, move: Ints) -> dict[str, Floats]:
    """What moves are worth: int64 [N], -1 where there was no legal one. Columns float64 [N], NaN where not defined."""
    legal = move >= 0
    v, v_best = _at(j.value, move), _at(j.value, j.best)
    policy, most = _at(j.policy, move), j.policy.max(axis=1)
    ratio = np.where(legal, v / np.maximum(v_best, LEAST_VALUE), 0.0)
    return {
        "accuracy": (legal & (move == j.best)).astype(np.float64),
        "accuracy_with_ties": (legal & ties(v, v_best)).astype(np.float64),
        "policy_ratio": np.where(legal, policy / most, 0.0),
        "value_ratio": np.where(v_best >= LEAST_VALUE, ratio, np.nan),
        "winrate_loss": _loss(j.value, j, move),
        "score_loss": _loss(j.lead, j, move),
    }


def ties(value: Floats, best: Floats) -> Bools:
    """Whether values are as good as the best; a difference of exactly ``TIE`` is a tie, whatever its rounding."""
    found: Bools = value >= best - TIE - 1e-9
    return found


def _at(table: Floats, move: Ints) -> Floats:
    picked: Floats = table[np.arange(len(move)), np.maximum(move, 0)]
    return picked


def _loss(worth: Floats, j: Judgements, move: Ints) -> Floats:
    """What moves lose against the best one, 0 or more; without a legal one what the worst legal move loses, the pass included."""
    worst = np.where(j.legal, worth, np.inf).min(axis=1)
    given = np.where(move >= 0, _at(worth, move), worst)
    loss: Floats = np.maximum(0.0, _at(worth, j.best) - given)
    return loss
