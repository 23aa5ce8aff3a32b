"""Statistics of pairs, and the sequential test against what others published."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gobench.errors import UsageError
from gobench.seeds import stream
from gobench_go.arena.pairs import elo_of, pentanomial, score, score_of
from gobench_go.arena.sprt import Sprt, decide

PUBLISHED = [  # bounds and pairs of tests of a chess engine, in logistic Elo, and the ratio told by its test server
    ((-0.25, 1.25), (253, 4282, 17604, 4431, 286), 2.94),
    ((0.25, 1.25), (58, 3302, 33130, 3518, 84), 2.97),
    ((-0.25, 1.25), (491, 7345, 29693, 7670, 465), 2.96),
    ((-0.5, 1.5), (17, 253, 1042, 337, 39), 2.96),
    ((-0.5, 1.5), (59, 754, 2467, 865, 75), 2.95),
    ((0.25, 1.75), (33, 1185, 8378, 1302, 50), 2.95),
    ((0.0, 2.0), (1284, 17437, 55536, 18085, 1292), 2.94),
]
EVEN = [(0, 0.25), (1, 0.5), (2, 0.25)]


def drawn(rng: np.random.Generator, chances: list[tuple[float, float]], pairs: int) -> list[float]:
    values, weights = zip(*chances, strict=True)
    return [float(x) for x in rng.choice(values, size=pairs, p=weights)]


def test_counts_of_pairs() -> None:
    assert pentanomial([0, 0.5, 1, 1, 2, 1.5, 2]) == (1, 1, 2, 1, 2)


def test_elo_and_score_are_inverse() -> None:
    assert elo_of(score_of(123.0)) == pytest.approx(123) and score_of(0) == 0.5
    assert elo_of(10 / 11) == pytest.approx(400) and (elo_of(0), elo_of(1)) == (-math.inf, math.inf)


def test_the_score_of_both_sides_is_one() -> None:
    counts = (1, 2, 4, 2, 7)
    own, others = score(counts), score(counts[::-1])
    assert own and others and own.value + others.value == pytest.approx(1)
    assert own.low + others.high == pytest.approx(1) and own.low < own.value < own.high


def test_many_independent_pairs_have_the_interval_of_as_many_games() -> None:
    found = score((2500, 0, 5000, 0, 2500))  # 20,000 even games
    assert found and found.high - found.value == pytest.approx(1.96 * 0.5 / math.sqrt(20_000), rel=0.01)


def test_games_that_cancel_out_tell_more_and_games_alike_less() -> None:
    widths = []
    for counts in ((0, 0, 100, 0, 0), (25, 0, 50, 0, 25), (50, 0, 0, 0, 50)):
        found = score(counts)
        assert found
        widths.append(found.high - found.low)
    assert 0 < widths[0] < widths[1] < widths[2]


def test_sweeps_are_not_certain_and_nothing_is_nothing() -> None:
    swept = score((0, 0, 0, 0, 10))
    assert swept and swept.value == swept.high == 1 and 0.6 < swept.low < 0.9
    assert swept.elo[0] == math.inf and swept.elo[1] > 0
    assert score((0, 0, 0, 0, 0)) is None


@pytest.mark.parametrize(
    "chances",
    [
        EVEN,
        [(0, 0.01), (1, 0.18), (2, 0.81)],
        [(0, 0.5), (2, 0.5)],
        [(0, 0.2), (0.5, 0.3), (1, 0.3), (2, 0.2)],
    ],
)
@pytest.mark.parametrize("pairs", [6, 20, 60])
def test_intervals_cover(chances: list[tuple[float, float]], pairs: int) -> None:
    truth, rng, held = sum(x * p for x, p in chances) / 2, stream(1, "cover", pairs), 0
    for _ in range(400):
        found = score(pentanomial(drawn(rng, chances, pairs)))
        assert found is not None
        held += found.low <= truth <= found.high
    assert held / 400 > 0.92


@pytest.mark.parametrize(("elos", "counts", "ratio"), PUBLISHED)
def test_the_ratio_is_the_published_one(
    elos: tuple[float, float], counts: tuple[int, ...], ratio: float
) -> None:
    assert Sprt(*elos).llr(counts) == pytest.approx(ratio, abs=0.0051)
    assert Sprt(*elos).bounds == pytest.approx((-2.944, 2.944), abs=0.001)


def test_the_ratio_turns_around_with_the_players() -> None:
    counts = (10, 20, 40, 25, 12)
    assert Sprt(-10, 30).llr(counts) == pytest.approx(-Sprt(-30, 10).llr(counts[::-1]), rel=1e-6)


@pytest.mark.parametrize("elos", [(0.0, 10.0), (0.0, 200.0), (-50.0, 50.0), (100.0, 300.0)])
def test_total_wins_and_losses_are_survived(elos: tuple[float, float]) -> None:
    test = Sprt(*elos)
    for points, verdict in ((2.0, "accepted H1"), (0.0, "accepted H0")):
        found = decide(test, [points] * 2000)
        assert found.verdict == verdict and math.isfinite(found.llr) and found.pairs < 2000
    for counts in ((1, 0, 0, 0, 0), (0, 0, 0, 0, 1), (0, 0, 500, 0, 0), (0, 0, 0, 0, 0)):
        assert math.isfinite(test.llr(counts))


@pytest.mark.parametrize("elos", [(-2000.0, 2000.0), (1999.0, 2000.0), (-2000.0, -1999.0)])
def test_hypotheses_as_far_as_they_go_have_a_ratio(elos: tuple[float, float]) -> None:
    for counts in ((1, 0, 0, 0, 0), (0, 0, 0, 0, 500), (1, 2, 3, 4, 5)):
        assert math.isfinite(Sprt(*elos).llr(counts))


def test_pairs_beyond_the_deciding_one_change_nothing() -> None:
    rng = stream(3, "beyond")
    points = drawn(rng, [(0, 0.05), (1, 0.4), (2, 0.55)], 400)
    first = decide(Sprt(0, 100), points)
    assert first.verdict == "accepted H1" and first.pairs < 400
    assert (
        decide(Sprt(0, 100), points[: first.pairs])
        == first
        == decide(Sprt(0, 100), points[: first.pairs] + [0.0] * 500)
    )
    assert decide(Sprt(0, 100), points[: first.pairs - 1]).verdict == "undecided"


def test_errors_are_as_rare_as_asked_for() -> None:
    """Even players (H0 holds) and players as far apart as H1 says; wide bounds, so that tests are short."""
    test, runs = Sprt(0, 150), 120
    p = score_of(150)
    apart = [(0, (1 - p) ** 2), (1, 2 * p * (1 - p)), (2, p * p)]
    for chances, wrong in ((EVEN, "accepted H1"), (apart, "accepted H0")):
        rng = stream(5, wrong)
        found = [decide(test, drawn(rng, chances, 300)).verdict for _ in range(runs)]
        assert found.count(wrong) / runs < 0.1 and found.count("undecided") <= 2


@pytest.mark.parametrize(
    "text", ["", "1", "5,0", "0,10,0.05", "a,b", "0,10,0.6,0.1", "0,inf", "nan,1", "0,1e5", "-1e6,0"]
)
def test_texts_that_are_no_test(text: str) -> None:
    with pytest.raises(UsageError, match="--sprt"):
        Sprt.of(text)
    assert Sprt.of("0,10") == Sprt.of("0,10,0.05,0.05") == Sprt(0, 10)
