"""Every example of docs/loading.md runs, in order, in one session."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

DOC = Path(__file__).resolve().parents[3] / "docs" / "loading.md"


def test_the_examples_run(
    built: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    for name, codec in (("go9-tiny", "h264"), ("go9-moves", "moves")):
        (tmp_path / "runs" / name).symlink_to(built(codec))
    text = DOC.read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(examples) >= 9
    session: dict[str, object] = {}
    for example in examples:
        line = text[: text.index(example)].count("\n")
        exec(compile("\n" * line + example, str(DOC), "exec"), session)
    assert (tmp_path / "cache").is_dir()
