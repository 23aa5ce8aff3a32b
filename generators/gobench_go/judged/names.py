"""Where a set of a name is found: shipped with the package, or made by the user."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path

from gobench.errors import DataError, unknown
from gobench_go.judged.files import read
from gobench_go.judged.sets import JudgedSet

SHIPPED = Path(__file__).parent / "data"
SUFFIX = ".jsonl.gz"
FOLDER = "GOBENCH_JUDGED"
"""The environment variable that names the folder of sets made by the user."""

RECIPES = {
    "go9": "it is 1,000 games on 9x9 that you judge yourself: `gobench build-dataset go9-small --games 1000 --seed 9000001 "
    "--codec moves --out runs/go9-games`, then `gobench go judge runs/go9-games --teacher 'katago:NET?visits=200' --name go9 "
    "--out {file}`, where NET is a network of KataGo's, or without KataGo --teacher mcts:20000 --child-visits 256",
}
"""Sets that are known but not shipped -> what they are and how to make them."""


def user_folder() -> Path:
    """Where sets made by the user lie: ``$GOBENCH_JUDGED``, else ``~/.cache/video-gobench/judged``."""
    given = os.environ.get(FOLDER)
    return Path(given) if given else Path.home() / ".cache" / "video-gobench" / "judged"


def shipped() -> list[str]:
    """Names of the sets in the package, sorted."""
    return sorted(path.name.removesuffix(SUFFIX) for path in SHIPPED.glob(f"*{SUFFIX}"))


def find(name: str) -> Path:
    """The file of a set.

    Raises:
        DataError: a known set that has not been made here; says how to make it.
        UsageError: an unknown name.
    """
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        for folder in (SHIPPED, user_folder()):
            if (path := folder / f"{name}{SUFFIX}").is_file():
                return path
    if name in RECIPES:
        file = user_folder() / f"{name}{SUFFIX}"
        how = RECIPES[name].format(file=file)
        raise DataError(
            f"the set of judged games {name!r} is not here ({file}): {how}. {FOLDER} names another folder."
        )
    made = [path.name.removesuffix(SUFFIX) for path in user_folder().glob(f"*{SUFFIX}")]
    raise unknown("set of judged games", name, [*shipped(), *RECIPES, *made])


def open_set(name: str) -> JudgedSet:
    """A set by its name, read once a process. Raises as ``find`` and ``gobench_go.judged.read`` do."""
    path = find(name)
    return _opened(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _opened(path: Path, changed: int) -> JudgedSet:
    return read(path)
