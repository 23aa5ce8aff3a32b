"""A result as lines of text: metrics with intervals, the audit, the slices that deviate most."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gobench.results import Number, Result, TaskResult

SHOWN = 5  # slices that are named


class Deviation(NamedTuple):
    """How far the headline of a slice lies from the whole, in half widths of its own interval."""

    slice: str
    far: float
    number: Number


def lines(result: Result) -> Iterator[str]:
    """The whole result for a person."""
    model, suite = result.model, result.suite
    keys = ", ".join(model.context_keys)
    seen = f", reads {keys} beside the frames" if keys else "" if model.video_only else ", not by video alone"
    yield f"{model.name} ({model.kind}{seen}) on {suite.name}, protocol {suite.protocol}, {result.status}"
    for task in result.tasks:
        yield ""
        yield from task_lines(task)
    if result.matches:
        yield ""
        yield from match_lines(result)


def match_lines(result: Result) -> Iterator[str]:
    """The model's place among its opponents, and a line an opponent."""
    from gobench.report.ladder import FEW, elo_words

    if result.standing:
        elo = result.standing.elo
        yield f"Elo {elo_words(elo)} on the ladder, from {elo.n:,} games{' only' if elo.n < FEW else ''}"
    anchors = result.standing.anchors if result.standing else {}
    for match in result.matches:
        rating = f" (Elo {anchors[match.opponent]:.0f})" if match.opponent in anchors else ""
        lost = f", {match.forfeits} lost by illegal answers" if match.forfeits else ""
        yield (
            f"   {match.opponent + rating:<24} {match.wins:>3} won {match.draws:>2} drawn {match.losses:>3} lost{lost}; "
            f"{match.unique_games} of {match.games} unlike"
        )


def task_lines(task: TaskResult) -> Iterator[str]:
    """One task."""
    if task.missing:
        yield f"{task.name}: not run ({task.missing})"
        return
    part = "" if task.complete else f" of {task.of:,}: a part, not comparable with whole runs"
    yield f"{task.name} {task.version}, {task.n:,} samples{part}"
    for name, number in sorted(task.metrics.items(), key=lambda item: item[0] != task.headline):
        mark = "*" if name == task.headline else " "
        yield f" {mark} {name:<22} {shown(number)}"
    counts = ", ".join(f"{kind} {count:,}" for kind, count in task.audit.items() if count)
    yield f"   answers: {counts}"
    if task.batch_check and task.batch_check.different:
        check = task.batch_check
        yield f"   at batch 1, {check.different} of {check.asked} answers differ"
    if task.batch_check_failed:
        yield f"   at batch 1 it could not be asked: {task.batch_check_failed}"
    for deviation in deviations(task):
        yield f"   {deviation.slice:<24} {task.headline} {shown(deviation.number)}"


def shown(number: Number | None) -> str:
    """ "0.4213  [0.3988, 0.4440]  n 1,481"; a dash where nothing is defined."""
    if number is None:
        return "-"
    interval = "no interval" if number.interval is None else "[{:.4f}, {:.4f}]".format(*number.interval)
    unit = "" if number.unit in ("proportion", "ratio") else f" {number.unit}"
    return f"{number.value:>9.4f}{unit}  {interval}  n {number.n:,}"


def deviations(task: TaskResult) -> list[Deviation]:
    """The slices whose headline's interval leaves out the value over all samples, the farthest first."""
    whole = task.metrics.get(task.headline)
    if whole is None:
        return []
    found = []
    for name, part in task.slices.items():
        number = part.metrics.get(task.headline)
        if number is None or number.interval is None:
            continue
        low, high = number.interval
        if not low <= whole.value <= high:
            far = abs(number.value - whole.value) / max((high - low) / 2, 1e-9)
            found.append(Deviation(name, far, number))
    return sorted(found, key=lambda item: (-item.far, item.slice))[:SHOWN]
