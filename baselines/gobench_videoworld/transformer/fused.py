"""A decoder layer for training on a CPU: forward and backward written out, so that few passes over memory remain.

What it does differently from the plain layer in ``llama.py``, with the same result:

- RMSNorm's weight is multiplied into the matrices behind it (small) instead of into the activations (large);
- query, key and value come from one product, gate and up from another;
- RoPE is one multiplication by complex numbers, in place: the rows of the query and key matrices are put into an order
  in which the two halves of a pair lie side by side (dot products do not mind);
- attention goes head by head over blocks of rows, each of which looks only at the keys it may see;
- the backward pass keeps the probabilities, and works in place.

Measured at 64 x 3 layers, batches of 64 x 168, one core: 70,000 tokens/s against 48,000 of the plain layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from gobench_videoworld.transformer import cpu

ROWS = 96  # of a block of attention, at most


class Block(NamedTuple):
    """Rows ``start`` to ``stop`` look at keys before ``stop``; a causal one hides what is after each row."""

    start: int
    stop: int
    causal: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """What a layer has to know beside its weights: heads, and the tables of a sequence of L positions.

    ``turns`` is complex [L, (H + G) * d / 2], the rotation of all query heads (scaled by d^-0.5) and key heads side by
    side; ``hidden`` is [ROWS, ROWS], 0 on and below the diagonal and -inf above.
    """

    heads: int
    key_heads: int
    eps: float
    turns: Tensor
    hidden: Tensor
    blocks: tuple[Block, ...]


class Weights(NamedTuple):
    """A layer's matrices as the kernels want them; ``folded`` are multiplied by the norm's weight in front of them."""

    qkv: Tensor  # [(H + 2G) * d, D]
    out: Tensor  # [D, H * d]
    gate_up: Tensor  # [2F, D]
    down: Tensor  # [D, F]


def blocks(length: int, prefix: int) -> tuple[Block, ...]:
    """The prefix at once, the rest in about equal parts of at most ``ROWS`` rows."""
    rest = length - prefix
    parts = -(-rest // ROWS)
    cuts = [prefix + rest * i // parts for i in range(parts)] + [length] if parts else []
    first = (Block(0, prefix, False),) if prefix else ()
    return (*first, *(Block(a, b, True) for a, b in pairwise(cuts)))


def paired(weight: Tensor, heads: int) -> Tensor:
    """Rows of each head reordered: the two numbers that RoPE turns together (i and i + d/2) side by side."""
    rows, width = weight.shape
    return weight.view(heads, 2, rows // heads // 2, width).transpose(1, 2).reshape(rows, width)


def unpaired(weight: Tensor, heads: int) -> Tensor:
    """The inverse of ``paired``."""
    rows, width = weight.shape
    return weight.view(heads, rows // heads // 2, 2, width).transpose(1, 2).reshape(rows, width)


def turned(x: Tensor, turns: Tensor) -> None:
    """Multiplies the first columns of x [B, L, C], pairs side by side, by the complex numbers turns [L, C' / 2], in place."""
    width = 2 * turns.shape[1]
    numbers = torch.view_as_complex(x[..., :width].unflatten(-1, (-1, 2)))
    torch.mul(numbers, turns, out=numbers)


def normed(x: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """x [N, D] over its root mean square, and one over that [N, 1]."""
    scale = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    scale = scale.square_().div_(x.shape[-1]).add_(eps).rsqrt_()
    return x * scale, scale


def norm_gradient(gradient: Tensor, unit: Tensor, scale: Tensor, residual: Tensor) -> Tensor:
    """Through ``normed`` and the branch around it; ``gradient`` is overwritten."""
    along = torch.linalg.vecdot(gradient, unit).unsqueeze(1).div_(unit.shape[-1])
    return torch.addcmul(residual, gradient.addcmul_(unit, along, value=-1), scale)


def attended(qkv: Tensor, shape: Shape) -> tuple[Tensor, list[Tensor]]:
    """[B, L, H + 2G, d], turned -> [B, L, H, d], and the probabilities by head and block."""
    q, k, v = qkv.split([shape.heads, shape.key_heads, shape.key_heads], 2)
    found, kept = torch.empty_like(q, memory_format=torch.contiguous_format), []
    share = shape.heads // shape.key_heads
    for head in range(shape.heads):
        keys, values = k[:, :, head // share], v[:, :, head // share]
        for start, stop, causal in shape.blocks:
            scores = torch.bmm(q[:, start:stop, head], keys[:, :stop].transpose(1, 2))
            if causal:
                scores[:, :, start:].add_(shape.hidden[: stop - start, : stop - start])
            chances = torch.softmax(scores, -1)
            torch.bmm(chances, values[:, :stop], out=found[:, start:stop, head])
            kept.append(chances)
    return found, kept


def attention_gradient(
    gradient: Tensor, found: Tensor, qkv: Tensor, kept: Sequence[Tensor], shape: Shape
) -> Tensor:
    """The gradient of ``attended`` with respect to qkv. The last block sees all keys, so that it goes first."""
    sizes = [shape.heads, shape.key_heads, shape.key_heads]
    q, k, v = qkv.split(sizes, 2)
    result = torch.empty_like(qkv)
    dq, dk, dv = result.split(sizes, 2)
    mean = torch.linalg.vecdot(gradient, found)
    share, many = shape.heads // shape.key_heads, len(shape.blocks)
    for head in range(shape.heads):
        own = head // share
        for i in reversed(range(many)):
            start, stop, _ = shape.blocks[i]
            chances, down = kept[head * many + i], gradient[:, start:stop, head]
            first = head % share == 0 and i == many - 1
            accumulate(dv[:, :stop, own], chances, down, first)
            inner = torch.bmm(down, v[:, :stop, own].transpose(1, 2))
            inner.sub_(mean[:, start:stop, head, None]).mul_(chances)
            torch.bmm(inner, k[:, :stop, own], out=dq[:, start:stop, head])
            accumulate(dk[:, :stop, own], inner, q[:, start:stop, head], first)
    return result


def accumulate(total: Tensor, a: Tensor, b: Tensor, first: bool) -> None:
    """total = a^T b, or total += a^T b."""
    if first:
        torch.bmm(a.transpose(1, 2), b, out=total)
    else:
        torch.baddbmm(total, a.transpose(1, 2), b, out=total)


class FusedLayer(torch.autograd.Function):
    """x [B, L, D] and a layer's nine weights by their names' order in ``llama.Layer`` -> [B, L, D]. Once differentiable."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, shape: Shape, *weights: Tensor) -> Tensor:
        with cpu.precision(cpu.fast()):
            return FusedLayer._forward(ctx, x, shape, *weights)

    @staticmethod
    def _forward(ctx: Any, x: Tensor, shape: Shape, *weights: Tensor) -> Tensor:
        batch, length, width = x.shape
        wq, wk, wv, wo, gate, up, down, norm1, norm2 = weights
        plain = torch.cat([paired(wq, shape.heads), paired(wk, shape.key_heads), wv]), torch.cat([gate, up])
        folded = plain[0] * norm1, plain[1] * norm2
        x = x.reshape(-1, width)
        unit1, scale1 = normed(x, shape.eps)
        qkv = torch.mm(unit1, folded[0].t()).view(batch, length, -1)
        turned(qkv, shape.turns)
        seen, kept = attended(qkv.unflatten(-1, (shape.heads + 2 * shape.key_heads, -1)), shape)
        middle = torch.addmm(x, seen.view(len(x), -1), wo.t())
        unit2, scale2 = normed(middle, shape.eps)
        both = torch.mm(unit2, folded[1].t())
        gated = functional.silu(both[:, : len(gate)])
        inner = gated * both[:, len(gate) :]
        saved = (unit1, scale1, qkv, seen, unit2, scale2, both, gated, inner)
        ctx.save_for_backward(*plain, *folded, wo, down, norm1, norm2, *saved, *kept)
        ctx.shape = shape
        return torch.addmm(middle, inner, down.t()).view(batch, length, width)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        with cpu.precision(cpu.fast()):
            return FusedLayer._backward(ctx, gradient)

    @staticmethod
    def _backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        plain1, plain2, folded1, folded2, wo, down, norm1, norm2, *saved = ctx.saved_tensors
        unit1, scale1, qkv, seen, unit2, scale2, both, gated, inner, *kept = saved
        shape: Shape = ctx.shape
        batch, length, width = gradient.shape
        gradient = gradient.reshape(-1, width)
        half = down.shape[1]

        d_down = torch.mm(gradient.t(), inner)
        d_inner = torch.mm(gradient, down)
        d_both = torch.empty_like(both)
        torch.mul(d_inner, gated, out=d_both[:, half:])
        d_inner.mul_(both[:, half:])
        torch.ops.aten.silu_backward(d_inner, both[:, :half], grad_input=d_both[:, :half])
        d_folded2 = torch.mm(d_both.t(), unit2)
        middle = norm_gradient(torch.mm(d_both, folded2), unit2, scale2, gradient)

        d_wo = torch.mm(middle.t(), seen.view(len(middle), -1))
        d_seen = torch.mm(middle, wo).view_as(seen)
        heads = qkv.unflatten(-1, (shape.heads + 2 * shape.key_heads, -1))
        d_qkv = attention_gradient(d_seen, seen, heads, kept, shape).view_as(qkv)
        turned(d_qkv, shape.turns.conj())
        d_qkv = d_qkv.view(len(middle), -1)
        d_folded1 = torch.mm(d_qkv.t(), unit1)
        d_x = norm_gradient(torch.mm(d_qkv, folded1), unit1, scale1, middle)

        d_norm1, d_norm2 = (d_folded1 * plain1).sum(0), (d_folded2 * plain2).sum(0)
        rows = [len(wo.t()), len(d_folded1) - len(wo.t())]
        d_q, d_kv = d_folded1.mul_(norm1).split(rows)
        d_k, d_v = d_kv.chunk(2)
        d_gate, d_up = d_folded2.mul_(norm2).split(half)
        d_q, d_k = unpaired(d_q, shape.heads), unpaired(d_k, shape.key_heads)
        wanted = (d_q, d_k, d_v, d_wo, d_gate, d_up, d_down, d_norm1, d_norm2)
        return (d_x.view(batch, length, width), None, *wanted)
