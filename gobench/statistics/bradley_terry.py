"""The fit behind ratings: Newton's method on a concave likelihood, for many resamples at once.

Results are cells: all games in which one player was first and another second, with their number and the points of the
first. The chance of the first is logistic in (its strength - the other's + the advantage of being first).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STEPS, HALVINGS = 500, 40
FAR = 2.0  # natural units that one step goes at most: farther out the likelihood is nothing like a parabola
ENOUGH = 1e-10  # the largest change of a strength, in natural units, at which a fit has converged
ROOM = 4_000_000  # floats that one chunk of resamples may take


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """What is fitted: K cells, F free numbers (strengths of players that are not fixed; last the advantage, if any)."""

    matrix: Floats  # [K, F]: +1 where a number helps the first player, -1 where it helps the second
    offset: Floats  # [K]: what fixed strengths add
    start: Floats  # [F]: strengths begin amid the fixed ones

    @classmethod
    def of(cls, first: Ints, second: Ints, fixed: Floats, advantage: bool) -> Design:
        """``fixed`` [P]: strengths that stay, NaN for those to be found."""
        free = np.isnan(fixed)
        full = np.zeros((len(first), len(fixed) + 1))
        rows = np.arange(len(first))
        full[rows, first] += 1.0
        full[rows, second] -= 1.0
        full[:, -1] = 1.0
        offset = full[:, :-1] @ np.where(free, 0.0, fixed)
        middle = 0.0 if free.all() else float(np.nanmean(fixed))
        start = np.append(np.full(len(fixed), middle), 0.0)
        chosen = np.append(free, advantage)
        return cls(full[:, chosen], offset, start[chosen])

    def determined(self, played: npt.NDArray[np.bool_]) -> bool:
        """Whether the cells that were played, bool [K], tell all free numbers apart."""
        rank = int(np.linalg.matrix_rank(self.matrix[played]))
        return rank == int(self.matrix.shape[1])

    def fit(self, counts: Floats, points: Floats) -> Floats:
        """The numbers under which results were likeliest: counts, points [D, K] -> [D, F]."""
        free = self.matrix.shape[1]
        size = max(1, ROOM // max(1, self.matrix.size + free * free))
        parts = [slice(at, at + size) for at in range(0, len(counts), size)]
        found = [self._fit(counts[part], points[part]) for part in parts]
        return np.concatenate(found) if found else np.zeros((0, free))

    def _fit(self, counts: Floats, points: Floats) -> Floats:
        found = np.tile(self.start, (len(counts), 1))
        if not self.matrix.shape[1]:
            return found
        best = self._likelihood(found, counts, points)
        for _ in range(STEPS):
            step = self._step(found, counts, points)
            for _ in range(HALVINGS):
                now = self._likelihood(found + step, counts, points)
                worse = now < best - 1e-9 * (1 + np.abs(best))
                if not worse.any():
                    break
                step[worse] /= 2
            found, best = found + step, now
            if np.abs(step).max() < ENOUGH:
                return found
        raise ArithmeticError("the ratings do not converge")  # a concave function always does

    def _leads(self, found: Floats) -> Floats:
        leads: Floats = found @ self.matrix.T + self.offset
        return leads

    def _likelihood(self, found: Floats, counts: Floats, points: Floats) -> Floats:
        """The logarithm of it: [D, F] -> [D]."""
        leads = self._leads(found)
        total: Floats = (points * leads - counts * np.logaddexp(0.0, leads)).sum(axis=1)
        return total

    def _step(self, found: Floats, counts: Floats, points: Floats) -> Floats:
        """Newton's step, cut short, [D, F]."""
        chance = expected(self._leads(found))
        slope = (points - counts * chance) @ self.matrix
        bend = (counts * chance * (1 - chance))[:, :, None] * self.matrix
        whole = np.linalg.solve(self.matrix.T @ bend, slope[:, :, None])[:, :, 0]
        step: Floats = whole * (FAR / np.maximum(np.abs(whole).max(axis=1, keepdims=True), FAR))
        return step


def expected(leads: Floats) -> Floats:
    """The logistic function, without overflow."""
    low: Floats = np.exp(-np.abs(leads))
    return np.where(leads >= 0, 1.0, low) / (1.0 + low)
