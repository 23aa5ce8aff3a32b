"""Ratings against closed forms, choix, symmetries and simulated tournaments."""

from __future__ import annotations

import itertools
import math

import choix
import numpy as np
import pytest

from gobench.statistics import Played, UnconnectedError, rate, win_chance
from gobench.statistics.bradley_terry import Design
from gobench.statistics.ratings import ELO


def match(a: str, b: str, points: list[float], first: str = "ab") -> list[Played]:
    """Games of a with b, two a cluster, ``a`` first in turns (or always with first="a")."""
    games = []
    for n, won in enumerate(points):
        turned = first == "ab" and n % 2
        pair = f"{a}/{b}/{n // 2}"
        games.append(Played(b, a, 1 - won, pair) if turned else Played(a, b, won, pair))
    return games


def tournament(
    strengths: dict[str, float],
    clusters: int,
    rng: np.random.Generator,
    advantage: float = 0.0,
    draws: float = 0.0,
) -> list[Played]:
    games = []
    for a, b in itertools.combinations(strengths, 2):
        for n, (x, y) in itertools.product(range(clusters), ((a, b), (b, a))):
            chance = win_chance(strengths[x] - strengths[y] + advantage)
            points = 0.5 if rng.random() < draws else float(rng.random() < chance)
            games.append(Played(x, y, points, f"{a}/{b}/{n}"))
    return games


def elos(games: list[Played], **options: object) -> dict[str, float]:
    found = rate(games, **{"draws": 1, **options})  # type: ignore[arg-type]
    return {player.name: player.elo for player in found.players}


@pytest.mark.parametrize(
    ("wins", "draws", "losses"), [(7, 0, 3), (10, 0, 0), (0, 0, 6), (3, 4, 5), (0, 8, 0)]
)
@pytest.mark.parametrize("prior", [1.0, 4.0])
def test_two_players_have_a_closed_form(wins: int, draws: int, losses: int, prior: float) -> None:
    games = match("a", "b", [1.0] * wins + [0.5] * draws + [0.0] * losses)
    points = wins + draws / 2
    expected = 400 * math.log10((points + prior / 2) / (len(games) - points + prior / 2))
    found = elos(games, anchors={"b": 1000}, advantage=False, prior=prior)
    assert found["a"] == pytest.approx(1000 + expected, abs=1e-6)
    assert found["b"] == 1000


def by_choix(games: list[Played], prior: int) -> dict[str, float]:
    """The same ratings by choix, which knows wins alone: a draw is a win each way where every game counts twice.

    ``prior`` is the drawn games of each pair.
    """
    names = sorted({name for game in games for name in game[:2]})
    place = {name: n for n, name in enumerate(names)}
    data = []
    for game in games:
        a, b = place[game.first], place[game.second]
        data += [(a, b)] * round(2 * game.points) + [(b, a)] * round(2 - 2 * game.points)
    for pair in itertools.combinations(range(len(names)), 2):
        data += [pair, pair[::-1]] * prior
    values = choix.opt_pairwise(len(names), data, alpha=0, tol=1e-12) * ELO
    return dict(zip(names, values - values.mean(), strict=True))


@pytest.mark.parametrize("prior", [0, 1, 3])
@pytest.mark.parametrize("draws", [0.0, 0.3])
def test_as_choix(prior: int, draws: float) -> None:
    strengths = {"a": 0, "b": 60, "c": 110, "d": 190, "e": 250}
    games = tournament(strengths, 12, np.random.default_rng(4), draws=draws)
    assert elos(games, advantage=False, prior=4 * prior) == pytest.approx(by_choix(games, prior), abs=1e-3)


def test_as_choix_on_few_games_by_few_players() -> None:
    games = match("a", "b", [1, 0, 1]) + match("b", "c", [1, 1, 0]) + match("c", "a", [1, 0])
    assert elos(games, advantage=False, prior=0) == pytest.approx(by_choix(games, 0), abs=1e-3)


