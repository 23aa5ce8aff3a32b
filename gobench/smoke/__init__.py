"""Try a model in seconds: a few questions of a suite, and what is wrong, odd or worth knowing about the answers."""

from gobench.smoke.report import LEVELS, Finding, Report
from gobench.smoke.run import smoke

__all__ = ["LEVELS", "Finding", "Report", "smoke"]
