"""The transformer over video: who sees whom, its loss against its answers, and answers that depend on their prompt alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gobench_videoworld.config import (
    LatentConfig,
    SamplerConfig,
    TokenizerConfig,
    TransformerConfig,
    VideoWorldConfig,
)
from gobench_videoworld.transformer import dynamics, generate
from gobench_videoworld.transformer.aligned import Aligned
from gobench_videoworld.transformer.dynamics import Drawn, Dynamics
from gobench_videoworld.transformer.flops import training_flops
from gobench_videoworld.transformer.generate import greedy_decode
from gobench_videoworld.transformer.huggingface import export_llama
from gobench_videoworld.transformer.plain import Plain

ROWS, COLS = 3, 4
SITES = ROWS * COLS
SPEC = TransformerConfig(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=40
)
GENERIC = LatentConfig("generic", levels=(4, 3))


def config(spec: TransformerConfig = SPEC, **more: Any) -> VideoWorldConfig:
    small: Any = {"board": (ROWS, COLS), "tokenizer": TokenizerConfig(grid=(ROWS, COLS), levels=(3, 3))}
    return VideoWorldConfig(**{**small, "transformer": spec, **more})


FORMS: dict[str, VideoWorldConfig] = {
    "default": config(),
    "no pointer": config(replace(SPEC, pointer=False)),
    "causal": config(replace(SPEC, bidirectional=False, imagined=False)),
    "long history": config(replace(SPEC, history=3)),
    "two places": config(latent=LatentConfig(places=2, offsets=(1, 2), levels=(3, 2))),
    "two places, no pointer": config(replace(SPEC, pointer=False), latent=LatentConfig(places=2)),
    "one code": config(latent=LatentConfig(offsets=(1,))),
    "generic": config(latent=GENERIC),
    "one generic code": config(latent=replace(GENERIC, offsets=(1,))),
    "codes": config(target="codes"),
    "video": config(input="video"),
    "state": config(input="state"),
    "plain": config(SPEC.paper_faithful(), latent=GENERIC),
    "plain, located": config(replace(SPEC, scheme="plain")),
    "plain, codes": config(SPEC.paper_faithful(), target="codes"),
    "plain, video": config(SPEC.paper_faithful(), input="video"),
    "plain, state": config(SPEC.paper_faithful(), input="state"),
}
CODED = [name for name, form in FORMS.items() if form.codes]
FRAMED = [name for name, form in FORMS.items() if form.frames]
BOTH = [name for name in CODED if name in FRAMED]
GREEDY = SamplerConfig(temperature=0)


def made(form: str, frame_every: int = 1) -> Dynamics:
    """With weights that make it say something: equal ones for equal forms."""
    torch.manual_seed(5)
    net = Dynamics(FORMS[form], frame_every)
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.15)
    return net


def batch(form: str, rows: int = 6, seed: int = 1) -> dict[str, Tensor]:
    """Random windows; not all codes are there."""
    own, draw = FORMS[form], torch.Generator().manual_seed(seed)

    def numbers(below: int, *shape: int) -> Tensor:
        return torch.randint(below, shape, generator=draw)

    many = len(own.latent.offsets)
    digits = [numbers(below, rows, many) for below in own.digits]
    there = torch.ones(rows, many, dtype=torch.bool)
    there[1:3, 1:] = False
    frames = {name: numbers(own.vocabulary, rows, SITES) for name in ("next", "imagined")}
    history = numbers(own.vocabulary, rows, own.transformer.history, SITES)
    return {"history": history, "codes": torch.stack(digits, -1), "there": there, **frames}


def uniforms(rows: int, seed: int = 2) -> Tensor:
    return torch.rand(rows, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def imagine(shown: Tensor, code: Tensor) -> Tensor:
    """A stand-in for the latent decoder: the frame, moved on by the code at one site."""
    found = shown.clone()
    site = code[:, 0] % SITES
    found[torch.arange(len(found)), site] = (found[torch.arange(len(found)), site] + 1 + code[:, -1]) % 9
    return found


@dataclass
class Said:
    """Features of the prompt, and logits of every digit [B, values] and of all sites [B, S, V]."""

    prompt: Tensor
    digits: list[Tensor]
    tokens: Tensor | None


@torch.no_grad()
def taught(net: Dynamics, given: dict[str, Tensor]) -> Said:
    """What the model says when it is shown the truth all at once, as in training."""
    scheme = net.scheme
    hidden = net._hidden(given, net.config.frames)
    prompt, behind = hidden[:, : scheme.length], hidden[:, scheme.length :]
    digits = scheme.digit_logits(behind[:, : scheme.slots], 0, net._seen(prompt)) if scheme.slots else []
    tokens = scheme.token_logits(behind[:, scheme.slots :]) if net.config.frames else None
    return Said(prompt, digits, tokens)


def stepped(net: Dynamics, given: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch) -> Said:
    """What ``sample`` draws from, position by position with the cache, when it is made to say the truth."""
    digits: list[Tensor] = []
    tokens: list[Tensor] = []
    real = generate.draw

    def draw(logits: Tensor, temperature: float, numbers: Tensor) -> Tensor:
        digits.append(logits)
        return real(logits, temperature, numbers)

    def decode(llama: Any, cache: Any, inputs: Any, logits: Any, draft: Tensor, *_: Any) -> Tensor:
        previous = torch.zeros_like(draft[:, :1])
        for site in range(SITES):
            tokens.append(logits(llama(inputs(site, previous), 0, cache), site))
            previous = given["next"][:, site : site + 1]
        return given["next"]

    monkeypatch.setattr(dynamics, "draw", draw)
    monkeypatch.setattr(dynamics, "sample_decode", decode)
    force = given["codes"].flatten(1) if net.config.codes else None
    net.sample(given["history"], uniforms(len(given["history"])), GREEDY, lambda *_: given["imagined"], force)
    monkeypatch.undo()
    return Said(torch.empty(0), digits, torch.cat(tokens, 1) if tokens else None)


def nats(logits: Tensor, truth: Tensor) -> Tensor:
    return -logits.log_softmax(-1).gather(-1, truth[..., None])[..., 0]


def other(values: Tensor, below: int) -> Tensor:
    """Other values everywhere."""
    return (values + 1) % below


def near(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_answers_are_drawn_from_what_was_learnt(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net, given = made(form), batch(form)
    learnt, drawn = taught(net, given), stepped(net, given, monkeypatch)
    assert len(learnt.digits) == len(drawn.digits) == net.scheme.slots
    for i, (one, same) in enumerate(zip(learnt.digits, drawn.digits, strict=True)):
        assert one.shape == (6, net.config.digits[i % len(net.config.digits)])
        torch.testing.assert_close(one, same, atol=2e-5, rtol=1e-4)
    assert (learnt.tokens is None) == (drawn.tokens is None) == (not net.config.frames)
    if learnt.tokens is not None and drawn.tokens is not None:
        assert learnt.tokens.shape == (6, SITES, net.config.vocabulary)
        torch.testing.assert_close(learnt.tokens, drawn.tokens, atol=2e-5, rtol=1e-4)


def nats_of(net: Dynamics, given: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Of digits [B, C] and tokens [B, S]: in the paper's form among all words, else among what may stand there."""
    said, codes = taught(net, given), given["codes"].flatten(1)[:, : net.scheme.slots]
    if isinstance(net.scheme, Plain):
        with torch.no_grad():
            logits = net.scheme.lm_head(net._hidden(given, True)[:, net.scheme.length :])
        digits = [codes + net.scheme._offsets(codes)] if net.scheme.slots else []
        words = torch.cat([*digits, given["next"]], 1)[:, : logits.shape[1]]
        found = nats(logits, words)
        return found[:, : net.scheme.slots], found[:, net.scheme.slots :]
    each = [nats(row, codes[:, i]) for i, row in enumerate(said.digits)]
    tokens = torch.empty(0) if said.tokens is None else nats(said.tokens, given["next"])
    return torch.stack(each, 1) if each else torch.empty(0), tokens


