"""The page of a result: it holds the result's numbers and nothing from outside, and says what is missing."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gobench.errors import DataError, UsageError
from gobench.report import write
from gobench.report.draw import axis, number, round_up
from gobench.results import read_result

VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Checks that elements close, and collects what tests ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            self.images.append(found)
        self.ids += [value for key, value in attrs if key == "id" and value]
        self.links += [value for key, value in attrs if key in ("href", "src") and value]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(path: Path) -> tuple[str, Reader]:
    text, reader = path.read_text(), Reader()
    reader.feed(text)
    assert reader.open == []
    return text, reader


@pytest.fixture(scope="module")
def page(run: Path) -> tuple[str, Reader]:
    return read(write(run))


def test_every_number_of_the_result_stands_on_the_page(run: Path, page: tuple[str, Reader]) -> None:
    text, _ = page
    result = read_result(run)
    for task in result.tasks:
        assert task.protocol_hash[:16] in text
        for table in (task.metrics, task.clean, *(s.metrics for s in task.slices.values())):
            for found in table.values():
                if found:
                    assert number(found.value, found.unit) in text
        for kind, count in task.audit.items():
            assert f"{kind}: {count} of {task.n} answers" in text
    for file in result.evidence:
        assert file.sha256 in text
    assert "0.1.0" in text and "KataGo" in text and "gobench score DIR --reread" in text


def test_the_page_needs_nothing_from_outside(page: tuple[str, Reader]) -> None:
    text, reader = page
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in reader.links)
    assert {link[1:] for link in reader.links if link[0] == "#"} <= set(reader.ids)
    assert len(reader.ids) == len(set(reader.ids))
    assert "script" not in reader.tags
    assert "default-src &#39;none&#39;" in text and "url(" not in text


def test_names_are_text_and_never_markup(page: tuple[str, Reader]) -> None:
    text, _ = page
    assert "clumsy &lt;b&gt;model&lt;/b&gt; on go9-lite" in text
    assert "<b>model" not in text


def test_every_picture_has_words_and_a_size(page: tuple[str, Reader]) -> None:
    _, reader = page
    assert len(reader.images) > 60
    for image in reader.images:
        assert image["alt"] and int(image["width"] or 0) <= 256 and int(image["height"] or 0) <= 256


def test_tables_and_drawings_can_be_heard(page: tuple[str, Reader]) -> None:
    text, _ = page
    assert text.count("<table>") == text.count("<thead>") > 6
    assert text.count('scope="col"') > 20 and text.count('scope="row"') > 40
    drawings = re.findall(r"<svg [^>]*>", text)
    assert all('aria-hidden="true"' in d or ('role="img" ' in d and 'aria-label="' in d) for d in drawings)


def test_a_partial_run_and_the_rules_of_choice_are_told(page: tuple[str, Reader]) -> None:
    text, _ = page
    assert "Not all samples were played" in text
    for name in ("Best samples", "Worst samples", "Strangest samples"):
        assert text.count(name) == 2
    assert "answers with the largest loss by winrate_loss" in text.lower()


def test_the_same_run_gives_the_same_bytes(run: Path, tmp_path: Path) -> None:
    assert (
        write(run, tmp_path / "a.html").read_bytes()
        == write(run / "result.json", tmp_path / "b.html").read_bytes()
    )


def test_how_many_samples_are_drawn(run: Path, tmp_path: Path) -> None:
    none, _ = read(write(run, tmp_path / "none.html", most=0))
    few, _ = read(write(run, tmp_path / "few.html", most=6))
    assert none.count('<li class="sample">') == 0
    assert few.count('<li class="sample">') == 6
    with pytest.raises(UsageError, match="-1"):
        write(run, tmp_path / "no.html", most=-1)


def test_the_frames_shown_are_those_that_were_kept(run: Path) -> None:
    from gobench import evidence
    from gobench.evaluate import open_suite

    for task in open_suite("go9-lite").tasks:
        _, rows = evidence.read(run, task.name)
        kept = evidence.Kept(run, task.name)
        assert kept.samples == {row["id"] for row in rows}, "of a small run all frames are kept"
        for row in rows[::9]:
            assert row["kept"] == {n: evidence.digest(f) for n, f in kept.frames(row["id"]).items()} != {}


def test_evidence_of_another_result_is_told_and_not_drawn(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    file = next((tmp_path / "run" / "evidence").glob("*next-move.jsonl"))
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([lines[0], *reversed(lines[1:])]))
    text, _ = read(write(tmp_path / "run"))
    assert "is not the evidence that the result was derived from" in text
    assert text.count("Best samples") == 1, "of the other task"


@pytest.mark.parametrize("damage", [b"", b"[]\n", b'{"header": {"format": 1}}\n{"id": "g000-p000"}\n'])
def test_damaged_evidence_is_told_on_the_page(run: Path, tmp_path: Path, damage: bytes) -> None:
    from gobench.canonical import sha256_file

    shutil.copytree(run, tmp_path / "run")
    file = next((tmp_path / "run" / "evidence").glob("*next-move.jsonl"))
    before = sha256_file(file)
    file.write_bytes(damage)
    result = tmp_path / "run" / "result.json"
    result.write_text(result.read_text().replace(before, sha256_file(file)))
    text, _ = read(write(tmp_path / "run"))
    assert text.count("No samples are drawn") == 1


def test_frames_that_are_gone_are_drawn_from_the_readings(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "frames")
    text, reader = read(write(tmp_path / "run"))
    assert "not kept for this sample" in text and "drawn again from what was read" in text
    assert "as generated" not in text
    assert len(reader.images) > 60


def test_a_result_without_its_evidence_still_has_a_page(run: Path, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_bytes((run / "result.json").read_bytes())
    text, reader = read(write(tmp_path / "result.json"))
    assert text.count("No samples are drawn") == 2
    assert reader.images == [] and "policy_ratio" in text


def test_a_suite_that_is_not_installed_still_has_a_page(run: Path, tmp_path: Path) -> None:
    text = (run / "result.json").read_text().replace('"name": "go9-lite"', '"name": "chess"')
    (tmp_path / "result.json").write_text(text)
    shown, _ = read(write(tmp_path))
    assert "unknown suite" in shown and "this task is not installed here" in shown


def test_a_result_of_another_protocol_is_not_mixed_with_todays_samples(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    file = tmp_path / "run" / "result.json"
    old = read_result(run).task("go9/next-move").protocol_hash
    file.write_text(file.read_text().replace(old, "0" * 64))
    text, _ = read(write(tmp_path / "run"))
    assert "under another protocol hash" in text and text.count("Best samples") == 1


def test_a_whole_run_stands_beside_floors_and_ceilings(tmp_path: Path) -> None:
    from gobench.evaluate import evaluate
    from gobench.report.floors import known_floors

    run = evaluate("first-empty", suite="go5-lite", out=tmp_path / "run", tasks=["go5/next-move"])
    task = read_result(run).task("go5/next-move")
    players = known_floors("go5-lite", "standard", task)
    assert players["first-empty"] == {name: found.value for name, found in task.metrics.items() if found}
    text, _ = read(write(run, most=0))
    assert f"random-legal {players['random-legal']['accuracy']:.3f}" in text
    assert known_floors("go5-lite", "standard", task.model_copy(update={"protocol_hash": "0" * 64})) == {}


def test_no_result_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        write(tmp_path, tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("value", "end"), [(0.03, 0.03), (0.31, 0.4), (1.0, 1.0), (1.2, 1.5), (23.0, 25.0), (99.0, 100.0)]
)
def test_axes_end_at_round_numbers(value: float, end: float) -> None:
    assert round_up(value) == pytest.approx(end)


def test_an_axis_holds_its_values() -> None:
    assert axis("proportion", [0.2, 0.9]) == (0.0, 1.0)
    assert axis("ratio", [0.2, 1.03]) == (0.0, 1.5)
    assert axis("points", [-1.0, 12.0]) == (-1.0, 15.0)
    assert axis("points", []) == (0.0, 1.0)
    scale = axis("points", [10.0])
    assert [scale.at(v) for v in (-1, 0, 5, 10, 99)] == ["0.00%", "0.00%", "50.00%", "100.00%", "100.00%"]
