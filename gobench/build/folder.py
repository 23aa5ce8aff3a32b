"""The folder of a build: who may work in it, what it may hold before, and how a build is removed from it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gobench import atomic
from gobench.build.assemble import INDEX, MANIFEST, REPORT, SUMS, read_sums
from gobench.build.journal import JOURNAL
from gobench.build.plan import DATA, GAMES, KEPT, PLAN, REJECTED, SIDECARS
from gobench.errors import BuildError, DataError, UsageError

LOCKS = ".build"  # hidden: not part of the dataset
PIECES = (GAMES, DATA, SIDECARS)


@dataclass(frozen=True, slots=True)
class Task:
    """Which share of the pieces a call makes: every ``count``-th, from ``index`` on."""

    index: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            raise UsageError(
                f"task {self.index} of {self.count}: the index runs from 0 to one below the count."
            )

    @classmethod
    def of(cls, index: int | None, count: int | None) -> Task:
        """The task of an array job, or all of the work where neither is given."""
        if index is None and count is None:
            return cls()
        if index is None or count is None:
            raise UsageError(
                f"task index {index} of task count {count}: --task-index and --task-count belong together; "
                "give both or neither."
            )
        return cls(index, count)

    @property
    def alone(self) -> bool:
        return self.count == 1


@contextlib.contextmanager
def occupied(folder: Path, task: Task) -> Iterator[None]:
    """Keep other builds out; tasks of one build share the folder, but each task is there only once."""
    refusal = (
        f"another build is at work in {folder}. Wait until it ends, or choose another --out. "
        "(The lock ends with its process.)"
    )
    with contextlib.ExitStack() as held:
        held.enter_context(atomic.lock(folder / LOCKS / "lock", refusal, shared=not task.alone))
        if not task.alone:
            name = f"task-{task.index}.lock"
            held.enter_context(
                atomic.lock(folder / LOCKS / name, f"task {task.index} runs already: {refusal}")
            )
        yield


def refuse_foreign(folder: Path) -> None:
    """Raise BuildError for a folder that holds other things than a build. Writes nothing."""
    try:
        names = sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise atomic.explain(error, folder) from error
    strangers = [name for name in names if not name.startswith(".") and name != JOURNAL]
    if strangers and not (folder / PLAN).exists():
        raise BuildError(
            f"{folder} is not empty and holds no build ({', '.join(strangers[:5])}): choose another --out, "
            "or empty the folder yourself."
        )


def clear(folder: Path) -> None:
    """Remove a build, finished or not, and nothing else; the plan goes last, so that this can be repeated.

    Raises BuildError for what the system does not let go.
    """
    listed: dict[str, str] = {}
    with contextlib.suppress(DataError):  # not finished, or damaged: what every build has is known anyway
        listed = read_sums(folder)
    tops = [name for name in listed if name != PLAN and "/" not in name]
    try:
        (folder / MANIFEST).unlink(missing_ok=True)
        for piece in PIECES:
            if (folder / piece).exists():
                shutil.rmtree(folder / piece)
        for name in (*tops, KEPT, REJECTED, REPORT, INDEX, SUMS, JOURNAL, PLAN):
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise atomic.explain(error, Path(error.filename or folder)) from error
