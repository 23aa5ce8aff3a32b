"""KataGo as text, and what is run for it.

    katago:MODEL[@CONFIG][?key=value&key=value]

MODEL is a network file or a name in the usual folders (``nets``), CONFIG a config file of KataGo's analysis engine;
without it the package's own is used. The keys:

==========  =========  ==============================================================================================
key         default    what
==========  =========  ==============================================================================================
visits      64         how often a position is looked at
threads     1          positions that are searched at once, each by one thread; with a CONFIG, what it says
profile     none       imitate people: ``rank_9d`` to ``rank_20k``, ``preaz_5d``, ``proyear_1950``, ``rank_5k_3k`` (Black, White)
human       found      the network that knows people, a file or a name; needed for a profile unless MODEL is such a network
==========  =========  ==============================================================================================

    katago:g170-b6c96-s175395328-d26788732?visits=200
    katago:kata1-b18c384nbt.bin.gz@my_analysis.cfg?visits=1&profile=rank_3d

In a shell put it in quotes: ``?`` and ``&`` mean something there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qsl

from gobench.canonical import sha256_file
from gobench.errors import DataError, UsageError, unknown
from gobench.types import Record
from gobench_go.engines import find
from gobench_go.engines.nets import HUMAN, PROFILE, file_at, find_file, find_net, net_name

KIND = "katago"
PROGRAM = "GOBENCH_KATAGO"
"""The environment variable that names the program; otherwise ``katago`` on PATH."""
VISITS = 64
MOST_VISITS = 10_000_000
MOST_THREADS = 1024
KEYS = ("visits", "threads", "profile", "human")
OWN = Path(str(files("gobench_go.engines").joinpath("data/katago_analysis.cfg")))
"""The config that is used where none is given."""
FORCED = {"reportAnalysisWinratesAs": "SIDETOMOVE", "conservativePass": "false"}
"""What no config may change: who values speak for, and that a second pass ends the game with the board as it is."""
GET = (
    "Debian and Ubuntu: unpack a release of https://github.com/lightvector/KataGo/releases and put `katago` on PATH; "
    f"macOS: `brew install katago`; Windows: use WSL. {PROGRAM} may name the program instead"
)


@dataclass(frozen=True, slots=True)
class KataGoSpec:
    """What a name says, with files that exist."""

    model: Path
    config: Path | None = None
    visits: int = VISITS
    threads: int | None = None
    profile: str = ""
    human: Path | None = None

    @property
    def name(self) -> str:
        """Without folders, and without what changes no answer. ``parse`` takes it where the files lie in the usual
        folders, and in this process and those that it starts.
        """
        human = net_name(self.human) if self.human and net_name(self.human) != HUMAN else ""
        said = {"visits": self.visits, "profile": self.profile, "human": human}
        query = "&".join(f"{key}={word}" for key, word in said.items() if word)
        return (
            f"{KIND}:{net_name(self.model)}" + (f"@{self.config.name}" if self.config else "") + f"?{query}"
        )

    @property
    def command(self) -> tuple[str, ...]:
        """What is run. Raises UsageError where there is no ``katago``."""
        words = [program(), "analysis", "-model", str(self.model), "-config", str(self.config or OWN)]
        words += ["-human-model", str(self.human)] if self.human else []
        settings = ",".join(f"{key}={word}" for key, word in self._settings().items())
        return (*words, "-override-config", settings, "-quit-without-waiting")

    def _settings(self) -> Mapping[str, str]:
        threads = self.threads or (None if self.config else 1)
        pinned = {
            "numAnalysisThreads": str(threads),
            "numSearchThreadsPerAnalysisThread": "1",
            "nnMaxBatchSize": str(max(16, threads or 0)),
        }
        people = {"humanSLProfile": self.profile} if self.profile else {}
        return {**FORCED, **(pinned if threads else {}), **people}

    @property
    def files(self) -> Record:
        """The files that decide the answers, by content: "net_sha256", "config_sha256" and what else there is."""
        found: Record = {
            "net_sha256": file_hash(self.model),
            "config_sha256": file_hash(self.config or OWN),
        }
        if self.human:
            found |= {"human_net": net_name(self.human), "human_net_sha256": file_hash(self.human)}
        if self.profile:
            found["profile"] = self.profile
        return found


def parse(text: str) -> KataGoSpec:
    """The files and settings of a name.

    Raises:
        UsageError: it is no such name, a value that cannot be, a file that is not here; says what is allowed.
    """
    kind, _, rest = text.partition(":")
    if kind != KIND or not rest:
        raise UsageError(f"{text!r} is no name of KataGo: write katago:MODEL[@CONFIG][?visits=N].")
    where, _, query = rest.partition("?")
    said = _said(text, query)
    model, config = _files(where)
    profile = _profile(said.get("profile", ""))
    threads = _whole(text, "threads", said["threads"], MOST_THREADS) if "threads" in said else None
    visits = _whole(text, "visits", said.get("visits", str(VISITS)), MOST_VISITS)
    return KataGoSpec(model, config, visits, threads, profile, _human(said.get("human", ""), profile, model))


def _files(where: str) -> tuple[Path, Path | None]:
    """MODEL and CONFIG; a path with an @ in it is one that exists."""
    if "@" not in where or file_at(where):
        return find_net(where), None
    for found in re.finditer("@", where):
        if path := find_file(where[found.end() :]):
            return find_net(where[: found.start()]), path
    config = where.rpartition("@")[2]
    raise UsageError(
        f"there is no config {config!r}: name a config file of KataGo's analysis engine, or leave out "
        f"'@{config}' to use the one that comes with this package."
    )


def _said(text: str, query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        raise UsageError(f"{text!r}: after the '?' come key=value, joined by '&'.") from None
    for key, word in pairs:
        if key not in KEYS:
            raise unknown("setting of KataGo", key, KEYS)
        if not word:
            raise UsageError(f"{text!r}: {key} is empty; give it a value or leave it out.")
    if len(said := dict(pairs)) < len(pairs):
        raise UsageError(f"{text!r} says one of {', '.join(said)} twice.")
    return said


def _whole(text: str, key: str, word: str, most: int) -> int:
    if not (word.isascii() and word.isdigit() and len(word) <= 9 and 1 <= int(word) <= most):
        raise UsageError(f"{text!r}: {key} is {word!r}; allowed is a whole number from 1 to {most}.")
    return int(word)


def _profile(word: str) -> str:
    if word and not re.fullmatch(PROFILE, word):
        raise UsageError(
            f"the profile {word!r} is none of KataGo's: write rank_RANK or preaz_RANK with a rank from 20k to 9d, "
            "rank_BLACK_WHITE, or proyear_YEAR with a year from 1800 to 2023."
        )
    return word


def _human(word: str, profile: str, model: Path) -> Path | None:
    """The network that knows people, where one is needed."""
    if word and not profile:
        raise UsageError("a human network without a profile does nothing: add profile=rank_5d or the like.")
    if not profile or (not word and "human" in model.name.lower()):
        return None
    try:
        return find_net(word or HUMAN, "human network")
    except UsageError as error:
        raise UsageError(
            f"{error} For profiles: {HUMAN}.bin.gz of https://github.com/lightvector/KataGo/releases/tag/v1.15.0; "
            "name it with human=FILE."
        ) from None


def program() -> str:
    """The program's path. Raises UsageError that says how to get it."""
    given = os.environ.get(PROGRAM) or KIND
    if found := find.program([given]):
        return found
    raise UsageError(f"there is no program {given!r}: {GET}.")


def file_hash(path: Path) -> str:
    """sha256 of a file, computed once as long as it does not change. Raises DataError where it cannot be read."""
    try:
        state = path.stat()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}.") from error
    return _file_hash(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _file_hash(path: Path, size: int, changed: int) -> str:
    return sha256_file(path)