def test_a_sweep_converges_and_is_marked_as_a_bound() -> None:
    games = match("weak", "middle", [0.0] * 40) + match("middle", "strong", [1.0, 0.0] * 10)
    found = rate(games, {"weak": 0}, draws=200)
    middle = found.of("middle")
    assert (middle.bound, middle.high) == (">=", math.inf)
    alone = rate(games, {"weak": 0}, advantage=False, draws=1).of("middle")
    drawn = (
        1 + 40 / 60
    ) / 2  # games of the prior between the two: one of "weak", two thirds of one of "middle"
    assert alone.elo == pytest.approx(400 * math.log10((40 + drawn / 2) / (drawn / 2)))
    assert 150 < middle.low < middle.elo
    assert found.of("strong").bound == ">="
    turned = rate(games, {"strong": 0}, draws=200)
    assert [turned.of(name).bound for name in ("weak", "middle", "strong")] == ["<=", "", ""]
    assert turned.of("weak").low == -math.inf and turned.of("weak").high < -150


def test_the_prior_hardly_moves_the_ends_of_a_long_ladder() -> None:
    strengths = {f"p{n}": 200.0 * n for n in range(8)}
    games = tournament(strengths, 20, np.random.default_rng(12))
    without, usual = elos(games, prior=0), elos(games)
    assert usual["p7"] - usual["p0"] == pytest.approx(without["p7"] - without["p0"], rel=0.06)


def test_longer_sweeps_bound_more() -> None:
    lows = [rate(match("a", "b", [1.0] * n), {"b": 0}, draws=50).of("a").low for n in (20, 100, 500)]
    assert 0 < lows[0] < lows[1] < lows[2]
    assert all(low < 400 * math.log10(2 * n + 1) for low, n in zip(lows, (20, 100, 500), strict=True))


def test_a_sweep_of_several_anchors_is_one_sweep() -> None:
    ladder = {"low": 0.0, "middle": 500.0, "high": 1500.0}
    games = [game for name in ladder for game in match("a", name, [0.0] * 20)]
    found = rate(games, ladder, advantage=False, draws=50).of("a")
    alone = rate(match("a", "low", [0.0] * 20), {"low": 0}, advantage=False, draws=50).of("a")
    assert found.bound == alone.bound == "<="
    assert found.elo < found.high < 0
    assert found.high == pytest.approx(alone.high, abs=120), "strong opponents tell little"


def test_two_that_swept_an_anchor_but_not_each_other() -> None:
    games = match("a", "c", [1.0] * 20) + match("b", "c", [0.0] * 20)
    found = rate(games, {"a": 0}, draws=50)
    assert found.of("c").bound == "<=" and found.of("b").bound == "<="
    met = match("a", "c", [1.0] * 20) + match("b", "c", [1.0] * 20)
    assert rate(met, {"a": 0}, draws=50).of("b").bound == "?"
    ends = rate(met, {"a": 0}, draws=50).of("b")
    assert (ends.low, ends.high) == (-math.inf, math.inf)


def test_without_anchors_the_mean_is_0_and_bounds_are_to_the_largest_group() -> None:
    games = tournament({"a": 0, "b": 30, "c": 60}, 10, np.random.default_rng(1)) + match("d", "c", [1.0] * 20)
    found = rate(games, draws=100)
    assert sum(player.elo for player in found.players) == pytest.approx(0)
    assert {p.name: p.bound for p in found.players} == {"a": "", "b": "", "c": "", "d": ">="}


def test_players_that_no_games_connect_are_named() -> None:
    games = match("a", "b", [1, 0]) + match("c", "d", [1, 0])
    with pytest.raises(UnconnectedError, match=r"\{a, b\} and \{c, d\}") as error:
        rate(games)
    assert error.value.parts == [["a", "b"], ["c", "d"]]
    with pytest.raises(UnconnectedError, match=r"without an anchor of their own are \{c, d\}"):
        rate(games, {"a": 0})
    apart = elos(games, anchors={"a": 0, "c": 500}, advantage=False)
    assert apart == pytest.approx({"a": 0, "b": 0, "c": 500, "d": 500})


