"""Inputs and heads of the paper's form: one vocabulary, one table of embeddings, one softmax; nothing but a Llama.

    FRAME tokens of x_{t-1}   FRAME tokens of x_t   CODES digits   tokens of x_{t+1}

Tokens come first in the vocabulary, then the digits of codes by their place in a code, then the two marks. The loss is
over the whole vocabulary; answers are drawn among what may stand at their position.
"""

from __future__ import annotations

from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn import functional

from gobench_videoworld.config import VideoWorldConfig


class Plain(nn.Module):
    """The same interface as ``Aligned``."""

    def __init__(self, config: VideoWorldConfig) -> None:
        super().__init__()
        width, values = config.transformer.hidden_size, config.digits if config.codes else ()
        self.sites, self.digits, self.tokens = config.sites, config.digits, config.vocabulary
        self.slots = config.codes * len(config.digits)
        self.length = config.transformer.history * (config.sites + 1)
        self.prefix = self.length if config.transformer.bidirectional else 0
        self.starts = list(accumulate(values, initial=config.vocabulary))  # of each digit's values
        self.frame = self.starts[-1]
        self.embed_tokens = nn.Embedding(self.frame + 2, width)
        self.lm_head = nn.Linear(width, self.frame + 2, bias=False)
        for part in (self.embed_tokens, self.lm_head):
            nn.init.normal_(part.weight, std=0.02)

    def words(self, history: Tensor) -> Tensor:
        """int64 [B, h, S] -> int64 [B, h * (S + 1)]."""
        return functional.pad(history, (1, 0), value=self.frame).flatten(1)

    def prompt(self, history: Tensor) -> Tensor:
        """int64 [B, h, S], the last frame last -> [B, h * (S + 1), width]."""
        found: Tensor = self.embed_tokens(self.words(history))
        return found

    def before_digits(self, codes: Tensor, start: int, count: int) -> Tensor:
        """Inputs that predict digits ``start`` to ``start + count - 1`` of codes int64 [B, C]; no later one is read."""
        shifted = functional.pad(codes + self._offsets(codes), (1, 0), value=self.frame + 1)
        found: Tensor = self.embed_tokens(shifted[:, start : start + count])
        return found

    def before_tokens(
        self, previous: Tensor, start: int, shown: Tensor, codes: Tensor, imagined: Tensor | None = None
    ) -> Tensor:
        """Inputs that predict sites from ``start`` on; the first one is the last digit, or the mark of a frame."""
        if start == 0:
            last = (
                codes[:, -1:] + self._offsets(codes)[-1:]
                if self.slots
                else torch.full_like(previous[:, :1], self.frame)
            )
            previous = torch.cat([last, previous[:, 1:]], 1)
        found: Tensor = self.embed_tokens(previous)
        return found

    def digit_logits(self, hidden: Tensor, start: int, seen: Tensor) -> list[Tensor]:
        """Features at n slots from ``start`` on [B, n, width] -> n times [B, values]."""
        found = []
        for i in range(hidden.shape[1]):
            digit = (start + i) % len(self.digits)
            found.append(self.lm_head(hidden[:, i])[:, self.starts[digit] : self.starts[digit + 1]])
        return found

    def digit_losses(self, hidden: Tensor, codes: Tensor, seen: Tensor) -> Tensor:
        """Nats of each digit of codes int64 [B, C], from all slots' features [B, C, width]: [B, C]."""
        return self._losses(hidden, codes + self._offsets(codes))

    def token_logits(self, hidden: Tensor) -> Tensor:
        """[..., width] -> [..., V]."""
        logits: Tensor = self.lm_head(hidden)
        return logits[..., : self.tokens]

    def token_losses(self, hidden: Tensor, following: Tensor) -> Tensor:
        """Nats of each token of the next frame int64 [B, S], from [B, S, width]: [B, S]."""
        return self._losses(hidden, following)

    def _losses(self, hidden: Tensor, words: Tensor) -> Tensor:
        logits = self.lm_head(hidden).float()
        return functional.cross_entropy(logits.flatten(0, 1), words.flatten(), reduction="none").view(
            words.shape
        )

    def _offsets(self, codes: Tensor) -> Tensor:
        """What is added to each digit to make it a word, int64 [C]."""
        return torch.tensor(self.starts[:-1], device=codes.device).repeat(
            codes.shape[1] // max(len(self.digits), 1)
        )
