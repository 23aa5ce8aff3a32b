"""Where the programs of engines lie on this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

GAMES = os.pathsep.join(("/usr/games", "/usr/local/games"))
"""Where Debian puts games; not on every PATH."""


def program(names: Sequence[str]) -> str | None:
    """The first of the programs that is on the PATH, among games or at its place, None where there is none of them.

    Names may hold ``~`` and ``$NAME``.
    """
    places = [os.path.expandvars(os.path.expanduser(name)) for name in names]
    found = (shutil.which(place) or shutil.which(place, path=GAMES) for place in places)
    return next(filter(None, found), None)
