"""A stage that trains in milliseconds: a few layers that learn to tell which of the even numbers follows."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gobench.errors import DataError
from gobench.seeds import seed64, stream
from gobench_videoworld.train.stage import Batch

VOCABULARY, LENGTH, WIDTH = 11, 6, 8


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(WIDTH)
        self.linear = nn.Linear(WIDTH, WIDTH)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.dropout(torch.tanh(self.linear(self.norm(x))))


class Net(nn.Module):
    """int64 [B, L] -> the mean loss of the next number."""

    def __init__(self, seed: int = 0, width: int = WIDTH) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.layers = nn.ModuleList(Layer() for _ in range(2))
        self.head = nn.Linear(WIDTH, VOCABULARY)
        self.scale = nn.Parameter(torch.ones(width))
        self.register_buffer("seen", torch.zeros(()))

    def logits(self, numbers: Tensor) -> Tensor:
        x = self.embedding(numbers)
        for layer in self.layers:
            x = layer(x)
        found: Tensor = self.head(x) * self.scale.mean()
        return found

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        logits = self.logits(batch["numbers"][:, :-1])
        truth = batch["numbers"][:, 1:]
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), truth.flatten())
        if "poison" in batch:
            loss = loss * batch["poison"].sum()
        return loss, {"right": (logits.argmax(-1) == truth).float().mean()}


class Toy:
    """Its ``batch`` can do harm at one step: ``at`` (0-based) -> "kill", "term", "data", "memory" or "nan"."""

    name = "toy"
    tokens = 8 * LENGTH
    flops = 1e6

    def __init__(
        self, seed: int = 0, harm: Mapping[int, str] | None = None, size: int = 8, width: int = WIDTH
    ) -> None:
        self.module = Net(seed, width)
        self.harm = dict(harm or {})
        self.size = size
        self.identity = {"data": "0123", "config": {"levels": (8, 5, 5)}}
        self.looks: list[int] = []

    def batch(self, step: int, rank: int, world: int) -> Batch:
        _harm(self.harm.get(step, ""))
        start = stream(0, "toy", step).integers(0, VOCABULARY, self.size)
        part = np.split(start, world)[rank]
        numbers = (part[:, None] + 2 * np.arange(LENGTH)) % VOCABULARY
        found = {
            "numbers": torch.from_numpy(numbers),
            "episode": torch.from_numpy(part),
            "time": torch.full(part.shape, step),
        }
        if self.harm.get(step) == "nan":
            found["poison"] = torch.full((1,), 1e30) ** 2
        return found

    def evaluate(self, step: int) -> dict[str, float]:
        torch.rand(7), np.random.rand(3)
        self.looks.append(step)
        assert not self.module.training
        assert not torch.is_grad_enabled()
        logits = self.module.logits(torch.arange(VOCABULARY)[:, None])
        truth = (torch.arange(VOCABULARY) + 2) % VOCABULARY
        return {"right": float((logits[:, 0].argmax(-1) == truth).float().mean()), "none": float("nan")}

    def picture(self, step: int) -> Any:
        return np.full((4, 6, 3), seed64(step) % 256, np.uint8)


def _harm(kind: str) -> None:
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "term":
        os.kill(os.getpid(), signal.SIGTERM)
    if kind == "data":
        raise DataError("shard 3 is broken.")
    if kind == "memory":
        raise RuntimeError(
            "[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory: you tried"
        )