@pytest.mark.parametrize("form", FORMS)
def test_the_loss_is_that_of_its_logits(form: str) -> None:
    net, given = made(form), batch(form)
    with torch.no_grad():
        loss, metrics = net(given)
    digits, tokens = nats_of(net, given)
    wanted: dict[str, Tensor] = {}
    if net.config.codes:
        each = digits.view(given["codes"].shape).sum(-1) * given["there"]
        wanted |= {f"code{k + 1}": each[:, k].mean() for k in range(net.config.codes)}
    if net.config.frames:
        wanted["frame"] = tokens.sum(1).mean()
    assert metrics.keys() == wanted.keys()
    for name, value in wanted.items():
        assert metrics[name].item() == pytest.approx(value.item(), rel=1e-5), name
    assert loss.item() == pytest.approx(sum(v.item() for v in wanted.values()), rel=1e-5)


@pytest.mark.parametrize("form", CODED)
def test_a_digit_is_said_without_knowing_later_ones_or_the_frame(form: str) -> None:
    net, given = made(form), batch(form)
    before = taught(net, given)
    for place in range(net.scheme.slots):
        digit = place % len(net.config.digits)
        codes = given["codes"].clone()
        codes.view(6, -1)[:, place] = other(codes.view(6, -1)[:, place], net.config.digits[digit])
        after = taught(net, {**given, "codes": codes})
        same = [near(a, b) for a, b in zip(before.digits, after.digits, strict=True)]
        assert same == [i <= place for i in range(net.scheme.slots)]
        assert near(before.prompt, after.prompt)
    if net.config.frames:
        after = taught(net, {**given, **{name: other(given[name], 9) for name in ("next", "imagined")}})
        assert all(near(a, b) for a, b in zip(before.digits, after.digits, strict=True))


