"""Points of many dimensions in the plane: UMAP where it is installed (extra ``analysis``), else PCA."""

from __future__ import annotations

import importlib
import warnings
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench_videoworld.config import one_of

METHODS = ("auto", "umap", "pca")
NEIGHBOURS = 15
LEAST = 8  # points below which UMAP has nothing to say

Floats = npt.NDArray[np.floating[Any]]


def chosen(method: str) -> str:
    """ "umap" or "pca" for one of ``METHODS``. Raises UsageError where umap is asked for and not installed."""
    one_of("projection", method, METHODS)
    there = find_spec("umap") is not None
    if method == "umap" and not there:
        raise UsageError(
            "umap is not installed: in a checkout, pip install -c constraints.txt -e '.[analysis]'; or take --projection pca."
        )
    return "umap" if method != "pca" and there else "pca"


def projected(points: Floats, method: str, seed: int) -> tuple[Floats, str]:
    """Points [N, E] in the plane [N, 2], and how: "UMAP" or "PCA, 87% of the variance". The same for the same seed."""
    if chosen(method) == "umap" and len(points) >= LEAST:
        return _umap(points, seed), "UMAP"
    plane, share = pca(points)
    return plane, f"PCA, {share:.0%} of the variance"


def pca(points: Floats) -> tuple[Floats, float]:
    """The first two principal components [N, 2], and their share of the variance; signs are fixed by the largest loading."""
    centred = np.asarray(points, np.float64) - np.mean(points, axis=0, dtype=np.float64)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2]
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])
    plane = centred @ (axes * signs[:, None]).T
    plane = np.pad(plane, ((0, 0), (0, 2 - plane.shape[1])))
    whole = float((sizes**2).sum())
    return plane, float((sizes[:2] ** 2).sum() / whole) if whole else 1.0


def _umap(points: Floats, seed: int) -> Floats:
    umap: Any = importlib.import_module("umap")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that a seed costs it its threads
        made = umap.UMAP(n_neighbors=min(NEIGHBOURS, len(points) - 1), random_state=seed % 2**32)
        found: Floats = np.asarray(made.fit_transform(np.asarray(points, np.float32)), np.float64)
    return found
