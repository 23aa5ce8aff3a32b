"""Is this the answer that was asked for? If not: what it looks like, and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gobench.errors import ChildError
from gobench.types import Array

Shape = tuple[int, int, int, int, int]


def checked(answer: Any, shape: Shape, prompt: int, who: str) -> Array:
    """The answer as uint8 of ``shape`` [B, n, H, W, 3].

    Args:
        prompt: T, how many frames the prompt had.
        who: how errors begin: "model 'x'".

    Raises:
        ChildError: it is anything else.
    """
    array = _array(answer, who)
    if array.dtype != np.uint8:
        raise ChildError(f"{who} returned {_dtype_hint(array)}")
    if array.shape != shape:
        raise ChildError(f"{who} returned {shape_hint(array.shape, shape, prompt)}")
    return np.ascontiguousarray(array)


def checked_free(answer: Any, shape: Shape, who: str) -> Sequence[Array]:
    """The answers of a model that may leave some out: B arrays uint8 [n, H, W, 3], of any length and size for n = 0.

    Raises:
        ChildError: they are anything else.
    """
    batch, n, _, _, _ = shape
    try:
        found = [_array(item, who) for item in answer]
    except TypeError:
        raise ChildError(f"{who} returned {_name(answer)}: give one array of frames a clip.") from None
    if len(found) != batch:
        raise ChildError(f"{who} answered for {len(found)} clips of {batch}.")
    for item in found:
        if item.dtype != np.uint8:
            raise ChildError(f"{who} returned {_dtype_hint(item)}")
        if item.size and (item.ndim != 4 or item.shape[-1] != 3):
            raise ChildError(f"{who} returned frames of shape {list(item.shape)}, not [m, H, W, 3].")
        if n and len(item) and item.shape != shape[1:]:
            raise ChildError(f"{who} returned {shape_hint(item.shape, shape, 0)}")
    return found


def checked_actions(answer: Any, batch: int, n: int, who: str) -> npt.NDArray[np.float64]:
    """Actions as float64 [B, n, A]. Raises ChildError for anything else, NaN among it."""
    try:
        found = np.asarray(answer, np.float64)
    except (TypeError, ValueError):
        raise ChildError(
            f"{who} returned {_name(answer)}: give an array of actions [{batch}, {n}, A]."
        ) from None
    if found.ndim != 3 or found.shape[:2] != (batch, n):
        raise ChildError(f"{who} returned actions of shape {list(found.shape)}, not [{batch}, {n}, A].")
    if not np.isfinite(found).all():
        raise ChildError(f"{who} returned actions that are not finite numbers.")
    return found


def shape_hint(got: Sequence[int], want: Shape, prompt: int) -> str:
    """ "shape [...], not [...]: what it looks like and the cure"."""
    text = f"frames of shape {list(got)}, not {list(want)} (batch, frames, height, width, colours)"
    hint = _shape_guess(tuple(got), want, prompt)
    return f"{text}: {hint}." if hint else f"{text}."


def _shape_guess(got: tuple[int, ...], want: Shape, prompt: int) -> str:
    batch, n, height, width, _ = want
    if len(got) != 5:
        return f"it has {len(got)} axes instead of 5"
    if got == (batch, n, 3, height, width):
        return "the colours stand before the pixels; np.moveaxis(answer, 2, -1) mends it"
    if got == (batch, 3, n, height, width):
        return "the colours stand before the frames; np.moveaxis(answer, 1, -1) mends it"
    if got == (n, batch, height, width, 3):
        return "batch and frames are exchanged; answer.swapaxes(0, 1) mends it"
    if got[0] != batch:
        return f"it answers for {got[0]} clips, and {batch} were asked"
    if got[1] == n + prompt:
        return f"it seems to hold the prompt too; answer[:, {prompt}:] are the new frames"
    if got[1] != n:
        return f"it has {got[1]} frames, and {n} were asked for"
    if got[2:4] != (height, width):
        return "frames are as large as the prompt's; declare another size in frame_size = (height, width)"
    if got[4] != 3:
        return "frames have 3 colours: red, green, blue"
    return ""


def _array(answer: Any, who: str) -> np.ndarray[Any, Any]:
    if isinstance(answer, np.ndarray):
        return answer
    if answer is None:
        raise ChildError(f"{who} returned nothing (None): does its generate() end with `return`?")
    if type(answer).__module__.split(".")[0] == "torch":
        return _from_torch(answer, who)
    raise ChildError(
        f"{who} returned {_name(answer)} instead of a numpy array uint8 [batch, n, height, width, 3]."
    )


def _from_torch(answer: Any, who: str) -> np.ndarray[Any, Any]:
    device = str(getattr(answer, "device", "?"))
    if device != "cpu":
        raise ChildError(f"{who} returned a torch tensor on {device}: add .cpu().numpy().")
    try:
        array: np.ndarray[Any, Any] = answer.detach().numpy()
    except TypeError:  # dtypes that numpy lacks, such as bfloat16
        array = answer.detach().float().numpy()
    except AttributeError:
        raise ChildError(f"{who} returned {_name(answer)} instead of frames.") from None
    return array


def _dtype_hint(array: np.ndarray[Any, Any]) -> str:
    kind = f"{array.dtype} instead of uint8"
    if array.dtype.kind != "f":
        return f"{kind}: values 0 to 255 become uint8 by answer.astype(np.uint8)."
    bad = int(np.size(array) - np.isfinite(array).sum())
    if bad:
        nans = int(np.isnan(array).sum())
        what = "NaN" if nans == bad else f"NaN ({nans}) or infinite"
        return f"{kind}, and {bad} of {array.size} values are {what}: look for the first NaN in the network."
    if not array.size:
        return f"{kind}."
    low, high = float(array.min()), float(array.max())
    seen = f"{kind}, values from {low:.3g} to {high:.3g}"
    if low >= -0.01 and high <= 1.01:
        return f"{seen}: multiply by 255, round and convert to uint8."
    if low >= -1.01 and high <= 1.01:
        return f"{seen}: add 1, multiply by 127.5, round and convert to uint8."
    return f"{seen}: clip to 0..255, round and convert to uint8."


def _name(value: Any) -> str:
    return f"a {type(value).__module__}.{type(value).__qualname__}".replace("builtins.", "")
