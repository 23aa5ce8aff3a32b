"""A name -> the command line of an engine."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gobench.canonical import sha256_file
from gobench.errors import UsageError, unknown
from gobench_go.engines.find import program
from gobench_go.engines.nets import HUMAN, file_at, find_net
from gobench_go.engines.presets import FIXED, LARGEST_SEED, PRESETS, SEED, START, Preset

HEAD = "gtp"
LONGEST_PATH = 200  # settings in one word are longer than names of files may be
_PLAIN = "_the_seed_"  # a word that needs no quotes


@dataclass(frozen=True, slots=True)
class EngineCommand:
    """How to start an engine. ``argv`` may hold ``{seed}``."""

    name: str  # as short as it can be, without places of this machine: gnugo:10
    argv: tuple[str, ...]
    start: float = START  # seconds until its first answer
    get: str = ""  # how to get it, for errors

    @property
    def seeded(self) -> bool:
        """Whether the seed stands in the command, so that each game wants a process of its own."""
        return any(SEED in word for word in self.argv)

    def argv_for(self, seed: int) -> list[str]:
        """The command line for a game of that seed."""
        return [word.replace(SEED, str(engine_seed(seed))) for word in self.argv]

    @property
    def public(self) -> str:
        """The command line without folders, ``{seed}`` where the seed stands."""
        return public_line(self.argv)

    def hashes(self) -> dict[str, str]:
        """sha256 of each file that its arguments name (networks, settings, scripts), by name."""
        said = [_value(word) for word in self.argv[1:]]
        named = [Path(word) for word in said if word and len(word) < LONGEST_PATH]
        return {path.name: _hash(path, path.stat().st_mtime_ns) for path in named if path.is_file()}


def public_line(words: Iterable[str]) -> str:
    """A command line without folders of this machine."""
    return shlex.join(bare(word).replace(SEED, _PLAIN) for word in words).replace(_PLAIN, SEED)


def bare(word: str) -> str:
    """A word without the folders of the files that it names, also behind ``=``, ``@`` and the like."""
    return "".join(part.rstrip("/").rpartition("/")[2] for part in re.split(r"([=@:?&,])", word))


def engine_seed(seed: int) -> int:
    """A seed of any size as a number from 1 to 2**31 - 1."""
    return 1 + seed % LARGEST_SEED


def engine_command(text: str) -> EngineCommand:
    """The command of ``gnugo:10``, ``gtp:COMMAND`` and the like.

    Raises UsageError for an unknown name, a bad argument, or a program or file that is not here.
    """
    head, _, argument = text.partition(":")
    if head == HEAD:
        return _of_line(text, argument)
    if head not in PRESETS:
        raise unknown("engine", text, [*PRESETS, f"{HEAD}:COMMAND"])
    return _of_preset(text, head, argument)


def how_to_get(preset: Preset) -> str:
    """What to do on this platform to have the engine."""
    key = (
        "macos" if sys.platform == "darwin" else "debian" if Path("/etc/debian_version").exists() else "other"
    )
    return preset.get[key]


def _of_line(text: str, line: str) -> EngineCommand:
    try:
        argv = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"engine {text!r}: its quotes do not match ({error}).") from error
    if not argv:
        raise UsageError("gtp: needs a command, as in gtp:'gnugo --mode gtp --level 3'.")
    place = program([argv[0]])
    if place is None:
        raise UsageError(
            f"engine {text!r}: there is no program {argv[0]!r} here. Give one on the PATH or with its folder, as in "
            "gtp:'./my_engine.sh --gtp'."
        )
    found = EngineCommand("", (place, *argv[1:]))
    return EngineCommand(f"{HEAD}:{found.public}", found.argv)


def _of_preset(text: str, head: str, argument: str) -> EngineCommand:
    preset = PRESETS[head]
    match = re.fullmatch(preset.pattern, argument)
    if match is None:
        raise UsageError(f"engine {text!r}: write {preset.write}.")
    given = {key: value for key, value in match.groupdict().items() if value is not None}
    place = program(preset.programs)
    if place is None:
        raise UsageError(f"engine {text!r}: there is no {preset.program} on the PATH: {how_to_get(preset)}.")
    _check_files(text, preset, given)
    name = f"{head}:{_short(argument, given, (*preset.files, *preset.nets))}"
    return EngineCommand(name, (place, *_filled(preset, given)), preset.start, how_to_get(preset))


def _check_files(text: str, preset: Preset, given: Mapping[str, str]) -> None:
    for key in preset.files:
        if key in given and not file_at(given[key]):
            raise UsageError(f"engine {text!r}: there is no file {given[key]!r}. Write {preset.write}.")


def _short(argument: str, given: Mapping[str, str], keys: Iterable[str]) -> str:
    for key in keys:
        if key in given:
            argument = argument.replace(given[key], Path(given[key]).name)
    return argument


def _filled(preset: Preset, given: Mapping[str, str]) -> list[str]:
    words = [*preset.arguments]
    for key, more in preset.more.items():
        words += more if key in given else ()
    for key, more in preset.unless.items():
        words += () if key in given else more
    places = {key: str(Path(given[key]).expanduser()) for key in preset.files if key in given}
    places |= {key: str(find_net(given[key])) for key in preset.nets if key in given}
    values = {**FIXED, **preset.defaults, **given, **places}
    if any("{human}" in word for word in words):
        values["human"] = str(find_net(HUMAN, "human network"))
    return [_fill(_fill(word, values), values) for word in words]  # twice: what is filled in may hold names


def _fill(word: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), word)


def _value(word: str) -> str:
    """What may name a file: the word, or what stands behind ``--option=``."""
    return word.partition("=")[2] if word.startswith("-") else word


@lru_cache(maxsize=64)
def _hash(path: Path, changed: int) -> str:
    return sha256_file(path)
