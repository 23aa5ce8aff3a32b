"""Pickles of others, read without doing what they say.

A pickle is a program: it names functions and calls them. Here a name is looked up in a table of harmless stand-ins and
nowhere else; any other name is refused before anything is called. Arrays are built from their bytes by this file, since
numpy's own way of doing that trusts what a pickle says about types. Objects of other packages become ``Inert``: the name
of their class and their attributes.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import re
import tokenize
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gobench_robot.readers.contract import BrokenError
from gobench_robot.readers.folder import why

MOST_BYTES = 1 << 30
_DEEPEST = 100
_SIMPLE = re.compile(r"[?bBhHiIlLqQefdgFDO]|[biufcSUO]\d{1,6}")


@dataclass(eq=False)
class Inert:
    """An object of a class that is not imported: what it was called and what it held."""

    kind: str  # "rlbench.demo.Demo"
    attributes: dict[str, Any] = field(default_factory=dict)

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, tuple) and len(state) == 2:  # without slots the second half is empty
            state = state[0] or state[1]
        if not isinstance(state, dict):
            raise pickle.UnpicklingError(f"{self.kind} holds no plain attributes")
        self.attributes = dict(state)


def unpickled(data: bytes, what: str, classes: Collection[str] = ()) -> Any:
    """The plain data of a pickle; objects of ``classes`` ("package.module.Class") as ``Inert``.

    Raises BrokenError: "refused" with the name that it asks for, "unreadable" for anything else.
    """
    try:
        _look_through(data)
        return _resolved(_Restricted(data, classes).load(), {}, 0)
    except _RefusedError as error:
        raise BrokenError("refused", f"{what} asks for {error}, which is never run.") from None
    except RecursionError:
        raise BrokenError("unreadable", f"{what} is nested too deeply.") from None
    except Exception as error:  # a broken pickle can raise anything, but not do anything
        raise BrokenError("unreadable", f"{what} is no whole pickle: {why(error)}") from None


def array_file(data: bytes, what: str) -> Any:
    """What a ``.npy`` file holds: an array, or the plain data of a pickled one (a 0-d array gives its content).

    Raises BrokenError.
    """
    try:
        shape, fortran, dtype, begin = npy_header(io.BytesIO(data))
        if not dtype.hasobject:
            return npy_array(data[begin:], shape, fortran, dtype)
    except (ValueError, OverflowError, MemoryError) as error:
        raise BrokenError("unreadable", f"{what}: {why(error)}") from None
    found = unpickled(data[begin:], what)
    return found.item() if isinstance(found, np.ndarray) and found.shape == () else found


def npy_header(stream: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, whether columns run first, type, and where the numbers begin. Raises ValueError."""
    try:
        version = np.lib.format.read_magic(stream)
        return (*_header(stream, version), stream.tell())
    except (tokenize.TokenError, SyntaxError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"the head of the array is broken: {why(error)}") from None


def _header(stream: Any, version: tuple[int, int]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"a .npy file of version {version} is not read here")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    return shape, fortran, dtype


def npy_array(
    data: bytes, shape: tuple[int, ...], fortran: bool, dtype: np.dtype[Any]
) -> np.ndarray[Any, Any]:
    """The array of numbers that follow a header. Raises ValueError where they are too many or too few."""
    return _array(shape, dtype, fortran, data)


class _RefusedError(Exception):
    pass


class _Restricted(pickle.Unpickler):
    def __init__(self, data: bytes, classes: Collection[str]) -> None:
        super().__init__(io.BytesIO(data))
        self._classes = classes

    def find_class(self, module: str, name: str) -> Any:
        full = f"{_OLD_MODULES.get(module, module)}.{name}"
        if full in self._classes:
            return type("Inert", (_Stand,), {"kind": full})
        if full in _ALLOWED:
            made = _ALLOWED[full]
            return made if isinstance(made, type) else _Call(made)
        raise _RefusedError(full[:200])

    def persistent_load(self, pid: Any) -> Any:
        raise _RefusedError("something outside the file")


class _Call:
    """A function of this file as a pickle sees it: to be called, not to be changed."""

    __slots__ = ("_do",)

    def __init__(self, do: Callable[..., Any]) -> None:
        self._do = do

    def __call__(self, *given: Any) -> Any:
        return self._do(*given)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("functions hold nothing")


class _Stand:
    """What an object of another package is while a pickle is read; ``__new__`` takes nothing, so nothing is called."""

    kind = ""

    def __new__(cls) -> Any:
        return Inert(cls.kind)


@dataclass(eq=False)
class _Type:
    """numpy.dtype: the code of a simple type and its byte order."""

    code: str
    order: str = "="

    def __setstate__(self, state: Any) -> None:
        _version, order, *rest = state
        if any(part is not None for part in rest[:3]) or order not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError("arrays of records are not read")
        self.order = order

    def dtype(self) -> np.dtype[Any]:
        if not _SIMPLE.fullmatch(self.code):
            raise pickle.UnpicklingError(f"arrays of the type {self.code[:20]!r} are not read")
        found = np.dtype(self.code)
        return found if self.order in "|=" else found.newbyteorder("<" if self.order == "<" else ">")


