"""Compile everything that a build needs, once: numba's cache then serves every worker."""

from __future__ import annotations

from functools import cache


@cache
def warm() -> None:
    """Play a short game by the search, draw it in both forms, fingerprint it."""
    from gobench_go.game import kernels
    from gobench_go.game.rules import named
    from gobench_go.sources.fingerprint import fingerprint
    from gobench_go.sources.record import Game, episode
    from gobench_go.teachers import teacher
    from gobench_go.video.render import GoClip
    from gobench_go.video.themes import look

    rules = named("benchmark", 5, 5)
    for name in ("random", "mcts:2"):
        teacher(name).game(rules, 0, [(10, 1.0)], 4, 1)
    made = episode(Game(rules, [12, 6], [1, 2], "warm", "warm"))
    fingerprint(made.record, "symmetry")  # type: ignore[union-attr]
    clip = GoClip(look("videoworld", 36, 5, 5), kernels.replay(rules, None, [12, 6], [1, 2]).boards)
    clip.rgb(), clip.yuv(), clip.damage()
