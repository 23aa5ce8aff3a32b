"""Intervals, tests, ranks and power, in numpy alone.

    one number        ``estimate``      a mean with its interval: Wilson, or a bootstrap of whole clusters
    groups alike      ``macro``         the mean of groups' means, resampled within each
    two models        ``paired``        the difference on common samples; ``paired_p``, ``mcnemar``, ``holm``
    players of games  ``rate``          Elo ratings with intervals over pairs of games
    many models       ``rank``          rank intervals and tiers, simultaneous over all pairs
    before measuring  ``samples_needed``, ``detectable``, ``achieved_power``

Samples that belong together (the positions of one game) form a cluster: they are alike, so a hundred of them tell less
than a hundred strangers. All intervals here count clusters where it matters. Everything is a pure function of its
arguments and a seed; rounding is left to the caller.
"""

from gobench.statistics.intervals import METHODS, Estimate, Weights, estimate, intraclass, wilson
from gobench.statistics.pairs import holm, mcnemar, paired, paired_p
from gobench.statistics.power import (
    Need,
    achieved_power,
    chance_discordance,
    design_effect,
    detectable,
    samples_needed,
)
from gobench.statistics.quantiles import normal_quantile, t_quantile, t_tail
from gobench.statistics.ranks import Rank, rank
from gobench.statistics.ratings import Played, Rating, Ratings, UnconnectedError, rate, win_chance
from gobench.statistics.strata import macro

__all__ = [
    "METHODS",
    "Estimate",
    "Need",
    "Played",
    "Rank",
    "Rating",
    "Ratings",
    "UnconnectedError",
    "Weights",
    "achieved_power",
    "chance_discordance",
    "design_effect",
    "detectable",
    "estimate",
    "holm",
    "intraclass",
    "macro",
    "mcnemar",
    "normal_quantile",
    "paired",
    "paired_p",
    "rank",
    "rate",
    "samples_needed",
    "t_quantile",
    "t_tail",
    "wilson",
    "win_chance",
]
