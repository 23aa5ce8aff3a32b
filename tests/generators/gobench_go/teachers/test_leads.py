"""Score leads of a search: mean final scores of its simulations, komi included, from the mover's view."""

from __future__ import annotations

import numpy as np
import pytest

from gobench_go.game.position import Position
from gobench_go.game.rules import Rules
from gobench_go.teachers import teacher


def test_the_lead_after_a_pass_that_ends_the_game_is_the_score() -> None:
    ended = Position.of_text(Rules(3, 3, komi=0.5), ".X. XXX .X.", 2).play(9)  # Black fills no eye: it passes
    judgement = teacher("mcts:60").judge(ended, 1)
    assert judgement.visits.tolist() == [0] * 9 + [60]
    assert judgement.leads[9] == judgement.lead == 8.5


@pytest.mark.parametrize("komi", [0.5, 7.0])
def test_a_lead_is_the_movers_and_knows_the_komi(komi: float) -> None:
    board = "XXXXX X.X.X XXXXX ..... ....."
    black = teacher("mcts:200").judge(Position.of_text(Rules(5, 5, komi=komi), board, 1), 1)
    white = teacher("mcts:200").judge(Position.of_text(Rules(5, 5, komi=komi), board, 2), 1)
    assert black.lead > 15 - komi and white.lead < komi - 5


def test_komi_moves_every_lead_by_itself() -> None:
    far = [teacher("mcts:80").judge(Position.start(Rules(5, 5, komi=k)), 4) for k in (300, 310)]
    seen = far[0].visits > 0
    assert (far[0].visits == far[1].visits).all()
    assert np.allclose(far[0].leads[seen] - 10, far[1].leads[seen])


def test_leads_are_known_where_there_are_visits_and_mix_to_the_position_s() -> None:
    rules = Rules(5, 5, komi=3)
    judgement = teacher("mcts:300").judge(Position.start(rules).play(12), 2)
    seen = judgement.visits > 0
    assert judgement.leads.dtype == np.float32 and judgement.leads.shape == (26,)
    assert np.isfinite(judgement.leads[seen]).all() and np.isnan(judgement.leads[~seen]).all()
    assert np.abs(judgement.leads[seen]).max() <= 25 + 3
    mixed = float((judgement.leads[seen] * judgement.visits[seen]).sum() / judgement.visits.sum())
    assert judgement.lead == pytest.approx(mixed, abs=1e-3)


def test_taking_leads_by_more_than_a_pass() -> None:
    ladder = Position.of_text(Rules(5, 5, komi=2.5), "..X.. .XOX. .XOX. .O.O. ..O..")
    taken, passed = (teacher("mcts:400").judge(ladder.play(move), 1) for move in (17, 25))
    assert -taken.lead > -passed.lead + 5


def test_random_knows_no_leads() -> None:
    judgement = teacher("random").judge(Position.start(Rules(3, 3)), 1)
    assert np.isnan(judgement.leads).all() and np.isnan(judgement.lead)
