"""The Python example of docs/rating.md runs."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "rating.md").read_text(encoding="utf-8")


def test_the_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    session: dict[str, object] = {}
    exec(compile(example, "rating.md", "exec"), session)
    found = session["found"].of("new")  # type: ignore[attr-defined]
    assert 0 < found.low < found.elo < found.high
