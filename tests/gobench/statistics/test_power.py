"""Samples needed and power, against statsmodels and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.power import NormalIndPower

from gobench import statistics as s


def test_samples_needed_are_near_those_of_statsmodels() -> None:
    effect = 2 * (math.asin(math.sqrt(0.35)) - math.asin(math.sqrt(0.3)))
    expected = NormalIndPower().solve_power(effect, power=0.8, alpha=0.05)
    assert s.samples_needed(0.3, 0.05).samples == pytest.approx(expected, rel=0.01)


def test_pairs_need_fewer_and_alike_clusters_need_more() -> None:
    apart = s.samples_needed(0.3, 0.05)
    pairs = s.samples_needed(0.3, 0.05, discordance=0.15)
    clustered = s.samples_needed(0.3, 0.05, per_cluster=66, icc=0.05)
    assert pairs.samples < apart.samples / 2
    assert clustered.samples == clustered.clusters * 66
    assert clustered.samples / apart.samples == pytest.approx(s.design_effect(66, 0.05), rel=0.01)
    assert s.samples_needed(0.3, -0.05).samples > 0


def test_power_and_detectable_are_inverse_to_samples_needed() -> None:
    need = s.samples_needed(0.3, 0.05, per_cluster=66, icc=0.02)
    reached = s.achieved_power(0.3, 0.05, need.clusters, per_cluster=66, icc=0.02)
    assert 0.8 <= reached < 0.83
    smallest = s.detectable(0.3, need.clusters, per_cluster=66, icc=0.02)
    assert smallest == pytest.approx(0.05, rel=0.03)
    paired = s.detectable(0.3, need.clusters, per_cluster=66, icc=0.02, discordance=0.2)
    assert paired is not None and smallest is not None and paired < smallest
    assert s.detectable(0.3, 110, paired=True, per_cluster=66) is not None
    assert s.detectable(0.9, 2) is None


def test_achieved_power_is_that_of_a_simulation() -> None:
    rng = np.random.default_rng(9)
    n, runs = 400, 4000
    only_b, only_a = 0.14, 0.08
    counts = rng.multinomial(n, [only_a, only_b, 1 - only_a - only_b], size=runs)
    differ = counts[:, 0] + counts[:, 1]
    z = (counts[:, 1] - counts[:, 0]) / np.sqrt(differ)
    predicted = s.achieved_power(0.3, 0.06, n, discordance=0.22)
    assert predicted == pytest.approx((z > 1.96).mean(), abs=0.03)


def test_what_is_detectable_goes_with_every_discordance_that_can_be() -> None:
    tried = 0
    for rate in np.linspace(0.05, 0.95, 10):
        for difference in (-0.2, -0.02, 0.02, 0.2):
            other = rate + difference
            if not 0 <= other <= 1:
                continue
            most = min(rate + other, 2 - rate - other)
            for discordance in np.linspace(abs(difference), most, 7):
                found = s.detectable(rate, 100, discordance=float(discordance), per_cluster=66)
                tried += 1
                if found is not None:
                    assert found <= discordance + 1e-9 <= min(2 * rate + found, 2 - 2 * rate - found) + 1e-8
    assert tried > 200
    assert s.detectable(0.9, 100, discordance=0.11, per_cluster=66) is not None


def test_power_refuses_what_cannot_be() -> None:
    for wrong in (
        lambda: s.samples_needed(0.3, 0),
        lambda: s.samples_needed(0.9, 0.2),
        lambda: s.samples_needed(0.3, 0.1, discordance=0.05),
        lambda: s.samples_needed(0.3, 0.1, discordance=0.9),
        lambda: s.design_effect(0.5, 0.1),
        lambda: s.design_effect(5, 1.1),
    ):
        with pytest.raises(ValueError, match=r"\d"):
            wrong()
