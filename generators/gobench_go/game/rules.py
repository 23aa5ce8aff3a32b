"""What is allowed on which board, as data.

What all rule sets here share
-----------------------------
- The score is by area: stones on the board (all of them count as alive) and the empty regions that touch one
  colour only. ``score = black - white - komi``.
- Two passes in a row end the game. A pass is always legal before that, and never a repetition.
- ``ko`` says which board a play may not leave behind:

  ===============  ===================================================================================
  ``simple``       the board before the last ply (so no taking back at once in a ko)
  ``positional``   any earlier board of the game, the first one included
  ``situational``  any earlier board with the same player to move
  ===============  ===================================================================================

  After a ply of colour ``c`` the other colour is to move, also in games whose colours do not alternate.
- ``suicide`` says whether a play that takes nothing may leave its own chain without liberties, which is then
  removed. A lone stone never may, whatever the ko rule: the play would leave the board as it was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from gobench.errors import UsageError, unknown
from gobench_go.game import coords

KO = ("simple", "positional", "situational")


@dataclass(frozen=True, slots=True)
class Rules:
    """One rule set on one board. Raises UsageError for a value that is out of range.

    ``komi`` is a multiple of 0.5 that White gets; whole numbers make draws possible.
    """

    rows: int = 9
    cols: int = 9
    ko: str = "positional"
    suicide: bool = False
    komi: float = 7.0
    name: str = "custom"
    note: str = ""

    def __post_init__(self) -> None:
        coords.checked_size(self.rows, self.cols)
        if self.ko not in KO:
            raise unknown("ko rule", str(self.ko), KO)
        object.__setattr__(self, "komi", checked_komi(self.komi))

    @property
    def points(self) -> int:
        """R*C, which is also the move that is a pass."""
        return self.rows * self.cols


def checked_komi(komi: float) -> float:
    """``komi`` as a float, or UsageError when it is not a finite multiple of 0.5."""
    if not (math.isfinite(komi) and float(komi * 2).is_integer() and abs(komi) <= 1000):
        raise UsageError(f"komi {komi} is not possible; it must be a multiple of 0.5, such as 7 or 7.5.")
    return float(komi) + 0.0  # no -0.0: it would print and hash differently


_AREA_NOTE = (
    "for reading records only: scored by area here, which can differ by a point or more from the territory "
    "count that the players used"
)

RULES: Mapping[str, Rules] = MappingProxyType(
    {
        rules.name: rules
        for rules in (
            Rules(9, 9, "positional", False, 7.0, "benchmark", "what every judged game is played by"),
            Rules(
                19,
                19,
                "simple",
                False,
                7.5,
                "chinese",
                "ko as it is refereed in most games",
            ),
            Rules(19, 19, "positional", True, 7.5, "tromp-taylor", "the shortest complete rules"),
            Rules(19, 19, "situational", False, 7.5, "aga-like", "without pass stones"),
            Rules(19, 19, "simple", False, 6.5, "japanese", _AREA_NOTE),
        )
    }
)

# Komi with which perfect play is a draw by area, where that is known or the books agree; 9x9 and up is the
# benchmark's 7. On 3x3 and 5x5 Black can take the whole board.
FAIR_KOMI: Mapping[tuple[int, int], float] = MappingProxyType(
    {(2, 2): 1.0, (3, 3): 9.0, (4, 4): 2.0, (5, 5): 25.0, (6, 6): 4.0, (7, 7): 9.0, (8, 8): 10.0}
)


def default_komi(rows: int, cols: int) -> float:
    """The komi of a recipe that gives none: ``FAIR_KOMI``, else 7, else 0 on boards below 49 points."""
    return FAIR_KOMI.get((rows, cols), 7.0 if rows * cols >= 49 else 0.0)


def named(name: str, rows: int | None = None, cols: int | None = None, komi: float | None = None) -> Rules:
    """A rule set of the table, on another board or with another komi.

    Without a size it is the row's own; one side alone makes a square. Without a komi it is the row's own
    on the row's board and ``default_komi`` on another. Raises UsageError for an unknown name or bad value.
    """
    if name not in RULES:
        raise unknown("rule set", name, RULES)
    row = RULES[name]
    rows = rows if rows is not None else cols if cols is not None else row.rows
    cols = cols if cols is not None else rows
    if komi is None:
        komi = row.komi if (rows, cols) == (row.rows, row.cols) else default_komi(rows, cols)
    return replace(row, rows=rows, cols=cols, komi=komi)
