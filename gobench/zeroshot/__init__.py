"""Image-to-video models tested as they are: prompts out, videos of any size, rate and length back in.

``read_answer`` turns such a video into the one frame that is the answer; ``SETTINGS`` are the numbers it goes by.
"""

from __future__ import annotations

from gobench.zeroshot.answer import Answer, read_answer
from gobench.zeroshot.settings import SETTINGS

__all__ = ["SETTINGS", "Answer", "read_answer"]
