"""Every Python example of the README and of docs/loading.md runs, in order, in one session a page."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("page", "least"), [("docs/loading.md", 9), ("README.md", 1)])
def test_the_examples_run(
    built: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str, least: int
) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    for name, codec in (("go9-tiny", "h264"), ("go9-moves", "moves")):
        (tmp_path / "runs" / name).symlink_to(built(codec))
    text = (ROOT / page).read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(examples) >= least
    session: dict[str, object] = {}
    for example in examples:
        line = text[: text.index(example)].count("\n")
        exec(compile("\n" * line + example, page, "exec"), session)
    assert (tmp_path / "cache").is_dir()
