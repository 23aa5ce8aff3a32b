"""Training tokens a second beside ``transformers``' Llama with torch's AdamW: same weights, shapes, data and threads.

The peer is run twice: as its users get it, and with everything given to it that is a switch (oneDNN for float32, its
written-out attention, the fused AdamW). MFU is against the best product of matrices on this machine in the same run.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from itertools import cycle
from typing import Any

import torch
from harness import Row, Work, rate, row
from torch import Tensor
from videoworld_peer import VOCABULARY, ours, theirs

from gobench_videoworld.config import transformer_of
from gobench_videoworld.transformer import cpu
from gobench_videoworld.transformer.flops import TRAINING, backbone_flops, mfu

LENGTH = 168  # tokens of a sequence
BATCHES = {"tiny": (64, 3), "small": (16, 1)}  # sequences of a batch, batches of a round
LEARNING_RATE = 1e-3
SIDE = 1024  # of the matrices that find the peak


def batches(size: str) -> list[Tensor]:
    """A few batches of random tokens: int64 [B, LENGTH]."""
    generator = torch.Generator().manual_seed(1)
    many = BATCHES[size][0]
    return [torch.randint(0, VOCABULARY, (many, LENGTH), generator=generator) for _ in range(4)]


def trained(
    size: str, loss: Callable[[Tensor], Tensor], model: torch.nn.Module, fused: bool, word: str
) -> Work:
    """A round of updates; counts tokens."""
    data, rounds = cycle(batches(size)), BATCHES[size][1]
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, fused=fused or None)

    def work() -> int:
        done = 0
        with cpu.precision(word):
            for _ in range(rounds):
                batch = next(data)
                loss(batch).backward()
                optimizer.step()
                optimizer.zero_grad()
                done += batch.numel()
        return done

    return work


def mine(size: str, compiled: bool = False) -> Work:
    """Ours, as ``gobench train`` runs it."""
    model = ours(size)
    loss = torch.compile(model) if compiled else model
    return trained(size, loss, model, True, cpu.fast())


def peer(size: str, tuned: bool = False, compiled: bool = False) -> Work:
    """``transformers``', plain or with all switches."""
    model = theirs(ours(size), "eager" if tuned else "sdpa")
    model.train()
    run: Any = torch.compile(model) if compiled else model

    def loss(batch: Tensor) -> Tensor:
        found: Tensor = run(input_ids=batch, labels=batch, use_cache=False).loss
        return found

    return trained(size, loss, model, tuned, cpu.fast() if tuned else "none")


def check(size: str) -> None:
    """Both compute the same loss."""
    model, batch = ours(size), batches(size)[0][:4]
    with torch.no_grad():
        gap = abs(float(model(batch)) - float(theirs(model)(input_ids=batch, labels=batch).loss))
    assert gap < 1e-4, f"losses differ by {gap}"


def multiplied() -> int:
    """Large square matrices; counts operations. In CPU time, as the other rates are, unlike ``peak_flops``."""
    a = torch.full((SIDE, SIDE), 0.5)
    with cpu.precision(cpu.fast()):
        for _ in range(10):
            torch.mm(a, a)
    return 10 * 2 * SIDE**3


def utilisation(size: str, work: Work) -> Row:
    """The share of the machine's peak, in percent."""
    spec = transformer_of(size)
    flops = TRAINING * (backbone_flops(spec, LENGTH) / LENGTH + 2 * VOCABULARY * spec.hidden_size)
    pairs = [(rate(work), rate(multiplied)) for _ in range(5)]
    share = statistics.median(mfu(flops * tokens, 1.0, peak) for tokens, peak in pairs)
    empty: Row = {"peer": None, "peer_name": None, "ratio": None}
    target = ">= 50 %" if size == "small" else ""
    return {"what": f"training, {size}, MFU", "ours": 100 * share, "unit": "%", "target": target, **empty}


def rows(compiled: bool = False) -> list[Row]:
    """All comparisons; compiled ones take minutes to start, and are left out unless asked for."""
    torch.set_num_threads(1)
    cpu.prepare()
    found = []
    for size in BATCHES:
        check(size)
        work = mine(size)
        name = f"training, {size}"
        found.append(row(name, "tokens/s", work, "transformers + AdamW", peer(size), ">= 1.2x"))
        found.append(row(name, "tokens/s", work, "the same, all switches on", peer(size, tuned=True)))
        found.append(utilisation(size, work))
        if compiled:
            theirs_too = peer(size, tuned=True, compiled=True)
            found.append(row(f"{name}, both compiled", "tokens/s", mine(size, True), "the same", theirs_too))
    return found


if __name__ == "__main__":
    import sys

    from harness import table

    print(table(rows("compiled" in sys.argv)))
