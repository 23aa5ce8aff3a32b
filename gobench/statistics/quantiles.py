"""Normal and Student's t, to about 12 digits, without scipy."""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

NORMAL = NormalDist()
NODES = (
    96  # Gauss-Legendre nodes: the integrand is smooth, and narrow ones are integrated over a narrow range
)
MANY = 1e6  # degrees of freedom from which t is the normal


def normal_quantile(p: float) -> float:
    """z with P(Z <= z) = p, 0 < p < 1."""
    return NORMAL.inv_cdf(p)


def normal_cdf(z: float) -> float:
    """P(Z <= z)."""
    return NORMAL.cdf(z)


@cache
def _nodes() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    x, w = np.polynomial.legendre.leggauss(NODES)
    return x, w


def t_tail(t: float, df: float) -> float:
    """P(|T| >= t), both tails, for Student's t with ``df`` > 0 degrees of freedom and t >= 0."""
    if df >= MANY or math.isinf(t):
        return math.erfc(t / math.sqrt(2)) if not math.isinf(t) else 0.0
    # With t = sqrt(df) tan(a) the density is proportional to cos(a)^(df - 1).
    scale = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(math.pi)
    start = math.atan(t / math.sqrt(df))
    # Beyond this angle the integrand is below 1e-30 of its value at the start.
    end = min(math.pi / 2, start + math.sqrt(140.0 / df)) if df > 1 else math.pi / 2
    x, w = _nodes()
    angles = start + (end - start) * (x + 1) / 2
    area = float(np.sum(w * np.cos(angles) ** (df - 1))) * (end - start) / 2
    return min(1.0, 2 * scale * area)


@cache
def t_quantile(p: float, df: float) -> float:
    """t with P(T <= t) = p for Student's t, 0 < p < 1."""
    if p < 0.5:
        return -t_quantile(1 - p, df)
    low, high = 0.0, 1.0
    while t_tail(high, df) > 2 * (1 - p):
        low, high = high, high * 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if t_tail(middle, df) > 2 * (1 - p) else (low, middle)
    return (low + high) / 2