@pytest.mark.parametrize("form", FRAMED)
def test_a_token_is_said_without_knowing_later_ones(form: str) -> None:
    net, given = made(form), batch(form)
    before = taught(net, given).tokens
    assert before is not None
    for site in (0, 4, SITES - 1):
        following = given["next"].clone()
        following[:, site] = other(following[:, site], net.config.vocabulary)
        after = taught(net, {**given, "next": following}).tokens
        assert after is not None
        assert [near(before[:, i], after[:, i]) for i in range(SITES)] == [i <= site for i in range(SITES)]


@pytest.mark.parametrize("form", BOTH)
def test_the_frame_follows_every_digit_of_the_first_code(form: str) -> None:
    net, given = made(form), batch(form)
    before = taught(net, given).tokens
    assert before is not None
    for digit, below in enumerate(net.config.digits):
        codes = given["codes"].clone()
        codes[:, 0, digit] = other(codes[:, 0, digit], below)
        after = taught(net, {**given, "codes": codes}).tokens
        assert after is not None and not near(before[:, 0], after[:, 0])


@pytest.mark.parametrize("form", FORMS)
def test_the_prompt_sees_itself_as_the_config_says(form: str) -> None:
    net, given = made(form), batch(form)
    history = given["history"].clone()
    history[:, -1, -1] = other(history[:, -1, -1], net.config.vocabulary)
    before, after = taught(net, given).prompt, taught(net, {**given, "history": history}).prompt
    same = [near(before[:, i], after[:, i]) for i in range(net.scheme.length)]
    both_ways = net.config.transformer.bidirectional
    assert same == [not both_ways] * (net.scheme.length - 1) + [False]


@pytest.mark.parametrize("form", FORMS)
def test_every_frame_of_the_prompt_is_seen(form: str) -> None:
    net, given = made(form), batch(form)
    for lag in range(net.config.transformer.history):
        history = given["history"].clone()
        history[:, lag, 3] = other(history[:, lag, 3], net.config.vocabulary)
        before, after = taught(net, given), taught(net, {**given, "history": history})
        first = [said.digits[0] if said.digits else said.tokens for said in (before, after)]
        assert first[0] is not None and first[1] is not None and not near(first[0], first[1])


