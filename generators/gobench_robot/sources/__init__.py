"""Where episodes come from: scripted experts, and real data of others."""

from __future__ import annotations

from collections.abc import Mapping

from gobench.errors import UsageError
from gobench.types import Json, Source
from gobench_robot.sources.record import EXPERT


def make_source(options: Mapping[str, Json], episodes: int, seed: int) -> Source:
    """The source of a recipe's options; ``episodes`` of experts, or all there are in a folder, ``episodes`` at most.

    Raises UsageError where a recipe for real data was given none.
    """
    if not options["sources"]:
        reader = options["reader"] or "lerobot"
        raise UsageError(
            f"this recipe reads real data: say where they are with --data PATH (a {reader} folder)."
        )
    source = options["sources"][0]
    if source["kind"] == EXPERT:
        from gobench_robot.sources.experts import Experts

        return Experts.of(source, episodes, seed)
    from gobench_robot.sources.real import RealData, open_source

    return RealData(open_source(source), episodes)
