"""What makes float32 fast on a CPU: which library multiplies, and memory that is kept.

Measured on an AMD EPYC (Zen 5), one thread: torch's default (MKL) multiplies float32 at 100 GFLOP/s, oneDNN at 230, with
the same rounding. torch takes oneDNN where it is allowed to use bfloat16 inside; on a processor without matrix tiles
(AMX) oneDNN then still computes in float32. ``exact`` makes sure of that by multiplying numbers that bfloat16 cannot hold.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch

PLAIN = "ieee"
ONEDNN = "bf16"
MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1  # glibc's names for mallopt
KEPT = 1 << 30  # bytes


@functools.cache
def exact() -> bool:
    """Whether oneDNN, when allowed to use bfloat16, multiplies float32 exactly as well as MKL does here."""
    if not torch.backends.mkldnn.is_available() or torch.cpu._is_amx_tile_supported():
        return False
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 128, 128, generator=generator)
    with precision(ONEDNN):
        found = a @ b
    wanted = a.double() @ b.double()
    return bool((found - wanted).abs().mean() / wanted.abs().mean() < 1e-5)


@contextmanager
def precision(word: str) -> Iterator[None]:
    """Within, float32 matrices are multiplied by oneDNN ("bf16") or by torch's default ("ieee"). 1 microsecond."""
    flags = cast(Any, torch.backends.mkldnn).matmul
    before = flags.fp32_precision
    flags.fp32_precision = word
    try:
        yield
    finally:
        flags.fp32_precision = before


def fast() -> str:
    """The word for large matrices on this machine."""
    return ONEDNN if exact() else PLAIN


def prepare() -> None:
    """For a training process: oneDNN everywhere, and freed memory stays with the process instead of being faulted in anew.

    Call it once, before anything is compiled. ``torch.get_float32_matmul_precision`` raises afterwards (it is the older
    of two ways to ask the same).
    """
    cast(Any, torch.backends.mkldnn).matmul.fp32_precision = fast()
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc; musl has none
        libc.mallopt(MMAP_THRESHOLD, KEPT)
        libc.mallopt(TRIM_THRESHOLD, KEPT)
