"""Domain and recipe -> a folder with a dataset: resumable, the same bytes with any number of workers.

recipes.py    a recipe and the user's changes -> one frozen ``BuildConfig``
plan.py       what a build is and what it keeps: ``plan.json`` and ``plan.kept.npy``
selection.py  fingerprints -> no repeats, a limit, splits
stages.py     the two stages, games and pictures, as jobs that are pure in (plan, index)
engine.py     where jobs run: this process, or workers
assemble.py   index, report, sums and, last, the manifest
run.py        ``build``: all of it, locks and resume
estimate.py   ``estimate``: what it would come to
"""

from gobench.build.recipes import BuildConfig, configure
from gobench.build.run import BuildReport, build

__all__ = ["BuildConfig", "BuildReport", "build", "configure"]
