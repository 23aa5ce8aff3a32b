"""Codes without a notion of place, as in the paper, on tokens: a learnable query for each step attends to the frames so far.

Step k sees x_t and the frames before and after each of the steps 1 to k, and is told by one digit. The frame after it is drawn
upon x_t from the codes 1 to k: later ones are not looked at.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.fsq import FSQ
from gobench_videoworld.latent.model import Batch, LatentModel, Metrics
from gobench_videoworld.latent.redraw import Redraw
from gobench_videoworld.latent.standard import Standard


class Generic(LatentModel):
    """See above."""

    def __init__(self, config: VideoWorldConfig) -> None:
        super().__init__(config)
        spec, vocabulary, width = config.latent, config.tokenizer.vocabulary, config.latent.width
        steps, sites = len(spec.offsets), config.tokenizer.sites
        self.before, self.after = nn.Embedding(vocabulary, width), nn.Embedding(vocabulary, width)
        self.site, self.step = nn.Embedding(sites, width), nn.Embedding(steps, width)
        self.mixed = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, 2 * width))
        self.query = nn.Parameter(torch.randn(steps, width) * width**-0.5)
        self.into = nn.Linear(width, len(spec.levels))
        self.standard = Standard(len(spec.levels))
        self.fsq = FSQ(spec.levels)
        self.told = nn.ModuleList(_Told(len(spec.levels), sites, width) for _ in range(steps))
        self.redrawn = Redraw(config)

    def forward(self, batch: Batch) -> tuple[Tensor, Metrics]:
        """The mean over windows of what the frames after their steps cost."""
        shown, there = batch["history"][:, -1], batch["there"].float()
        content, _ = self.fsq(self._content(batch))
        parts, exact = [], []
        for step, told in enumerate(self._said(content)):
            losses = self.redrawn.losses(shown, told, batch["after"][:, step])
            parts.append(((losses.change + losses.token) * there[:, step]).mean())
            exact.append((losses.exact.float() * there[:, step]).mean())
        metrics = {f"step{k + 1}": part.detach() for k, part in enumerate(parts)}
        return torch.stack(parts).sum(), {**metrics, "exact": exact[0]}

    @torch.no_grad()
    def encode(self, batch: Batch) -> Tensor:
        indices: Tensor = self.fsq(self._content(batch))[1]
        return indices[..., None]

    @torch.no_grad()
    def continuous(self, batch: Batch) -> Tensor:
        return self._content(batch)

    @torch.no_grad()
    def decode(self, before: Tensor, codes: Tensor) -> Tensor:
        said = self._said(self.fsq.to_codes(codes[..., 0]))
        return torch.stack([self.redrawn.drawn(before, told) for told in said], 1)

    def _content(self, batch: Batch) -> Tensor:
        """What is quantized, f32 [B, K, d]."""
        before, after = batch["before"], batch["after"]
        rows, steps, _ = before.shape
        seen = self.before(before) + self.after(after) + self.site.weight + self.step.weight[:steps, None]
        seen = seen + (before != after)[..., None] * functional.gelu(self.after(after) + self.site.weight)
        keys, values = self.mixed(functional.layer_norm(seen, seen.shape[-1:])).chunk(2, -1)
        scores = torch.einsum("kw,bjsw->bkjs", self.query[:steps], keys)
        later = torch.ones(steps, steps, dtype=torch.bool, device=before.device).triu(1)
        weights = scores.masked_fill(later[None, :, :, None], -torch.inf).flatten(2).softmax(-1)
        inside = functional.layer_norm(weights @ values.flatten(1, 2), values.shape[-1:])
        return self.standard(self.into(inside).flatten(0, 1)).unflatten(0, (rows, steps))

    def _said(self, content: Tensor) -> list[Tensor]:
        """Of each step what the codes up to it say of the sites, f32 [B, S, width] each."""
        said: list[Tensor] = []
        for step, code in enumerate(content.unbind(1)):
            own: Tensor = self.told[step](code)
            said.append(own if step == 0 else said[-1] + own)
        return said


class _Told(nn.Module):
    """A code, said of every site: a product of what it says and what the site is, through a small network."""

    def __init__(self, dimensions: int, sites: int, width: int) -> None:
        super().__init__()
        self.code = nn.Sequential(
            nn.Linear(dimensions, 4 * width), nn.GELU(), nn.Linear(4 * width, 2 * width)
        )
        self.site = nn.Parameter(torch.randn(sites, width))
        self.out = nn.Linear(width, width)

    def forward(self, code: Tensor) -> Tensor:
        """f32 [B, d] -> f32 [B, S, width]."""
        scale, shift = self.code(code)[:, None].chunk(2, -1)
        made: Tensor = self.out(functional.gelu(scale * self.site + shift))
        return made
