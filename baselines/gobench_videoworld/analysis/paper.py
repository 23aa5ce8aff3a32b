"""The paper's numbers that stand beside ours (VideoWorld, arXiv 2501.09781v2), in percent as printed there.

What it calls Action-Value is the ratio of KataGo's policy, ``policy_ratio`` of our suites; its accuracy is ``accuracy``.
Sizes, data, judge and protocol differ: compare what helps and what hurts, not digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

SOURCE = "VideoWorld, arXiv 2501.09781v2"
METRICS: Mapping[str, str] = {"policy_ratio": "value", "accuracy": "accuracy"}
"""Metric of a suite -> the field of ``Row`` that holds the paper's."""


class Row(NamedTuple):
    """One line of a table on Go."""

    value: float | None  # Action-Value
    accuracy: float | None


AXES: Mapping[str, Mapping[str, Row]] = {
    "horizon": {"none": Row(47.5, 44.3), "1": Row(70.3, 77.0), "3": Row(72.5, 80.6), "5": Row(73.9, 80.9)},
    "codebook": {"729": Row(65.5, 71.1), "15625": Row(69.3, 72.8), "64000": Row(73.9, 80.9), "262144": Row(50.1, 53.2)},
    "target": {"video": Row(47.5, 44.3), "codes": Row(73.0, 78.6), "codes+video": Row(73.9, 80.9)},
    "data": {"raw human moves": Row(34.6, 34.8), "re-annotated human": Row(71.5, 75.7), "KataGo only": Row(70.8, 77.5),
             "all": Row(73.9, 80.9)},
    "input": {"state": Row(79.7, 87.2), "video": Row(59.7, 58.9), "video+ldm": Row(83.7, 88.1)},
}  # fmt: skip
"""Axis of an ablation -> its rows. Tables 4 and 5, at 50M; "input" is table 1, at 300M."""

INTERVENTION: Mapping[str, Row] = {
    "none": Row(73.9, 80.9),
    "code 1": Row(46.2, 42.1),
    "code 2": Row(69.5, 76.6),
    "code 3": Row(72.1, 80.6),
    "all": Row(45.8, 43.7),
}
"""What is replaced by a random token -> what is left; at 50M."""

REPLIES = Row(71.2, 74.3)
"""The opponent's replies, decoded from codes."""

UNSEEN_FROM_PLY = 30
"""From this move on no position of a test game stands in the training set."""

NOTES: Mapping[str, str] = {
    "horizon": "beyond 5 the paper's training did not converge on Go",
    "data": "the paper's rows are sources of games, not amounts",
}


def of(row: Row | None, metric: str) -> float | None:
    """The paper's number for a suite's metric as a proportion; None where it has none."""
    found: float | None = getattr(row, METRICS[metric]) if row and metric in METRICS else None
    return None if found is None else round(found / 100, 4)
