"""Rows that every table of robots has: what knows nothing, and what knows more than a video tells.

Names are those of ``gobench evaluate``: robot-random, robot-still, robot-expert, robot-future.
"""

from gobench_robot.floors.models import Expert, RandomActions, Still, TrueFuture

__all__ = ["Expert", "RandomActions", "Still", "TrueFuture"]
