"""Models from disk: both forms, and everything that is no model."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from gobench.errors import DataError, GobenchError, UsageError
from gobench.models import load, save
from gobench.models.weights import weights_hash
from gobench.types import Array

TENSORS = {"add": torch.tensor(3), "more": torch.ones(2, 5), "half": torch.ones(3, dtype=torch.bfloat16)}
CONFIG = {"times": 2}


@pytest.fixture
def model_pt(tmp_path: Path, tiny: str) -> Path:
    path = tmp_path / "run7" / "model.pt"
    save(path, tiny, CONFIG, TENSORS, {"frames_watched": 12})
    return path


def test_a_file_and_a_folder_are_the_same_model(
    tmp_path: Path, tiny: str, prompt: Array, seeds: npt.NDArray[np.uint64]
) -> None:
    hashes = [save(tmp_path / place, tiny, CONFIG, TENSORS) for place in ("a/model.pt", "folder")]
    one, other = load(str(tmp_path / "a/model.pt")), load(str(tmp_path / "folder"))
    assert hashes == [one.info.weights_sha256, other.info.weights_sha256]
    assert len(set(hashes)) == 1 and len(hashes[0]) == 64
    assert (one.info.name, other.info.name) == ("a", "folder")
    for model in (one, other):
        assert np.array_equal(model.ask(prompt, 2, seeds), np.repeat(prompt + 6, 2, axis=1))


def test_what_a_file_tells(model_pt: Path) -> None:
    info = load(str(model_pt)).info
    assert (info.name, info.form, info.parameters) == ("run7", "file", 13)
    assert (info.frame_size, info.max_frames) == ((16, 24), 2)
    assert info.provenance == {"frames_watched": 12}
    assert load(str(model_pt.parent)).info.weights_sha256 == info.weights_sha256


def test_a_name_inside_wins(tmp_path: Path, tiny: str) -> None:
    save(tmp_path / "model.pt", tiny, CONFIG, TENSORS, {"name": "Tiny, large"})
    assert load(str(tmp_path / "model.pt")).info.name == "Tiny, large"


@pytest.mark.parametrize(
    "change",
    [
        {"add": torch.tensor(4)},
        {"add": torch.tensor(3, dtype=torch.int32)},
        {"more": torch.ones(5, 2)},
        {"extra": torch.zeros(0)},
    ],
)
def test_the_hash_sees_values_types_shapes_and_names(change: dict[str, torch.Tensor]) -> None:
    assert weights_hash(CONFIG, TENSORS) != weights_hash(CONFIG, {**TENSORS, **change})


def test_the_hash_ignores_order_and_layout_of_memory() -> None:
    turned = {**dict(reversed(TENSORS.items())), "more": torch.ones(5, 2).t()}
    assert weights_hash(CONFIG, TENSORS) == weights_hash(CONFIG, turned)


def test_tensors_that_share_memory_are_saved(tmp_path: Path, tiny: str) -> None:
    shared = torch.arange(1000.0)
    tensors = {"add": torch.tensor(1), "a": shared[:2], "b": shared[:2]}
    assert save(tmp_path / "f", tiny, CONFIG, tensors) == save(tmp_path / "m.pt", tiny, CONFIG, tensors)
    assert (tmp_path / "m.pt").stat().st_size < 3000
    assert load(str(tmp_path / "m.pt")).info.name == "m"


class Bomb:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.marker}",)


def _zipped(payload: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("model/data.pkl", payload)
        archive.writestr("model/version", "3\n")
    return buffer.getvalue()


def _malicious(marker: Path, form: str) -> bytes:
    if form == "pickle":
        return pickle.dumps(Bomb(marker))
    if form == "zip":
        return _zipped(pickle.dumps({"format": "gobench-model-1", "model": Bomb(marker)}, protocol=2))
    buffer = io.BytesIO()
    inside = {"format": "gobench-model-1", "model": "tiny", "config": {}, "tensors": {}, "more": Bomb(marker)}
    torch.save(inside, buffer, _use_new_zipfile_serialization=form == "torch")
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["pickle", "zip", "torch", "torch-legacy"])
def test_a_malicious_pickle_is_refused_without_running(tmp_path: Path, tiny: str, form: str) -> None:
    marker, path = tmp_path / "marker", tmp_path / "model.pt"
    path.write_bytes(_malicious(marker, form))
    with pytest.raises(DataError, match=r"model\.pt") as error:
        load(str(path))
    assert not marker.exists()
    assert "run" in str(error.value) and "gobench.models.save" in str(error.value)
    if form in ("zip", "torch"):
        assert "system" in str(error.value), "says what it wanted"
        torch.load(path, weights_only=False)  # the payload does work where it is let
        assert marker.exists()


SAFETENSORS = (8).to_bytes(8, "little") + b'{"a":{}}'
FILES = {
    "empty": (b"", "empty"),
    "page": (b"\n <!DOCTYPE html><html><body>Not found", "web page"),
    "page-in-capitals": (b"<HTML><BODY>", "web page"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    "safetensors": (SAFETENSORS, "tensors alone"),
    "gzip": (b"\x1f\x8b\x08\x00" * 9, "unpack"),
    "json": (b'{"format": 1}', "JSON"),
    "noise": (b"abcdefghijkl", "12 bytes that begin with"),
    "zip-of-others": (b"PK\x05\x06" + bytes(18), r"torch\.save"),
}


@pytest.mark.parametrize("kind", FILES)
def test_other_files_are_named_for_what_they_are(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(FILES[kind][0])
    with pytest.raises(DataError, match=FILES[kind][1]) as error:
        load(str(path))
    assert str(path) in str(error.value)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.95, 0.999])
def test_a_truncated_file_is_refused(model_pt: Path, part: float) -> None:
    whole = model_pt.read_bytes()
    model_pt.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(DataError, match="cut off or damaged"):
        load(str(model_pt))


def test_a_flipped_byte_never_gives_a_traceback(model_pt: Path) -> None:
    whole = model_pt.read_bytes()
    for place in range(0, len(whole), 37):
        model_pt.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            load(str(model_pt))
        except GobenchError as error:
            assert "model.pt" in str(error)


def test_a_truncated_folder_is_refused(tmp_path: Path, tiny: str) -> None:
    save(tmp_path / "m", tiny, CONFIG, TENSORS)
    tensors = tmp_path / "m" / "model.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-5])
    with pytest.raises(DataError, match=r"model\.safetensors is cut off"):
        load(str(tmp_path / "m"))


def _write(path: Path, value: Any) -> str:
    torch.save(value, path)
    return str(path)


WHOLE = {"format": "gobench-model-1", "model": "tiny", "config": CONFIG, "tensors": TENSORS}


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (TENSORS, "bare state_dict"),
        ([1, 2], "holds a list"),
        ({**WHOLE, "format": "gobench-model-9"}, "gobench-model-9"),
        ({**WHOLE, "config": {"t": torch.ones(1)}}, "plain data"),
        ({**WHOLE, "config": [1]}, "not a table"),
        ({**WHOLE, "tensors": {"add": 3}}, "not a plain tensor"),
        ({**WHOLE, "tensors": [1]}, "tensors are a list"),
        ({**WHOLE, "tensors": {"add": torch.eye(2).to_sparse()}}, "not a plain tensor"),
        ({**WHOLE, "tensors": {}}, r"'tiny' cannot be made from it: KeyError: 'add' \(.*tiny_models\.py:"),
    ],
)
def test_files_of_another_shape_are_refused(tmp_path: Path, tiny: str, value: Any, match: str) -> None:
    with pytest.raises(DataError, match=match):
        load(_write(tmp_path / "model.pt", value))


@pytest.mark.parametrize("name", ["os:system", "tiny_models:Tiny", "tiny_models.Tiny", "no-such-model"])
def test_a_file_names_installed_models_only(tmp_path: Path, tiny: str, name: str) -> None:
    with pytest.raises(UsageError, match="not installed"):
        load(_write(tmp_path / "model.pt", {**WHOLE, "model": name}))


def test_an_installed_model_without_files(tmp_path: Path, tiny: str) -> None:
    with pytest.raises(UsageError, match=r"copy-frame.*takes no files"):
        load(_write(tmp_path / "model.pt", {**WHOLE, "model": "copy-frame"}))


def test_folders_that_are_no_model(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(DataError, match=r"no config\.json and no model\.safetensors.*notes\.txt"):
        load(str(tmp_path))
    (tmp_path / "config.json").write_text('{"architectures": ["Other"]}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(DataError, match="another library's model"):
        load(str(tmp_path))


def test_absent_files_and_unknown_dtypes(tmp_path: Path, model_pt: Path) -> None:
    with pytest.raises(DataError, match="there is no model"):
        load(str(tmp_path / "none.pt"))
    with pytest.raises(UsageError, match=r"float12.*Known: bfloat16"):
        load(str(model_pt), dtype="float12")


def test_what_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="plain data"):
        save(tmp_path / "m", "tiny", {"x": object()}, {})
    with pytest.raises(UsageError, match=r"tensors\['a'\] is int"):
        save(tmp_path / "m", "tiny", {}, {"a": 3})  # type: ignore[dict-item]
    assert not (tmp_path / "m").exists()
