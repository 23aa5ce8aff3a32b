"""Hugging Face's ``LlamaModel`` without its embeddings, with their parameter names, fast on a CPU at small widths.

RMSNorm, RoPE (pairs are the halves of a head: i and i + d/2), SwiGLU, grouped-query attention; no biases, no dropout.
Source: Touvron et al. 2023, "Llama 2"; Shazeer 2020, "GLU variants"; Su et al. 2021, "RoFormer".

Three paths, equal up to rounding (tests/baselines/videoworld/test_llama.py):

==========  ======================================================================================
plain       ``torch.nn.functional`` alone: under torch.compile, under autocast, on other devices
fused       ``fused.FusedLayer``: eager float32 on a CPU, the default there
cached      with a ``Cache``: without gradients, for sampling
==========  ======================================================================================
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from gobench_videoworld.config import TransformerConfig
from gobench_videoworld.transformer import cpu
from gobench_videoworld.transformer.fused import FusedLayer, Shape, Weights, blocks, paired, turned

TALL = 256  # rows from which a product with a weight is worth oneDNN's start


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + eps) * weight over the last axis."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return functional.rms_norm(x, self.weight.shape, self.weight, self.eps)


class Attention(nn.Module):
    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.heads, self.key_heads = config.num_attention_heads, config.num_key_value_heads
        inner = width // self.heads * self.key_heads
        self.q_proj = nn.Linear(width, width, bias=False)
        self.k_proj = nn.Linear(width, inner, bias=False)
        self.v_proj = nn.Linear(width, inner, bias=False)
        self.o_proj = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, table: Tensor, prefix: int) -> Tensor:
        q = rotated(self.q_proj(x).unflatten(-1, (self.heads, -1)).transpose(1, 2), table)
        k = rotated(self.k_proj(x).unflatten(-1, (self.key_heads, -1)).transpose(1, 2), table)
        v = self.v_proj(x).unflatten(-1, (self.key_heads, -1)).transpose(1, 2)
        seen = attention(q, k, v, prefix).transpose(1, 2).flatten(-2)
        return cast(Tensor, self.o_proj(seen))


class MLP(nn.Module):
    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width, inner = config.hidden_size, config.intermediate_size
        self.gate_proj = nn.Linear(width, inner, bias=False)
        self.up_proj = nn.Linear(width, inner, bias=False)
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x)))


class Layer(nn.Module):
    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.self_attn = Attention(config)
        self.mlp = MLP(config)
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(self, x: Tensor, table: Tensor, prefix: int, shape: Shape | None) -> Tensor:
        """``shape`` is given where the fused path is to be taken, else ``table``."""
        if shape is not None:
            return cast(Tensor, FusedLayer.apply(x, shape, *self.weights()))  # type: ignore[no-untyped-call]
        x = x + self.self_attn(self.input_layernorm(x), table, prefix)
        return cast(Tensor, x + self.mlp(self.post_attention_layernorm(x)))

    def weights(self) -> tuple[Tensor, ...]:
        """In the order of ``FusedLayer``."""
        own, mlp = self.self_attn, self.mlp
        parts = (own.q_proj, own.k_proj, own.v_proj, own.o_proj, mlp.gate_proj, mlp.up_proj, mlp.down_proj)
        norms = (self.input_layernorm, self.post_attention_layernorm)
        return tuple(part.weight for part in (*parts, *norms))

    def folded(self, dtype: torch.dtype) -> Weights:
        """For the cached path."""
        q, k, v, out, gate, up, down, norm1, norm2 = (w.detach() for w in self.weights())
        own = self.self_attn
        qkv = torch.cat([paired(q, own.heads), paired(k, own.key_heads), v]) * norm1
        parts = (qkv, out, torch.cat([gate, up]) * norm2, down)
        return Weights(*(part.to(dtype) for part in parts))


class Cache:
    """Keys and values of the positions so far, float ``dtype`` [layers, 2, B, G, length, d], allocated once.

    The model's weights are copied when a cache is first used: make a new one after they change.
    """

    def __init__(
        self,
        config: TransformerConfig,
        batch: int,
        length: int,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        heads, groups = config.num_attention_heads, config.num_key_value_heads
        size = config.hidden_size // heads
        self.both = torch.zeros(
            config.num_hidden_layers, 2, batch, groups, length, size, device=device, dtype=dtype
        )
        angle = angles(length, size, config.rope_theta, self.both.device)
        self.turns = torch.polar(torch.ones_like(angle), angle).repeat(1, heads + groups)
        self.hidden = above(length, self.both.device, dtype)
        self.length = 0
        self.weights: list[Weights] | None = None

    @property
    def room(self) -> int:
        """How many positions fit."""
        return self.both.shape[4]

    def cut(self, n: int) -> None:
        """Forgets everything from position ``n`` on. Raises ValueError where there are fewer."""
        if not 0 <= n <= self.length:
            raise ValueError(f"cannot cut at {n}: the cache holds {self.length} positions")
        self.length = n

    def keep(self, rows: Tensor) -> None:
        """Keeps rows int64 [n] of the batch, in that order."""
        self.both = self.both.index_select(2, rows)


def spread(width: int) -> float:
    """Standard deviation of new weights and embeddings: 0.5 / sqrt(width).

    That is Hugging Face's 0.02 at a width of 625, and more below. Measured at width 64, learning to copy frames with a few
    changes, 150 steps, two seeds, two learning rates: losses of 0.06 to 0.75 against 1.9 to 2.3 with 0.02.
    """
    return 0.5 / math.sqrt(width)


class Llama(nn.Module):
    """Initialised from a normal distribution (``spread``); what writes into the residual stream (``o_proj``, ``down_proj``)
    is scaled by 1 / sqrt(2 * layers), as in GPT-2."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.reset()

    def reset(self) -> None:
        """Draws all weights anew."""
        deep, std = (2 * self.config.num_hidden_layers) ** -0.5, spread(self.config.hidden_size)
        for name, part in self.named_modules():
            if isinstance(part, nn.Linear):
                residual = name.endswith(("o_proj", "down_proj"))
                nn.init.normal_(part.weight, std=std * deep if residual else std)
            elif isinstance(part, RMSNorm):
                nn.init.ones_(part.weight)

    def forward(self, x: Tensor, prefix: int = 0, cache: Cache | None = None) -> Tensor:
        """Hidden states behind the last norm.

        Args:
            x: float [B, L, hidden], input embeddings.
            prefix: the first so many positions of the sequence see each other in both directions; the rest is causal.
            cache: x continues what it holds (no gradients); the prefix, if any, must come whole, and first.

        Raises:
            ValueError: the cache is full, or the prefix came in parts.
        """
        if cache is not None:
            return self._cached(x, prefix, cache)
        config, length = self.config, x.shape[1]
        prefix = min(prefix, length)
        angle = angles(length, config.hidden_size // config.num_attention_heads, config.rope_theta, x.device)
        shape = self._shape(angle, length, prefix, x.dtype) if fusible(x) else None
        for layer in self.layers:
            x = layer(x, angle, prefix, shape)
        return cast(Tensor, self.norm(x))

    def _shape(self, angle: Tensor, length: int, prefix: int, dtype: torch.dtype) -> Shape:
        config = self.config
        heads, groups = config.num_attention_heads, config.num_key_value_heads
        turn = torch.polar(torch.ones_like(angle), angle)
        turns = torch.cat(
            [(turn * (config.hidden_size // heads) ** -0.5).repeat(1, heads), turn.repeat(1, groups)], 1
        )
        parts = blocks(length, prefix)
        hidden = above(max(b.stop - b.start for b in parts), angle.device, dtype)
        complex_dtype = torch.complex128 if dtype == torch.float64 else torch.complex64
        return Shape(heads, groups, config.rms_norm_eps, turns.to(complex_dtype), hidden, parts)

    @torch.no_grad()
    def _cached(self, x: Tensor, prefix: int, cache: Cache) -> Tensor:
        start, stop = cache.length, cache.length + x.shape[1]
        if stop > cache.room:
            raise ValueError(f"position {stop - 1} does not fit into a cache of {cache.room}")
        if 0 < start < prefix or start == 0 < stop < prefix:
            raise ValueError(f"the prefix of {prefix} positions must come at once, not {start} to {stop}")
        if start == stop:
            return x
        if cache.weights is None:
            cache.weights = [cast(Layer, layer).folded(cache.both.dtype) for layer in self.layers]
        hidden = visible(cache, start, stop, prefix)
        flat = x.to(cache.both.dtype).reshape(-1, x.shape[2])
        with cpu.precision(cpu.PLAIN):  # many small products: MKL starts faster
            for both, weights in zip(cache.both, cache.weights, strict=True):
                flat = self._step(flat, both, weights, cache.turns[start:stop], hidden, start)
        cache.length = stop
        return cast(Tensor, self.norm(flat.view_as(x).to(x.dtype)))

    def _step(
        self, x: Tensor, both: Tensor, weights: Weights, turns: Tensor, hidden: Tensor | None, start: int
    ) -> Tensor:
        """One layer, x [B * n, D]; writes keys and values into both [2, B, G, length, d]."""
        config, (_, batch, groups, _, size) = self.config, both.shape
        width, eps = x.shape[1:], config.rms_norm_eps
        stop = start + len(turns)
        qkv = product(functional.rms_norm(x, width, None, eps), weights.qkv).view(batch, len(turns), -1)
        if qkv.dtype == torch.float32:
            turned(qkv, turns)
        else:
            wide = qkv.float()
            turned(wide, turns)
            qkv = wide.to(qkv.dtype)
        q, kv = qkv[..., : config.hidden_size], qkv[..., config.hidden_size :]
        both[:, :, :, start:stop] = kv.view(batch, -1, 2, groups, size).permute(2, 0, 3, 1, 4)
        q = q.view(batch, len(turns), -1, size).transpose(1, 2)
        keys, values = both[:, :, :, :stop]
        seen = functional.scaled_dot_product_attention(
            q, keys, values, attn_mask=hidden, enable_gqa=groups != config.num_attention_heads
        )
        x = x + product(seen.transpose(1, 2).reshape(x.shape), weights.out)
        gate, up = product(functional.rms_norm(x, width, None, eps), weights.gate_up).chunk(2, 1)
        return x + product(functional.silu(gate) * up, weights.down)


def product(x: Tensor, weight: Tensor) -> Tensor:
    """x [N, a] times weight [b, a] transposed, by what is fastest."""
    if len(x) < TALL:
        return functional.linear(x, weight)
    with cpu.precision(cpu.fast()):
        return functional.linear(x, weight)


def fusible(x: Tensor) -> bool:
    """Whether the fused path can be taken: eager float32 (or 64) on a CPU."""
    eager = not torch.compiler.is_compiling() and not torch.is_autocast_enabled(x.device.type)
    return eager and x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64) and x.numel() > 0


def angles(length: int, size: int, theta: float, device: torch.device) -> Tensor:
    """float32 [length, size / 2]: position times theta^(-2i / size), radians."""
    powers = torch.arange(0, size, 2, dtype=torch.float32, device=device) / size
    return torch.arange(length, dtype=torch.float32, device=device)[:, None] * (1.0 / theta**powers)


def rotated(x: Tensor, angle: Tensor) -> Tensor:
    """RoPE of x [B, H, L, d]: the halves of d are the two coordinates."""
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def above(length: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """[length, length], -inf above the diagonal, else 0."""
    return torch.full((length, length), float("-inf"), device=device, dtype=dtype).triu_(1)


def visible(cache: Cache, start: int, stop: int, prefix: int) -> Tensor | None:
    """What is added to the scores of rows ``start`` to ``stop`` [n, stop]; None where they see everything."""
    if stop - start == 1 or (start == 0 and stop <= prefix):
        return None
    hidden = cache.hidden[start:stop, :stop]
    if start < prefix:
        hidden = hidden.clone()
        hidden[:prefix, :prefix] = 0
    return hidden


def attention(q: Tensor, k: Tensor, v: Tensor, prefix: int) -> Tensor:
    """[B, H, L, d], keys and values [B, G, L, d] -> [B, H, L, d]. The prefix attends to itself, the rest causally."""
    if prefix > 1:
        first = attention_of(q[:, :, :prefix], k[:, :, :prefix], v[:, :, :prefix], 0)
        if prefix == q.shape[2]:
            return first
        return torch.cat([first, attention_of(q[:, :, prefix:], k, v, prefix)], 2)
    return attention_of(q, k, v, None)


def attention_of(q: Tensor, k: Tensor, v: Tensor, start: int | None) -> Tensor:
    """``start``: of the rows among the keys, 0 for "sees all keys"; None: causal throughout."""
    grouped, written = q.shape[1] != k.shape[1], q.device.type == "cpu" and q.dtype == torch.float32
    mask = None
    if start or (start is None and written):
        rows = torch.arange(start or 0, (start or 0) + q.shape[2], device=q.device)[:, None]
        mask = torch.arange(k.shape[2], device=q.device) <= rows
    if written:  # torch's own is five times slower where oneDNN multiplies (cpu.prepare)
        return written_out(q, k, v, mask)
    causal = start is None
    return functional.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, is_causal=causal, enable_gqa=grouped
    )


def written_out(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """Attention as three products, for torch.compile to fuse."""
    share = q.shape[1] // k.shape[1]
    if share > 1:
        k, v = k.repeat_interleave(share, 1), v.repeat_interleave(share, 1)
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    found: Tensor = scores.softmax(-1) @ v
    return found
