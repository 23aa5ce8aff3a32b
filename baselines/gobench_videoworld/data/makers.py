"""What turns an episode's frames into tokens: a tokenizer, or the domain's reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gobench.loader.augment import transform
from gobench.models.weights import weights_hash
from gobench.types import Array, Json
from gobench_videoworld.config import PATCHWISE, TokenizerConfig
from gobench_videoworld.data.patches import NOISE, pack
from gobench_videoworld.data.store import STATES, TOKENS

AT_ONCE = 256  # frames encoded at once
PIXEL = np.dtype((np.void, 3))

Coded = npt.NDArray[np.integer[Any]]


class Encoder(Protocol):
    """What is asked of a tokenizer, which is a ``torch.nn.Module``."""

    config: TokenizerConfig

    def encode(self, frames: Tensor) -> Tensor:
        """uint8 [N, h, w, 3] at ``config.size`` -> int64 [N, S]."""
        ...


class Maker(Protocol):
    """Frames -> symbols."""

    @property
    def kind(self) -> str: ...

    @property
    def name(self) -> str:
        """Whose symbols they are: equal names give equal symbols."""
        ...

    @property
    def grid(self) -> tuple[int, int]: ...

    @property
    def vocabulary(self) -> int: ...

    def begin(self, frames: Array) -> None:
        """Called once, with the split's first episode, before all."""
        ...

    def code(self, frames: Array) -> Coded:
        """Frames uint8 [T, h, w, 3] -> symbols [T, variants, S] of 0 .. vocabulary - 1. Called from several threads."""
        ...


@dataclass
class TokenMaker:
    """A trained tokenizer, which is given each symmetry of a clip frame after frame.

    One whose tokens depend on their own patches alone is given packed clips, if the first episode has the very same
    tokens that way; where frames went through a lossy codec, its noise is left out if that changes none of them.
    """

    tokenizer: Encoder
    variants: int
    exact: bool  # whether frames are as they were drawn
    kind = TOKENS

    @cached_property
    def name(self) -> str:
        """Hash of the weights and the config."""
        module: Any = self.tokenizer
        return weights_hash(_plain(self.tokenizer.config), module.state_dict())

    @property
    def grid(self) -> tuple[int, int]:
        return self.tokenizer.config.grid

    @property
    def vocabulary(self) -> int:
        return self.tokenizer.config.vocabulary

    def begin(self, frames: Array) -> None:
        """Find out whether clips may be packed, and how much noise may be left out."""
        if not self.packs:
            return
        whole = self._whole(frames)
        levels = (0,) if self.exact else (NOISE, 0)
        fitting = (noise for noise in levels if np.array_equal(self._packed(frames, noise), whole))
        self._noise = next(fitting, None)

    def suppose(self) -> None:
        """Take it, without a look at frames, that a tokenizer does as one that is trained will: to tell the time it takes."""
        self._noise = None if not self.packs else 0 if self.exact else NOISE

    @property
    def packs(self) -> bool:
        """Whether clips may be packed: tokens depend on their own patches alone."""
        return self.tokenizer.config.encoder in PATCHWISE

    def code(self, frames: Array) -> Coded:
        """Symbols [T, variants, S]."""
        return self._whole(frames) if self._noise is None else self._packed(frames, self._noise)

    _noise: int | None = None

    def _whole(self, frames: Array) -> Coded:
        return self._encoded(self._shown(frames)).swapaxes(0, 1)

    def _packed(self, frames: Array, noise: int) -> Coded:
        packed, numbers = pack(frames, self.grid, noise)
        tokens = self._encoded(self._shown(packed))
        shown = _turned(numbers, self.variants)
        return np.stack(
            [np.take_along_axis(tokens[k], shown[k], axis=0) for k in range(self.variants)], axis=1
        )

    def _shown(self, frames: Array) -> Array:
        """Frames in each symmetry, uint8 [variants, N, h, w, 3]."""
        pixels: Any = np.ascontiguousarray(frames).view(PIXEL)[
            ..., 0
        ]  # whole pixels are copied faster than colours
        out = np.empty((self.variants, *pixels.shape), PIXEL)
        for k in range(self.variants):
            out[k] = transform(pixels, k)
        return out.view(np.uint8).reshape(self.variants, *frames.shape)

    def _encoded(self, shown: Array) -> Coded:
        """Tokens int64 [variants, N, S] of ``_shown`` frames, some at a time, on the tokenizer's device."""
        device = device_of(self.tokenizer)
        frames = torch.from_numpy(shown.reshape(-1, *shown.shape[2:]))
        with torch.inference_mode():
            parts = [
                self.tokenizer.encode(frames[n : n + AT_ONCE].to(device)).cpu().numpy()
                for n in range(0, len(frames), AT_ONCE)
            ]
        return np.concatenate(parts).reshape(*shown.shape[:2], -1)


@dataclass
class StateMaker:
    """The domain's reader: the symbols of cells, turned as the picture is."""

    domain: Any
    options: Mapping[str, Json]
    variants: int
    kind = STATES

    @property
    def name(self) -> str:
        """The domain and its version."""
        return f"{self.domain.name}@{self.domain.version}"

    @cached_property
    def grid(self) -> tuple[int, int]:
        rows, cols = self.domain.grid(self.options)
        return int(rows), int(cols)

    @cached_property
    def vocabulary(self) -> int:
        return int(self.domain.symbols(self.options))

    def begin(self, frames: Array) -> None:
        """Nothing."""

    def code(self, frames: Array) -> Coded:
        """Symbols [T, variants, S]."""
        read: Array = self.domain.states(self.options, frames)
        return np.stack(_turned(read.reshape(-1, *self.grid), self.variants), axis=1)


def _turned(cells: Any, variants: int) -> list[Any]:
    """Cells [T, rows, cols] in each symmetry, flat: [T, S] each."""
    return [transform(cells, k).reshape(len(cells), -1) for k in range(variants)]


def device_of(tokenizer: Encoder) -> torch.device:
    """Where a tokenizer's weights are."""
    module: Any = tokenizer
    return next((p.device for p in module.parameters()), torch.device("cpu"))


def _plain(config: TokenizerConfig) -> Json:
    return {key: list(v) if isinstance(v := getattr(config, key), tuple) else v for key in config.__slots__}
