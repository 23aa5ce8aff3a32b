"""A safetensors file written tensor by tensor: a training's state is larger than what else fits into memory beside it.

Format: https://huggingface.co/docs/safetensors, 8 bytes length of the header, the header as JSON, the numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gobench.atomic import AtomicFile

NAMES: Mapping[torch.dtype, str] = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip
ALIGNED = 8  # bytes


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Write the file whole or not at all. Raises BuildError where the disk refuses."""
    names = sorted(
        tensors, key=lambda name: (-tensors[name].element_size(), name)
    )  # large numbers stay aligned
    head = json.dumps(_head(names, tensors, metadata), separators=(",", ":"), ensure_ascii=False).encode()
    head += b" " * (-len(head) % ALIGNED)
    with AtomicFile(path) as file:
        file.write(len(head).to_bytes(8, "little"))
        file.write(head)
        for name in names:
            flat = tensors[name].detach().to("cpu").contiguous().view(-1)
            file.write(memoryview(flat.view(torch.uint8).numpy()))  # type: ignore[arg-type]


def _head(names: list[str], tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None) -> Any:
    found: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    start = 0
    for name in names:
        tensor = tensors[name]
        stop = start + tensor.numel() * tensor.element_size()
        found[name] = {
            "dtype": NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, stop],
        }
        start = stop
    return found
