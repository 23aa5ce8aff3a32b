"""Generating a frame of 81 tokens beside ``transformers``' ``generate``: same weights, prompts and answers, greedy, cached.

A tiny model in the paper's form first learns, in less than a minute, frames that change as boards do: most tokens stay, one or
two of each frame become others. Then both continue frames that it has not seen, and must say the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch
from harness import Row, Work, row
from torch import Tensor
from videoworld_peer import VOCABULARY, Causal, ours, theirs

from gobench_videoworld.transformer import cpu
from gobench_videoworld.transformer.generate import draft_decode, greedy_decode
from gobench_videoworld.transformer.llama import Cache

SITES = 81
MARK = VOCABULARY - 1  # before each frame
RIPE = 20  # the first so many tokens become others in the next frame
PROMPT = SITES + 2  # mark, frame, mark
STEPS, BATCH, RATE = 300, 32, 1e-2
BATCHES = {1: (16, ">= 10x"), 64: (1, ">= 1.3x")}  # rows of a batch -> batches of a round, target


def frames(batch: int, generator: torch.Generator) -> Tensor:
    """Two frames, each behind its mark: int64 [batch, 2 + 2 * SITES]; one or two tokens change."""
    before = torch.randint(RIPE, MARK - RIPE, (batch, SITES), generator=generator)
    sites = torch.rand(batch, SITES, generator=generator).argsort(1)[:, :2]
    kinds = torch.randint(0, RIPE, (batch, 2), generator=generator)
    second = torch.rand(batch, generator=generator) < 0.5
    kinds[:, 1] = torch.where(second, kinds[:, 1], before.gather(1, sites[:, 1:])[:, 0])
    before.scatter_(1, sites, kinds)
    after = torch.where(before < RIPE, before + MARK - RIPE, before)
    mark = torch.full((batch, 1), MARK)
    return torch.cat([mark, before, mark, after], 1)


def learned(model: Causal) -> float:
    """Train; the share of held-out frames whose every token is predicted."""
    generator = torch.Generator().manual_seed(2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, fused=True, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS, pct_start=0.1)
    for step in range(STEPS):
        loss = model(frames(BATCH, generator), PROMPT - 1)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        if step % 100 == 99:
            print(f"  step {step + 1}: loss {loss.item():.4f}", file=sys.stderr)
    words = frames(BATCH, generator)
    with torch.no_grad():
        found = model.lm_head(model.model(model.embed_tokens(words[:, :-1])))[:, PROMPT - 1 :].argmax(-1)
    return float((found == words[:, PROMPT:]).all(1).float().mean())


def decoded(how: Callable[..., Tensor], model: Causal, prompts: Tensor) -> Tensor:
    """Ours: int64 [B, SITES]. The draft is the frame shown, and the last word of the prompt comes before site 0."""
    words, last = prompts[:, :-1], prompts[:, -1:]
    with torch.inference_mode():
        cache = Cache(model.model.config, len(prompts), PROMPT - 1 + SITES)
        model.model(model.embed_tokens(words), 0, cache)

        def inputs(start: int, previous: Tensor) -> Tensor:
            row = torch.cat([last, previous[:, 1:]], 1) if start == 0 else previous
            found: Tensor = model.embed_tokens(row)
            return found

        def logits(hidden: Tensor, start: int) -> Tensor:
            found: Tensor = model.lm_head(hidden)
            return found

        return how(model.model, cache, inputs, logits, prompts[:, 1:-1])


def generated(model: Any, prompts: Tensor) -> Tensor:
    """The peer's: int64 [B, SITES]."""
    options = {"max_new_tokens": SITES, "do_sample": False, "use_cache": True, "pad_token_id": MARK}
    seen = torch.ones_like(prompts)
    found: Tensor = model.generate(input_ids=prompts, attention_mask=seen, **options)[:, PROMPT:]
    return found


def answering(answer: Callable[[Tensor], Tensor], prompts: list[Tensor]) -> Work:
    """All batches; counts frames."""
    return lambda: sum(len(answer(batch)) for batch in prompts)


def rows() -> list[Row]:
    """Drafted and plain decoding of ours, each beside the peer."""
    torch.set_num_threads(1)
    cpu.prepare()
    model = ours("tiny")
    share = learned(model)
    other = theirs(model).eval()
    found = []
    for batch, (rounds, target) in BATCHES.items():
        generator = torch.Generator().manual_seed(3)
        prompts = [frames(batch, generator)[:, :PROMPT] for _ in range(rounds)]
        with cpu.precision("none"):  # as the peer's users have it; ours chooses by itself
            for how, name in ((draft_decode, "drafted"), (greedy_decode, "plain")):
                same = [torch.equal(decoded(how, model, p), generated(other, p)) for p in prompts]
                assert all(same), f"{name} answers differ in {same.count(False)} of {len(same)} batches"
                mine = answering(lambda p, how=how: decoded(how, model, p), prompts)
                peer = answering(lambda p: generated(other, p), prompts)
                what = f"frames of 81 tokens, batch {batch}, {name} ({share:.0%} exact)"
                goal = target if how is draft_decode else ""
                found.append(row(what, "frames/s", mine, "transformers generate", peer, goal))
    return found


if __name__ == "__main__":
    from harness import table

    print(table(rows()))
