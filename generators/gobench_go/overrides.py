"""Command-line flags as changes of a recipe's options."""

from __future__ import annotations

from collections.abc import Mapping

from gobench.errors import UsageError, unknown
from gobench.types import Json, Record

FLAGS = ("sgf", "videoworld_tars", "teacher", "reannotate", "theme", "size", "randomise")


def apply(options: Mapping[str, Json], flags: Mapping[str, Json]) -> Record:
    """Options with flags put in; ``sgf`` and ``videoworld_tars`` add a source, ``teacher`` changes the self-play's."""
    for flag in flags:
        if flag not in FLAGS:
            raise unknown("flag of the Go domain", flag, FLAGS)
    changed = {
        **options,
        **{k: v for k, v in flags.items() if k in ("theme", "size", "reannotate", "randomise")},
    }
    sources = [dict(s) for s in options.get("sources", [])]
    if "teacher" in flags:
        sources = with_teacher(sources, flags["teacher"])
    if flags.get("sgf"):
        sources.append({"kind": "sgf", "paths": list(flags["sgf"])})
    if flags.get("videoworld_tars"):
        sources.append({"kind": "videoworld", "paths": list(flags["videoworld_tars"])})
    return {**changed, "sources": sources}


def with_teacher(sources: list[Record], teacher: str) -> list[Record]:
    """The same sources with another self-play teacher."""
    if not any(s["kind"] == "selfplay" for s in sources):
        raise UsageError(
            f"--teacher {teacher}: this recipe plays no games. "
            f"Use --reannotate {teacher} to have the moves of existing games judged, or take a self-play recipe."
        )
    return [{**s, "teacher": teacher} if s["kind"] == "selfplay" else s for s in sources]
