"""Model x suite -> evidence -> result. ``score`` derives the result from the evidence alone."""

from gobench.evaluate.protocol import open_suite
from gobench.evaluate.run import evaluate
from gobench.evaluate.score import score

__all__ = ["evaluate", "open_suite", "score"]
