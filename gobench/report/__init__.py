"""A result as one page to look at: scores, slices, decode audit and samples, made from evidence alone.

    write(Path("runs/my-model-go9-lite"))       -> runs/my-model-go9-lite/report.html

The page holds everything in itself, runs no script, loads and sends nothing, and is the same bytes every time.
"""

from __future__ import annotations

from pathlib import Path

FILE = "report.html"

__all__ = ["FILE", "write"]


def write(folder: Path, out: Path | None = None, most: int = 24) -> Path:
    """Draw a result.

    Args:
        folder: what ``gobench evaluate`` wrote, or the result.json in it.
        out: the file to write [report.html beside the result].
        most: how many samples are drawn at most, over all tasks and lists; 0 for none.

    Raises:
        DataError: there is no result, or it is broken. Missing evidence or frames are told on the page.
        UsageError: ``most`` is negative.
    """
    from gobench import atomic
    from gobench.errors import UsageError
    from gobench.report.page import assemble, render
    from gobench.results import read_result

    if most < 0:
        raise UsageError(f"{most} samples cannot be drawn: give 0 or more.")
    result = read_result(folder)
    place = folder if folder.is_dir() else folder.parent
    target = out or place / FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    atomic.write(target, render(assemble(result, place, most)).encode())
    return target
