"""What a training takes, roughly: time at speeds measured in a second or two on this machine, memory and disk by formula."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor, nn

from gobench import registry
from gobench.loader.film import Sample
from gobench.loader.view import SYMMETRIES
from gobench.types import Array, Record
from gobench.workers import cores
from gobench_videoworld.data.episodes import Reel
from gobench_videoworld.data.makers import Maker, StateMaker, TokenMaker
from gobench_videoworld.data.store import STATES
from gobench_videoworld.data.tokens import one_thread_each
from gobench_videoworld.flops import step_flops
from gobench_videoworld.tokenizer import Tokenizer
from gobench_videoworld.train.material import Material
from gobench_videoworld.transformer import cpu
from gobench_videoworld.transformer.aligned import Aligned
from gobench_videoworld.transformer.dynamics import Dynamics
from gobench_videoworld.transformer.flops import peak_flops

UTILISATION: Mapping[str, Mapping[str, float]] = {
    "cpu": {"tokenizer": 0.15, "latent": 0.12, "transformer": 0.3},
    "cuda": {"tokenizer": 0.1, "latent": 0.03, "transformer": 0.3},
}
"""Device type -> stage -> share of a matrix product's speed. For a CPU as measured with tiny; for a GPU it is a guess."""
LEAST_SECONDS: Mapping[str, float] = {"cpu": 0.002, "cuda": 0.015}  # of a step, however small
TRIED = 2  # episodes for each core, of which the time is taken
F32, ADAMW, KEPT = 4, 2, 2  # bytes of a number; numbers that the optimizer keeps of each weight; checkpoints


@dataclass(frozen=True, slots=True)
class Speed:
    """What a device does."""

    device: str  # its type
    peak: float  # FLOP/s of a matrix product
    half: bool = False  # in bf16

    @property
    def shares(self) -> Mapping[str, float]:
        """Stage -> share of the peak that its steps are supposed to reach."""
        return UTILISATION["cpu" if self.device == "cpu" else "cuda"]

    def seconds(self, stage: str, flops: float) -> float:
        """Of one step of a stage."""
        least = LEAST_SECONDS["cpu" if self.device == "cpu" else "cuda"]
        return max(least, flops / (self.peak * self.shares[stage]))


def speed(device: torch.device, precision: str) -> Speed:
    """Measured in some tenths of a second, in the precision in which the transformer would be trained."""
    cpu.prepare()
    half = precision == "bf16" or (precision == "auto" and device.type == "cuda")
    return Speed(device.type, peak_flops(device, torch.bfloat16 if half else torch.float32), half)


@dataclass(frozen=True, slots=True)
class Making:
    """The tokens (or states) of all frames, which are made once."""

    episodes: int
    frames: int
    symmetries: int  # in which frames that are learnt from are coded
    frames_a_second: float  # measured
    seconds: float
    bytes: int

    def to_json(self) -> Record:
        """Plain data."""
        return asdict(self)


def making(material: Material) -> Making:
    """What it takes to make the token stores of a training, from a few episodes that are coded and thrown away."""
    episodes = frames = size = 0
    rates: dict[int, float] = {}
    seconds = 0.0
    for split in dict.fromkeys(material.splits):
        variants = SYMMETRIES[material.symmetry_of(split)]
        reel, maker = _maker(material, split, variants)
        lengths = _lengths(reel, split, material.episodes_of(split))
        if variants not in rates:
            rates[variants] = _rate(reel, maker)
        episodes, frames = episodes + len(lengths), frames + sum(lengths)
        seconds += sum(lengths) / rates[variants]
        size += _bytes(maker, variants, len(lengths), sum(lengths))
    return Making(episodes, frames, max(rates), frames / seconds, seconds, size)


def _maker(material: Material, split: str, variants: int) -> tuple[Reel, Maker]:
    """With an untrained tokenizer, which takes as long as a trained one."""
    config, data = material.config, material.asked.data
    if config.input == "state":
        return Reel(data, split, None), StateMaker(registry.domain(config.domain), config.options, variants)
    reel = Reel(data, split, config.tokenizer.size)
    with torch.random.fork_rng(devices=[]):
        tokenizer = Tokenizer(config.tokenizer).to(material.parallel.device).eval()
    maker = TokenMaker(tokenizer, variants, reel.episodes.codec.exact)
    maker.suppose()
    return reel, maker


