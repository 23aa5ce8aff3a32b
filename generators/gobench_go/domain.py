"""The Go domain: puts rules, sources and pictures together behind ``gobench.types.Domain``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError, unknown
from gobench.seeds import seed64
from gobench.tasks import Suite
from gobench.types import Array, Clip, Episode, Json, Record, Source, Verdict

if TYPE_CHECKING:
    from gobench.doctor import Check

SOURCE_KEYS = ("rows", "cols", "rules", "komi", "sources", "reannotate")
"""The options that decide the games; all others decide the pictures."""


@cache
def table() -> Record:
    """recipes.toml, read once."""
    return tomllib.loads(files("gobench_go").joinpath("recipes.toml").read_text("utf-8"))


def merged(recipe: Mapping[str, Json], defaults: Mapping[str, Json]) -> Record:
    """A recipe over the defaults, key by key; ``options`` are merged, not replaced."""
    options = {**defaults["options"], **recipe.get("options", {})}
    return {**defaults, **recipe, "options": options}


class GoDomain:
    """Go on any board up to 19×19, as ``gobench.types.Domain``."""

    name = "go"
    version = "1"

    def recipes(self) -> Mapping[str, Record]:
        """Name -> recipe, defaults filled in."""
        return {name: merged(r, table()["defaults"]) for name, r in table().items() if name != "defaults"}

    def override(self, options: Mapping[str, Json], flags: Mapping[str, Json]) -> Record:
        """Options changed by command-line flags (sgf, videoworld_tars, teacher, reannotate, theme, size)."""
        from gobench_go.overrides import apply

        return apply(options, flags)

    def configure(self, options: Mapping[str, Json]) -> Record:
        """Check and fill in every option; raises UsageError that names the key, the value and what is allowed."""
        from gobench_go.picture_options import KEYS, configure_pictures
        from gobench_go.sources import configure_sources

        if strange := sorted(set(options) - {*SOURCE_KEYS, *KEYS}):
            raise unknown("option of the Go domain", strange[0], {*SOURCE_KEYS, *KEYS})
        games = configure_sources({k: options[k] for k in SOURCE_KEYS if k in options})
        return {**games, **configure_pictures(options, games["rows"], games["cols"])}

    def public_options(self, options: Mapping[str, Json]) -> Record:
        """The options as stored: without the places of files, whose contents are inputs of the plan."""
        from gobench_go.sources.options import public_sources

        return public_sources(options)

    def source(self, options: Mapping[str, Json], episodes: int, seed: int) -> Source:
        """The recipe's games, candidate by candidate."""
        from gobench_go.sources import make_source

        return make_source({key: options[key] for key in SOURCE_KEYS}, episodes, seed)

    def fingerprint(self, episode: Episode, dedup: str) -> int:
        """64-bit identity of the game; "symmetry" calls a game and its 8 mirror images the same."""
        from gobench_go.sources.fingerprint import fingerprint

        return fingerprint(episode.record, dedup)

    def finish(self, episode: Episode, key: str, options: Mapping[str, Json], seed: int) -> Episode:
        """The record as shipped: the game, and everything that its pictures follow from."""
        from gobench_go.picture_options import window
        from gobench_go.sources.fingerprint import fingerprint

        record = dict(episode.record)
        first, frames = window(len(record["moves"]), options["clip"])
        record.update({k: options[k] for k in ("theme", "size", "coordinates", "last_move")})
        record["variation"] = seed64(seed, "variation", key) >> 33 if options["randomise"] else -1
        record.update(key=key, first_ply=first, frames=frames, fps=options["clip"]["fps"])
        record["symmetry_hash"] = f"{fingerprint(episode.record, 'symmetry'):016x}"
        return Episode(record)

    def clip(self, record: Mapping[str, Json]) -> Clip:
        """Draw a shipped record: frame t shows the board after ``first_ply + t`` plies."""
        from gobench_go.drawing import draw

        return draw(record)

    def features(self) -> Mapping[str, Json]:
        """Hugging Face feature types of KEY.json."""
        return FEATURES

    def resize(self, record: Mapping[str, Json], size: int) -> Record | None:
        """The record drawn ``size`` pixels wide and high, or None where its look cannot be; for loaders."""
        from gobench_go.drawing import look_of

        resized = {**record, "size": size}
        try:
            look_of(resized)
        except UsageError:
            return None
        return resized

    def transform(self, record: Mapping[str, Json], k: int) -> Record:
        """The record under symmetry ``k`` (bit 4 transposes, then 2 flips rows, then 1 flips columns)."""
        from gobench_go.mirror import mirror

        return mirror(record, k)

    def replay(self, record: Mapping[str, Json]) -> Mapping[str, Json]:
        """A game for a page that plays it: boards, labels, captures, the teacher's hints."""
        from gobench_go.replay import replay

        return replay(record)

    def card_facts(self, manifest: Mapping[str, Json]) -> Record:
        """What only Go knows of a dataset's card: the licence, and the flags of its command."""
        from gobench_go.card_facts import card_facts

        return card_facts(self, manifest)

    def suites(self) -> Mapping[str, str]:
        """Suite name -> one line about it, as ``gobench.tasks.Benchmark``."""
        from gobench_go.benchmark import suites

        return suites()

    def protocols(self) -> Mapping[str, str]:
        """Protocol name -> one line about it."""
        from gobench_go.benchmark import PROTOCOLS

        return {name: row.about for name, row in PROTOCOLS.items()}

    def suite(self, name: str, protocol: str = "standard") -> Suite:
        """Open a suite under a protocol; raises UsageError for unknown names, DataError for a broken test set."""
        from gobench_go.benchmark import open_suite

        return open_suite(name, protocol)

    def position_hashes(self, record: Mapping[str, Json]) -> npt.NDArray[np.uint64]:
        """One hash for each board of a record, equal under symmetries and exchanged colours; for sketches."""
        from gobench_go.positions import hashes_of_record

        return hashes_of_record(record)

    def grid(self, options: Mapping[str, Json]) -> tuple[int, int]:
        """Rows and columns of points."""
        from gobench_go.lessons import actions

        return actions.grid(options)

    def symbols(self, options: Mapping[str, Json]) -> int:
        """A point is empty, black or white."""
        from gobench_go.lessons import actions

        return actions.SYMBOLS

    def states(self, options: Mapping[str, Json], frames: Array) -> Array:
        """The points read in pictures uint8 [N, H, H, 3]: uint8 [N, R*C]."""
        from gobench_go.lessons import actions

        return actions.states(options, frames)

    def readable(self, options: Mapping[str, Json], frames: Array) -> npt.NDArray[np.bool_]:
        """Whether pictures uint8 [N, H, H, 3] show a board at all: bool [N]."""
        from gobench_go.lessons import actions

        return actions.readable(options, frames)

    def labels(self, record: Mapping[str, Json]) -> npt.NDArray[np.int64]:
        """The moves between the frames of a record, int64 [T - 1, 2]: (point, colour); (R*C, 0) for a pass."""
        from gobench_go.lessons import actions

        return actions.labels(record)

    def act(self, options: Mapping[str, Json], frames: Array, actions: npt.ArrayLike) -> Array:
        """Pictures uint8 [N, H, H, 3] after actions int64 [N, 2]; the same where an action cannot be, or passes."""
        from gobench_go.lessons.actions import act

        return act(options, frames, actions)

    def verdicts(self, record: Mapping[str, Json], times: Sequence[int], frames: Array) -> list[Verdict]:
        """What pictures uint8 [N, H, H, 3] are worth as answers to what comes after frames ``times`` of a clip."""
        from gobench_go.lessons.verdicts import verdicts

        return verdicts(record, times, frames)

    def versions(self) -> Mapping[str, str]:
        """What decides the bytes of records and frames beside this version."""
        packages = ("numba", "numpy", "pillow", "sgfmill")
        return {"gobench_go": self.version, **{name: version(name) for name in packages}}

    def checks(self) -> Mapping[str, Check]:
        """What ``gobench doctor`` looks at for Go: engines that play and judge, and networks for them."""
        from gobench_go.checks import checks

        return checks()

    def warm(self) -> None:
        """Compile everything once, before workers start."""
        from gobench_go.warm import warm

        warm()


def _list(dtype: str) -> Json:
    return {"_type": "List", "feature": {"dtype": dtype, "_type": "Value"}}


def _value(dtype: str) -> Json:
    return {"dtype": dtype, "_type": "Value"}


FEATURES: Mapping[str, Json] = {
    **{
        k: _value("string")
        for k in (
            "key",
            "split",
            "rules",
            "ko",
            "setup",
            "result",
            "source",
            "origin",
            "black",
            "white",
            "teacher",
            "theme",
            "symmetry_hash",
        )
    },
    **{
        k: _value("int64")
        for k in ("rows", "cols", "size", "variation", "frames", "first_ply", "fps", "seed")
    },
    **{k: _value("float64") for k in ("komi", "score")},
    **{k: _value("bool") for k in ("suicide", "over", "coordinates", "last_move")},
    **{k: _list("int64") for k in ("moves", "colors", "captures", "targets")},
    "values": _list("float64"),
}
"""Every key of KEY.json and its type."""
