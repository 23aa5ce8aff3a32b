"""What every benchmark shares: two programs in turn, medians, one row of a table.

A row is a dict: what, ours, peer, peer_name, unit, ratio, target. Rates are per second of one core's CPU time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
Work = Callable[[], int]


def rate(work: Work) -> float:
    """Units done per second of CPU time (user and system, this process)."""
    start = time.process_time()
    done = work()
    return done / max(time.process_time() - start, 1e-9)


def race(ours: Work, peer: Work, repeats: int = 5) -> tuple[float, float, float]:
    """Run both in turn, once to warm up and then ``repeats`` times; medians of both rates and of their ratio."""
    ours(), peer()
    pairs = [(rate(ours), rate(peer)) for _ in range(repeats)]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )


def row(
    what: str, unit: str, ours: Work, peer_name: str, peer: Work, target: str = "", repeats: int = 5
) -> Row:
    """One line of the table, measured now."""
    a, b, ratio = race(ours, peer, repeats)
    return {
        "what": what,
        "ours": a,
        "peer": b,
        "peer_name": peer_name,
        "unit": unit,
        "ratio": ratio,
        "target": target,
    }


def table(rows: list[Row]) -> str:
    """The rows as a markdown table; a row without a peer leaves those cells empty."""
    head = "| what | ours | peer | | ratio | at least |\n| --- | ---: | ---: | --- | ---: | --- |"
    lines = [
        f"| {r['what']} | {cell(r['ours'], ',.0f')} {r['unit']} | {cell(r['peer'], ',.0f')} "
        f"| {r['peer_name'] or ''} | {cell(r['ratio'], '.2f')} | {r['target'] or ''} |"
        for r in rows
    ]
    return "\n".join([head, *lines])


def cell(value: float | None, form: str) -> str:
    """A number, or nothing."""
    return "" if value is None else format(value, form)
