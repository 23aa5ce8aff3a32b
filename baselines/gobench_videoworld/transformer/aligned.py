"""Inputs and heads of the default form: positions know their site, codes point at sites, the coded site is marked.

    position   0 .. S-1             S .. S+C-1                       S+C .. 2S+C-1
    input      the prompt's sites   digits so far, one slot each     the next frame so far, with what is shown there
    predicts                        digit 0 .. C-1                   site 0 .. S-1

C is codes * digits. Earlier frames of the prompt are added to the sites of the last one where they differ from the frame
after them. A place digit is a softmax over dot products with the prompt's features (a pointer, arXiv 1506.03134).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from gobench_videoworld.config import VideoWorldConfig


class Aligned(nn.Module):
    """Embeddings and heads around the backbone; ``Dynamics`` puts them together.

    Attributes:
        length: positions of the prompt.
        slots: C, positions that predict digits.
        prefix: how many first positions see each other in both directions.
    """

    def __init__(self, config: VideoWorldConfig) -> None:
        super().__init__()
        width, spec = config.transformer.hidden_size, config.transformer
        self.sites, self.digits = config.sites, config.digits
        self.slots = config.codes * len(config.digits)
        self.places = config.pointers if self.slots else 0
        self.pointers = self.places if spec.pointer else 0
        self.length = config.sites
        self.prefix = config.sites if spec.bidirectional else 0
        values = config.digits if self.slots else ()
        self.shown = _tables([config.vocabulary] * spec.history, width)
        self.site = nn.Embedding(config.sites, width)
        self._make_code_parts(values, width)
        if config.frames:
            self._make_frame_parts(config, values)
        for part in self.modules():
            if isinstance(part, nn.Embedding | nn.Linear):
                nn.init.normal_(part.weight, std=0.02)

    def _make_code_parts(self, values: tuple[int, ...], width: int) -> None:
        self.said = _tables(values[: max(self.slots - 1, 0)], width)  # nothing is said after the last digit
        self.scores = nn.ModuleList(
            nn.Linear(width, width if digit < self.pointers else many, bias=False)
            for digit, many in enumerate(values)
        )
        self.keys = nn.Linear(width, width, bias=False) if self.pointers else nn.Identity()
        if self.slots:
            self.slot = nn.Embedding(self.slots, width)
        if self.pointers and values[0] > self.sites:
            self.none = nn.Parameter(torch.zeros(width))

    def _make_frame_parts(self, config: VideoWorldConfig, values: tuple[int, ...]) -> None:
        width = config.transformer.hidden_size
        self.begin = nn.Parameter(torch.zeros(width))
        self.previous = nn.Embedding(config.vocabulary, width)
        self.target = nn.Embedding(config.sites, width)
        self.told = _tables(values[self.places :], width)  # places are marked instead
        self.mark = nn.Embedding(values[-1], width) if self.places else None
        self.imagined = nn.Embedding(config.vocabulary, width) if config.imagines else None
        self.token = nn.Linear(width, config.vocabulary, bias=False)
        copied = self.shown[0] if self.imagined is None else self.imagined
        self.token.weight = cast(
            nn.Embedding, copied
        ).weight  # what is shown is what a token most likely stays: copying is free

    def prompt(self, history: Tensor) -> Tensor:
        """int64 [B, h, S], the last frame last -> [B, S, width]."""
        x: Tensor = self.site.weight + self.shown[0](history[:, -1])
        for lag in range(1, history.shape[1]):
            differs = (history[:, -1 - lag] != history[:, -lag])[..., None]
            x = x + differs * self.shown[lag](history[:, -1 - lag])
        return x

    def before_digits(self, codes: Tensor, start: int, count: int) -> Tensor:
        """Inputs that predict digits ``start`` to ``start + count - 1`` of codes int64 [B, C]; no later one is read."""
        rows = []
        for place in range(start, start + count):
            own = self.slot.weight[place].expand(len(codes), -1)
            rows.append(own if place == 0 else own + self._embedded(codes, place - 1))
        return torch.stack(rows, 1)

    def before_tokens(
        self, previous: Tensor, start: int, shown: Tensor, codes: Tensor, imagined: Tensor | None = None
    ) -> Tensor:
        """Inputs that predict sites ``start`` to ``start + n - 1`` of the next frame.

        Args:
            previous: int64 [B, n], its tokens one site earlier; the first one is not read where ``start`` is 0.
            shown: int64 [B, S], the prompt's last frame.
            codes: int64 [B, C].
            imagined: int64 [B, S], the latent decoder's picture of the first code, where the configuration wants it.
        """
        part = slice(start, start + previous.shape[1])
        x: Tensor = self.previous(previous)
        if start == 0:
            x = torch.cat([self.begin.expand(len(x), 1, -1), x[:, 1:]], 1)
        x = x + self.target.weight[part] + self.shown[0](shown[:, part])
        if not self.slots:
            return x
        for digit, told in enumerate(self.told, self.places):
            x = x + told(codes[:, digit])[:, None]
        if self.mark is not None:
            x = x + self._marked(codes, part)
        if self.imagined is not None and imagined is not None:
            x = x + self.imagined(imagined[:, part])
        return x

    def _marked(self, codes: Tensor, part: slice) -> Tensor:
        """The first code's content, at the sites that its place digits name."""
        assert self.mark is not None
        sites = torch.arange(part.start, part.stop, device=codes.device)
        named = (codes[:, : self.places, None] == sites).sum(1)
        content: Tensor = self.mark(codes[:, len(self.digits) - 1])[:, None]
        return named[..., None].to(content.dtype) * content

    def digit_logits(self, hidden: Tensor, start: int, seen: Tensor) -> list[Tensor]:
        """Features at n slots from ``start`` on [B, n, width], and of the prompt [B, S, width] -> n times [B, values]."""
        keys: Tensor = self.keys(seen)
        return [
            self._scored(hidden[:, i], (start + i) % len(self.digits), keys) for i in range(hidden.shape[1])
        ]

    def _scored(self, hidden: Tensor, digit: int, keys: Tensor) -> Tensor:
        score: Tensor = self.scores[digit](hidden)
        if digit >= self.pointers:
            return score
        if self.digits[digit] > self.sites:  # "none" stands behind the last site
            keys = torch.cat([keys, self.none.expand(len(keys), 1, -1)], 1)
        scale: float = score.shape[-1] ** -0.5
        return (keys @ score[..., None])[..., 0] * scale

    def digit_losses(self, hidden: Tensor, codes: Tensor, seen: Tensor) -> Tensor:
        """Nats of each digit of codes int64 [B, C], from all slots' features [B, C, width]: [B, C]."""
        logits = self.digit_logits(hidden, 0, seen)
        losses = [
            functional.cross_entropy(row.float(), codes[:, i], reduction="none")
            for i, row in enumerate(logits)
        ]
        return torch.stack(losses, 1)

    def token_logits(self, hidden: Tensor) -> Tensor:
        """[..., width] -> [..., V]."""
        logits: Tensor = self.token(hidden)
        return logits

    def token_losses(self, hidden: Tensor, following: Tensor) -> Tensor:
        """Nats of each token of the next frame int64 [B, S], from [B, S, width]: [B, S]."""
        logits = self.token_logits(hidden).float()
        return functional.cross_entropy(logits.flatten(0, 1), following.flatten(), reduction="none").view(
            following.shape
        )

    def _embedded(self, codes: Tensor, place: int) -> Tensor:
        found: Tensor = self.said[place % len(self.digits)](codes[:, place])
        return found


def _tables(values: tuple[int, ...] | list[int], width: int) -> nn.ModuleList:
    return nn.ModuleList(nn.Embedding(many, width) for many in values)