@dataclass(eq=False)
class _Array:
    """numpy.ndarray before it is built."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def build(self, resolve: Callable[[Any], Any]) -> Any:
        if self.state is None:
            return np.zeros(0)
        _version, shape, kind, fortran, data = self.state
        dtype = kind.dtype()
        if dtype.hasobject:
            return _objects(shape, [resolve(item) for item in data], fortran)
        return _array(shape, dtype, fortran, data)


def _look_through(data: bytes) -> None:
    """Refuse what would only fill the memory; raises ValueError for what is no pickle."""
    for operation, argument, _place in pickletools.genops(data):
        if operation.name in ("PUT", "LONG_BINPUT") and isinstance(argument, int) and argument > len(data):
            raise ValueError("it numbers more objects than it can hold")


def _type(code: Any, align: Any = False, copy: Any = False) -> _Type:
    if not isinstance(code, str):
        raise pickle.UnpicklingError("only simple types are read")
    return _Type(code)


def _reconstruct(_kind: Any, _shape: Any, _code: Any) -> _Array:
    return _Array()


def _frombuffer(data: Any, kind: _Type, shape: Any, order: str = "C") -> _Array:
    return _Array((1, shape, kind, order == "F", bytes(data)))


def _scalar(kind: _Type, data: Any = b"") -> Any:
    if kind.dtype().hasobject:
        raise pickle.UnpicklingError("scalars that are objects are not read")
    return _array((), kind.dtype(), False, data)[()]


def _array(shape: Any, dtype: np.dtype[Any], fortran: bool, data: Any) -> np.ndarray[Any, Any]:
    data = data.encode("latin-1") if isinstance(data, str) else bytes(data)
    count = _count(shape)
    if not dtype.itemsize or len(data) != count * dtype.itemsize:
        if count or len(data):
            raise ValueError(f"{len(data)} bytes for an array of the shape {shape} and the type {dtype.name}")
        return np.zeros(shape, dtype)
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C").copy()


def _objects(shape: Any, items: list[Any], fortran: bool) -> np.ndarray[Any, Any]:
    if len(items) != _count(shape):
        raise ValueError(f"{len(items)} objects for an array of the shape {shape}")
    flat = np.empty(len(items), object)
    for place, item in enumerate(items):
        flat[place] = item
    return flat.reshape(shape, order="F" if fortran else "C")


def _count(shape: Any) -> int:
    if not isinstance(shape, tuple) or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise ValueError(f"{shape!r} is no shape")
    count = 1
    for n in shape:
        count *= n
    return count


def _encode(text: Any, coding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or coding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError("bytes in a strange coding")
    return text.encode("latin-1")


def _plain(kind: Any, base: Any, state: Any) -> Any:
    if not (isinstance(kind, type) and issubclass(kind, _Stand) and base is object and state is None):
        raise pickle.UnpicklingError("only plain objects are rebuilt")
    return kind()


def _bytearray(data: Any = b"", coding: Any = "latin-1") -> bytearray:
    if isinstance(data, int):
        raise pickle.UnpicklingError("bytes by number")
    return bytearray(_encode(data, coding) if isinstance(data, str) else data)


def _no_bytes() -> bytes:
    return b""


_OLD_MODULES = {"__builtin__": "builtins", "copy_reg": "copyreg"}
_NUMPY: Mapping[str, Any] = {
    "multiarray._reconstruct": _reconstruct,
    "multiarray.scalar": _scalar,
    "numeric._frombuffer": _frombuffer,
}
_ALLOWED: Mapping[str, Any] = {
    **{f"numpy.{core}.{name}": made for core in ("core", "_core") for name, made in _NUMPY.items()},
    "numpy.ndarray": _Array,
    "numpy.dtype": _type,
    "builtins.set": set,
    "builtins.frozenset": frozenset,
    "builtins.bytes": _no_bytes,
    "builtins.bytearray": _bytearray,
    "builtins.object": object,
    "collections.OrderedDict": dict,
    "copyreg._reconstructor": _plain,
    "_codecs.encode": _encode,
}
"""All that a pickle may name, by what it calls it."""


def _resolved(value: Any, seen: dict[int, Any], depth: int) -> Any:
    """The value with its arrays built. What is met twice is one object, as in the pickle."""
    if id(value) in seen:
        return seen[id(value)]
    if depth > _DEEPEST:
        raise RecursionError

    def below(item: Any) -> Any:
        return _resolved(item, seen, depth + 1)

    if isinstance(value, list):
        seen[id(value)] = value
        value[:] = [below(item) for item in value]
    elif isinstance(value, dict):
        seen[id(value)] = value
        value.update({key: below(item) for key, item in value.items()})
    elif isinstance(value, Inert):
        seen[id(value)] = value
        below(value.attributes)
    elif isinstance(value, tuple):
        return _kept(seen, value, tuple(below(item) for item in value))
    elif isinstance(value, _Array):
        return _kept(seen, value, value.build(below))
    return value


def _kept(seen: dict[int, Any], value: Any, made: Any) -> Any:
    seen[id(value)] = made
    return made
