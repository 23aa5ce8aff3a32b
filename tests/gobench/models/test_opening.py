"""One string -> a model: which form a text has, classes of modules and files, installed names."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from gobench import registry
from gobench.errors import ChildError, DataError, UsageError
from gobench.models import load, opening
from gobench.models.opening import form_of
from gobench.types import Array

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def clean_imports() -> Iterator[None]:
    before, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if name.startswith(("my_own", "broken_one", "tiny_models", "my_model", "nested")):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("copy-frame", "installed"),
        ("teacher:mcts:200", "installed"),
        ("cmd:python x.py", "cmd"),
        ("predictions:runs/a", "predictions"),
        ("model.pt", "file"),
        ("runs/a/best.ckpt", "file"),
        ("runs/a", "file"),
        ("package.module:Class", "python"),
        ("folder/file.py:Class", "python"),
    ],
)
def test_forms(text: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert form_of(text) == form


@pytest.mark.parametrize("text", ["", "copy-fram", ":", "x:", ":x"])
def test_texts_that_name_nothing(text: str) -> None:
    with pytest.raises(
        UsageError, match=r"(?s)unknown model.*copy-frame.*package\.module:Class.*cmd:PROGRAM"
    ):
        load(text)


def test_a_near_miss_is_guessed() -> None:
    with pytest.raises(UsageError, match="Did you mean 'copy-frame'"):
        load("copy-frme")


def test_an_installed_model_gets_its_argument(tiny: str) -> None:
    model = load("whole:a:b", device="cuda:1")
    assert (model.model.argument, model.model.device) == ("a:b", "cuda:1")  # type: ignore[attr-defined]
    assert (model.info.name, model.info.form) == ("whole:a:b", "installed")
    with pytest.raises(UsageError, match="copy-frame takes no argument"):
        load("copy-frame:3")


OWN = """
import numpy as np
class Mine:
    frame_size = (16, 24)
    def __init__(self, argument="nothing"): self.argument = argument
    def generate(self, frames, n, seeds, context=None): return np.repeat(frames[:, -1:], n, axis=1)
    class Inner:
        def generate(self, *rest): ...
ready = Mine("ready")
"""


def test_a_module_of_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_own_models.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    model = load("my_own_models:Mine")
    assert (model.info.name, model.model.argument) == ("Mine", "nothing")  # type: ignore[attr-defined]
    argued = load("my_own_models:Mine:a:b")
    assert (argued.model.argument, argued.info.name) == ("a:b", "Mine:a:b")  # type: ignore[attr-defined]
    assert load("my_own_models:ready").model.argument == "ready"  # type: ignore[attr-defined]
    assert load("my_own_models:Mine.Inner").info.name == "Mine.Inner"
    assert len(str(model.info.code_sha256)) == 64
    with pytest.raises(UsageError, match=r"unknown class 'Min'.*Did you mean 'Mine'"):
        load("my_own_models:Min")


def test_a_file_of_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prompt: Array, seeds: npt.NDArray[np.uint64]
) -> None:
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "nested" / "deep" / "my_own_file.py"
    place.parent.mkdir(parents=True)
    place.write_text("from my_own_part import Mine\n")
    (place.parent / "my_own_part.py").write_text(OWN)
    for text in (f"{place}:Mine", "nested/deep/my_own_file.py:Mine", "nested.deep.my_own_file:Mine"):
        assert np.array_equal(load(text).ask(prompt, 1, seeds), prompt)
    with pytest.raises(UsageError, match=r"there is no file other\.py"):
        load("other.py:Mine")


@pytest.mark.parametrize(
    ("body", "match"),
    [
        (
            "import no_such_package",
            r"does not import: ModuleNotFoundError.*no_such_package.*broken_one\.py:1",
        ),
        ("x = (", r"does not import: .*SyntaxError"),
        ("x = 1\n1 / 0", r"ZeroDivisionError.*broken_one\.py:2"),
        (
            "class Model:\n  def __init__(self): {}['a']",
            r"could not be made: KeyError: 'a' \(.*broken_one\.py:2",
        ),
        ("class Model:\n  def __init__(self): raise SystemExit(0)", r"could not be made: SystemExit: 0"),
        ("import sys; sys.exit('no licence')", "does not import: SystemExit: no licence"),
        ("class Model:\n  def __init__(self, size): ...", "could not be made: TypeError.*size"),
        ("class Model: ...", r"Model, which has no generate\("),
        ("y = 2", "unknown class 'Model'. Known: none"),
    ],
)
@pytest.mark.parametrize("text", ["broken_one:Model", "broken_one.py:Model"])
def test_modules_that_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, body: str, match: str
) -> None:
    (tmp_path / "broken_one.py").write_text(body)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    sys.path_importer_cache.clear()
    with pytest.raises(UsageError, match=match) as error:
        load(text)
    assert f"model {text!r}" in str(error.value)


def test_modules_that_are_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="there is no module 'my_own_absent' in "):
        load("my_own_absent.models:Mine")
    with pytest.raises(UsageError, match="neither a file, nor an installed model"):
        load("copy-fram:3")


def test_the_example_in_torch_keeps_its_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for text in ("examples/my_model.py:MyModel", "examples.my_model:MyModel"):
        model = load(text)
        assert (model.info.frame_size, model.info.max_frames, model.info.parameters) == ((128, 128), 4, 228)
        assert len(str(model.info.weights_sha256)) == 64
        frames = np.full((2, 3, 128, 128, 3), 99, np.uint8)
        answers = [model.ask(frames, 2, np.array(seeds, np.uint64)) for seeds in ([1, 2], [1, 2**64 - 1])]
        assert np.array_equal(answers[0][0], answers[1][0])
        assert not np.array_equal(answers[0][1], answers[1][1])


def test_predictions_need_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a folder"):
        load("predictions:")
    with pytest.raises((UsageError, DataError), match="no-such-folder"):
        load(f"predictions:{tmp_path}/no-such-folder")


def test_a_model_that_hangs_while_it_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_own_sleeper.py").write_text("import time\ntime.sleep(20)\nclass Model: ...")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(opening, "LEAST_LOADING", 0.3)
    with pytest.raises(ChildError, match=r"'my_own_sleeper\.py:Model' was not ready after 0\.3 s.*--timeout"):
        load("my_own_sleeper.py:Model", timeout=0.1)


def test_loading_gets_a_minute_at_least(tiny: str) -> None:
    assert opening.LEAST_LOADING >= 60
    assert load("whole", timeout=1e-6).timeout == 1e-6


def test_an_installed_model_that_fails_to_import(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "broken_one.py").write_text("import sys; sys.exit(3)")
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint("broken", "broken_one:Model", "gobench.models")
    monkeypatch.setitem(registry.installed("models"), "broken", entry)
    with pytest.raises(UsageError, match="'broken' is installed but does not import: SystemExit: 3"):
        load("broken")
