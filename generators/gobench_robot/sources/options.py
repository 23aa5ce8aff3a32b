"""A recipe's options as plain JSON: filled in and checked, with errors that name the key.

    {"size": 128, "camera": "static", "label_fraction": 0.1, "reader": "",
     "sources": [{"kind": "expert", "tasks": [...], "appearances": ["A"], "noise": [0.1], "chain": 0, "keep_failures": false}]}

A scene's name among ``tasks`` stands for all of its tasks. A recipe for real data has a ``reader`` and no source: ``--data
PATH`` adds it, ``{"kind": READER, "path": PATH, ...}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gobench.errors import UsageError, unknown
from gobench.types import Json, Record
from gobench_robot.catalogue import CORE, of_scene, task
from gobench_robot.sources.record import EXPERT

CAMERAS = ("static", "gripper", "both")
APPEARANCES = ("A", "B", "C", "D")
DEFAULTS: Mapping[str, Json] = {
    "size": 128,
    "camera": "static",
    "label_fraction": 0.1,
    "reader": "",
    "sources": [],
}
EXPERTS: Mapping[str, Json] = {
    "kind": EXPERT,
    "tasks": list(CORE),
    "appearances": ["A"],
    "noise": [0.1],
    "chain": 0,
    "keep_failures": False,
}
FLAGS = ("size", "label_fraction", "keep_failures", "camera", "data")
CHAIN = 5
SCENES = ("metaworld", "playtable")  # in which experts act
PATHS = ("path",)  # keys of a source that are true on one machine alone


def configure(options: Mapping[str, Json]) -> Record:
    """Every key present and checked; raises UsageError that names the key, the value and what is allowed."""
    if strange := sorted(set(options) - set(DEFAULTS)):
        raise unknown("option of the robot domain", strange[0], DEFAULTS)
    table = {**DEFAULTS, **options}
    _size(table["size"])
    if table["camera"] not in CAMERAS and not table["reader"]:
        raise unknown("camera", str(table["camera"]), CAMERAS)
    _fraction("label_fraction", table["label_fraction"])
    sources = table["sources"]
    if not isinstance(sources, list) or len(sources) > 1:
        raise UsageError(f"sources is a list with one table, or none until --data names it; got {sources!r}.")
    return {
        **table,
        "label_fraction": float(table["label_fraction"]),
        "sources": [_source(source) for source in sources],
    }


def apply(options: Mapping[str, Json], flags: Mapping[str, Json]) -> Record:
    """Options with command-line flags put in. Raises UsageError for a flag that the recipe has no use for."""
    for flag in flags:
        if flag not in FLAGS:
            raise UsageError(
                f"the robot domain has no option --{flag.replace('_', '-')}; it has "
                f"{', '.join('--' + name.replace('_', '-') for name in FLAGS)}."
            )
    changed = {**options, **{k: flags[k] for k in ("size", "label_fraction", "camera") if k in flags}}
    if "keep_failures" in flags:
        if options.get("reader"):
            raise UsageError("--keep-failures is for episodes of experts; real data are taken as they are.")
        changed["sources"] = [
            {**source, "keep_failures": flags["keep_failures"]} for source in options.get("sources", [])
        ]
    if "data" in flags:
        if not options.get("reader"):
            raise UsageError(
                "--data is for recipes that read real data, such as robot-lerobot; this one makes its own."
            )
        # every frame is looked at first: a broken one then costs its episode and not the build
        camera = {"cameras": [flags["camera"]]} if "camera" in flags else {}
        own = {"kind": options["reader"], "path": str(flags["data"]), "check": "pixels"}
        changed["sources"] = [own | camera]
    return changed


def _source(source: Any) -> Record:
    if not isinstance(source, Mapping) or not isinstance(source.get("kind"), str):
        raise UsageError(f'a source is a table with a kind, as in {{kind = "expert"}}; got {source!r}.')
    if source["kind"] == EXPERT:
        return _experts(source)
    return _real(source)


def _real(source: Mapping[str, Json]) -> Record:
    """A source of real data: its folder and the reader's own options."""
    from gobench_robot.readers import configured

    path = source.get("path", "")  # not there in options that were stored
    if not isinstance(path, str):
        raise UsageError(f"path is the folder of the data; got {path!r}.")
    own = {key: value for key, value in source.items() if key not in ("kind", *PATHS)}
    return {"kind": source["kind"], "path": path, **configured(source["kind"], own)}


def _experts(source: Mapping[str, Json]) -> Record:
    if strange := sorted(set(source) - set(EXPERTS)):
        raise unknown("key of a source of the kind expert", strange[0], EXPERTS)
    table = {**EXPERTS, **source}
    named = _words("tasks", table["tasks"])
    table["tasks"] = [name for word in named for name in (of_scene(word) if word in SCENES else (word,))]
    scenes = {task(name).scene for name in table["tasks"]}
    if strange := sorted(scenes - set(SCENES)):
        raise UsageError(f"tasks: {strange[0]} has no scripted expert; there are {', '.join(SCENES)}.")
    for name in _words("appearances", table["appearances"]):
        if name not in (known := APPEARANCES if scenes == {"playtable"} else APPEARANCES[:1]):
            raise unknown(f"appearance of {', '.join(sorted(scenes))}", name, known)
    noise = table["noise"] if isinstance(table["noise"], list) else [table["noise"]]
    if not noise:
        raise UsageError("noise is a list of numbers from 0 to 1, at least one; got [].")
    for level in noise:
        _fraction("noise", level)
    chain = table["chain"]
    if isinstance(chain, bool) or not isinstance(chain, int) or not 0 <= chain <= CHAIN:
        raise UsageError(f"chain is {chain!r}; allowed is a whole number from 0 to {CHAIN}.")
    if chain and scenes != {"playtable"}:
        raise UsageError("chain: only the playtable has chains of tasks; leave it 0 for the core tasks.")
    if chain and len(set(table["tasks"])) != len(of_scene("playtable")):
        raise UsageError('chain: chains are drawn of all tasks of the playtable: tasks = ["playtable"].')
    if not isinstance(table["keep_failures"], bool):
        raise UsageError(f"keep_failures is {table['keep_failures']!r}; allowed is true or false.")
    return {**table, "noise": [float(level) for level in noise]}


def _words(name: str, value: Json) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(word, str) for word in value):
        raise UsageError(f"{name} is a list of names, at least one; got {value!r}.")
    return value


def _fraction(name: str, value: Json) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise UsageError(f"{name} is {value!r}; allowed is a number from 0 to 1.")


def _size(size: Json) -> None:
    from gobench_robot.envs.painter import check_size

    check_size(size)


def public(options: Mapping[str, Json]) -> Record:
    """The options as stored: without places on this machine."""
    sources = [{k: v for k, v in source.items() if k not in PATHS} for source in options["sources"]]
    return {**options, "sources": sources}
