"""What the codes are worth: a code, or all of them, replaced by random ones, and the suite asked again (section 4 of the paper).

Codes that are not replaced are drawn as usual, after those before them; the next frame follows from what stands there then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gobench.seeds import seed64, stream
from gobench.tasks import Table
from gobench_videoworld.analysis import paper
from gobench_videoworld.analysis.asking import (
    Asked,
    Progress,
    changed,
    differences,
    interval,
    scored,
    table,
    weights,
)
from gobench_videoworld.answers import Intervene, Seeds, VideoAnswers
from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.model import VideoWorld

NONE, ALL = "none", "all"
STREAM = "intervene"


def conditions(codes: int) -> dict[str, tuple[int, ...]]:
    """Name -> the codes that are replaced, from 0."""
    single = {f"code {k + 1}": (k,) for k in range(codes)}
    return {NONE: (), **single, **({ALL: tuple(range(codes))} if codes > 1 else {})}


def randomly(config: VideoWorldConfig, which: Sequence[int]) -> Intervene:
    """Take random digits, uniform over the values of each, for some codes.

    A sample's random codes follow from its seed alone: what replaces a code is the same, whichever others are replaced.
    """
    sizes = np.array(config.digits * config.codes)
    replaced = np.repeat(np.isin(np.arange(config.codes), list(which)), len(config.digits))

    def digits(seeds: Seeds, added: int) -> Tensor:
        rows = [stream(seed64(int(seed), STREAM, added)).integers(0, sizes) for seed in seeds]
        return torch.from_numpy(np.where(replaced, np.stack(rows), -1))

    return digits


def tables(model: VideoWorld, what: Asked, progress: Progress | None = None) -> dict[str, Table]:
    """Condition -> what the answers are worth under it; the same samples and seeds in each."""
    answers = model.answers
    assert isinstance(answers, VideoAnswers)
    found = {}
    for name, which in conditions(model.config.codes).items():
        hook = randomly(model.config, which) if which else None
        found[name] = table(
            changed(model, replace(answers, intervene=hook)), what, f"replaced: {name}", progress
        )
    return found


def rows(what: Asked, found: Mapping[str, Table]) -> list[dict[str, Any]]:
    """A row for each condition and metric: value, difference to no intervention, both with intervals; the paper's beside."""
    plain = found[NONE]
    drawn = weights(plain)
    lines: list[dict[str, Any]] = []
    for name, made in found.items():
        values, changes = scored(what, made, drawn), differences(what, plain, made, drawn)
        for metric, value in values.items():
            low, high = interval(value)
            line = {
                "replaced": name,
                "metric": metric,
                "n": value.n,
                "value": value.value,
                "low": low,
                "high": high,
            }
            if name != NONE and metric in changes:
                ends = interval(changes[metric])
                line |= {"change": changes[metric].value, "change_low": ends[0], "change_high": ends[1]}
            lines.append(line | _paper(name, metric))
    return lines


def _paper(name: str, metric: str) -> dict[str, float | None]:
    own = paper.of(paper.INTERVENTION.get(name), metric)
    before = paper.of(paper.INTERVENTION[NONE], metric)
    gone = None if own is None or before is None or name == NONE else round(own - before, 4)
    return {"paper": own, "paper_change": gone}


def verdict(what: Asked, found: Mapping[str, Table], metric: str) -> dict[str, Any]:
    """Which single code hurts most, and by how much more than each other one (paired, with intervals).

    Returns:
        ``most``, the code; ``hurts``, whether the interval of what it changes excludes 0; ``told_apart``, whether so does its
        lead over every other code; ``against``: other code -> how the metric changes from it to ``most``, low, high.
    """
    single = [name for name in found if name not in (NONE, ALL)]
    sign = 1 if what.task.metrics[metric].better == "higher" else -1
    drawn = weights(found[NONE])
    levels = {name: sign * scored(what, found[name], drawn)[metric].value for name in single}
    most = min(levels, key=lambda name: levels[name])
    against = {}
    for other in single:
        lead = differences(what, found[other], found[most], drawn).get(metric) if other != most else None
        if lead is not None:
            against[other] = {"change": lead.value, "low": interval(lead)[0], "high": interval(lead)[1],
                              "told_apart": lead.excludes_zero}  # fmt: skip
    change = differences(what, found[NONE], found[most], drawn).get(metric)
    hurts = change is not None and change.excludes_zero and sign * change.value < 0
    return {"metric": metric, "hurts": hurts, "most": most, "told_apart": all(row["told_apart"] for row in against.values()),
            "against": against}  # fmt: skip
