"""How much arithmetic a model asks for, and how much a device can do.

Counted as in PaLM (Chowdhery et al. 2022, appendix B): products of matrices alone, two operations for a multiplication and
an addition; a training step is three times its forward pass, so 6 for every weight and position, and
12 * layers * hidden for every pair of positions in attention. Other than there, only pairs are counted that are visible:
a causal layer skips the others, and counting them would flatter it. Embeddings are looked up and count nothing; heads
count where they are read.
"""

from __future__ import annotations

import functools
import time

import torch
from torch import nn

from gobench_videoworld.config import TransformerConfig
from gobench_videoworld.transformer import cpu
from gobench_videoworld.transformer.aligned import Aligned
from gobench_videoworld.transformer.dynamics import Dynamics

TRAINING = 3  # forward, and twice that backward
SIDES = {"cpu": 512}  # of the square matrices that find the peak
SIDE = 8192  # on other devices
TRIES = 40


def backbone_weights(config: TransformerConfig) -> int:
    """Numbers in the matrices of a Llama, without embeddings, heads and norms."""
    width, share = config.hidden_size, config.num_key_value_heads / config.num_attention_heads
    attention = 2 * width * width + 2 * width * int(width * share)
    return config.num_hidden_layers * (attention + 3 * width * config.intermediate_size)


def visible_pairs(length: int, prefix: int = 0, start: int = 0) -> int:
    """How many keys the rows ``start`` to ``length`` of a sequence see, all together."""
    return sum(max(row + 1, prefix if row < prefix else 0) for row in range(start, length))


def backbone_flops(config: TransformerConfig, length: int, prefix: int = 0, start: int = 0) -> float:
    """Of a forward pass of one sequence; with a cache, of its positions from ``start`` on."""
    pairs = 4.0 * config.num_hidden_layers * config.hidden_size * visible_pairs(length, prefix, start)
    return 2.0 * backbone_weights(config) * (length - start) + pairs


def forward_flops(dynamics: Dynamics, framed: bool) -> float:
    """Of one whole sequence, with or without the next frame."""
    scheme, config = dynamics.scheme, dynamics.config
    sites = config.sites if framed and config.frames else 0
    length = scheme.length + scheme.slots + sites
    return backbone_flops(config.transformer, length, scheme.prefix) + _heads(dynamics, sites)


def training_flops(dynamics: Dynamics, batch: int) -> float:
    """Of a training step over ``batch`` windows."""
    framed = -(-batch // dynamics.frame_every) if dynamics.config.frames else 0
    rows = framed * forward_flops(dynamics, True) + (batch - framed) * forward_flops(dynamics, False)
    return TRAINING * rows


def _heads(dynamics: Dynamics, sites: int) -> float:
    scheme, width = dynamics.scheme, dynamics.config.transformer.hidden_size
    if not isinstance(scheme, Aligned):
        return 2.0 * scheme.lm_head.weight.numel() * (scheme.slots + sites)
    codes = dynamics.config.codes
    scores = sum(_numbers(part) for part in scheme.scores) * codes
    pointing = scheme.sites * width * scheme.pointers * codes
    keys = _numbers(scheme.keys) * scheme.sites if codes and scheme.pointers else 0
    tokens = _numbers(scheme.token) * sites if sites else 0
    return 2.0 * (tokens + scores + pointing + keys)


def _numbers(part: nn.Module) -> int:
    return sum(p.numel() for p in part.parameters())


def peak_flops(device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> float:
    """FLOP/s of a device at multiplying large square matrices: the best of some tries; some tenths of a second.

    On a CPU: by the faster of the two libraries (``cpu``), with the threads that torch has now.
    """
    return _peak(str(device), dtype, torch.get_num_threads())


@functools.cache
def _peak(device: str, dtype: torch.dtype, threads: int) -> float:
    side = SIDES.get(torch.device(device).type, SIDE)
    a = torch.full((side, side), 0.5, dtype=dtype, device=device)
    with cpu.precision(cpu.fast()):
        best = min(_timed(a) for _ in range(TRIES))
    return 2.0 * side**3 / best


def _timed(a: torch.Tensor) -> float:
    _wait(a)
    since = time.perf_counter()
    torch.mm(a, a)
    _wait(a)
    return time.perf_counter() - since


def _wait(a: torch.Tensor) -> None:
    if a.is_cuda:
        torch.cuda.synchronize(a.device)


def mfu(flops: float, seconds: float, peak: float) -> float:
    """Model FLOPs utilisation: the share of ``peak`` FLOP/s that was put to use. 0 where the peak is not known."""
    return flops / seconds / peak if peak and seconds > 0 else 0.0
