"""Model x suite -> evidence -> result. ``score`` derives the result from the evidence alone."""

from gobench.evaluate.protocol import open_suite

__all__ = ["open_suite"]
