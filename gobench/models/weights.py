"""One hash for a set of weights, whichever file they lie in."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gobench.canonical import dumps
from gobench.types import Json, Record

if TYPE_CHECKING:
    import torch


def weights_hash(config: Json, tensors: Mapping[str, torch.Tensor]) -> str:
    """sha256 in hex over the canonical config and, sorted by name, each tensor's (name, dtype, shape) and bytes."""
    found = hashlib.sha256(dumps(config))
    for name in sorted(tensors):
        tensor = tensors[name]
        found.update(dumps([name, str(tensor.dtype), list(tensor.shape)]))
        found.update(_bytes(tensor))
    return found.hexdigest()


def count(tensors: Mapping[str, torch.Tensor], buffers: Iterable[str] = ()) -> int:
    """How many numbers of floating point there are, those of matrices that are the same once; see ``counted``."""
    return sum(counted(tensors, buffers).values())


def counted(tensors: Mapping[str, torch.Tensor], buffers: Iterable[str] = ()) -> dict[str, int]:
    """Name -> how many of a tensor's numbers are parameters: none of ``buffers``, and none of other types than floating point.

    A file holds a matrix that a model uses twice (embeddings and head, for example) under both names. So of tensors with two or
    more axes that are equal in every number, the first one counts; unless all their numbers are one, as they may be by chance.
    """
    found: dict[str, int] = {}
    kept = frozenset(buffers)
    seen: dict[object, list[torch.Tensor]] = {}
    for name, tensor in tensors.items():
        found[name] = tensor.numel() if tensor.is_floating_point() and name not in kept else 0
        if found[name] and tensor.ndim >= 2 and bool((tensor != tensor.flatten()[0]).any()):
            alike = seen.setdefault((tensor.dtype, tensor.shape, *tensor.flatten()[:8].tolist()), [])
            if any(tensor.equal(other) for other in alike):
                found[name] = 0
            else:
                alike.append(tensor)
    return found


def of_module(model: Any) -> Record:
    """The weights' hash and count of a torch module, or of one in its attribute ``net``; else nothing."""
    torch = sys.modules.get("torch")  # a model that has weights has imported it
    if torch is None:
        return {}
    module = model if isinstance(model, torch.nn.Module) else getattr(model, "net", None)
    if not isinstance(module, torch.nn.Module):
        return {}
    try:
        return _facts(torch, model, module)
    except (RuntimeError, NotImplementedError, TypeError, AttributeError):
        return {}  # tensors without plain bytes: sparse ones, not yet made ones, ...


def _facts(torch: Any, model: Any, module: Any) -> Record:
    tensors = {k: v for k, v in module.state_dict().items() if isinstance(v, torch.Tensor)}
    found: Record = {}
    if getattr(model, "weights_sha256", None) is None:
        found["weights_sha256"] = weights_hash({}, tensors)
    if getattr(model, "parameters", None) is None or callable(model.parameters):
        found["parameters"] = sum(p.numel() for p in module.parameters())
    return found


def _bytes(tensor: torch.Tensor) -> Any:
    import torch

    flat = tensor.detach().cpu().contiguous().reshape(-1)
    if not flat.numel():
        return b""
    return flat.view(torch.uint8).numpy().data
