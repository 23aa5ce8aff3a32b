"""A result as the rows, bars and words of a page. Nothing is computed here that the result does not hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from gobench.report.draw import Axis, Mark, axis, number
from gobench.results import Number, Result, TaskResult
from gobench.tasks import Metric, Task
from gobench.types import Json

UNIT_WORDS = {"proportion": "share of samples, 0 to 1"}
NO_WORDS = Metric(about="no words for it: this task is not installed here")


class Line(NamedTuple):
    """One number with its bar or dot."""

    of: str  # "all", "clean", or the name of a part
    mark: Mark
    value: str
    interval: str
    n: str


class Floor(NamedTuple):
    """What a simple player gets, as a dashed line."""

    at: str
    words: str


class MetricRow(NamedTuple):
    """A metric over all samples and over the clean ones."""

    name: str
    about: str
    unit: str
    better: str
    axis: Axis
    lines: Sequence[Line]
    floors: Sequence[Floor]

    @property
    def floors_words(self) -> str:
        return ", ".join(floor.words for floor in self.floors)


class KindRow(NamedTuple):
    """A kind of answer in the decode audit."""

    name: str
    about: str
    mark: Mark
    answers: str
    share: str


class SliceGroup(NamedTuple):
    """Parts that share the word before their colon."""

    name: str
    lines: Sequence[Line]


class Forest(NamedTuple):
    """One metric on every part of the test."""

    metric: str
    low: str
    high: str
    mean: str  # where the whole set lies on the axis; empty where it has no value
    groups: Sequence[SliceGroup]


class Pairs(NamedTuple):
    """A plain table of names and values."""

    name: str
    lines: Sequence[tuple[str, str]]


def metric_rows(
    result: TaskResult, task: Task | None, floors: Mapping[str, Mapping[str, float]]
) -> list[MetricRow]:
    """Every metric of a task. ``floors``: player -> metric -> value, {} where they are not known."""
    return [_metric_row(name, result, task, floors) for name in _ordered(result, task)]


def kind_rows(result: TaskResult, task: Task | None) -> list[KindRow]:
    """The decode audit, in the order of the task's kinds."""
    told = dict(task.kinds) if task else {}
    names = [*told, *(name for name in result.audit if name not in told)]
    return [_kind_row(name, told.get(name, ""), result.audit.get(name, 0), result.n) for name in names]


def forests(result: TaskResult, task: Task | None, parts: Sequence[str] = ()) -> list[Forest]:
    """Every metric over the parts of the test, in the order of ``parts`` where it names them."""
    order = [part for part in dict.fromkeys([*parts, *result.slices]) if part in result.slices]
    drawn = [_forest(name, result, order) for name in _ordered(result, task)]
    return [forest for forest in drawn if forest.groups]


def methods(result: TaskResult) -> list[str]:
    """The methods of the intervals, each once."""
    found = [n.method for table in (result.metrics, result.clean) for n in table.values() if n]
    return list(dict.fromkeys(found))


def tables(result: Result) -> list[Pairs]:
    """Model, environment, oracle, scoring, evidence: what else stands in the result."""
    plain = result.plain()
    oracle = {task: facts for task, facts in plain["oracle"].items() if facts}
    parts: list[tuple[str, Json]] = [
        ("Model", plain["model"]),
        ("Oracle", oracle or {"oracle": "nobody judged"}),
        ("Environment", plain["environment"]),
        ("How intervals were made", plain["scoring"]),
        ("Evidence", {e["path"]: f"{e['rows']:,} rows, sha256 {e['sha256']}" for e in plain["evidence"]}),
        ("Training data that was looked up", {t["name"]: t["manifest_sha256"] for t in plain["trained_on"]}),
        ("Provenance of the numbers", plain["provenance"]),
    ]
    return [Pairs(name, list(flat(part))) for name, part in parts if part]


def flat(value: Json, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested data as (dotted name, words); what is missing says so."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from flat(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, words(value)


def words(value: Any) -> str:
    """Plain data for people."""
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(words, value))
    return str(value)


def _ordered(result: TaskResult, task: Task | None) -> list[str]:
    """Names of metrics: the headline, then the task's order, then what only the result knows."""
    known = [result.headline, *(task.metrics if task else ()), *result.metrics]
    return [name for name in dict.fromkeys(known) if name in result.metrics]


def _metric_row(
    name: str, result: TaskResult, task: Task | None, floors: Mapping[str, Mapping[str, float]]
) -> MetricRow:
    told = task.metrics.get(name, NO_WORDS) if task else NO_WORDS
    pair = [("all", result.metrics.get(name)), ("clean", result.clean.get(name))]
    marks = {player: table[name] for player, table in floors.items() if table.get(name) is not None}
    unit, better = _kind_of_number([n for _, n in pair], told)
    scale = axis(unit, [*_ends(n for _, n in pair), *marks.values()])
    lines = [_line(of, n, scale, unit, name) for of, n in pair]
    ticks = [Floor(scale.at(value), f"{player} {number(value, unit)}") for player, value in marks.items()]
    about = told.about.rstrip(".") + (f" ({told.source})" if told.source else "")
    return MetricRow(name, about, UNIT_WORDS.get(unit, unit), better, scale, lines, ticks)


def _kind_of_number(numbers: Iterable[Number | None], told: Metric) -> tuple[str, str]:
    found = next((n for n in numbers if n), None)
    return (found.unit, found.better) if found else (told.unit, told.better)


def _kind_row(name: str, about: str, count: int, n: int) -> KindRow:
    share = count / n if n else 0.0
    mark = Mark(f"{100 * share:.2f}%", "", "", f"{name}: {count} of {n} answers")
    return KindRow(name, about, mark, f"{count:,}", f"{share:.1%}")


def _forest(name: str, result: TaskResult, order: Sequence[str]) -> Forest:
    numbers = {part: result.slices[part].metrics.get(name) for part in order}
    whole = result.metrics.get(name)
    unit = next((n.unit for n in numbers.values() if n), "proportion")
    scale = axis(unit, _ends([*numbers.values(), whole]))
    grouped: dict[str, list[Line]] = {}
    for part, value in numbers.items():
        group, _, rest = part.rpartition(": ")
        if value is not None or result.slices[part].n:
            grouped.setdefault(group, []).append(_line(rest, value, scale, unit, f"{name}, {part}"))
    low, high = (f"{end:g}" for end in scale)
    groups = [SliceGroup(group, lines) for group, lines in grouped.items()]
    return Forest(name, low, high, scale.at(whole.value) if whole else "", groups)


def _line(of: str, found: Number | None, scale: Axis, unit: str, name: str) -> Line:
    if found is None:
        return Line(of, Mark("0%", "", "", f"{name}: not defined"), "–", "–", "0")
    value, at = number(found.value, unit), scale.at(found.value)
    if found.interval is None:
        return Line(
            of, Mark(at, "", "", f"{name}, {of}: {value}, {found.n} samples"), value, "–", f"{found.n:,}"
        )
    low, high = found.interval
    interval = f"{number(low, unit)} to {number(high, unit)}"
    mark = Mark(
        at, scale.at(low), scale.at(high), f"{name}, {of}: {value}, interval {interval}, {found.n} samples"
    )
    return Line(of, mark, value, interval, f"{found.n:,}")


def _ends(numbers: Iterable[Number | None]) -> list[float]:
    return [x for n in numbers if n for x in (n.value, *(n.interval or ()))]