def test_earlier_frames_count_where_they_differ() -> None:
    net = made("long history")
    given = batch("long history")
    given["history"][:, :2] = given["history"][:, 2:]
    before = taught(net, given).digits[0]
    scheme: Any = net.scheme
    with torch.no_grad():
        scheme.shown[1].weight.zero_(), scheme.shown[2].weight.zero_()
    assert near(before, taught(net, given).digits[0])


@pytest.mark.parametrize("form", FORMS)
def test_codes_do_not_depend_on_how_many_frames_are_learnt(form: str) -> None:
    given = batch(form, 8)
    with torch.no_grad():
        (_, often), (loss, seldom) = made(form)(given), made(form, 4)(given)
        _, fourth = made(form)({name: value[::4] for name, value in given.items()})
    for k in range(FORMS[form].codes):
        torch.testing.assert_close(often[f"code{k + 1}"], seldom[f"code{k + 1}"])
    if FORMS[form].frames:
        torch.testing.assert_close(seldom["frame"], fourth["frame"] if FORMS[form].codes else often["frame"])
    torch.testing.assert_close(loss, torch.stack(list(seldom.values())).sum())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("frame_every", [1, 2, 4])
def test_two_halves_are_one_whole(form: str, frame_every: int) -> None:
    net, given = made(form, frame_every), batch(form, 16)
    net(given)[0].backward()
    whole = {name: p.grad for name, p in net.named_parameters()}
    net.zero_grad()
    losses = [
        net({name: value[part] for name, value in given.items()})[0] for part in (slice(8), slice(8, 16))
    ]
    (sum(losses) / 2).backward()
    with torch.no_grad():
        torch.testing.assert_close(net(given)[0], sum(losses) / 2)
    for name, p in net.named_parameters():
        torch.testing.assert_close(p.grad, whole[name], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("form", FORMS)
def test_every_weight_learns(form: str) -> None:
    """Several processes wait for the gradient of each (DistributedDataParallel)."""
    net = made(form, 4)
    net(batch(form))[0].backward()
    idle = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert not idle


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sampler", [GREEDY, SamplerConfig(1.0, 0.0), SamplerConfig(0.7, 1.3)], ids=str)
def test_an_answer_does_not_depend_on_its_neighbours(form: str, sampler: SamplerConfig) -> None:
    net, given, numbers = made(form), batch(form)["history"], uniforms(6)
    codes, tokens = net.sample(given, numbers, sampler, imagine)
    assert codes.shape == (6, net.config.codes, len(net.config.digits)) and codes.dtype == torch.int64
    for row in range(6):
        one, own = net.sample(given[row : row + 1], numbers[row : row + 1], sampler, imagine)
        assert torch.equal(one[0], codes[row])
        assert (own is None) == (tokens is None) == (not net.config.frames)
        assert own is None or tokens is None or torch.equal(own[0], tokens[row])


@pytest.mark.parametrize("form", FORMS)
def test_answers_are_within_their_ranges(form: str) -> None:
    net = made(form)
    codes, tokens = net.sample(batch(form)["history"], uniforms(6), SamplerConfig(3.0, 3.0), imagine)
    for digit, below in enumerate(net.config.digits):
        assert ((codes[..., digit] >= 0) & (codes[..., digit] < below)).all()
    assert tokens is None or (
        tokens.shape == (6, SITES) and 0 <= tokens.min() <= tokens.max() < net.config.vocabulary
    )


@pytest.mark.parametrize("form", FORMS)
def test_numbers_decide_where_there_is_a_temperature(form: str) -> None:
    net, given = made(form), batch(form, 24)["history"]
    same = [net.sample(given, uniforms(24, seed), GREEDY, imagine) for seed in (1, 2)]
    assert alike(*same)
    differing = [
        net.sample(given, uniforms(24, seed), SamplerConfig(1.0, 1.0), imagine) for seed in (1, 2, 1)
    ]
    assert alike(differing[0], differing[2]) and not alike(differing[0], differing[1])


@pytest.mark.parametrize("form", ["default", "plain, video"])
def test_the_coldest_temperature_is_greedy(form: str) -> None:
    net, given = made(form), batch(form)["history"]
    cold = net.sample(given, uniforms(6), SamplerConfig(5e-324, 5e-324), imagine)
    assert alike(cold, net.sample(given, uniforms(6), GREEDY, imagine))


def alike(one: Drawn, other: Drawn) -> bool:
    if one.tokens is None or other.tokens is None:
        return torch.equal(one.codes, other.codes) and one.tokens is other.tokens
    return torch.equal(one.codes, other.codes) and torch.equal(one.tokens, other.tokens)


@pytest.mark.parametrize("form", FRAMED)
def test_drafting_says_what_plain_decoding_says(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net, given = made(form), batch(form)["history"]
    drafted = net.sample(given, uniforms(6), SamplerConfig(1.0, 0.0), imagine)
    monkeypatch.setattr(dynamics, "sample_decode", lambda *args: greedy_decode(*args[:5]))
    assert alike(net.sample(given, uniforms(6), SamplerConfig(1.0, 0.0), imagine), drafted)


@pytest.mark.parametrize("form", CODED)
def test_digits_can_be_forced(form: str) -> None:
    net, given, numbers = made(form), batch(form), uniforms(6)
    free = net.sample(given["history"], numbers, SamplerConfig(), imagine)
    wanted = given["codes"].flatten(1)
    assert torch.equal(
        net.sample(given["history"], numbers, GREEDY, imagine, wanted).codes,
        given["codes"][:, : net.config.codes],
    )
    assert alike(net.sample(given["history"], numbers, SamplerConfig(), imagine, free.codes.flatten(1)), free)
    assert alike(
        net.sample(given["history"], numbers, SamplerConfig(), imagine, torch.full_like(wanted, -1)), free
    )
    last = torch.full_like(wanted, -1)
    last[:, -1] = other(free.codes.flatten(1)[:, -1], net.config.digits[-1])
    found = net.sample(given["history"], numbers, SamplerConfig(), imagine, last).codes.flatten(1)
    assert torch.equal(found[:, :-1], free.codes.flatten(1)[:, :-1]) and torch.equal(
        found[:, -1], last[:, -1]
    )


def test_the_latent_renderer_leaves_the_frame_to_others() -> None:
    net, given = made("default"), batch("default")["history"]
    codes, tokens = net.sample(given, uniforms(6), SamplerConfig(renderer="latent"), imagine)
    assert tokens is None and torch.equal(
        codes, net.sample(given, uniforms(6), SamplerConfig(), imagine).codes
    )


def test_the_decoder_is_asked_about_the_first_code() -> None:
    net, given = made("default"), batch("default")["history"]
    asked: list[tuple[Tensor, Tensor]] = []

    def noting(shown: Tensor, code: Tensor) -> Tensor:
        asked.append((shown, code))
        return imagine(shown, code)

    codes, _ = net.sample(given, uniforms(6), SamplerConfig(), noting)
    ((shown, code),) = asked
    assert torch.equal(shown, given[:, -1]) and torch.equal(code, codes[:, 0])


@pytest.mark.parametrize("form", ["state", "plain, state"])
def test_a_state_can_be_left_as_it_is(form: str) -> None:
    net, given = made(form), batch(form)
    assert net.config.digits == (SITES + 1, 3)
    given["codes"][..., 0] = SITES  # "none"
    loss, _ = net(given)
    loss.backward()
    assert torch.isfinite(loss)
    if isinstance(net.scheme, Aligned):
        assert net.scheme.none.grad is not None and net.scheme.none.grad.any()
    force = torch.full((6, net.scheme.slots), -1)
    force[:, 0] = SITES
    drawn = net.sample(given["history"], uniforms(6), SamplerConfig(), force=force)
    assert (drawn.codes[:, 0, 0] == SITES).all() and drawn.tokens is None


def test_none_is_said_where_it_is_likeliest() -> None:
    net, given = made("state"), batch("state")
    seen: Any = net.scheme
    hidden = torch.ones(6, 1, 32)
    with torch.no_grad():
        seen.none.copy_(100 * seen.scores[0](hidden[0, 0]))
        logits = seen.digit_logits(hidden, 0, torch.zeros(6, SITES, 32))[0]
    assert logits.shape == (6, SITES + 1) and (logits.argmax(-1) == SITES).all()
    assert given["history"].max() < 3


@pytest.mark.parametrize("form", [name for name in FRAMED if not name.startswith("plain")])
def test_copying_is_tied(form: str) -> None:
    net = made(form)
    scheme: Any = net.scheme
    shown = scheme.imagined if net.config.imagines else scheme.shown[0]
    assert (scheme.imagined is not None) == net.config.imagines
    assert scheme.token.weight is shown.weight
    table = {name: value.clone() for name, value in net.state_dict().items()}
    assert torch.equal(table["scheme.token.weight"], shown.weight)
    fresh = Dynamics(net.config)
    fresh.load_state_dict(table)
    again: Any = fresh.scheme
    assert again.token.weight is (again.imagined if net.config.imagines else again.shown[0]).weight
    given = batch(form)
    with torch.no_grad():
        torch.testing.assert_close(fresh(given)[0], net(given)[0])


@pytest.mark.parametrize("form", FORMS)
def test_a_sequence_has_the_positions_that_are_told(form: str) -> None:
    net = made(form)
    assert net._hidden(batch(form), True).shape == (6, net.positions, 32)
    assert 0 < training_flops(made(form, 4), 8) <= training_flops(net, 8)


@pytest.mark.parametrize("form", ["default", "plain", "state", "video"])
def test_it_answers_in_bfloat16(form: str) -> None:
    net = made(form).to(torch.bfloat16)
    codes, tokens = net.sample(batch(form)["history"], uniforms(6), SamplerConfig(1.0, 1.0), imagine)
    assert codes.dtype == torch.int64 and (tokens is None or tokens.dtype == torch.int64)


@pytest.mark.parametrize("form", ["default", "plain", "two places"])
def test_training_under_autocast_is_close(form: str) -> None:
    net, given = made(form), batch(form)
    whole, _ = net(given)
    with torch.autocast("cpu", torch.bfloat16):
        half, _ = net(given)
    assert half.dtype == torch.float32 and half.item() == pytest.approx(whole.item(), rel=0.02)
    half.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in net.parameters())


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Any]:
    """The paper's form as transformers opens it, and our own."""
    transformers = pytest.importorskip("transformers")
    net = made("plain")
    scheme: Any = net.scheme
    export_llama(net.model, scheme.embed_tokens.weight, scheme.lm_head.weight, tmp_path)
    yield transformers.LlamaForCausalLM.from_pretrained(tmp_path).eval(), net


def test_transformers_says_the_same_of_the_papers_form(theirs: Any) -> None:
    model, net = theirs
    given = batch("plain")
    scheme, digits = net.scheme, given["codes"].flatten(1)
    mark = torch.full((6, 1), scheme.frame + 1)
    words = [scheme.words(given["history"]), mark, digits + scheme._offsets(digits), given["next"]]
    with torch.no_grad():
        logits = model(torch.cat(words, 1)).logits[:, scheme.length : -1]
    said = taught(net, given)
    own = logits[:, : scheme.slots, scheme.starts[0] : scheme.starts[1]]
    torch.testing.assert_close(own, torch.stack(said.digits, 1), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(logits[:, scheme.slots :, : scheme.tokens], said.tokens, atol=1e-4, rtol=1e-4)
