"""Codes of what changes, located and generic: shapes, what they depend on, what keeps them apart, and that they are learnt."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from gobench_videoworld.config import LatentConfig, TokenizerConfig, VideoWorldConfig
from gobench_videoworld.latent import LatentModel, latent_model
from gobench_videoworld.latent.measures import Steps, drawing, used
from gobench_videoworld.latent.steps import busiest, each_step
from gobench_videoworld.latent.white import White

ROWS, COLS = 4, 4
SITES, EMPTY, FRAMES = ROWS * COLS, 3, 9
BASE = VideoWorldConfig(tokenizer=TokenizerConfig(grid=(ROWS, COLS), levels=(4, 2)))
FORMS = {
    "located": LatentConfig("located", (1, 3, 5), (5,), width=16, blocks=2),
    "places": LatentConfig("located", (1, 2), (3, 2), places=2, width=16),
    "generic": LatentConfig("generic", (1, 3, 5), (8, 8), width=16),
}
Batch = dict[str, Tensor]


def config_of(form: str) -> VideoWorldConfig:
    return replace(BASE, latent=FORMS[form])


def made(form: str, seed: int = 0) -> LatentModel:
    torch.manual_seed(seed)
    return latent_model(config_of(form)).eval()


def games(many: int, seed: int) -> Tensor:
    """Boards int64 [N, T, S]: in turn, 1 and 2 are put on an empty site; a full row of four is emptied."""
    random = torch.Generator().manual_seed(seed)
    board = torch.full((many, SITES), EMPTY)
    found = [board]
    for ply in range(FRAMES - 1):
        chances = (board == EMPTY).float()
        site = torch.multinomial(chances, 1, generator=random)
        board = board.scatter(1, site, 1 + ply % 2).view(many, ROWS, COLS)
        full = (board != EMPTY).all(2, keepdim=True)
        board = torch.where(full, EMPTY, board).flatten(1)
        found.append(board)
    return torch.stack(found, 1)


def windows(form: str, many: int, seed: int = 0) -> Batch:
    frames = games(many, seed)
    offsets = torch.tensor(FORMS[form].offsets)
    time = torch.arange(many) % (FRAMES - 1)
    rows, last = torch.arange(many), FRAMES - 1
    ahead = time[:, None] + offsets
    return {
        "history": frames[rows, time][:, None],
        "before": frames[rows[:, None], (ahead - 1).clamp(max=last)],
        "after": frames[rows[:, None], ahead.clamp(max=last)],
        "there": ahead <= last,
        "episode": rows,
        "time": time,
        "symmetry": torch.zeros(many, dtype=torch.int64),
    }


@pytest.mark.parametrize("form", FORMS)
def test_windows_become_codes_and_frames(form: str) -> None:
    model, batch, spec = made(form), windows(form, 12), FORMS[form]
    digits, many = spec.digits(SITES), len(spec.offsets)
    codes = model.encode(batch)
    assert codes.shape == (12, many, len(digits)) and codes.dtype == torch.int64
    assert (codes >= 0).all() and (codes < torch.tensor(digits)).all()
    assert torch.equal(codes, model.encode(batch))
    drawn = model.decode(batch["history"][:, -1], codes)
    assert drawn.shape == (12, many, SITES) and drawn.dtype == torch.int64
    assert (drawn >= 0).all() and (drawn < BASE.tokenizer.vocabulary).all()
    continuous = model.continuous(batch)
    assert continuous.shape[:2] == (12, many) and continuous.dtype == torch.float32
    assert continuous.isfinite().all() and not continuous.requires_grad
    redrawn = model.redraw(batch)
    assert redrawn.shape == drawn.shape and torch.equal(redrawn[:, 0], drawn[:, 0])


@pytest.mark.parametrize("form", FORMS)
def test_windows_alone_have_the_codes_that_they_have_together(form: str) -> None:
    model, batch = made(form), windows(form, 12)
    alone = [model.encode({name: value[n : n + 1] for name, value in batch.items()}) for n in range(12)]
    assert torch.equal(torch.cat(alone), model.encode(batch))


@pytest.mark.parametrize("form", FORMS)
def test_fewer_codes_draw_the_first_frames(form: str) -> None:
    model, batch = made(form), windows(form, 12)
    shown, codes = batch["history"][:, -1], model.encode(batch)
    drawn = model.decode(shown, codes)
    for many in range(1, codes.shape[1]):
        assert torch.equal(model.decode(shown, codes[:, :many]), drawn[:, :many])
    later = codes.clone()
    later[:, -1] = 0
    assert torch.equal(model.decode(shown, later)[:, :-1], drawn[:, :-1])


@pytest.mark.parametrize("form", FORMS)
def test_codes_do_not_depend_on_later_frames(form: str) -> None:
    model, batch = made(form), windows(form, 40)
    codes, changed = model.encode(batch), 0
    for k, offset in enumerate(FORMS[form].offsets):
        other = {name: value.clone() for name, value in batch.items()}
        noise = games(40, 9)[:, 3:5]
        if offset > 1:  # frame 0 is x_t
            other["before"][:, k] = noise[:, 0]
        other["after"][:, k] = noise[:, 1]
        found = model.encode(other)
        assert torch.equal(found[:, :k], codes[:, :k]), offset
        changed += int((found[:, k] != codes[:, k]).any())
    assert changed == len(FORMS[form].offsets)


def test_a_located_code_is_about_its_own_step_alone() -> None:
    model, batch = made("located"), windows("located", 40)
    other = {name: value.clone() for name, value in batch.items()}
    other["history"][:] = games(40, 9)[:, 4:5]
    other["before"][:, 0], other["after"][:, 0] = games(40, 9)[:, 4], games(40, 9)[:, 5]
    assert torch.equal(model.encode(other)[:, 1:], model.encode(batch)[:, 1:])


def test_places_are_sites_that_change() -> None:
    batch = windows("located", 60)
    changed = batch["before"] != batch["after"]
    codes = made("located").encode(batch)
    here = changed.any(2)
    assert torch.gather(changed, 2, codes[..., :1])[here].all()
    assert (codes[..., 0][~here] == 0).all() and (~here).any()
    single = changed.sum(2) == 1
    assert torch.equal(codes[..., 0][single], changed[single].int().argmax(1))


def test_several_places_are_several_sites_as_far_as_there_are() -> None:
    batch = windows("places", 200)
    changed = batch["before"] != batch["after"]
    first, second, _ = made("places").encode(batch).unbind(2)
    many = changed.sum(2)
    assert (many > 1).any() and (first != second)[many > 1].all()
    assert torch.gather(changed, 2, second[..., None])[many > 1].all()
    assert (first == second)[many <= 1].all()


@pytest.mark.parametrize("form", FORMS)
def test_the_loss_is_a_mean_over_windows(form: str) -> None:
    model, batch = made(form), windows(form, 12)
    loss, metrics = model(batch)
    assert loss.ndim == 0 and all(value.ndim == 0 and not value.requires_grad for value in metrics.values())
    halves = [
        model({name: value[part] for name, value in batch.items()}) for part in (slice(6), slice(6, 12))
    ]
    assert torch.allclose(torch.stack([half[0] for half in halves]).mean(), loss, atol=1e-5)
    loss.backward()
    told = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    encoder = {"located": "content.weight", "places": "content.weight", "generic": "watcher.out"}[form]
    assert encoder in told  # through the rounding


def test_which_step_is_learnt_from() -> None:
    """The one in which most changes, or none; of equal ones in turn; never one that is not there."""
    before = torch.zeros(4, 3, 5, dtype=torch.int64)
    after = before.clone()
    for k in range(3):
        after[:, k, 0] = k + 1  # one site each
    after[0, 1, :3] = 9
    after[1, 2] = before[1, 2]
    there = torch.tensor([[True] * 3, [True] * 3, [True] * 3, [True, False, False]])
    batch = {"before": before, "after": after, "there": there, "time": torch.tensor([0, 1, 1, 0])}
    old, new = busiest(batch)
    assert torch.equal(new[0], after[0, 1]) and torch.equal(new[1], after[1, 2])
    assert torch.equal(new[2], after[2, 1])  # (time + step) % 3 is largest
    assert torch.equal(new[3], after[3, 0]) and torch.equal(old, before[:, 0])
    assert each_step(batch)[1].shape == (12, 5)


class TestWhite:
    @pytest.mark.parametrize("mean", [0.0, 5.0, 100.0])
    def test_numbers_that_hardly_differ_far_from_zero_have_a_root(self, mean: float) -> None:
        for seed in range(20):
            z = mean + 0.02 * torch.randn(64, 3, generator=torch.Generator().manual_seed(seed))
            _, found = self.learnt(z, 20)
            assert torch.allclose(found.T.cov(), 1.5**2 * torch.eye(3), atol=0.1)

    """What keeps codes from collapsing."""

    def learnt(self, z: Tensor, steps: int = 60) -> tuple[White, Tensor]:
        white = White(z.shape[1], 1.5).train()
        for _ in range(steps):
            white(z)
        return white.eval(), white(z)

    def test_small_differences_are_brought_to_scale(self) -> None:
        z = 1 + 0.02 * torch.randn(2000, 2, generator=torch.Generator().manual_seed(0))
        _, found = self.learnt(z)
        assert torch.allclose(found.mean(0), torch.zeros(2), atol=0.05)
        assert torch.allclose(found.std(0), torch.full((2,), 1.5), atol=0.1)

    def test_a_dimension_is_left_with_what_those_before_it_do_not_say(self) -> None:
        x, y = torch.randn(2, 2000, generator=torch.Generator().manual_seed(0))
        _, found = self.learnt(torch.stack([x, 5 * x + 0.1 * y], 1))
        assert torch.corrcoef(found.T)[0, 1].abs() < 0.05
        assert torch.corrcoef(torch.stack([found[:, 1], y]))[0, 1].abs() > 0.95

    def test_two_contents_on_one_level_come_to_lie_apart(self) -> None:
        from gobench_videoworld.fsq import FSQ

        z = torch.tensor([[0.02], [0.03]]).repeat(50, 1)
        assert FSQ((5,))(z)[1].unique().numel() == 1
        assert FSQ((5,))(self.learnt(z)[1])[1].unique().numel() == 2

    def test_steps_in_which_nothing_changes_say_nothing(self) -> None:
        z = 3 + torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
        padded = torch.cat([z, torch.zeros(600, 2)])
        one, other = self.learnt(z, 3)[0], self.learnt(padded, 3)[0]
        assert torch.allclose(one.mean, other.mean) and torch.allclose(one.covariance, other.covariance)

    def test_moments_move_in_training_alone_and_are_saved(self) -> None:
        z = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
        white, _ = self.learnt(z, 2)
        before = {name: value.clone() for name, value in white.state_dict().items()}
        assert before.keys() == {"mean", "covariance", "batches"} and before["batches"] == 2
        white(z + 9)
        with torch.no_grad():
            white.train()(z + 9)  # codes for others, while it is in training mode
        assert all(torch.equal(before[name], value) for name, value in white.state_dict().items())
        again = White(2, 1.5).eval()
        again.load_state_dict(before)
        assert torch.equal(again(z), white.eval()(z))


LEARNT = {
    "located": LatentConfig("located", (1, 3, 5), (5,), width=32),
    "generic": LatentConfig("generic", (1, 2), (8, 8), width=32),
}


@pytest.mark.parametrize(("form", "least"), [("located", 0.95), ("generic", 0.6)])
def test_boards_come_back_from_their_codes_after_seconds(
    form: str, least: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held-out games; every site must be right. Codes do not collapse."""
    monkeypatch.setitem(FORMS, form, LEARNT[form])
    model, pool, steps = made(form).train(), windows(form, 4000, 1), 250
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2, (0.9, 0.95), weight_decay=0.0)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        part = (torch.arange(64) + 64 * step) % 4000
        loss, _ = model({name: value[part] for name, value in pool.items()})
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rate.step()
    model.eval()
    batch = windows(form, 400, 2)
    parts = (batch["before"], batch["after"], model.redraw(batch), batch["there"])
    found = drawing(Steps(*(part.numpy() for part in parts)))
    codes = used(model.encode(batch).numpy(), batch["there"].numpy(), LEARNT[form].digits(SITES))
    assert found["exact1"] >= least
    assert codes["perplexity"] > 25 and codes["digit1_used"] > 0.7  # a move is one of 32
