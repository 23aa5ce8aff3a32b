"""What every latent dynamics model offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor, nn

from gobench_videoworld.config import VideoWorldConfig

Batch = Mapping[str, Tensor]
Metrics = dict[str, Tensor]


class LatentModel(nn.Module, ABC):
    """Windows -> codes of what changes -> what comes.

    A window holds tokens, int64: ``history`` [B, h, S], whose last frame is x_t, and ``before`` and ``after`` [B, K, S],
    frames t+o-1 and t+o for each of the K offsets o; ``there`` bool [B, K] says which of these exist. The form "pixel"
    takes ``frames`` uint8 [B, 1+max(o), h, w, 3] instead of tokens. A code is D digits, digit d < ``config.digits[d]``.
    """

    def __init__(self, config: VideoWorldConfig) -> None:
        super().__init__()
        self.config = config

    @abstractmethod
    def forward(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """The loss, a mean over windows that equals the mean over any equal parts of them; and 0-d metrics."""

    @abstractmethod
    def encode(self, batch: Batch) -> Tensor:
        """The codes of windows, int64 [B, K, D]."""

    @abstractmethod
    def decode(self, before: Tensor, codes: Tensor) -> Tensor:
        """The frames that codes int64 [B, K, D] tell of after the tokens ``before`` int64 [B, S]: int64 [B, K, S].

        "pixel": uint8 [B, h, w, 3] -> uint8 [B, K, h, w, 3].
        """

    def redraw(self, batch: Batch) -> Tensor:
        """The frames ``after`` of windows as they come back from their codes, int64 [B, K, S] (uint8 for "pixel")."""
        return self.decode(batch["history"][:, -1], self.encode(batch))

    @abstractmethod
    def continuous(self, batch: Batch) -> Tensor:
        """What is quantized, before it is: f32 [B, K, E]."""
