"""Finite scalar quantization: bit for bit what vector-quantize-pytorch computes, with its gradients, and back."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gobench.errors import UsageError
from gobench_videoworld.fsq import FSQ

POINTS = torch.tensor(
    [[-9, -3, 1], [0, 0, 0], [2, -1, 5], [20, 20, 20], [-20, -20, -20], [-1, 7, -4]], dtype=torch.float32
) / 4  # fmt: skip
THIRD, TWO_THIRDS = 0.3333333432674408, 0.6666666865348816

# what version 1.32.0 of vector-quantize-pytorch gives for POINTS: indices and quantized numbers
GOLDEN: dict[tuple[int, ...], tuple[list[int], list[list[float]]]] = {
    (8, 5, 5): (
        [88, 100, 181, 199, 0, 35],
        [[-1, -0.5, 0], [0, 0, 0], [0.25, 0, 1], [0.75, 1, 1], [-1, -1, -1], [-0.25, 1, -1]],
    ),
    (5, 5, 5): (
        [55, 62, 113, 124, 0, 22],
        [[-1, -0.5, 0], [0, 0, 0], [0.5, 0, 1], [1, 1, 1], [-1, -1, -1], [0, 1, -1]],
    ),
    (3, 4, 7): (
        [51, 43, 79, 83, 0, 22],
        [[-1, -0.5, THIRD], [0, 0, 0], [0, 0, 1], [1, 0.5, 1], [-1, -1, -1], [0, 0.5, -TWO_THIRDS]],
    ),
}
PAPER = (8, 8, 8, 5, 5, 5)
some_levels = st.lists(st.integers(2, 9), min_size=1, max_size=5).map(tuple)


@pytest.mark.parametrize("levels", GOLDEN)
def test_numbers_and_indices_are_those_of_the_package(levels: tuple[int, ...]) -> None:
    indices, numbers = GOLDEN[levels]
    quantized, found = FSQ(levels)(POINTS)
    assert found.tolist() == indices and found.dtype == torch.int64
    assert torch.equal(quantized, torch.tensor(numbers))


def test_the_papers_levels_too() -> None:
    points = torch.tensor([[-2.25, -0.75, 0.25, 1.0, -0.5, 3.0], [0.0] * 6, [9.0, -9, 9, -9, 9, -9]])
    assert FSQ(PAPER)(points)[1].tolist() == [56144, 32036, 10695]
    assert FSQ(PAPER).codes == 64_000


@pytest.mark.parametrize("levels", [(8, 5, 5), (5,), (3, 4), (8, 8, 8), PAPER, (4, 4), (3, 7, 6)])
def test_the_package_itself_agrees(levels: tuple[int, ...]) -> None:
    package: Any = pytest.importorskip("vector_quantize_pytorch")
    theirs, ours = package.FSQ(list(levels)), FSQ(levels)
    z = 2 * torch.randn(1, 4000, len(levels), generator=torch.Generator().manual_seed(0))
    (their_numbers, their_indices), (numbers, indices) = theirs(z), ours(z)
    assert torch.equal(their_numbers, numbers) and torch.equal(their_indices.long(), indices)
    assert torch.equal(theirs.implicit_codebook, ours.to_codes(torch.arange(ours.codes)))


@settings(max_examples=40, deadline=None)
@given(some_levels)
def test_every_index_comes_back_from_its_code(levels: tuple[int, ...]) -> None:
    fsq = FSQ(levels)
    many = torch.arange(min(fsq.codes, 3000)) if fsq.codes < 3000 else torch.arange(0, fsq.codes, 17)
    codes = fsq.to_codes(many)
    assert codes.shape == (len(many), len(levels)) and codes.dtype == torch.float32
    assert codes.abs().max() <= 1
    assert torch.equal(fsq.to_indices(codes), many)


@settings(max_examples=40, deadline=None)
@given(some_levels, st.integers(0, 2**31 - 1), st.floats(0.1, 50))
def test_what_is_quantized_is_the_code_of_its_index(levels: tuple[int, ...], seed: int, scale: float) -> None:
    fsq = FSQ(levels)
    z = scale * torch.randn(3, 50, len(levels), generator=torch.Generator().manual_seed(seed))
    quantized, indices = fsq(z)
    assert indices.shape == (3, 50) and (indices >= 0).all() and (indices < fsq.codes).all()
    assert torch.equal(fsq.to_codes(indices), quantized)
    steps = [
        torch.div(indices, math.prod(levels[:d]), rounding_mode="floor") % n for d, n in enumerate(levels)
    ]
    for d, level in enumerate(levels):  # each dimension is its own digit, the first one fastest
        assert torch.equal(steps[d], (quantized[..., d] * (level // 2)).round().long() + level // 2)


@pytest.mark.parametrize("level", range(2, 10))
def test_every_level_is_reached_in_order(level: int) -> None:
    indices = FSQ([level])(torch.linspace(-5, 5, 2001)[:, None])[1]
    assert indices.unique().tolist() == list(range(level)) and (indices.diff() >= 0).all()


def test_two_levels_share_the_numbers_equally() -> None:
    """Where the package refuses: its shift would put nearly all numbers onto one level."""
    indices = FSQ([2])(torch.linspace(-1, 1, 101)[:, None])[1]
    assert indices[:50].tolist() == [0] * 50 and indices[51:].tolist() == [1] * 50


@pytest.mark.parametrize("levels", [(8, 5, 5), (2, 3, 4)])
def test_the_gradient_is_that_of_the_bound(levels: tuple[int, ...]) -> None:
    fsq = FSQ(levels)

    def gradient(made: Tensor, z: Tensor) -> Tensor:
        weights = torch.linspace(-1, 2, made.numel()).view_as(made)
        return torch.autograd.grad((made * weights).sum(), z)[0]

    z = torch.randn(7, 3, generator=torch.Generator().manual_seed(1)).requires_grad_()
    straight = gradient(fsq(z)[0], z)
    smooth = gradient(fsq.bounded(z) / fsq.half_width, z)
    assert torch.equal(straight, smooth) and (straight != 0).all()


def test_the_residue_is_the_way_to_the_level() -> None:
    fsq, z = FSQ((8, 5)), torch.randn(100, 2, generator=torch.Generator().manual_seed(2)).requires_grad_()
    residue = fsq.residue(z)
    assert (residue.abs() <= 0.5).all()
    moved = fsq.bounded(z) - residue
    assert torch.allclose(moved, moved.round(), atol=1e-6)
    assert torch.equal(fsq(z)[0].detach(), (moved.round() / fsq.half_width).detach())


def test_it_learns_nothing_and_saves_nothing() -> None:
    fsq = FSQ((8, 5, 5))
    assert not list(fsq.parameters()) and not fsq.state_dict()


def test_half_precision_goes_in_and_full_comes_out() -> None:
    quantized, indices = FSQ((8, 5, 5))(POINTS.bfloat16())
    assert quantized.dtype == torch.float32 and indices.tolist() == GOLDEN[8, 5, 5][0]


@pytest.mark.parametrize("levels", [(), (8, 1), (0,)])
def test_levels_that_cannot_be_are_refused(levels: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match=r"whole numbers >= 2.*try 8,5,5"):
        FSQ(levels)
