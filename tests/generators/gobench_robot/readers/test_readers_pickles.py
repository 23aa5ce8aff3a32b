"""Pickles of others: plain data comes through, nothing else happens."""

from __future__ import annotations

import io
import os
import pickle
import random
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench_robot.readers.contract import BrokenError
from gobench_robot.readers.pickles import Inert, array_file, unpickled

PLAIN: dict[str, Any] = {
    "texts": ["open the drawer", "é"],
    "numbers": (1, 2.5, True, None, 10**30),
    "bytes": b"\x00\xff",
    "sets": {1, 2},
    "ordered": OrderedDict(a=1),
    "floats": np.arange(6, dtype=np.float32).reshape(2, 3),
    "columns": np.asfortranarray(np.arange(6, dtype=np.float64).reshape(2, 3)),
    "big": np.arange(3, dtype=">i2"),
    "yes": np.array([True, False]),
    "words": np.array(["ab", "c"]),
    "objects": np.array([{"a": np.ones(2)}, None], dtype=object),
    "scalar": np.float64(0.5),
    "word": np.str_("hi"),
    "empty": np.zeros((0, 3)),
}


class Runs:
    """What a hostile pickle holds."""

    def __init__(self, function: Any, *given: Any) -> None:
        self.given = (function, given)

    def __reduce__(self) -> Any:
        return self.given


def same(left: Any, right: Any) -> bool:
    if isinstance(right, np.ndarray):
        alike = left.shape == right.shape and left.dtype == right.dtype
        return alike and all(
            same(a, b) for a, b in zip(left.ravel().tolist(), right.ravel().tolist(), strict=True)
        )
    if isinstance(right, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in right)
    return bool(left == right) and isinstance(
        left, type(right) if not isinstance(right, OrderedDict) else dict
    )


@pytest.mark.parametrize("protocol", range(6))
def test_plain_data_and_arrays_come_through_every_protocol(protocol: int) -> None:
    found = unpickled(pickle.dumps(PLAIN, protocol), "x.pkl")
    for key, value in PLAIN.items():
        assert same(found[key], value), key
    assert found["floats"].flags.writeable


def test_one_object_met_twice_stays_one_and_circles_stay_circles() -> None:
    array, circle = np.arange(3), list[Any]()
    circle.append(circle)
    first, second, around = unpickled(pickle.dumps([array, array, circle]), "x.pkl")
    assert first is second and around[0] is around


def test_a_pickle_that_runs_a_program_does_not(tmp_path: Path) -> None:
    data = pickle.dumps({"a": [Runs(os.system, f"touch {tmp_path}/ran")]})
    with pytest.raises(BrokenError, match=r"x\.pkl asks for posix\.system, which is never run") as caught:
        unpickled(data, "x.pkl")
    assert caught.value.reason == "refused"
    assert not list(tmp_path.iterdir())
    pickle.loads(data)
    assert list(tmp_path.iterdir())  # it would have


@pytest.mark.parametrize(
    "name",
    ["builtins eval", "builtins getattr", "builtins exec", "subprocess Popen", "numpy ndarray.tofile", "numpy load",
     "numpy.core.multiarray fromfile", "numpy._core.multiarray __loader__", "rlbench.demo Demo", "torch._utils _x"],
)  # fmt: skip
def test_every_other_name_is_refused(name: str) -> None:
    module, word = name.split()
    for data in (f"c{module}\n{word}\n.".encode(), b"\x80\x04" + _short(module) + _short(word) + b"\x93."):
        with pytest.raises(BrokenError, match=f"{module}.{word}"):
            unpickled(data, "x.pkl")


def _short(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


ARRAY = "numpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
BROKEN = {
    "fields in a type": "cnumpy\ndtype\n(S'V8'\nI00\nI01\ntR(I3\nS'|'\nN(S'f0'\nt(dI8\nI1\nI27\ntb.",
    "a type in words": f"c{ARRAY}(I1\n(I1\ntcnumpy\ndtype\n(S'i4,O'\ntRI00\nS'x'\ntb.",
    "too few bytes": f"c{ARRAY}(I1\n(I1000000000\ntcnumpy\ndtype\n(S'f8'\ntRI00\nS'x'\ntb.",
    "a negative shape": f"c{ARRAY}(I1\n(I-1\ntcnumpy\ndtype\n(S'f8'\ntRI00\nS'x'\ntb.",
    "objects as bytes": f"c{ARRAY}(I1\n(I1\ntcnumpy\ndtype\n(S'O8'\ntRI00\nS'12345678'\ntb.",
    "functions changed": "cnumpy._core.multiarray\nscalar\n(NdS'__defaults__'\nNstb.",
    "many bytes": "cbuiltins\nbytes\n(I1000000000000\ntR.",
    "bytes by number": "cbuiltins\nbytearray\n(I1000000000000\ntR.",
    "a huge memo": "Np1000000000\n.",
    "not at its end": "(lp0\nI1\na",
    "nothing": "",
    "no pickle": "hello",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_and_crafty_pickles_are_unreadable(kind: str) -> None:
    with pytest.raises(BrokenError) as caught:
        found = unpickled(BROKEN[kind].encode(), "x.pkl")
        assert not isinstance(found, object), found
    assert caught.value.reason == "unreadable"


def test_cut_and_flipped_pickles_never_raise_anything_else() -> None:
    data, chance = pickle.dumps(PLAIN), random.Random(0)
    tries = [data[:end] for end in range(0, len(data), 7)]
    for _ in range(300):
        flipped = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            flipped[chance.randrange(len(data))] = chance.randrange(256)
        tries.append(bytes(flipped))
    broken = 0
    for one in tries:
        try:
            unpickled(one, "x.pkl")
        except BrokenError:
            broken += 1
    assert broken > len(tries) // 2


def test_objects_of_named_classes_are_inert(monkeypatch: pytest.MonkeyPatch) -> None:
    class Demo:
        def __init__(self) -> None:
            self.steps = [np.ones(2)]

        def __setstate__(self, state: Any) -> None:
            raise AssertionError("its own code ran")

    Demo.__module__, Demo.__qualname__ = "rlbench.demo", "Demo"
    module: Any = type(os)("rlbench.demo")
    module.Demo = Demo
    monkeypatch.setitem(sys.modules, "rlbench", type(os)("rlbench"))
    monkeypatch.setitem(sys.modules, "rlbench.demo", module)
    for protocol in range(6):
        found = unpickled(pickle.dumps(Demo(), protocol), "x.pkl", {"rlbench.demo.Demo"})
        assert isinstance(found, Inert) and found.kind == "rlbench.demo.Demo"
        assert same(found.attributes["steps"][0], np.ones(2))


def test_array_files_with_and_without_objects(tmp_path: Path) -> None:
    def saved(value: Any) -> bytes:
        stream = io.BytesIO()
        np.save(stream, value, allow_pickle=True)
        return stream.getvalue()

    assert array_file(saved(np.arange(3)), "a").tolist() == [0, 1, 2]
    assert array_file(saved({"a": 1}), "a") == {"a": 1}
    assert array_file(saved(np.array([{"a": 1}, 2], object)), "a").tolist() == [{"a": 1}, 2]
    with pytest.raises(BrokenError, match=r"posix\.system"):
        array_file(saved(Runs(os.system, "true")), "a")
    for data in (b"", b"\x93NUMPY", saved(np.arange(3))[:-1], saved(np.arange(3)) + b"x"):
        with pytest.raises(BrokenError):
            array_file(data, "a")
