"""``gobench compare`` and ``power``: what separates two results, and how many samples it takes to tell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gobench.cli.options import as_json, emit
from gobench.errors import UsageError
from gobench.types import Record

if TYPE_CHECKING:
    from gobench.compare import Comparison, TaskComparison

SHOWN = 12  # slices that moved, at most, in the terminal

COLUMNS = (
    ("", "name"),
    ("A", "a"),
    ("B", "b"),
    ("B - A", "difference"),
    ("interval", "interval"),
    ("p", "p"),
    ("only A", "only_a"),
    ("only B", "only_b"),
    ("McNemar", "mcnemar"),
    ("n", "n"),
    ("B is", "verdict"),
)
SLICE_COLUMNS = (
    ("", "name"),
    ("A", "a"),
    ("B", "b"),
    ("B - A", "difference"),
    ("interval", "interval"),
    ("p (Holm)", "holm"),
    ("n", "n"),
    ("", "holds"),
)
"""Heading and key of each column."""


@click.command(
    "compare",
    epilog=(
        "\b\nExamples:\n"
        "  gobench compare runs/eval/old-go9-lite runs/eval/new-go9-lite\n"
        "  gobench compare old/result.json new/result.json --out flips.html\n"
        "  gobench compare old new --metric legal_first_try --most 40 --out legal.html"
    ),
)
@click.argument("a", metavar="A", type=click.Path(path_type=Path))
@click.argument("b", metavar="B", type=click.Path(path_type=Path))
@click.option(
    "--out", metavar="PAGE.html", type=click.Path(path_type=Path, dir_okay=False),
    help="Write a page with the samples that flipped, drawn.",
)  # fmt: skip
@click.option(
    "--metric", metavar="NAME", help="What slices and flips are about [default: each task's headline]."
)
@click.option(
    "--most", default=12, show_default=True, metavar="N", type=click.IntRange(0),
    help="How many flipped samples of each kind and task are drawn.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Compare unlike suites, protocols or versions all the same.")
@as_json
def compare(
    a: Path, b: Path, out: Path | None, metric: str | None, most: int, force: bool, as_json: bool
) -> None:
    """Compare two results, sample by sample: B against A.

    A and B are folders of `gobench evaluate`, or the result.json inside. Samples are paired; intervals are over whole
    games, and p is a test over games too.
    """
    from gobench.compare import compare, write_page

    found = compare(a, b, force, metric)
    if out is not None:
        write_page(found, out, most)
    if as_json:
        return emit(found.plain() | {"page": None if out is None else str(out)})
    _show(found)
    click.echo(
        f"\npage     {out}"
        if out
        else "\nAdd --out PAGE.html for a page with the samples that flipped, drawn."
    )
    return None


def _show(found: Comparison) -> None:
    from gobench.compare import words

    for side in (found.a, found.b):
        click.echo(f"{side.letter}  {side.name}  ({side.folder})")
    click.echo("; ".join(words.facts(found)))
    for note in found.notes:
        click.echo(f"note: {note}")
    for task in found.tasks:
        click.echo(f"\n{task.name}: {words.summary(task)}\n")
        click.echo(_grid(COLUMNS, _metric_rows(task)))
        click.echo(f"\n{words.rule(found.level)}")
        _show_slices(task, found.level)


def _metric_rows(task: TaskComparison) -> list[dict[str, str]]:
    from gobench.compare import words

    empty = {"a": "–", "b": "–", "verdict": "(defined on no common sample)"}
    return [{"name": name, **(empty if d is None else words.cells(d))} for name, d in task.metrics.items()]


def _show_slices(task: TaskComparison, level: float) -> None:
    from gobench.compare import words

    moved = task.moved
    with_interval = sum(s.difference.change.interval is not None for s in task.slices)
    if not moved:
        why = (
            f"all {with_interval} intervals of {task.metric} include 0"
            if with_interval
            else "none has an interval"
        )
        return click.echo(f"\nno slice moved: {why}")
    holding = sum(s.holds for s in moved)
    click.echo(
        f"\nslices that moved ({task.metric}; {len(moved)} of {with_interval} intervals exclude 0, {holding} of them "
        f'"holds": p <= {1 - level:g} also after Holm\'s correction over {len(task.slices)})\n'
    )
    rows = [
        {"name": s.name, **words.cells(s.difference), "holm": words.p_value(s.adjusted),
         "holds": "holds" if s.holds else ""}
        for s in moved[:SHOWN]
    ]  # fmt: skip
    click.echo(_grid(SLICE_COLUMNS, rows))
    if len(moved) > SHOWN:
        click.echo(f"and {len(moved) - SHOWN} more: see --json or --out")
    return None


def _grid(columns: Sequence[tuple[str, str]], rows: Sequence[dict[str, str]]) -> str:
    """Rows under headings; columns of words to the left, of numbers to the right; empty columns left out."""
    shown = [c for c in columns if any(row.get(c[1], "") not in ("", "–") for row in rows)]
    widths = [max(len(title), *(len(row.get(key, "")) for row in rows)) for title, key in shown]
    left = ("name", "verdict", "holds")
    lines = [{key: title for title, key in shown}, *rows]
    return "\n".join(
        "  ".join(
            line.get(key, "").ljust(width) if key in left else line.get(key, "").rjust(width)
            for (_, key), width in zip(shown, widths, strict=True)
        ).rstrip()
        for line in lines
    )


@click.command(
    "power",
    epilog=(
        "\b\nExamples:\n"
        "  gobench power --rate 0.3 --difference 0.05\n"
        "  gobench power --rate 0.3 --difference 0.05 --clusters 110 --per-cluster 66 --icc 0.02\n"
        "  gobench power --rate 0.3 --difference 0.05 --discordance 0.15"
    ),
)
@click.option("--rate", type=click.FloatRange(0, 1), metavar="P", help="What one model gets, 0 to 1.")
@click.option("--difference", type=float, metavar="D", help="What the other gets more (or less: negative).")
@click.option(
    "--clusters",
    type=click.IntRange(1),
    metavar="N",
    help="How many games there are; says what they can show.",
)
@click.option(
    "--per-cluster", default=1.0, show_default=True, type=click.FloatRange(1), metavar="M",
    help="Samples of a game.",
)  # fmt: skip
@click.option(
    "--icc", default=0.0, show_default=True, type=click.FloatRange(0, 1), metavar="R",
    help="How alike the samples of a game are (intraclass correlation); on go9-lite 0.01 to 0.06.",
)  # fmt: skip
@click.option(
    "--discordance", type=click.FloatRange(0, 1), metavar="S",
    help="Share of samples that exactly one of the two gets right [default: as for unrelated answers].",
)  # fmt: skip
@click.option(
    "--power", "wanted", default=0.8, show_default=True, type=click.FloatRange(0.01, 0.999), metavar="W",
    help="The chance to see the difference.",
)  # fmt: skip
@click.option(
    "--level", default=0.95, show_default=True, type=click.FloatRange(0.5, 0.9999), metavar="L",
    help="Of the interval that has to exclude 0.",
)  # fmt: skip
@as_json
def power(
    rate: float | None,
    difference: float | None,
    clusters: int | None,
    per_cluster: float,
    icc: float,
    discordance: float | None,
    wanted: float,
    level: float,
    as_json: bool,
) -> None:
    """Say how many samples it takes to see a difference of two rates, and what a given number can show.

    Two models on the same samples are compared pair by pair: the more their answers agree, the fewer samples it takes.
    Give --discordance for that, the "only A" and "only B" of `gobench compare` over n.
    """
    if rate is None or difference is None:
        lost = " and ".join(n for n, x in (("--rate", rate), ("--difference", difference)) if x is None)
        raise UsageError(
            f"power needs {lost}: what one model gets and what the other gets more, as in "
            "`gobench power --rate 0.3 --difference 0.05`."
        )
    try:
        table = _power(rate, difference, clusters, per_cluster, icc, discordance, wanted, level)
    except ValueError as error:
        raise UsageError(f"{error}.") from error
    if as_json:
        return emit(table)
    return _show_power(table)


def _power(
    rate: float,
    difference: float,
    clusters: int | None,
    per_cluster: float,
    icc: float,
    discordance: float | None,
    wanted: float,
    level: float,
) -> Record:
    """Everything that ``gobench power`` says, as data."""
    from gobench import statistics as s

    share = s.chance_discordance(rate, difference) if discordance is None else discordance
    table: Record = {
        "rate": rate, "difference": difference, "per_cluster": per_cluster, "icc": icc, "level": level,
        "power": wanted, "discordance": round(share, 6), "discordance_given": discordance is not None,
        "design_effect": round(s.design_effect(per_cluster, icc), 6), "clusters": clusters,
    }  # fmt: skip
    for name, part in (("same", share), ("apart", None)):
        need = s.samples_needed(
            rate, difference, discordance=part, per_cluster=per_cluster, icc=icc, power=wanted, level=level
        )
        row: Record = {"samples": need.samples, "clusters": need.clusters}
        if clusters is not None:
            reached = s.achieved_power(
                rate, difference, clusters, discordance=part, per_cluster=per_cluster, icc=icc, level=level
            )
            least = s.detectable(
                rate, clusters, paired=name == "same", discordance=None if part is None else discordance,
                per_cluster=per_cluster, icc=icc, power=wanted, level=level,
            )  # fmt: skip
            row |= {
                "achieved_power": round(reached, 6),
                "detectable": None if least is None else round(least, 6),
            }
        table[name] = row
    return table


def _show_power(table: Record) -> None:
    rate, other = table["rate"], table["rate"] + table["difference"]
    click.echo(
        f"To see {rate:g} against {other:g} with {table['power']:.0%} power at {100 * table['level']:g}%"
        f" (design effect {table['design_effect']:.2f}):\n"
    )
    grouped = table["per_cluster"] > 1
    titles = {
        "same": f"both on the same samples, {table['discordance']:.1%} of which one alone gets right"
        + ("" if table["discordance_given"] else " (unrelated answers; --discordance for others)"),
        "apart": "each on samples of its own",
    }
    for name, title in titles.items():
        row = table[name]
        games = f" in {row['clusters']:,} clusters" if grouped else ""
        click.echo(f"  {row['samples']:>10,} samples{games} for each: {title}")
    if table["clusters"] is None:
        return
    click.echo(f"\nWith {table['clusters']:,} clusters of {table['per_cluster']:g}:\n")
    for name, title in (("same", "the same samples"), ("apart", "samples of its own")):
        row = table[name]
        least = "none" if row["detectable"] is None else f"+{row['detectable']:.4f}"
        click.echo(
            f"  {title + ':':<20} this difference is seen with {row['achieved_power']:.1%} power; "
            f"the smallest rise seen with {table['power']:.0%}: {least}"
        )
