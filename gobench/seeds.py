"""One root seed, and a named random stream for anything below it.

A stream depends on (root, path) alone, never on the order of calls or the number of workers:
``stream(7, "selfplay", 42)`` is the same generator in every process.
"""

from __future__ import annotations

import hashlib

import numpy as np


def seed64(root: int, *path: str | int) -> int:
    """An unsigned 64-bit seed for a path below a root seed (sha256 of both, first 8 bytes, little endian)."""
    text = "\x1f".join([str(root), *(f"{type(p).__name__}:{p}" for p in path)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def stream(root: int, *path: str | int) -> np.random.Generator:
    """A numpy generator (PCG64) for a path below a root seed."""
    return np.random.Generator(np.random.PCG64(seed64(root, *path)))
