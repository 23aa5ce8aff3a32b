"""The rows of ablations as tables: the paper's 4 and 5, its three systems, and our own forms beside the paper's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gobench.errors import UsageError, unknown
from gobench.types import Record
from gobench_videoworld.analysis import paper
from gobench_videoworld.config import at_least, one_of
from gobench_videoworld.options import TrainOptions

FEWEST = 16  # 1/16 of the episodes is the least amount of the axis "data"
LETTERS = 12  # of a dataset's content hash in names of folders


@dataclass(frozen=True, slots=True)
class Variant:
    """One row: what is changed of the training that all rows share."""

    name: str
    about: str
    changes: Mapping[str, Any] = field(default_factory=dict)  # fields of ``TrainOptions``
    paper: str = ""  # its row in ``paper.AXES``
    data: int = 0  # which of the datasets


def _codebook(levels: Sequence[int], size: int) -> Variant:
    listed = ",".join(map(str, levels))
    changes = {"latent": "generic", "settings": (f"latent.levels={listed}",)}
    theirs = str(size) if str(size) in paper.AXES["codebook"] else ""
    return Variant(str(size), f"generic codes, FSQ levels {listed}", changes, theirs)


AXES: Mapping[str, Sequence[Variant]] = {
    "horizon": (
        Variant("none", "no codes: the next frame alone", {"input": "video"}, "none"),
        Variant("1", "a code of the next move", {"horizon": (1,)}, "1"),
        Variant("3", "and of the next own one", {"horizon": (1, 3)}, "3"),
        Variant("5", "and of the one after that", {"horizon": (1, 3, 5)}, "5"),
        Variant("7", "beyond the paper's", {"horizon": (1, 3, 5, 7)}),
    ),
    "codebook": (
        Variant("located", "our default on boards: a place and a small code of its content"),
        _codebook((4, 4, 4), 64),
        _codebook((8, 8, 8), 512),
        _codebook((9, 9, 9), 729),
        _codebook((5, 5, 5, 5, 5, 5), 15_625),
        _codebook((8, 8, 8, 5, 5, 5), 64_000),
        _codebook((8, 8, 8, 8, 8, 8), 262_144),
    ),
    "target": (
        Variant("video", "the next frame alone", {"target": "video"}, "video"),
        Variant("codes", "codes alone; the latent decoder draws them", {"target": "codes"}, "codes"),
        Variant("codes+video", "codes, then the next frame", {"target": "codes+video"}, "codes+video"),
    ),
    "input": (
        Variant("state", "positions and labelled moves", {"input": "state"}, "state"),
        Variant("video", "frames alone", {"input": "video"}, "video"),
        Variant("video+ldm", "frames and latent codes", {"input": "video+ldm"}, "video+ldm"),
    ),
    "form": (
        Variant("default", "our default: located codes, pointers, imagined frames"),
        Variant("generic", "codes without places", {"latent": "generic"}),
        Variant("paper-faithful", "the paper's transformer: codes as tokens, one softmax, causal",
                {"paper_faithful": True}),
    ),
    "data": (),  # see ``variants``
}  # fmt: skip
"""Axis -> its rows."""


def variants(axis: str, data: Sequence[Path], episodes: int, only: Sequence[str] = ()) -> list[Variant]:
    """The rows of an axis.

    Args:
        data: datasets. The axis "data" has a row for each; of a single one, rows for 1/16, 1/4 and all of its episodes.
        episodes: of the first dataset's training split.
        only: names of rows that are wanted; all if empty.

    Raises:
        UsageError: an unknown axis or row, or several datasets on another axis.
    """
    one_of("axis", axis, AXES)
    if axis != "data" and len(data) > 1:
        raise UsageError(f"{len(data)} datasets: several are compared on --axis data alone; give one --data.")
    found = list(AXES[axis]) if axis != "data" else _amounts(episodes) if len(data) == 1 else _datasets(data)
    known = [variant.name for variant in found]
    for name in only:
        if name not in known:
            raise unknown(f"row of the axis {axis}", name, known)
    return [variant for variant in found if not only or variant.name in only]


def _datasets(data: Sequence[Path]) -> list[Variant]:
    names = [place.resolve().name for place in data]
    if len(set(names)) < len(names):
        raise UsageError(f"datasets need names of their own to be told apart, not {', '.join(names)}.")
    return [Variant(name, f"the dataset {name}", data=place) for place, name in enumerate(names)]


def _amounts(episodes: int) -> list[Variant]:
    shares = sorted({max(1, episodes // part) for part in (FEWEST, 4, 1)})
    return [
        Variant(f"{many} episodes", f"the first {many} of {episodes}", {"episodes": many}) for many in shares
    ]


@dataclass(frozen=True, slots=True)
class Plan:
    """An ablation: which rows, how each is trained, how each is asked."""

    axis: str
    rows: Sequence[Variant]
    data: Sequence[Path]
    facts: Sequence[Record]  # of each dataset, as ``loading.data_facts`` tells them
    base: TrainOptions  # its data, out, work and seed are set for each row
    out: Path
    seeds: int
    suite: str
    task: str
    limit: int | None

    def __post_init__(self) -> None:
        at_least("seeds", self.seeds, 1)
        if self.limit is not None:
            at_least("limit", self.limit, 1)

    def folder(self, variant: Variant, seed: int) -> Path:
        """Where a row's model and its result lie; a row that is a dataset is known by its content, not by its name."""
        own = f"-{self._content(variant)}" if len(self.data) > 1 else ""
        return self.out / self.axis / f"{slug(variant.name)}{own}" / f"seed-{seed}"

    def home(self, variant: Variant, seed: int) -> Path:
        """Where the tokenizer and the tokens that rows share lie."""
        kind = "states" if self.options(variant, seed).input == "state" else "tokens"
        return self.out / "shared" / f"{self._content(variant)}-{kind}-seed-{seed}"

    def _content(self, variant: Variant) -> str:
        return str(self.facts[variant.data]["content"])[:LETTERS]

    def options(self, variant: Variant, seed: int) -> TrainOptions:
        """What the training of a row is asked for."""
        folder = self.folder(variant, seed)
        own = dict(variant.changes)
        settings = (*self.base.settings, *own.pop("settings", ()))
        return replace(self.base, data=self.data[variant.data], out=folder / "model.pt", work=folder / "train", seed=seed,
                       settings=settings, **own)  # fmt: skip

    def shared(self, variant: Variant, seed: int) -> TrainOptions:
        """What the training of what rows share is asked for: the same, whichever row comes first."""
        home = self.home(variant, seed)
        asked = replace(self.base, data=self.data[variant.data], out=home / "model.pt", work=home, seed=seed)
        return replace(asked, input="state") if self.options(variant, seed).input == "state" else asked

    def decisive(self) -> dict[str, Any]:
        """What must be equal for finished rows to be kept: rows and seeds may be added.

        A dataset counts by its content: the same name may stand for another one tomorrow. Where rows are datasets, others
        may be added.
        """
        table = self.base.decisive()
        own = "of each row" if len(self.data) > 1 else self.facts[0]["content"]
        return {**{key: value for key, value in table.items() if key not in ("seed", "stage")}, "content": own,
                "suite": self.suite, "task": self.task, "limit": self.limit}  # fmt: skip


def slug(name: str) -> str:
    """A row's name as a folder's."""
    return "".join(letter if letter.isalnum() or letter in "+-." else "-" for letter in name)


def paper_row(axis: str, variant: Variant) -> paper.Row | None:
    """The paper's numbers for a row."""
    return paper.AXES.get(axis, {}).get(variant.paper)
