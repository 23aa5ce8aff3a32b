"""A domain small enough to see through: a dot bounces in a box. For tests of the core; workers import it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gobench.clips import ArrayClip
from gobench.errors import ChildError, UsageError
from gobench.seeds import seed64, stream
from gobench.types import Clip, Episode, Json, Record, Rejection

DEFAULTS: Record = {"size": 32, "frames": 6, "starts": 1000, "reject_every": 7, "place": ""}
TRAP = "BOUNCING_TRAP"
NOBODY = "BOUNCING_NOBODY"


@dataclass(frozen=True)
class Dots:
    """Units are seeds; every ``reject_every``-th is refused, and few ``starts`` make repeats."""

    options: Record
    units: int
    seed: int

    @property
    def inputs(self) -> Mapping[str, str]:
        return {"dots": "0" * 64}

    def unit(self, index: int) -> Iterator[Episode | Rejection]:
        _trap("unit", index)
        every = self.options["reject_every"]
        if every and index % every == every - 1:
            yield Rejection(f"dots/{index}", "too-slow", "the dot does not move", ply=0)
            return
        start = int(stream(self.seed, "dots", index).integers(self.options["starts"]))
        yield Episode({"origin": f"dots/{index}", "start": start, "mirrored": bool(index % 2)})


class Bouncing:
    """The domain."""

    name = "dot"
    version = "1"

    def recipes(self) -> Mapping[str, Record]:
        splits = {"train": 0.8, "validation": 0.1, "test": 0.1}
        core = {"about": "dots", "episodes": 60, "codec": "png", "dedup": "symmetry", "splits": splits}
        return {"dot-tiny": core | {"shard_size": 16, "part_size": 8, "options": {"size": 32}}}

    def configure(self, options: Mapping[str, Any]) -> Record:
        for key in options:
            if key not in DEFAULTS:
                raise UsageError(f"unknown option {key!r}. Known: {', '.join(DEFAULTS)}.")
        return {**DEFAULTS, **options}

    def public_options(self, options: Mapping[str, Any]) -> Record:
        return {**options, "place": ""}

    def source(self, options: Mapping[str, Any], episodes: int, seed: int) -> Dots:
        return Dots(dict(options), episodes, seed)

    def fingerprint(self, episode: Episode, dedup: str) -> int:
        mirrored = episode.record["mirrored"] if dedup == "exact" else False
        return seed64(episode.record["start"], str(mirrored))

    def finish(self, episode: Episode, key: str, options: Mapping[str, Any], seed: int) -> Episode:
        _trap("finish", int(key.rpartition("-")[2]))
        return Episode(
            {**episode.record, "size": options["size"], "length": options["frames"], "seed": seed % 2**32}
        )

    def clip(self, record: Mapping[str, Any]) -> Clip:
        size, length = record["size"], record["length"]
        frames = np.full((length, size, size, 3), 40, np.uint8)
        for t in range(length):
            x = (record["start"] + 3 * t) % (size - 4)
            frames[t, 4:8, x : x + 4] = 250, record["seed"] % 200, 0
        return ArrayClip(frames)

    def features(self) -> Mapping[str, Any]:
        kinds = {"origin": "string", "start": "int64", "mirrored": "bool", "size": "int64", "length": "int64"}
        kinds |= {"seed": "int64", "key": "string", "split": "string", "frames": "int64"}
        return {key: {"dtype": kind, "_type": "Value"} for key, kind in kinds.items()}

    def versions(self) -> Mapping[str, str]:
        return {"dot": self.version}


def _trap(where: str, index: int) -> None:
    """``BOUNCING_TRAP=unit:20:kill:FILE``: kill, fail or sleep at a place, while there is no FILE."""
    if TRAP not in os.environ:
        return
    place, number, what, mark = os.environ[TRAP].split(":")
    if place != where or int(number) != index or Path(mark).exists():
        return
    Path(mark).touch()
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "sleep":
        time.sleep(60)
    raise ZeroDivisionError("the trap")


class Placed(Bouncing):
    """The domain with positions: every place of a dot, whichever way it goes."""

    name = "placed"

    def position_hashes(self, record: Mapping[str, Any]) -> np.ndarray:
        return placed(record["start"], record["length"])


def placed(start: int, length: int = 6) -> np.ndarray:
    """The hashes of a dot's places, uint64 [length]."""
    return np.array([seed64(start, "place", t) for t in range(length)], np.uint64)


@dataclass(frozen=True)
class Guesses(Dots):
    """Where every second dot starts says somebody who never says the same again; nobody while ``BOUNCING_NOBODY`` is set."""

    @property
    def asking(self) -> Sequence[int]:
        return range(0, self.units, 2)

    @property
    def asked(self) -> Mapping[str, Json]:
        return {"starts": self.options["starts"], "seed": self.seed, "dots": self.units}

    def unit(self, index: int) -> Iterator[Episode | Rejection]:
        return self.told(index, self.ask(index)) if index in self.asking else Dots.unit(self, index)

    def ask(self, index: int) -> Json:
        _trap("ask", index)
        if NOBODY in os.environ:
            raise ChildError("nobody is here.")
        return int.from_bytes(os.urandom(4)) % self.options["starts"]

    def told(self, index: int, answer: Json) -> Iterator[Episode | Rejection]:
        yield Episode({"origin": f"dots/{index}", "start": answer, "mirrored": False})


class Asking(Bouncing):
    """The domain with a source that asks."""

    name = "asking"

    def source(self, options: Mapping[str, Any], episodes: int, seed: int) -> Guesses:
        return Guesses(dict(options), episodes, seed)
