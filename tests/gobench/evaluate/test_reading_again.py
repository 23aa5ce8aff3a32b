"""Reading kept frames again proves something: they must all be there, be those that were read, and read alike."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench import evidence, shards
from gobench.codec.pictures import encode
from gobench.errors import DataError
from gobench.evaluate import evaluate, score
from gobench.evaluate import protocol as rules
from gobench.evaluate.again import read_again
from gobench.results import FILE

pytestmark = pytest.mark.usefixtures("quiz")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return evaluate("dotquiz:Guesser", suite="dots", out=tmp_path / "out", batch=8)


def edit(folder: Path, change: Callable[[list[Any]], list[Any]]) -> None:
    """Rewrite the evidence of dots/next, line by line."""
    path = evidence.path_of(folder, "dots/next")
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in change(lines)))


def tar(folder: Path) -> Path:
    return evidence.tar_of(folder, "dots/next", 0)


def refill(path: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    """Rewrite a tar of frames."""
    found = dict(shards.members(path.read_bytes()[: -len(shards.END)], "tar"))
    change(found)
    pieces = [
        shards.pack(name.split(".", 1)[0], {name.split(".", 1)[1]: data}) for name, data in found.items()
    ]
    path.write_bytes(b"".join(pieces) + shards.END)


def refused(folder: Path, said: str) -> None:
    """Reading again ends with an error that says so, and writes nothing."""
    (folder / FILE).write_text("untouched")
    with pytest.raises(DataError, match=said):
        score(folder, reread=True)
    assert (folder / FILE).read_text() == "untouched"


def test_a_run_agrees_with_its_frames_and_says_how_many(folder: Path) -> None:
    told: list[str] = []
    score(folder, reread=True, notice=told.append)
    assert told == [
        "120 samples read again, 0 differ, 0 could not be read again; of 0 others no frames were to be kept."
    ]


def test_frames_that_are_gone_are_missed(folder: Path) -> None:
    shutil.rmtree(folder / evidence.FRAMES)
    again = read_again(folder)
    assert (again.samples, len(again.lost), again.agrees) == (0, 120, False)
    refused(
        folder, r"cannot be read again: d000 of dots/next: the frame 'try0' is missing.*120 could not be read"
    )


def test_rows_that_name_no_frames_are_not_believed(folder: Path) -> None:
    def forget(lines: list[Any]) -> list[Any]:
        lines[1]["kept"] = {}
        return lines

    edit(folder, forget)
    refill_first(folder, "d000")
    refused(folder, "d000 of dots/next: its frames should have been kept, and the row names none")


def refill_first(folder: Path, sample: str) -> None:
    """Remove a sample's frames from whatever tar they are in."""
    for path in tar(folder).parent.iterdir():
        refill(
            path, lambda found: [found.pop(name) for name in list(found) if name.startswith(sample)] and None
        )


def test_exchanged_frames_are_noticed_though_they_read_alike(folder: Path) -> None:
    def brighter(found: dict[str, bytes]) -> None:
        name = next(iter(found))
        found[name] = encode(np.full((24, 24, 3), 7, np.uint8))

    refill(tar(folder), brighter)
    refused(folder, "is another one than was read")


def test_foreign_frames_are_noticed(folder: Path) -> None:
    refill(tar(folder), lambda found: found.update({"d999.try0.png": next(iter(found.values()))}))
    refused(folder, "d999 of dots/next: there are frames of it, but no row")
    sample = next(row for row in evidence.read(folder, "dots/next")[1] if row["kept"])["id"]
    refill(tar(folder), lambda found: found.pop("d999.try0.png"))
    refill(tar(folder), lambda found: found.update({f"{sample}.try7.png": next(iter(found.values()))}))
    refused(folder, "names no frame 'try7'|is there twice")


def test_frames_of_a_size_that_cannot_be_are_told_with_their_sample(folder: Path) -> None:
    name = next(iter(dict(shards.members(tar(folder).read_bytes()[: -len(shards.END)], "tar"))))
    sample, key, _ = name.split(".")
    odd = np.zeros((24, 12, 3), np.uint8)
    refill(tar(folder), lambda found: found.update({name: encode(odd)}))

    def agree(lines: list[Any]) -> list[Any]:
        for row in lines[1:]:
            if row["id"] == sample:
                row["kept"][key] = evidence.digest(odd)
        return lines

    edit(folder, agree)
    refused(folder, rf"dots/next, {sample}: its kept frames .*24x12.* cannot be read again")


def test_tasks_without_a_way_to_read_again_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("dotquiz.Quiz.reread")
    again = read_again(folder)
    assert again.unable == {"dots/next": 60, "dots/walk": 60} and not again.agrees
    refused(folder, "60 samples of dots/next, which has no way to read kept frames again")


def test_samples_of_which_nothing_was_to_be_kept_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "KEPT", 10)
    folder = evaluate("dotquiz:Guesser", suite="dots", out=tmp_path / "out", batch=8, tasks=["next"])
    again = read_again(folder)
    assert again.agrees and again.bare > 20 and again.samples + again.bare == 60


@pytest.mark.parametrize("key", ["seed", "weights", "model", "batch", "text_sha256", "device"])
def test_evidence_of_another_run_is_refused(folder: Path, key: str) -> None:
    def other(lines: list[Any]) -> list[Any]:
        lines[0]["header"][key] = "another"
        return lines

    edit(folder, other)
    with pytest.raises(DataError, match=f"is not the evidence of the run in run.json: {key} is 'another'"):
        score(folder)


def test_a_header_without_a_field_is_refused(folder: Path) -> None:
    edit(
        folder,
        lambda lines: [{"header": {k: v for k, v in lines[0]["header"].items() if k != "limit"}}, *lines[1:]],
    )
    (folder / "run.json").write_text(
        (folder / "run.json").read_text().replace('"limit": null', '"limit": 60')
    )
    with pytest.raises(DataError, match="limit is None and not 60"):
        score(folder)


def test_rows_of_samples_that_were_not_asked_are_refused(tmp_path: Path) -> None:
    part = evaluate("dotquiz:Guesser", suite="dots", out=tmp_path / "part", batch=8, limit=20)
    whole = evaluate("dotquiz:Guesser", suite="dots", out=tmp_path / "whole", batch=8)
    rows = evidence.read(whole, "dots/next")[1]
    asked = {row["id"] for row in evidence.read(part, "dots/next")[1]}
    extra = next(row for row in rows if row["id"] not in asked)
    edit(part, lambda lines: [*lines, extra])
    with pytest.raises(
        DataError, match=f"1 rows of samples that the run did not ask, such as '{extra['id']}'"
    ):
        score(part)
    edit(part, lambda lines: [*lines[:-2], extra])
    with pytest.raises(DataError, match="did not ask"):
        score(part, partial=True)
    edit(part, lambda lines: [*lines[:-1], lines[1]])
    with pytest.raises(DataError, match="has a sample twice"):
        score(part)


def test_a_torn_file_is_not_scored_in_part(folder: Path) -> None:
    with evidence.path_of(folder, "dots/next").open("ab") as file:
        file.write(b'{"id":"d0')
    with pytest.raises(DataError, match="ends within a line; run the same `gobench evaluate` again"):
        score(folder, partial=True)
