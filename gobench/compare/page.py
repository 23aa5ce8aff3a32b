"""The page of a comparison: one HTML file with everything in it, that needs no network and no script.

Names and facts come from files that anybody may have made: the template escapes all of them, and the page's own policy
lets a browser load nothing but the pictures inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gobench import atomic, pages
from gobench.compare import words
from gobench.compare.differences import Difference, Flip, SliceDifference
from gobench.compare.pairing import Comparison, TaskComparison
from gobench.compare.sides import Read, Side
from gobench.tasks import Exhibit

MOST = 12  # flipped samples of each kind and task that are drawn


class Picture(NamedTuple):
    """A drawn frame."""

    caption: str
    data: str  # base64 of a PNG
    width: int
    height: int


class Drawn(NamedTuple):
    """A flipped sample: what both sides share, and what each has of its own."""

    title: str
    a: str  # the metric's value in A
    b: str
    shared: Sequence[Picture]
    own: Sequence[tuple[str, Sequence[Picture]]]  # letter, pictures
    facts: Sequence[tuple[str, str]]  # facts that are equal
    unlike: Sequence[tuple[str, str, str]]  # fact, in A, in B


class Line(NamedTuple):
    """A difference as a row of a table, with its interval on an axis on which better is to the right."""

    name: str
    about: str
    difference: Difference | None
    cells: Mapping[str, str]
    dot: str  # places along the axis, in percent
    low: str
    high: str
    verdict: str
    holds: bool


def write_page(comparison: Comparison, path: Path, most: int = MOST) -> Path:
    """Write the page, whole or not at all. Raises BuildError if the place cannot be written."""
    atomic.write(Path(path), page(comparison, most).encode())
    return Path(path)


def page(comparison: Comparison, most: int = MOST) -> str:
    """The page as HTML, with at most ``most`` samples drawn of each kind of flip and task."""
    return pages.render(
        "gobench.compare",
        title=f"{comparison.b.name} against {comparison.a.name}",
        facts=words.facts(comparison),
        sides=[(side.letter, side.name, str(side.folder)) for side in (comparison.a, comparison.b)],
        notes=comparison.notes,
        level=f"{100 * comparison.level:g}%",
        rule=words.rule(comparison.level),
        tasks=[_task(comparison, task, most) for task in comparison.tasks],
    )


def _task(comparison: Comparison, task: TaskComparison, most: int) -> Mapping[str, Any]:
    """What the template needs of one task."""
    told = {s.name for s in task.moved}
    slices = [*task.moved, *(s for s in task.slices if s.name not in told)]
    return {
        "name": task.name,
        "summary": words.summary(task),
        "metric": task.metric,
        "lines": _metric_lines(task),
        "slices": _slice_lines(slices),
        "moved": len(task.moved),
        "holding": sum(s.holds for s in task.moved),
        "intervals": sum(s.difference.change.interval is not None for s in task.slices),
        "kinds": [(kind, task.a.task.kinds.get(kind, ""), *counts) for kind, counts in task.kinds.items()],
        "flips": [
            (heading, len(rows), _drawn(comparison, task, rows[:most]))
            for heading, rows in (
                (f"{task.metric}: B is better", task.flips.gained),
                (f"{task.metric}: A is better", task.flips.lost),
            )
        ],
    }


def _metric_lines(task: TaskComparison) -> list[Line]:
    """Proportions share one axis; anything else has its own."""
    shared = max((_reach(d) for d in task.metrics.values() if d and d.unit == "proportion"), default=1.0)
    return [
        _line(
            name,
            task.about[name].about,
            d,
            shared if d and d.unit == "proportion" else _reach(d) if d else 1.0,
            holds=True,
        )
        for name, d in task.metrics.items()
    ]


def _slice_lines(slices: Sequence[SliceDifference]) -> list[Line]:
    scale = max((_reach(s.difference) for s in slices), default=1.0)
    return [_line(s.name, words.p_value(s.adjusted), s.difference, scale, s.holds) for s in slices]


def _reach(d: Difference) -> float:
    """How far from 0 a difference and its interval go."""
    return max([abs(d.change.value), *map(abs, d.change.interval or ())]) or 1.0


def _line(name: str, about: str, d: Difference | None, scale: float, holds: bool) -> Line:
    if d is None:
        return Line(name, about, None, {}, "50", "50", "50", "", holds)
    low, high = d.change.interval or (d.change.value, d.change.value)
    side = 48 if d.better == "higher" else -48
    dot, start, end = (
        f"{50 + side * min(max(x / scale, -1.0), 1.0):.2f}" for x in (d.change.value, low, high)
    )
    return Line(name, about, d, words.cells(d), dot, start, end, d.verdict, holds)


def _drawn(comparison: Comparison, task: TaskComparison, rows: Sequence[Flip]) -> Iterator[Drawn]:
    for flip in rows:
        a = _exhibit(comparison.a, task.a, task.name, flip.sample)
        b = _exhibit(comparison.b, task.b, task.name, flip.sample)
        yield _side_by_side(a, b, flip, task)


def _exhibit(side: Side, read: Read, task: str, sample: str) -> Exhibit:
    return read.task.exhibit(sample, read.rows[sample], side.frames(task, sample))


def _side_by_side(a: Exhibit, b: Exhibit, flip: Flip, task: TaskComparison) -> Drawn:
    """Pictures and facts that both have are shown once."""
    ours, theirs = [_picture(*p) for p in a.pictures], [_picture(*p) for p in b.pictures]
    both = set(ours) & set(theirs)
    keys = [*a.facts, *(key for key in b.facts if key not in a.facts)]
    pairs = [(key, str(a.facts.get(key, "–")), str(b.facts.get(key, "–"))) for key in keys]
    return Drawn(
        title=a.title,
        a=words.value(flip.a, task.about[task.metric].unit),
        b=words.value(flip.b, task.about[task.metric].unit),
        shared=[p for p in ours if p in both],
        own=[("A", [p for p in ours if p not in both]), ("B", [p for p in theirs if p not in both])],
        facts=[(key, x) for key, x, y in pairs if x == y],
        unlike=[pair for pair in pairs if pair[1] != pair[2]],
    )


def _picture(caption: str, frame: Any) -> Picture:
    return Picture(caption, pages.embedded_picture(frame), frame.shape[1], frame.shape[0])
