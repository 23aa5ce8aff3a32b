"""What codes are worth, on arrays whose numbers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gobench_videoworld.latent import measures
from gobench_videoworld.latent.measures import Steps


def steps() -> Steps:
    """Two windows of two offsets: a move drawn right; one drawn wrong; a capture drawn right; the last is not there."""
    before = np.zeros((2, 2, 4), np.int64)
    after = before.copy()
    after[0, 0, 1] = after[0, 1, 2] = 5
    after[1, 0, :3] = 5
    drawn = after.copy()
    drawn[0, 1, 3] = 5
    drawn[1, 1] = 7
    return Steps(before, after, drawn, np.array([[True, True], [True, False]]))


def test_exactness_counts_frames_that_are_there_and_captures_alone() -> None:
    assert measures.drawing(steps()) == {
        "exact": 2 / 3,
        "exact_captures": 1.0,
        "exact1": 1.0,
        "exact1_captures": 1.0,
        "captures": 1 / 3,
    }
    own = steps()
    own.drawn[1, 0, 3] = 5  # a site that did not change
    found = measures.drawing(own)
    assert (found["exact"], found["exact_captures"], found["exact1"]) == (1 / 3, 0.0, 0.5)


def test_nothing_to_count_is_no_number() -> None:
    own = steps()
    found = measures.drawing(own._replace(after=own.before, drawn=own.before))
    assert found["exact"] == 1 and found["captures"] == 0 and math.isnan(found["exact_captures"])
    nowhere = own._replace(there=np.zeros((2, 2), bool))
    assert all(math.isnan(value) for value in measures.drawing(nowhere).values())
    assert all(
        math.isnan(v) for v in measures.used(np.zeros((2, 2, 2), np.int64), nowhere.there, (3, 4)).values()
    )


def test_use_of_codes_is_told_digit_by_digit() -> None:
    codes = np.array([[[0, 1], [1, 1]], [[2, 1], [3, 1]], [[9, 9], [0, 1]]])
    there = np.array([[True, True], [True, True], [False, False]])
    found = measures.used(codes, there, (8, 2))
    assert found == {
        "perplexity": pytest.approx(4.0),
        "digit1_used": 0.5,
        "digit1_perplexity": pytest.approx(4.0),
        "digit2_used": 0.5,
        "digit2_perplexity": 1.0,
    }


def test_purity_is_the_share_of_the_commonest_action() -> None:
    assert measures.purity([1, 1, 1, 2], ["x", "x", "y", "z"]) == 0.75
    assert measures.purity(["x", "x", "y", "z"], [1, 1, 1, 2]) == 1.0  # every action has one code
    assert measures.purity([(0, 1), (0, 2)], [(3, 1), (3, 1)]) == 1.0
    assert measures.purity([(3, 1), (3, 1)], [(0, 1), (0, 2)]) == 0.5


def test_purity_of_other_episodes() -> None:
    assert measures.purity_held_out([1, 1, 2, 1, 2], list("xxyyy"), [0, 0, 2, 1, 3]) == 0.5
    assert measures.purity_held_out([1, 3], list("xx"), [0, 1]) == 0.0  # a code never seen means nothing
    assert math.isnan(measures.purity_held_out([1], ["x"], [0]))
    assert math.isnan(measures.purity_held_out([1], ["x"], [1]))
