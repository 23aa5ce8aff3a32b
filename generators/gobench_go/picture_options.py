"""The pictures' part of a recipe as plain JSON: filled in and checked, with errors that name the key.

    {"theme": "videoworld", "size": 256, "coordinates": false, "last_move": false, "randomise": false,
     "clip": {"first_ply": 0, "max_frames": 0, "fps": 4}}

``randomise`` gives every game an appearance of its own. ``clip`` says which frames of a game are kept (those after
``first_ply`` plies, ``max_frames`` at most, 0 for all) and how many are shown a second.
"""

from __future__ import annotations

from collections.abc import Mapping

from gobench.errors import UsageError, unknown
from gobench.types import Json, Record

LOOK: Mapping[str, Json] = {
    "theme": "videoworld",
    "size": 256,
    "coordinates": False,
    "last_move": False,
    "randomise": False,
}
CLIP: Mapping[str, int] = {"first_ply": 0, "max_frames": 0, "fps": 4}
LEAST = {"first_ply": 0, "max_frames": 0, "fps": 1}
MOST = {"first_ply": 10_000, "max_frames": 1_000_000, "fps": 240}
KEYS = (*LOOK, "clip")
WORDS = {str: "a word", int: "a whole number", bool: "true or false"}


def configure_pictures(options: Mapping[str, Json], rows: int, cols: int) -> Record:
    """Every key of ``KEYS`` present and checked on a board of rows x cols.

    Raises UsageError that names the key, the value and what is allowed.
    """
    from gobench_go.video.themes import look

    table = {key: _typed(key, options.get(key, default), type(default)) for key, default in LOOK.items()}
    look(table["theme"], table["size"], rows, cols, table["coordinates"], table["last_move"])
    return {**table, "clip": _clip(options.get("clip", {}))}


def window(plies: int, clip: Mapping[str, int]) -> tuple[int, int]:
    """First ply and number of frames of the clip of a game."""
    first = min(clip["first_ply"], plies)
    frames = plies + 1 - first
    return first, min(frames, clip["max_frames"]) if clip["max_frames"] else frames


def _typed(key: str, value: Json, kind: type) -> Json:
    if type(value) is not kind:
        raise UsageError(f"{key} is {WORDS[kind]}; got {value!r}.")
    return value


def _clip(given: Json) -> Record:
    if not isinstance(given, Mapping):
        raise UsageError(f"clip is a table with the keys {', '.join(CLIP)}; got {given!r}.")
    if strange := sorted(set(given) - set(CLIP)):
        raise unknown("key of clip", strange[0], CLIP)
    clip = {**CLIP, **given}
    for key, value in clip.items():
        if not LEAST[key] <= _typed(f"clip.{key}", value, int) <= MOST[key]:
            raise UsageError(f"clip.{key} is a whole number from {LEAST[key]} to {MOST[key]}; got {value!r}.")
    return clip
