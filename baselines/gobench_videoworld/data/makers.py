"""What turns an episode's frames into tokens: a tokenizer, or the domain's reader.

A maker works in two steps: ``prepare`` in one of several threads, ``finish`` in the main one.
"""

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
from gobench_videoworld.config import TokenizerConfig
from gobench_videoworld.data.store import STATES, TOKENS

AT_ONCE = 256  # frames encoded at once

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

    @property
    def size(self) -> tuple[int, int] | None:
        """Pixels at which frames are looked at; None: as stored."""
        ...

    def prepare(self, frames: Array) -> Any:
        """What can be done beside other episodes, for frames uint8 [T, h, w, 3]."""
        ...

    def finish(self, prepared: Any) -> Coded:
        """Symbols [T, variants, S] of 0 .. vocabulary - 1."""
        ...


@dataclass
class TokenMaker:
    """A trained tokenizer, which is given each symmetry of a clip frame after frame."""

    tokenizer: Encoder
    variants: int
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

    @property
    def size(self) -> tuple[int, int]:
        return self.tokenizer.config.size

    def prepare(self, frames: Array) -> Array:
        """The frames in each symmetry, uint8 [variants, T, h, w, 3]."""
        out = np.empty((self.variants, *frames.shape), np.uint8)
        for k in range(self.variants):
            out[k] = transform(frames, k)
        return out

    def finish(self, prepared: Array) -> Coded:
        """Symbols [T, variants, S]."""
        tokens = self._encoded(prepared.reshape(-1, *prepared.shape[2:]))
        return tokens.reshape(*prepared.shape[:2], -1).swapaxes(0, 1)

    def _encoded(self, frames: Array) -> Coded:
        """Tokens int64 [N, S] of frames, some at a time, on the tokenizer's device."""
        module: Any = self.tokenizer
        device = next((p.device for p in module.parameters()), torch.device("cpu"))
        with torch.inference_mode():
            parts = [
                self.tokenizer.encode(torch.from_numpy(frames[i : i + AT_ONCE]).to(device)).cpu().numpy()
                for i in range(0, len(frames), AT_ONCE)
            ]
        return np.concatenate(parts)


@dataclass
class StateMaker:
    """The domain's reader: the symbols of cells, turned as the picture is."""

    domain: Any
    options: Mapping[str, Json]
    variants: int
    kind = STATES
    size: tuple[int, int] | None = None

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

    def prepare(self, frames: Array) -> Array:
        """Symbols uint8 [T, cells]."""
        read: Array = self.domain.states(self.options, frames)
        return read

    def finish(self, prepared: Array) -> Coded:
        """Symbols [T, variants, S]."""
        cells = prepared.reshape(-1, *self.grid)
        turned = [transform(cells, k).reshape(len(cells), -1) for k in range(self.variants)]
        return np.stack(turned, axis=1)


def _plain(config: TokenizerConfig) -> Json:
    return {key: list(v) if isinstance(v := getattr(config, key), tuple) else v for key in config.__slots__}
