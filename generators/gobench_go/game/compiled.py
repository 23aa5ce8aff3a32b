"""The one decorator of compiled code (numba without fast-math, cached on disk, never from stale sources), and
plain pointers: an array as an argument costs numba two atomic operations a call, a pointer costs nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import cgutils, types
from numba.extending import intrinsic

_ROOM = Path(__file__).parent.parent
_SOURCES = ("game/kernels*.py", "teachers/*.py", "video/*.py")


def _digest() -> str:
    """One hash of every file with compiled code in it."""
    together = hashlib.sha256()
    for pattern in _SOURCES:
        for path in sorted(_ROOM.glob(pattern)):
            together.update(path.read_bytes())
    return together.hexdigest()


_DIGEST = _digest()


def compiled(function: Callable[..., Any]) -> Any:
    """Compile ``function`` at its first call.

    No fast-math and no parallel loops: equal seeds give equal games on every machine of one architecture.
    Where no cache folder can be written (see NUMBA_CACHE_DIR), every process compiles anew.
    """
    dispatcher: Any = numba.njit(error_model="numpy", nogil=True)(function)
    try:
        dispatcher.enable_caching()
    except RuntimeError:
        return dispatcher
    # numba asks only whether the caller's own file changed, not those of the functions compiled into it
    file = getattr(dispatcher._cache, "_cache_file", None)
    if file is not None:
        file._source_stamp = (file._source_stamp, _DIGEST)
    return dispatcher


def _pointer(context: Any, array: Any) -> Any:
    """The address of a contiguous array's first element, indexed unchecked, for use in compiled code.

    It does not keep the array alive: the caller of the outermost compiled function must.
    """

    def first(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        struct: Any = cgutils.create_struct_proxy(signature.args[0])  # type: ignore[no-untyped-call]
        return struct(context, builder, args[0]).data

    pointer_type: Any = types.CPointer
    return pointer_type(array.dtype)(array), first


pointer: Any = intrinsic(_pointer)
