"""Domain and recipe -> a folder with a dataset: resumable, the same bytes with any number of workers.

recipes.py    a recipe and the user's changes -> one frozen ``BuildConfig``
plan.py       what a build is and what it keeps: ``plan.json`` and ``plan.kept.npy``
selection.py  fingerprints -> no repeats, a limit, splits
planning.py   the pass between the stages: what is kept, what is not and why
candidates.py records read back from the first stage, line by line
stages.py     the two stages, games and pictures, as jobs that are pure in (plan, index)
engine.py     where jobs run: this process, or workers
assemble.py   index, report, sums and, last, the manifest
trial.py      a first sample before any work
folder.py     locks, tasks, and what may be removed
run.py        ``build``: all of it, with resume
estimate.py   ``estimate``: what it would come to
"""

from gobench.build.recipes import BuildConfig, configure
from gobench.build.run import BuildReport, build

__all__ = ["BuildConfig", "BuildReport", "build", "configure"]
