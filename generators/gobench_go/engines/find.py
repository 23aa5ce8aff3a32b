"""Where the programs of engines lie on this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence


def program(names: Sequence[str]) -> str | None:
    """The first of the programs that is on the PATH or at its place, None where there is none of them."""
    return next((found for name in names if (found := shutil.which(place(name)))), None)


def place(name: str) -> str:
    """A name with its ``~`` and ``$NAME`` filled in."""
    return os.path.expandvars(os.path.expanduser(name))
