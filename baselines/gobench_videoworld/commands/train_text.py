"""What ``gobench train videoworld`` tells a person: forecasts as tables, and in the end a verdict of a few lines."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from gobench.types import Record
from gobench_videoworld.options import TrainOptions

if TYPE_CHECKING:
    from gobench_videoworld.train.run import Trained

HEAD = ("", "steps", "batch", "samples", "FLOPs", "about minutes", "memory", "on disk")

MEASURES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "tokenizer": (("exact", "of held-out frames are read the same after tokens"),),
    "latent": (
        ("exact", "of held-out frames come back exactly from their codes"),
        ("exact_captures", "where more than one site changed"),
    ),
    "transformer": (
        ("legal", "of held-out prompts got a legal first try"),
        ("unchanged", "no change"),
        ("as_played", "what was played"),
    ),
}
"""Stage -> those of its measures that say in a line what it came to, where the domain can tell them."""


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


def verdict_lines(asked: TrainOptions, trained: Trained) -> Iterator[str]:
    """A finished training, or what there is of it, in a few lines, and what can be done next."""
    whole, minutes = bool(trained.weights_sha256), sum(trained.spent.values()) / 60
    given = f" of {asked.minutes:g}" if asked.minutes else ""
    what = f"a model of input {asked.input}, size {asked.size}, {trained.parameters:,} parameters"
    yield f"{asked.out}: {what if whole else 'not written yet'}; {minutes:.1f}{given} minutes used."
    for name, row in trained.finished.items():
        yield f"{name:<12}{row['step']:,} steps, {trained.spent.get(name, 0.0) / 60:.1f} minutes: {_came_to(name, row)}"
    yield f"What was measured and drawn on the way: log.csv and samples/ of each stage in {asked.work}"
    if not trained.stages:
        yield "All of it was trained before; --resume never trains it anew."
    if not whole:
        yield "Not all stages are trained: the same command without --stage trains the others."
        return
    out, data = shlex.quote(str(asked.out)), shlex.quote(str(asked.data))
    yield f"Score it:   gobench evaluate {out} --limit 200 --trained-on {data}    (without --limit: all, in minutes)"
    yield f"About it:   gobench info {out}"


def _came_to(name: str, row: Record) -> str:
    looks = row["metrics"]
    told = [f"{looks[key]:.1%} {what}" for key, what in MEASURES[name] if key in looks]
    return ", ".join(told) or f"loss {row['loss']:.4g}"


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
