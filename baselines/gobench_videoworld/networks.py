"""The three networks of a config: made anew, or filled from the tensors of a ``model.pt``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gobench.errors import DataError, UsageError
from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.latent import LatentModel, latent_model
from gobench_videoworld.tokenizer import Tokenizer
from gobench_videoworld.transformer.dynamics import Dynamics

LEAST = 64  # layers that are never too many: parts that an input does not need have none of the tensors


@dataclass(frozen=True, slots=True)
class Networks:
    """The parts of a model that its input needs; tensors are named ``tokenizer.…``, ``latent.…``, ``transformer.…``."""

    transformer: Dynamics
    tokenizer: Tokenizer | None = None
    latent: LatentModel | None = None

    def parts(self) -> Iterator[tuple[str, nn.Module]]:
        """(name, module) of those that are there, in the order in which they are trained."""
        for name in ("tokenizer", "latent", "transformer"):
            if (module := getattr(self, name)) is not None:
                yield name, module

    def imagine(self, shown: Tensor, code: Tensor) -> Tensor:
        """The frame after a code, as the latent decoder sees it: int64 [B, S], int64 [B, D] -> int64 [B, S]."""
        assert self.latent is not None
        found: Tensor = self.latent.decode(shown, code[:, None])[:, 0]
        return found

    def tensors(self) -> dict[str, Tensor]:
        """Everything that ``model.pt`` holds."""
        return {
            f"{name}.{key}": value
            for name, module in self.parts()
            for key, value in module.state_dict().items()
        }

    def parameters(self) -> dict[str, int]:
        """Part -> how many numbers it learns."""
        return {name: sum(p.numel() for p in module.parameters()) for name, module in self.parts()}

    def buffers(self) -> list[str]:
        """Names of the tensors of floating point that are remembered, not learnt."""
        return [
            f"{name}.{key}"
            for name, module in self.parts()
            for key, value in module.named_buffers()
            if value.is_floating_point() and key in module.state_dict()
        ]


def networks(config: VideoWorldConfig, frame_every: int = 1) -> Networks:
    """New networks, with torch's random state as it is; ``frame_every`` is ``Dynamics``'s, for training."""
    dynamics = Dynamics(config, frame_every)
    if config.input == "state":
        return Networks(dynamics)
    latent = latent_model(config) if config.codes else None
    return Networks(dynamics, Tokenizer(config.tokenizer), latent)


def filled(config: VideoWorldConfig, tensors: Mapping[str, Tensor], device: str, dtype: str) -> Networks:
    """Networks with the tensors of a file, ready to answer.

    Args:
        device: a torch device.
        dtype: of the transformer's weights, "float32" or "bfloat16"; the small networks stay in float32, whose rounding
            decides between tokens.

    What the config says is compared with the tensors before memory is taken, and torch's random state stays as it is.

    Raises:
        DataError: tensors are missing, left over or of another shape than the config says; names the first one.
    """
    _fit(_wanted(config, len(tensors)), tensors)
    with torch.random.fork_rng(devices=[]):
        made = networks(config)
    for name, module in made.parts():
        own = {
            key.removeprefix(f"{name}."): value
            for key, value in tensors.items()
            if key.startswith(f"{name}.")
        }
        module.load_state_dict(own)
        module.to(device).eval().requires_grad_(False)
    made.transformer.to(getattr(torch, dtype))
    return made


def _wanted(config: VideoWorldConfig, many: int) -> dict[str, Tensor]:
    """The tensors that a config asks for, shapes alone. Each layer has some, so that ``many`` tensors bound the layers."""
    layers = (config.transformer.num_hidden_layers, config.tokenizer.blocks, config.latent.blocks)
    if max(layers) > max(many, LEAST):
        raise DataError(
            f"the config asks for {max(layers):,} layers, but there are {many:,} tensors: it is another model's."
        )
    try:
        with torch.device("meta"):
            return networks(config).tensors()
    except (UsageError, RuntimeError, TypeError, ValueError, OverflowError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError(f"no network has the sizes that the config says ({reason}).") from error


def _fit(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    if missing := sorted(set(wanted) - set(given)):
        raise DataError(
            f"the model has no tensor {missing[0]!r} that its config asks for: it is not whole, "
            "or another version of this package made it (`gobench info` says which)."
        )
    if strange := sorted(set(given) - set(wanted)):
        raise DataError(f"the model holds a tensor {strange[0]!r} that its config has no place for.")
    for name, tensor in wanted.items():
        if given[name].shape != tensor.shape:
            raise DataError(
                f"the tensor {name!r} has the shape {list(given[name].shape)}, but the config says {list(tensor.shape)}."
            )
