"""Floating point operations of a training step, of each network: counted where its module runs, or by formula.

Tokenizer and latent dynamics are counted by ``torch.utils.flop_counter`` as they run, forward and backward: their weights are
used at every pixel, at every site, or once a frame, so that no product of weights and tokens tells what they cost. They run
with stand-ins for their weights and moments, so that nothing of the module is touched and weights need not be there at all.
The transformer's are ``transformer.flops``, to which the frozen latent model that teaches it is added.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.latent import LatentModel
from gobench_videoworld.tokenizer import Tokenizer
from gobench_videoworld.transformer.dynamics import Dynamics
from gobench_videoworld.transformer.flops import training_flops

WINDOWS = 1  # that latent dynamics are counted on: others cost the same


def step_flops(network: nn.Module, batch: int, teacher: LatentModel | None = None) -> float:
    """Of a training step of a network of ours over ``batch`` frames or windows; the network may be on the device "meta".

    Args:
        teacher: of a transformer, the latent model that tells it codes, and draws the first one where it is shown.
    """
    if isinstance(network, Tokenizer):
        frames = torch.zeros(batch, *network.config.size, 3, dtype=torch.uint8, device="meta")
        return _counted(network, "meta", _learning({"frames": frames}))
    if isinstance(network, LatentModel):
        return _counted(network, "cpu", _learning(window(network.config))) / WINDOWS * batch
    assert isinstance(network, Dynamics)
    taught = 0.0
    if teacher is not None:
        taught = _counted(teacher, "cpu", _teaching(network.config)) / WINDOWS * batch
    return training_flops(network, batch) + taught


def window(config: VideoWorldConfig) -> dict[str, Tensor]:
    """Windows as a latent model takes them, in which one site changes at each step."""
    many, sites = len(config.latent.offsets), config.tokenizer.sites
    before = torch.zeros(WINDOWS, many, sites, dtype=torch.int64)
    after = before.clone()
    after[..., 0] = 1
    found = {"history": before[:, :1], "before": before, "after": after, "time": torch.arange(WINDOWS),
             "there": torch.ones(WINDOWS, many, dtype=torch.bool)}  # fmt: skip
    if config.latent.form == "pixel":
        size = (config.latent.offsets[-1] + 1, *config.tokenizer.size, 3)
        found["frames"] = torch.zeros(WINDOWS, *size, dtype=torch.uint8)
    return found


def _learning(batch: Mapping[str, Tensor]) -> Callable[[Any], None]:
    def run(network: Any) -> None:
        network(batch)[0].backward()

    return run


def _teaching(config: VideoWorldConfig) -> Callable[[Any], None]:
    """What ``train.stages.lesson`` asks for."""

    def run(latent: Any) -> None:
        batch = window(config)
        codes = latent.encode(batch)
        if config.imagines:
            latent.decode(batch["history"][:, -1], codes[:, :1])

    return run


class _Runs(nn.Module):
    """A network inside a module whose ``forward`` may call any of its methods."""

    def __init__(self, network: nn.Module, run: Callable[[Any], None]) -> None:
        super().__init__()
        self.network, self._run = network, run

    def forward(self) -> None:
        self._run(self.network)


def _counted(network: nn.Module, device: str, run: Callable[[Any], None]) -> float:
    """Operations of ``run(network)``, the network in evaluation mode, whose running moments ask no other process."""
    runs = _Runs(network, run)
    with (
        _resting(network),
        torch.enable_grad(),
        FlopCounterMode(display=False, custom_mapping=GROUPED) as counter,
    ):
        functional_call(runs, dict(_stand_ins(runs, device)), ())
    return float(counter.get_total_flops())


@contextlib.contextmanager
def _resting(network: nn.Module) -> Iterator[None]:
    modes = [(part, part.training) for part in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def _stand_ins(network: nn.Module, device: str) -> Iterator[tuple[str, Tensor]]:
    """Weights of zeros; counts and masks of ones, since some are divided by."""
    for name, weight in network.named_parameters():
        yield name, torch.zeros(weight.shape, dtype=weight.dtype, device=device, requires_grad=True)
    for name, value in network.named_buffers():
        fill = torch.zeros if value.is_floating_point() else torch.ones
        yield name, fill(value.shape, dtype=value.dtype, device=device)


def _convolution_backward(
    grad: Any, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: bool,
    output_padding: Any, groups: int, wanted: Any, out_shape: Any, **_: Any,
) -> int:  # fmt: skip
    """torch's own formula, but that channels of other groups cost nothing where the weight's gradient is made."""
    assert not transposed
    to_input = conv_flop_count(grad, weight, x, transposed=True) if wanted[0] else 0
    pairs = prod(weight) * prod(grad[2:]) * grad[0]  # ``weight`` counts the channels of a group alone
    return to_input + (2 * pairs if wanted[1] else 0)


GROUPED: dict[Any, Any] = {torch.ops.aten.convolution_backward: _convolution_backward}
