"""Two results, sample by sample: paired differences, the slices that moved, the samples that flipped.

    compare(a, b) -> Comparison -> page(comparison) -> one HTML file

Everything is derived from the evidence beside the results, through the tasks' own tables; no model is needed.
"""

from gobench.compare.differences import Difference, Flip, Flips, SliceDifference
from gobench.compare.page import page, write_page
from gobench.compare.pairing import Comparison, TaskComparison, compare

__all__ = [
    "Comparison",
    "Difference",
    "Flip",
    "Flips",
    "SliceDifference",
    "TaskComparison",
    "compare",
    "page",
    "write_page",
]
