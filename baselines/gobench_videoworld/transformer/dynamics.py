"""The transformer over video: a prompt, codes of what comes, the next frame; its loss, and how answers are drawn.

Sequence: the prompt, C digits of codes, S tokens of the next frame (see ``aligned`` and ``plain``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gobench_videoworld.config import SamplerConfig, VideoWorldConfig
from gobench_videoworld.transformer.aligned import Aligned
from gobench_videoworld.transformer.generate import draw, sample_decode
from gobench_videoworld.transformer.llama import Cache, Llama
from gobench_videoworld.transformer.plain import Plain

Imagine = Callable[[Tensor, Tensor], Tensor]
"""The latent decoder: shown int64 [B, S], first code int64 [B, D] -> the tokens of the frame after it, int64 [B, S]."""


class Drawn(NamedTuple):
    """Answers of a batch."""

    codes: Tensor  # int64 [B, K, D]; K is 0 without codes
    tokens: Tensor | None  # int64 [B, S], the next frame; None where the transformer predicts none


class Dynamics(nn.Module):
    """A ``Llama`` with a scheme of inputs and heads around it.

    Args:
        frame_every: the next frame is predicted for every so many rows of a batch. Codes do not depend on the frame
            behind them and take longer to learn: fewer frames buy more codes a second. Without codes: always. Slices of a
            batch have the loss of the whole one where each has a multiple of so many rows.
    """

    def __init__(self, config: VideoWorldConfig, frame_every: int = 1) -> None:
        super().__init__()
        self.config, self.frame_every = config, frame_every if config.codes else 1
        self.scheme = Aligned(config) if config.transformer.scheme == "aligned" else Plain(config)
        self.model = Llama(config.transformer)

    @property
    def positions(self) -> int:
        """How many positions a whole sequence has."""
        return self.scheme.length + self.scheme.slots + (self.config.sites if self.config.frames else 0)

    def trained(self, batch: int) -> int:
        """Positions that ``batch`` windows have in training."""
        framed = -(-batch // self.frame_every) if self.config.frames else 0
        return batch * (self.scheme.length + self.scheme.slots) + framed * self.config.sites

    def forward(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss in nats a window, digits of codes and tokens of the next frame summed; and its parts.

        Args:
            batch: ``history`` int64 [B, h, S]; with codes ``codes`` int64 [B, K, D] and ``there`` bool [B, K]; with frames
                ``next`` int64 [B, S], and ``imagined`` int64 [B, S] where the configuration has it.
        """
        parts = self._split(batch)
        hidden = [self._hidden(part, self.config.frames and i == 0) for i, part in enumerate(parts)]
        loss, metrics = hidden[0].new_zeros(()), dict[str, Tensor]()
        if self.scheme.slots:
            loss, metrics = self._code_loss(hidden, parts)
        if self.config.frames:
            frame = self._frame_loss(hidden[0], parts[0])
            loss, metrics["frame"] = loss + frame, frame.detach()
        return loss, metrics

    def _split(self, batch: Mapping[str, Tensor]) -> list[Mapping[str, Tensor]]:
        """The rows whose next frame is predicted, and the others."""
        every = self.frame_every if self.config.frames else 1
        others = [row for row in range(len(batch["history"])) if row % every]
        if not others:
            return [batch]
        rest = torch.tensor(others, device=batch["history"].device)
        return [
            {key: value[::every] for key, value in batch.items()},
            {key: value[rest] for key, value in batch.items()},
        ]

    def _hidden(self, batch: Mapping[str, Tensor], framed: bool) -> Tensor:
        scheme, history = self.scheme, batch["history"]
        parts = [scheme.prompt(history)]
        codes = batch["codes"].flatten(1) if scheme.slots else history[:, 0, :0]
        if scheme.slots:
            parts.append(scheme.before_digits(codes, 0, scheme.slots))
        if framed and self.config.frames:
            following = batch["next"]
            previous = torch.cat([following[:, :1], following[:, :-1]], 1)
            imagined = batch["imagined"] if self.config.imagines else None
            parts.append(scheme.before_tokens(previous, 0, history[:, -1], codes, imagined))
        hidden: Tensor = self.model(torch.cat(parts, 1), scheme.prefix)
        return hidden

    def _code_loss(
        self, parts: list[Tensor], batches: list[Mapping[str, Tensor]]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The mean over windows of the sum over the codes that they have."""
        scheme, end = self.scheme, self.scheme.length + self.scheme.slots
        hidden = torch.cat([part[:, :end] for part in parts])
        codes, there = (torch.cat([batch[key] for batch in batches]) for key in ("codes", "there"))
        seen = self._seen(hidden[:, : scheme.length])
        losses = scheme.digit_losses(hidden[:, scheme.length :], codes.flatten(1), seen)
        nats = losses.view(codes.shape).sum(2) * there  # [B, K]
        each = nats.mean(0)
        return each.sum(), {f"code{k + 1}": value.detach() for k, value in enumerate(each)}

    def _frame_loss(self, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        start = self.scheme.length + self.scheme.slots
        return self.scheme.token_losses(hidden[:, start:], batch["next"]).sum(1).mean()

    def _seen(self, hidden: Tensor) -> Tensor:
        """Features of the prompt's last frame: [B, S, width]."""
        return hidden[:, -self.config.sites :]

    @torch.inference_mode()
    def sample(
        self,
        history: Tensor,
        uniforms: Tensor,
        sampler: SamplerConfig,
        imagine: Imagine | None = None,
        force: Tensor | None = None,
    ) -> Drawn:
        """Answer prompts.

        Args:
            history: int64 [B, h, S].
            uniforms: float64 [B, >= C + S] in [0, 1), each used for one draw: rows do not depend on each other.
            sampler: temperatures, and who draws the frame.
            imagine: the latent decoder, where the configuration has ``imagined``.
            force: int64 [B, C], digits to take instead of drawing them; -1 draws.
        """
        scheme = self.scheme
        cache = Cache(self.config.transformer, len(history), self.positions, history.device, self._dtype())
        seen = self._seen(self.model(scheme.prompt(history), scheme.prefix, cache))
        codes = history.new_zeros(len(history), scheme.slots)
        for place in range(scheme.slots):
            hidden = self.model(scheme.before_digits(codes, place, 1), 0, cache)
            digit = draw(scheme.digit_logits(hidden, place, seen)[0], sampler.temperature, uniforms[:, place])
            codes[:, place] = (
                digit if force is None else torch.where(force[:, place] < 0, digit, force[:, place])
            )
        tokens = None
        if self.config.frames and sampler.renderer == "transformer":
            tokens = self._frame(history[:, -1], codes, cache, uniforms[:, scheme.slots :], sampler, imagine)
        return Drawn(codes.view(len(codes), self.config.codes, len(self.config.digits)), tokens)

    def _frame(
        self,
        shown: Tensor,
        codes: Tensor,
        cache: Cache,
        uniforms: Tensor,
        sampler: SamplerConfig,
        imagine: Imagine | None,
    ) -> Tensor:
        scheme = self.scheme
        imagined = None
        if self.config.imagines:
            assert imagine is not None, "this model is shown what the latent decoder imagines"
            imagined = imagine(shown, codes[:, : len(scheme.digits)])

        def inputs(start: int, previous: Tensor) -> Tensor:
            return scheme.before_tokens(previous, start, shown, codes, imagined)

        def logits(hidden: Tensor, start: int) -> Tensor:
            return scheme.token_logits(hidden)

        draft = shown if imagined is None else imagined
        return sample_decode(self.model, cache, inputs, logits, draft, sampler.frame_temperature, uniforms)

    def _dtype(self) -> torch.dtype:
        return next(self.parameters()).dtype
