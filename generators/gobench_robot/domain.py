"""The robot domain: puts scenes, sources and pictures together behind ``gobench.types.Domain``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from math import floor
from typing import TYPE_CHECKING

from gobench.seeds import seed64
from gobench.tasks import Suite
from gobench.types import Clip, Episode, Json, Record, Source
from gobench_robot.sources.record import EXPERT

if TYPE_CHECKING:
    from gobench.doctor import Check

PACKAGES = ("mujoco", "metaworld", "gymnasium", "numpy", "pillow")
IDENTITY = ("source", "scene", "tasks", "seed", "appearance", "noise")
"""What an expert's episode is; one of real data is its origin."""


@cache
def table() -> Record:
    """recipes.toml, read once."""
    return tomllib.loads(files("gobench_robot").joinpath("recipes.toml").read_text("utf-8"))


class RobotDomain:
    """Robot arms on tables, simulated or filmed, as ``gobench.types.Domain``."""

    name = "robot"
    version = "1"

    def recipes(self) -> Mapping[str, Record]:
        """Name -> recipe, defaults filled in."""
        defaults = table()["defaults"]
        found = {}
        for name, recipe in table().items():
            if name != "defaults":
                options = {**defaults["options"], **recipe.get("options", {})}
                found[name] = {**defaults, **recipe, "options": options}
        return found

    def override(self, options: Mapping[str, Json], flags: Mapping[str, Json]) -> Record:
        """Options changed by command-line flags (size, camera, label_fraction, keep_failures, data)."""
        from gobench_robot.sources.options import apply

        return apply(options, flags)

    def configure(self, options: Mapping[str, Json]) -> Record:
        """Check and fill in every option; raises UsageError that names the key, the value and what is allowed."""
        from gobench_robot.sources.options import configure

        return configure(options)

    def public_options(self, options: Mapping[str, Json]) -> Record:
        """The options as stored: without places on this machine."""
        from gobench_robot.sources.options import public

        return public(options)

    def source(self, options: Mapping[str, Json], episodes: int, seed: int) -> Source:
        """The recipe's episodes, candidate by candidate."""
        from gobench_robot.sources import make_source

        return make_source(options, episodes, seed)

    def fingerprint(self, episode: Episode, dedup: str) -> int:
        """64-bit identity: what an expert's episode follows from, or where a real one lies.

        Pieces of one real episode are alike by "symmetry", which splits follow from: they are never in two splits.
        """
        record = episode.record
        own = ("source", "number" if dedup == "symmetry" else "origin")
        keys = IDENTITY if record["source"] == EXPERT else own
        return seed64(0, *(f"{key}={record[key]}" for key in keys))

    def finish(self, episode: Episode, key: str, options: Mapping[str, Json], seed: int) -> Episode:
        """The record as shipped: how it is drawn, and labels only where the recipe leaves them."""
        record = {**episode.record, "key": key, "size": options["size"], "camera": options["camera"]}
        record["labelled"] = labelled(record["number"], options["label_fraction"])
        if not record["labelled"]:
            record["actions"], record["proprio"] = [], []
        return Episode(record)

    def clip(self, record: Mapping[str, Json]) -> Clip:
        """Draw a shipped record: an expert's episode is acted out again."""
        from gobench_robot.drawing import draw

        return draw(record)

    def film(self, record: Mapping[str, Json], options: Mapping[str, Json]) -> Clip:
        """The clip of a record whose dataset is being built: real data are read from where ``options`` say."""
        from gobench_robot.drawing import film

        return film(record, options)

    def drawable(self, options: Mapping[str, Json]) -> bool:
        """Experts' episodes can be drawn from their records, real data cannot."""
        return not options["reader"]

    def features(self) -> Mapping[str, Json]:
        """Hugging Face feature types of KEY.json."""
        return FEATURES

    def card_facts(self, manifest: Mapping[str, Json]) -> Record:
        """What only robots know of a dataset's card: the licence, the scenes, and the flags of its command."""
        from gobench_robot.card_facts import card_facts

        return card_facts(self, manifest)

    def suites(self) -> Mapping[str, str]:
        """Suite name -> one line about it, as ``gobench.tasks.Benchmark``."""
        from gobench_robot.suites import suites

        return suites()

    def protocols(self) -> Mapping[str, str]:
        """Protocol name -> one line about it."""
        from gobench_robot.suites import PROTOCOLS

        return PROTOCOLS

    def suite(self, name: str, protocol: str = "standard") -> Suite:
        """Open a suite under a protocol; raises UsageError for unknown names, DataError for broken inverse dynamics."""
        from gobench_robot.suites import open_suite

        return open_suite(name, protocol)

    def versions(self) -> Mapping[str, str]:
        """What decides the bytes of records and frames beside this version; "none" for what is not installed."""
        from gobench_robot.envs.fingerprint import gl_strings, installed

        return {
            "gobench_robot": self.version,
            **{name: installed(name) for name in PACKAGES},
            "gl": gl_strings()["renderer"],
        }

    def checks(self) -> Mapping[str, Check]:
        """What ``gobench doctor`` looks at for robots: the simulator, its tasks, and a picture drawn without a screen."""
        from gobench_robot.checks import checks

        return checks()


def labelled(number: int, fraction: float) -> bool:
    """Whether episode ``number`` of its task carries labels: every 1/fraction-th does, so that every task has its share."""
    return floor((number + 1) * fraction + 1e-9) > floor(number * fraction + 1e-9)


def _list(dtype: str) -> Json:
    return {"_type": "List", "feature": {"dtype": dtype, "_type": "Value"}}


def _value(dtype: str) -> Json:
    return {"dtype": dtype, "_type": "Value"}


FEATURES: Mapping[str, Json] = {
    **{
        key: _value("string")
        for key in (
            "key",
            "split",
            "scene",
            "source",
            "origin",
            "instruction",
            "appearance",
            "camera",
        )
    },
    **{key: _value("int64") for key in ("number", "seed", "size", "frames", "fps", "success_frame")},
    **{key: _value("bool") for key in ("success", "labelled")},
    "noise": _value("float64"),
    **{key: _list("string") for key in ("tasks", "action_names", "proprio_names")},
    "starts": _list("int64"),
    **{key: _list("float64") for key in ("actions", "proprio")},
}
"""Every key of KEY.json and its type."""
