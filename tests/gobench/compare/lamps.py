"""A benchmark with a known answer for tests of comparisons: which of four lamps lights up next?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gobench.tasks import Ask, Exhibit, Metric, Suite, Table, View
from gobench.types import Array, Record

SIDE, GAMES, TURNS = 16, 40, 6


def picture(lamp: int) -> Array:
    """Four lamps in a row, one lit (none for -1), uint8 [16, 16, 3]."""
    frame = np.full((SIDE, SIDE, 3), 40, np.uint8)
    if lamp >= 0:
        frame[4:12, 4 * lamp : 4 * lamp + 4] = (250, 200, 60)
    return frame


def lit(frame: Array) -> int:
    """Which lamp is lit, -1 for none or several."""
    found = [i for i in range(4) if np.array_equal(frame, picture(i))]
    return found[0] if found else -1


def luck(*what: object) -> float:
    """0 to 1, decided by its arguments."""
    digest = hashlib.sha256(repr(what).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def truth_of(sample: str) -> int:
    return int(luck("truth", sample) * 4)


@dataclass
class Turn:
    """One question."""

    sample: str
    answer: Array | None = None

    def ask(self) -> Ask | None:
        if self.answer is not None:
            return None
        prompt = picture((truth_of(self.sample) + 1) % 4)[None]
        return Ask(prompt, 1, {"id": self.sample, "task": "lamps/next", "ask": 0})

    def tell(self, frames: Array) -> None:
        self.answer = frames[0].copy()

    def evidence(self) -> Record:
        assert self.answer is not None
        return {"lit": lit(self.answer)}

    def kept(self, everything: bool) -> Mapping[str, Array]:
        assert self.answer is not None
        return {"answer": self.answer}


@dataclass
class Next:
    """The task."""

    strict: bool
    name: str = "lamps/next"
    version: str = "1"
    headline: str = "hit"
    chained: bool = False
    public: Mapping[str, Any] = field(default_factory=dict)
    oracle: Mapping[str, Any] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(
        default_factory=lambda: {"clean": "one lamp is lit", "dark": "none <or several>", "never": "unused"}
    )
    metrics: Mapping[str, Metric] = field(
        default_factory=lambda: {
            "hit": Metric("the right lamp"),
            "off": Metric("lamps beside the right one; 4 for none", better="lower", unit="points"),
            "bright": Metric("any lamp, in the first half", conditional=True),
            "nowhere": Metric("defined on no sample", conditional=True),
        }
    )

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"strict": self.strict}

    @property
    def ids(self) -> Sequence[str]:
        return [f"g{g:02d}-t{t}" for g in range(GAMES) for t in range(TURNS)]

    def trial(self, sample: str, view: View) -> Turn:
        return Turn(sample)

    def table(self, rows: Sequence[Record], novel: Mapping[str, bool] | None = None) -> Table:
        read = {row["id"]: row["lit"] for row in rows}
        ids = [i for i in self.ids if i in read]
        seen, right = np.array([read[i] for i in ids]), np.array([truth_of(i) for i in ids])
        turn = np.array([int(i[-1]) for i in ids])
        slices = {"half: first": turn < 3, "half: second": turn >= 3, "empty": turn > 99}
        if novel is not None:
            slices["novel"] = np.array([novel.get(i) is True for i in ids])
        return Table(
            ids,
            np.array([int(i[1:3]) for i in ids]),
            {
                "hit": (seen == right).astype(float),
                "off": np.where(seen < 0, 4.0, np.abs(seen - right)),
                "bright": np.where(turn < 3, (seen >= 0).astype(float), np.nan),
                "nowhere": np.full(len(ids), np.nan),
            },
            ["dark" if x < 0 else "clean" for x in seen],
            seen >= 0,
            slices,
        )

    def positions(self) -> Any:
        return np.zeros(0, np.uint64)

    def truth(self, sample: str, view: View) -> Array:
        return picture(truth_of(sample))[None]

    def wording(self, sample: str) -> Mapping[str, str]:
        return {}

    def exhibit(self, sample: str, row: Record | None, frames: Mapping[str, Array]) -> Exhibit:
        assert row is not None
        shown = [("prompt", picture((truth_of(sample) + 1) % 4)), ("truth", picture(truth_of(sample)))]
        shown += [(name, frame) for name, frame in frames.items()]
        return Exhibit(f"<{sample}>", shown, {"turn": sample[-1], "read": str(row["lit"])})


class Lamps:
    """The domain, as an entry point finds it."""

    name = "lamps"
    version = "1"

    def suites(self) -> Mapping[str, str]:
        return {"lamps": "one task of lamps"}

    def protocols(self) -> Mapping[str, str]:
        return {"standard": "as usual", "strict": "with another hash"}

    def suite(self, name: str, protocol: str = "standard") -> Suite:
        return Suite(name, "", [Next(protocol == "strict")])

    def versions(self) -> Mapping[str, str]:
        return {"lamps": "1"}


class Worse:
    """Right half of the time."""

    domain = "lamps"
    frame_size = (SIDE, SIDE)
    context_keys = ("id",)

    def generate(self, frames: Array, n: int, seeds: Any, context: Any = None) -> Array:
        return np.stack([picture(self.choose(c["id"]))[None] for c in context])

    def choose(self, sample: str) -> int:
        right = truth_of(sample)
        if luck("skill", sample) < 0.5:
            return right
        return (right + 1) % 4 if luck("draw", sample) < 0.8 else -1


class Better(Worse):
    """The same, but mostly right in the second half of a game, and now and then it lights none."""

    def choose(self, sample: str) -> int:
        if int(sample[-1]) >= 3 and luck("lesson", sample) < 0.7:
            return truth_of(sample)
        return -1 if luck("slip", sample) < 0.15 else super().choose(sample)