def _lengths(reel: Reel, split: str, episodes: int) -> list[int]:
    """Frames of the episodes that are coded: whole shards, until there are enough."""
    counts = [shard.count for shard in reel.episodes.data.shards if shard.split == split]
    ends = list(accumulate(counts))
    wanted = reel.first(episodes)
    many = next(end for end in ends if end >= wanted)
    return [reel.length(row) for row in range(many)]


def _rate(reel: Reel, maker: Maker) -> float:
    """Frames a second, decoded and coded in as many threads as there are cores.

    Packed clips and states are timed whole; of a tokenizer that sees each frame by itself, one frame of each episode.
    """
    whole = not isinstance(maker, TokenMaker) or maker.packs
    rows = range(min(len(reel), TRIED * cores()))

    def work(sample: Sample, frames: Array) -> tuple[int, float]:
        since = time.perf_counter()
        maker.code(frames if whole else frames[:1])
        return len(frames), (time.perf_counter() - since) * (0 if whole else len(frames) - 1)

    with one_thread_each():
        next(iter(reel.each(rows[:1], work)))  # the first one starts the decoder
        since = time.perf_counter()
        found = list(reel.each(rows, work))
        seconds = time.perf_counter() - since
    return sum(n for n, _ in found) / (seconds + sum(more for _, more in found) / min(cores(), len(rows)))


def _bytes(maker: Maker, variants: int, episodes: int, frames: int) -> int:
    """On disk, see ``data.store``; headers apart."""
    rows, cols = maker.grid
    symbols = int(np.min_scalar_type(maker.vocabulary - 1).itemsize) * rows * cols
    labels = 2 * np.dtype(np.int16).itemsize if maker.kind == STATES else 0
    return int(frames * (variants * (symbols + labels) + 1) + 2 * episodes * np.dtype(np.int32).itemsize)


def memory(module: nn.Module, batch: int, parts: int, half: bool) -> Record:
    """Bytes while a stage is trained: what AdamW and the gradients take is sure, activations are rough.

    Args:
        batch: samples of a step, computed in so many ``parts``.
        half: whether activations are bf16.
    """
    weights = _weights(module)
    learnt = F32 * sum(p.numel() for p in module.parameters())
    found = {"weights": weights, "gradients": learnt, "optimizer": ADAMW * learnt,
             "activations": int(_activations(module, -(-batch // parts), half))}  # fmt: skip
    return {**found, "all": sum(found.values())}


def disk(module: nn.Module) -> int:
    """Bytes that a trained stage leaves: the last checkpoints, and its weights twice (in the work folder and the model)."""
    weights = _weights(module)
    learnt = F32 * sum(p.numel() for p in module.parameters())
    return KEPT * (weights + ADAMW * learnt) + 2 * weights


def _weights(module: nn.Module) -> int:
    tensors: list[Tensor] = list(module.state_dict().values())
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _activations(module: nn.Module, batch: int, half: bool) -> float:
    if isinstance(module, Dynamics):
        return _activations_of_llama(module, batch, half)
    return _saved(lambda: step_flops(module, 1)) * batch


def _activations_of_llama(dynamics: Dynamics, batch: int, half: bool) -> float:
    """What each layer keeps of each position for the backward pass, and the heads' logits with their gradients."""
    own, scheme = dynamics.config.transformer, dynamics.scheme
    positions, width = dynamics.trained(batch), own.hidden_size
    layer = positions * (10.0 * width + 4.0 * own.intermediate_size)
    layer += 0 if half else batch * own.num_attention_heads * float(dynamics.positions) ** 2
    framed = -(-batch // dynamics.frame_every) if dynamics.config.frames else 0
    words = dynamics.config.vocabulary * framed * dynamics.config.sites
    words += sum(dynamics.config.digits) * batch * dynamics.config.codes
    if not isinstance(scheme, Aligned):
        words = scheme.lm_head.weight.shape[0] * batch * (scheme.slots + dynamics.config.sites)
    return (2 if half else F32) * own.num_hidden_layers * layer + 3.0 * F32 * words


def _saved(run: Callable[[], object]) -> int:
    """Bytes that are kept for a backward pass, weights apart."""
    sizes: dict[int, int] = {}

    def pack(value: Tensor) -> Tensor:
        if not (value.is_leaf and value.requires_grad):
            storage = value.untyped_storage()
            sizes[storage._cdata] = storage.nbytes()
        return value

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
        run()
    return sum(sizes.values())
