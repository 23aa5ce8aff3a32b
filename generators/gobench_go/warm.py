"""Compile everything that a build needs, once: numba's cache then serves every worker."""

from __future__ import annotations

from functools import cache

from gobench.types import Episode


@cache
def warm() -> None:
    """Let the teachers play and judge; draw, convert and fingerprint a game."""
    from gobench_go import teachers
    from gobench_go.game import kernels
    from gobench_go.game.rules import named
    from gobench_go.positions import hashes_of_record
    from gobench_go.sources.fingerprint import fingerprint
    from gobench_go.sources.record import Game, episode
    from gobench_go.video.render import GoClip
    from gobench_go.video.themes import look

    teachers.warm()
    rules = named("benchmark", 5, 5)
    made = episode(Game(rules, [12, 6], [1, 2], "warm", "warm"))
    assert isinstance(made, Episode)
    fingerprint(made.record, "symmetry")
    hashes_of_record(made.record)
    clip = GoClip(look("videoworld", 36, 5, 5), kernels.replay(rules, None, [12, 6], [1, 2]).boards)
    clip.rgb(), clip.yuv(), clip.damage()
