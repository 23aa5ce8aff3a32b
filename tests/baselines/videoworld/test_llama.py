"""The backbone: three paths, one answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from gobench_videoworld.config import TransformerConfig
from gobench_videoworld.transformer import cpu, llama
from gobench_videoworld.transformer.fused import ROWS, blocks, paired, unpaired
from gobench_videoworld.transformer.llama import Cache, Llama

NARROW = TransformerConfig(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=4, intermediate_size=40
)
GROUPED = TransformerConfig(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=40
)
CLOSE = {"atol": 2e-5, "rtol": 2e-5}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def made(config: TransformerConfig, seed: int = 0) -> Llama:
    """With weights large enough for every part to matter."""
    torch.manual_seed(seed)
    model = Llama(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * 0.15)
    return model


def reference(model: Llama, x: Tensor, prefix: int) -> Tensor:
    """The textbook, one position at a time where it matters, in float64."""
    weights = {name: w.detach().double() for name, w in model.state_dict().items()}
    config, x = model.config, x.double()
    heads, groups = config.num_attention_heads, config.num_key_value_heads
    size, length = config.hidden_size // heads, x.shape[1]
    hidden = torch.ones(length, length, dtype=torch.bool).triu(1)
    hidden[:prefix, :prefix] = False

    def norm(x: Tensor, name: str) -> Tensor:
        return x / (x.pow(2).mean(-1, keepdim=True) + config.rms_norm_eps).sqrt() * weights[name]

    def rope(x: Tensor) -> Tensor:
        found = x.clone()
        for i in range(size // 2):
            angle = torch.arange(length).double() * config.rope_theta ** (-2 * i / size)
            a, b = x[..., i], x[..., i + size // 2]
            found[..., i] = a * angle.cos() - b * angle.sin()
            found[..., i + size // 2] = b * angle.cos() + a * angle.sin()
        return found

    for n in range(config.num_hidden_layers):
        at = f"layers.{n}."
        y = norm(x, at + "input_layernorm.weight")
        q, k, v = (y @ weights[f"{at}self_attn.{p}_proj.weight"].t() for p in "qkv")
        q = rope(q.unflatten(-1, (heads, size)).transpose(1, 2))
        k = rope(k.unflatten(-1, (groups, size)).transpose(1, 2)).repeat_interleave(heads // groups, 1)
        v = v.unflatten(-1, (groups, size)).transpose(1, 2).repeat_interleave(heads // groups, 1)
        scores = (q @ k.transpose(-1, -2) / size**0.5).masked_fill(hidden, -torch.inf)
        seen = (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)
        x = x + seen @ weights[at + "self_attn.o_proj.weight"].t()
        y = norm(x, at + "post_attention_layernorm.weight")
        gate, up = (y @ weights[f"{at}mlp.{p}_proj.weight"].t() for p in ("gate", "up"))
        x = x + (gate * gate.sigmoid() * up) @ weights[at + "mlp.down_proj.weight"].t()
    return norm(x, "norm.weight")


@pytest.mark.parametrize("config", [NARROW, GROUPED], ids=["all heads", "grouped"])
@pytest.mark.parametrize(("length", "prefix"), [(1, 0), (9, 0), (9, 4), (7, 7), (2 * ROWS + 3, 5)])
def test_all_paths_follow_the_textbook(
    config: TransformerConfig, length: int, prefix: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, x = made(config), torch.randn(3, length, config.hidden_size)
    wanted = reference(model, x, prefix).float()
    with torch.no_grad():
        torch.testing.assert_close(model(x, prefix), wanted, **CLOSE)
        torch.testing.assert_close(model(x, prefix, Cache(config, 3, length)), wanted, **CLOSE)
        monkeypatch.setattr(llama, "fusible", lambda x: False)
        torch.testing.assert_close(model(x, prefix), wanted, **CLOSE)


@pytest.mark.parametrize("config", [NARROW, GROUPED], ids=["all heads", "grouped"])
@pytest.mark.parametrize(("length", "prefix"), [(1, 0), (9, 4), (2 * ROWS + 3, 0)])
def test_gradients_of_the_fused_path_are_the_plain_ones(
    config: TransformerConfig, length: int, prefix: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = made(config).double()
    x = torch.randn(2, length, config.hidden_size, dtype=torch.float64, requires_grad=True)
    down = torch.randn_like(x)
    inputs = [x, *model.parameters()]
    found = torch.autograd.grad(model(x, prefix), inputs, down)
    monkeypatch.setattr(llama, "fusible", lambda x: False)
    wanted = torch.autograd.grad(model(x, prefix), inputs, down)
    for (name, _), a, b in zip([("x", x), *model.named_parameters()], found, wanted, strict=True):
        # angles are float32 on both paths, their sines are not
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5, msg=lambda text, name=name: f"{name}: {text}")


def test_gradients_follow_finite_differences() -> None:
    model = made(NARROW).double()
    x = torch.randn(1, 5, 32, dtype=torch.float64)
    weight = model.layers[0].get_parameter("input_layernorm.weight")
    for inputs in (x.requires_grad_(), weight):
        gradient = torch.autograd.grad(model(x, 2).square().sum(), inputs)[0]
        step = torch.randn_like(inputs) * 1e-6
        with torch.no_grad():
            inputs.add_(step)
            up = model(x, 2).square().sum()
            inputs.sub_(2 * step)
            down = model(x, 2).square().sum()
            inputs.add_(step)
        assert float((up - down) / 2) == pytest.approx(float((gradient * step).sum()), rel=1e-4)


def test_parameters_have_the_names_of_hugging_face() -> None:
    names = {name for name, _ in made(GROUPED).named_parameters()}
    layer = ["input_layernorm", "post_attention_layernorm", *(f"self_attn.{p}_proj" for p in "qkvo")]
    layer += [f"mlp.{p}_proj" for p in ("gate", "up", "down")]
    assert names == {"norm.weight", *(f"layers.{n}.{p}.weight" for n in range(2) for p in layer)}
    assert made(GROUPED).get_parameter("layers.1.self_attn.k_proj.weight").shape == (16, 32)


@pytest.mark.parametrize("config", [NARROW, GROUPED], ids=["all heads", "grouped"])
def test_a_cache_goes_on_and_can_be_cut(config: TransformerConfig) -> None:
    model, x = made(config), torch.randn(2, 11, 32)
    cache = Cache(config, 2, 11)
    with torch.no_grad():
        whole = model(x, 4)
        first = model(x[:, :5], 4, cache)
        model(torch.randn(2, 6, 32), 0, cache)
        cache.cut(5)
        parts = [first] + [model(x[:, i : i + 2], 0, cache) for i in (5, 7, 9)]
    assert cache.length == 11
    torch.testing.assert_close(torch.cat(parts, 1), whole, **CLOSE)
    assert model(x[:, :0], 0, cache).shape == (2, 0, 32)


def test_a_cache_keeps_rows() -> None:
    model, x = made(NARROW), torch.randn(4, 6, 32)
    cache, rows = Cache(NARROW, 4, 6), torch.tensor([2, 0])
    model(x[:, :5], 0, cache)
    cache.keep(rows)
    torch.testing.assert_close(model(x[rows, 5:], 0, cache), model(x)[rows, 5:], **CLOSE)


def test_a_cache_refuses_what_does_not_fit() -> None:
    model, cache = made(NARROW), Cache(NARROW, 1, 4)
    with pytest.raises(ValueError, match="position 4 does not fit into a cache of 4"):
        model(torch.zeros(1, 5, 32), 0, cache)
    with pytest.raises(ValueError, match="must come at once"):
        model(torch.zeros(1, 2, 32), 3, cache)
    model(torch.zeros(1, 3, 32), 3, cache)
    with pytest.raises(ValueError, match="cannot cut at 4"):
        cache.cut(4)


def test_positions_do_not_see_what_comes() -> None:
    model, x = made(NARROW), torch.randn(1, 9, 32)
    other = x.clone()
    other[:, 6:] += 1
    assert torch.equal(model(x, 3)[:, :6], model(other, 3)[:, :6])
    other = x.clone()
    other[:, 2] += 1
    assert not torch.allclose(model(x, 3)[:, 0], model(other, 3)[:, 0])
    torch.testing.assert_close(model(x)[:, :2], model(other)[:, :2])


def test_the_same_seed_gives_the_same_weights_and_residuals_start_small() -> None:
    torch.manual_seed(5)
    a = Llama(NARROW).state_dict()
    torch.manual_seed(5)
    b = Llama(NARROW).state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert float(a["layers.0.self_attn.q_proj.weight"].std()) == pytest.approx(0.5 / 32**0.5, rel=0.15)
    assert float(a["layers.0.self_attn.o_proj.weight"].std()) == pytest.approx(0.25 / 32**0.5, rel=0.15)


def test_autocast_and_half_caches_come_close() -> None:
    model, x = made(NARROW), torch.randn(2, 12, 32)
    with torch.no_grad():
        wanted = model(x, 3)
        with torch.autocast("cpu", torch.bfloat16):
            cast = model(x, 3)
        half = model(x, 3, Cache(NARROW, 2, 12, dtype=torch.bfloat16))
    assert float((cast.float() - wanted).abs().mean()) < 0.05
    assert half.dtype == torch.float32 and float((half - wanted).abs().mean()) < 0.05


def test_frozen_weights_and_no_gradients_work() -> None:
    model, x = made(NARROW), torch.randn(2, 5, 32)
    model.requires_grad_(False)
    assert not model(x).requires_grad
    x.requires_grad_()
    model(x).sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None and bool(x.grad.abs().sum() > 0)


@pytest.mark.parametrize(("length", "prefix"), [(1, 0), (5, 5), (168, 81), (168, 0), (1000, 3)])
def test_blocks_cover_every_row_once(length: int, prefix: int) -> None:
    found = blocks(length, prefix)
    assert [b.start for b in found] == [0, *(b.stop for b in found[:-1])] and found[-1].stop == length
    assert all(0 < b.stop - b.start <= ROWS for b in found if b.causal)


def test_pairing_is_undone() -> None:
    weight = torch.arange(48.0).view(8, 6)
    assert paired(weight, 2)[:4, 0].tolist() == [0, 12, 6, 18]
    assert torch.equal(unpaired(paired(weight, 2), 2), weight)


def test_the_fast_library_is_as_exact_and_the_choice_is_undone() -> None:
    flags = torch.backends.mkldnn.matmul
    before, (a, b) = flags.fp32_precision, torch.randn(2, 200, 200)
    with cpu.precision(cpu.fast()):
        found = a @ b
    assert flags.fp32_precision == before
    assert float((found - a.double() @ b.double()).abs().max()) < 1e-4
    with pytest.raises(KeyError), cpu.precision(cpu.fast()):
        raise KeyError
    assert flags.fp32_precision == before
    made(NARROW)(torch.randn(1, 4, 32)).sum().backward()
    assert flags.fp32_precision == before


@pytest.mark.slow
def test_it_compiles_as_one_graph() -> None:
    model, x = made(GROUPED), torch.randn(2, 12, 32)
    compiled = torch.compile(model, fullgraph=True)
    torch.testing.assert_close(compiled(x, 3), model(x, 3), **CLOSE)
    compiled(x, 3).sum().backward()