@pytest.mark.parametrize(
    ("games", "options", "words"),
    [
        ([], {}, "no games"),
        ([Played("a", "a", 1, "x")], {}, "against itself"),
        ([Played("a", "b", 2, "x")], {}, "give 0 to 1"),
        (match("a", "b", [1, 0]), {"anchors": {"z": 0}}, "'z' has no games"),
        (match("a", "b", [1, 0]), {"prior": -1}, "give 0 or more"),
        (match("a", "b", [1, 1]), {"prior": 0}, r"\{a\} and \{b\} one side won every game"),
        (match("a", "b", [1, 0], first="a"), {"prior": 0}, "tell the advantage"),
    ],
)
def test_what_cannot_be_rated(games: list[Played], options: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        rate(games, draws=1, **options)  # type: ignore[arg-type]


def test_ratings_do_not_depend_on_names_order_or_anchor() -> None:
    games = tournament({"a": 0, "b": 80, "c": 200}, 8, np.random.default_rng(2), advantage=40, draws=0.1)
    plain = elos(games)
    assert elos(games[::-1]) == pytest.approx(plain, abs=1e-6)
    renamed = [Played(f"x{9 - ord(g.first)}", f"x{9 - ord(g.second)}", *g[2:]) for g in games]
    assert sorted(elos(renamed).values()) == pytest.approx(sorted(plain.values()), abs=1e-6)
    moved = elos(games, anchors={"b": 777})
    assert moved["c"] - moved["a"] == pytest.approx(plain["c"] - plain["a"], abs=1e-6)


def test_turning_every_result_round_turns_the_ratings_round() -> None:
    games = tournament({"a": 0, "b": 80, "c": 200}, 8, np.random.default_rng(3), draws=0.2)
    turned = [Played(g.first, g.second, 1 - g.points, g.cluster) for g in games]
    here, there = rate(games, draws=1), rate(turned, draws=1)
    assert {p.name: -p.elo for p in here.players} == pytest.approx({p.name: p.elo for p in there.players})
    assert here.advantage == pytest.approx(-there.advantage)


def test_several_anchors_stay_and_the_rest_goes_between() -> None:
    games = tournament({"a": 0, "b": 100, "c": 200}, 20, np.random.default_rng(6))
    found = rate(games, {"a": 0, "c": 200}, draws=100)
    assert (found.of("a").elo, found.of("c").elo) == (0, 200)
    assert 40 < found.of("b").elo < 160
    assert found.of("a").anchored and found.of("a").low == found.of("a").high == 0


def test_the_advantage_of_being_first_is_found() -> None:
    games = tournament({"a": 0, "b": 100, "c": 150}, 150, np.random.default_rng(5), advantage=80)
    found = rate(games, {"a": 0}, draws=300)
    assert found.advantage == pytest.approx(80, abs=30)
    assert found.advantage_low < 80 < found.advantage_high
    off = rate(games, {"a": 0}, advantage=False, draws=50)
    assert (off.advantage, off.advantage_low, off.advantage_high) == (0, 0, 0)


def test_who_is_first_by_chance_only_is_told_from_strength_by_the_advantage() -> None:
    games = match("a", "b", [1, 1, 1, 0] * 20, first="a") + match("b", "a", [1, 1, 1, 0] * 20, first="a")
    found = rate(games, {"a": 0}, draws=1)
    assert found.of("b").elo == pytest.approx(0, abs=1e-6)
    assert found.advantage == pytest.approx(400 * math.log10(3), abs=5)


def test_counts_of_a_player() -> None:
    games = match("a", "b", [1, 0.5, 0, 1]) + match("a", "c", [1])
    found = rate(games, draws=1).of("a")
    assert (found.games, found.wins, found.draws, found.losses, found.points) == (5, 3, 1, 1, 3.5)
    assert found.opponents == ("b", "c") and found.clusters == 3
    assert math.isnan(found.low) and math.isnan(found.high)  # too few clusters for an interval


def test_the_same_call_gives_the_same_numbers_and_seeds_move_intervals_only() -> None:
    games = tournament({"a": 0, "b": 80}, 20, np.random.default_rng(7))
    one, again, other = (rate(games, {"a": 0}, draws=200, seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert other.of("b").elo == one.of("b").elo
    assert other.of("b").low != one.of("b").low


def test_intervals_cover_and_widen_with_the_level() -> None:
    strengths = {"a": 0.0, "b": 120.0, "c": 300.0}
    rng, inside = np.random.default_rng(8), 0
    for _ in range(120):
        found = rate(tournament(strengths, 20, rng, advantage=30), {"a": 0}, draws=200)
        inside += sum(found.of(x).low <= strengths[x] <= found.of(x).high for x in "bc")
    assert 0.91 <= inside / 240 <= 0.99
    games = tournament(strengths, 20, rng)
    narrow, wide = (rate(games, {"a": 0}, level=level, draws=200).of("b") for level in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_games_of_a_pair_that_repeat_each_other_count_once() -> None:
    rng = np.random.default_rng(9)
    pairs = [float(rng.random() < 0.6) for _ in range(40)]
    twice = [Played("a", "b", x, str(n)) for n, x in enumerate(pairs) for _ in range(2)]
    apart = [Played("a", "b", g.points, str(n)) for n, g in enumerate(twice)]
    both = [rate(games, {"b": 0}, advantage=False, draws=500).of("a") for games in (twice, apart)]
    widths = [found.high - found.low for found in both]
    assert widths[0] == pytest.approx(widths[1] * math.sqrt(2), rel=0.15)


def test_a_fit_far_from_its_start_converges() -> None:
    design = Design.of(np.array([0, 1]), np.array([1, 0]), np.array([math.nan, 0.0]), True)
    counts, points = np.array([[1e6, 1.0], [2.0, 1e-3]]), np.array([[1e6 - 1e-2, 0.5], [1.0, 1e-3 - 1e-9]])
    found = design.fit(counts, points)
    leads = found @ design.matrix.T
    assert counts / (1 + np.exp(-leads)) == pytest.approx(points, rel=1e-6)


def test_anchors_far_away_are_reached() -> None:
    games = match("a", "b", [1.0] * 10) + match("a", "c", [0.0] * 10)
    found = elos(games, anchors={"b": 6000, "c": -4000}, advantage=False)
    assert found["a"] == pytest.approx(1000, abs=1e-3)


def test_players_with_everything_fixed_need_no_fit() -> None:
    found = rate(match("a", "b", [1, 0] * 10), {"a": 0, "b": 50}, advantage=False, draws=10)
    assert [(p.name, p.elo) for p in found.players] == [("b", 50.0), ("a", 0.0)]


LONG = {"clumsy": -432.0, "random": 0.0, "low": 500.0, "middle": 1055.0, "high": 1888.0, "top": 2518.0}


def against(true: float, each: int, rng: np.random.Generator) -> list[Played]:
    """Games of a player "x" with everybody of a ladder."""
    return [
        game
        for name, elo in LONG.items()
        for game in match("x", name, [float(rng.random() < win_chance(true - elo)) for _ in range(each)])
    ]


def test_given_opponents_do_not_draw_a_player_to_them() -> None:
    few = match("x", "clumsy", [1, 0]) + match("x", "high", [0.0] * 8) + match("x", "top", [0.0] * 6)
    assert elos(few, anchors={n: LONG[n] for n in ("clumsy", "high", "top")}, advantage=False)[
        "x"
    ] == pytest.approx(-432 + 400 * math.log10(1.5 / 1), abs=1)
    rng = np.random.default_rng(11)
    for true in (-300, 0, 1000, 2000):
        found = [elos(against(true, 20, rng), anchors=LONG, advantage=False)["x"] for _ in range(60)]
        assert np.mean(found) == pytest.approx(true, abs=25)


def test_who_lost_or_won_everything_stays_as_near_to_the_end_as_one_drawn_game_holds_it() -> None:
    for points, end in ((0.0, "clumsy"), (1.0, "top")):
        games = [game for name in LONG for game in match("x", name, [points] * 20)]
        found = elos(games, anchors=LONG, advantage=False)["x"]
        alone = elos(match("x", end, [points] * 20), anchors={end: LONG[end]}, advantage=False)["x"]
        assert found == pytest.approx(alone, abs=60) and (found - LONG[end]) * (points - 0.5) > 0
