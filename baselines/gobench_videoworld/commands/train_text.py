"""What ``gobench train videoworld`` tells a person: forecasts as tables, and in the end a verdict of a few lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gobench.types import Record

HEAD = ("", "steps", "batch", "samples", "FLOPs", "about minutes", "memory", "on disk")


def forecast_lines(found: Record) -> Iterator[str]:
    """``forecast.forecast`` as text."""
    from gobench.models.contents import rows

    told = list(rows({key: found[key] for key in ("model", "parameters", "data")}))
    width = max(len(key) for key, _ in told)
    yield from (f"{key:<{width}}  {value}" for key, value in told)
    yield ""
    table = [HEAD, *(_stage(name, row) for name, row in found["stages"].items())]
    if found["tokens"]:
        table.append(_tokens(found["tokens"]))
    yield from _aligned([*table, _all(found["all"])])
    yield ""
    yield from _notes(found)


def _stage(name: str, row: Record) -> tuple[str, ...]:
    about = "about " if row["limit"] == "minutes" else ""
    return (
        name, f"{about}{row['steps']:,}", f"{row['batch']:,}", f"{about}{row['samples']:,}", f"{row['flops']:.3g}",
        _minutes(row["minutes"]), _bytes(row["memory"]["all"]), _bytes(row["disk"]),
    )  # fmt: skip


def _tokens(own: Record) -> tuple[str, ...]:
    return ("tokens to make", "", "", "", "", _minutes(own["seconds"] / 60), "", _bytes(own["bytes"]))


def _all(own: Record) -> tuple[str, ...]:
    return (
        "in all", f"{own['steps']:,}", "", f"{own['samples']:,}", f"{own['flops']:.3g}", _minutes(own["minutes"]),
        _bytes(own["memory"]), _bytes(own["disk"]),
    )  # fmt: skip


def _notes(found: Record) -> Iterator[str]:
    tokens, machine = found["tokens"], found["machine"]
    if tokens:
        yield (
            f"Tokens: {tokens['episodes']:,} episodes, {tokens['frames']:,} frames, at {tokens['frames_a_second']:,.0f} a second "
            f"as a few of them took here now; training frames in {tokens['symmetries']} symmetries."
        )
    shares = ", ".join(f"{name} {share:.0%}" for name, share in machine["supposed_share"].items())
    yield (
        f"Minutes are an estimate: FLOPs at a share ({shares}) of the {machine['flops_a_second'] / 1e9:,.0f} GFLOP/s that a "
        f"matrix product reaches on {machine['device']} now. Looks at held-out prompts come on top."
    )
    yield (
        "Memory is weights, gradients, optimizer and, roughly, activations; the program, frames and tokens take about 1 GiB "
        "beside. On disk are checkpoints and weights. Nothing was written."
    )


def _aligned(table: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[n]) for row in table) for n in range(len(HEAD))]
    for row in table:
        cells = [
            f"{row[0]:<{widths[0]}}",
            *(f"{cell:>{w}}" for cell, w in zip(row[1:], widths[1:], strict=True)),
        ]
        yield "  ".join(cells).rstrip()


def _minutes(value: float) -> str:
    """0.136 -> "0.1"; hours and days where there are many."""
    if value >= 2 * 24 * 60:
        return f"{value / 1440:,.1f} days"
    return f"{value / 60:,.1f} hours" if value >= 120 else f"{value:.1f}"


def _bytes(size: Any) -> str:
    """1536 -> "1.5 KiB"."""
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:,.1f} TiB"
