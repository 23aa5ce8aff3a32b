"""How well teachers choose by a judge's lights, as a table and a curve over their simulations.

    python benchmarks/teacher_strength.py mcts:200 mcts:1000 mcts:5000 mcts:20000 --limit 1000 --out runs/strength

Each teacher answers the next-move task of a suite (by default go9-lite, which KataGo judged) through ``gobench
evaluate``, which goes on where it was stopped; the same positions for all. Agreement is how often it plays the judge's
best move, the loss how much of the chance of winning its move gives up. Writes ``strength.md`` and ``strength.png``.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

TASK = "go9/next-move"
METRICS = {
    "accuracy": "plays the judge's best move",
    "accuracy_with_ties": "or one as good",
    "winrate_loss": "chance of winning given up",
    "score_loss": "points given up",
}
PLOTTED = ("accuracy", "winrate_loss")
COLOR = "#1f5fbf"


class Row(NamedTuple):
    """One teacher."""

    name: str
    version: str
    visits: int
    metrics: dict[str, Any]


def main(words: Sequence[str] | None = None) -> None:
    """Evaluate, then write table and plot."""
    given = _parser().parse_args(words)
    out = Path(given.out)
    rows = [_row(name, _evaluated(name, given, out)) for name in given.teachers]
    if len({row.metrics["accuracy"]["n"] for row in rows}) > 1:
        sys.exit("the results are of different numbers of positions: remove --out and start anew.")
    table = _table(rows, given.suite)
    (out / "strength.md").write_text(table)
    _plot(rows, out / "strength.png", given.suite)
    sys.stdout.write(table)
    sys.stderr.write(f"{out / 'strength.png'}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("teachers", nargs="+", metavar="mcts:VISITS")
    parser.add_argument("--suite", default="go9-lite", help="whose judge is asked [go9-lite]")
    parser.add_argument("--task", default=TASK, help=f"[{TASK}]")
    parser.add_argument("--limit", default="1000", help="positions [1000]")
    parser.add_argument("--workers", default="auto", help="processes [auto]")
    parser.add_argument(
        "--out", default="runs/strength", help="folder for results, table and plot [runs/strength]"
    )
    return parser


def _evaluated(name: str, given: argparse.Namespace, out: Path) -> Path:
    folder = out / re.sub(r"[^A-Za-z0-9]+", "-", name)
    words = [
        "evaluate",
        f"teacher:{name}",
        "--suite",
        given.suite,
        "--task",
        given.task,
        "--limit",
        given.limit,
    ]
    words += ["--workers", given.workers, "--out", str(folder), "--no-report", "--json"]
    done = subprocess.run([sys.executable, "-m", "gobench", *words], stdout=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(done.returncode)
    return folder / "result.json"


def _row(name: str, path: Path) -> Row:
    from gobench_go.teachers import teacher

    task = next(task for task in json.loads(path.read_text())["tasks"] if task["n"])
    whole = teacher(name).name
    version = whole.partition("@")[2].partition(":")[0]
    return Row(name, version, int(re.findall(r"\d+", name)[-1]), task["metrics"])


def _table(rows: Sequence[Row], suite: str) -> str:
    head = ["teacher", "version", *METRICS.values()]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    lines += [[row.name, row.version, *(_cell(row.metrics[key]) for key in METRICS)] for row in rows]
    count = rows[0].metrics["accuracy"]["n"]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"{count} positions of {suite}, intervals of 95% over whole games.\n\n{text}\n"


def _cell(metric: dict[str, Any]) -> str:
    low, high = metric["interval"]
    return f"{metric['value']:.3f} [{low:.3f}, {high:.3f}]"


def _plot(rows: Sequence[Row], path: Path, suite: str) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    order = sorted(rows, key=lambda row: row.visits)
    for axis, key in zip(axes, PLOTTED, strict=True):
        visits = [row.visits for row in order]
        values = [row.metrics[key]["value"] for row in order]
        low, high = zip(*(row.metrics[key]["interval"] for row in order), strict=True)
        axis.fill_between(visits, low, high, color=COLOR, alpha=0.15, linewidth=0)
        axis.plot(visits, values, "o-", color=COLOR)
        for x, y in zip(visits, values, strict=True):
            axis.annotate(
                f"{y:.3f}", (x, y), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=8
            )
        axis.set(xscale="log", xlabel="simulations a move", title=METRICS[key], ylim=(0, max(high) * 1.15))
        axis.set_xticks(visits, [f"{count:,}" for count in visits], minor=False)
        axis.minorticks_off()
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(axis="y", alpha=0.25)
    kinds = sorted({f"{row.name.partition(':')[0]}@{row.version}" for row in rows})
    count = rows[0].metrics["accuracy"]["n"]
    figure.suptitle(
        f"{', '.join(kinds)} by the judge of {suite}, {count} positions, 95% intervals", fontsize=10
    )
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
