"""Answers that do not repeat are written down once, and from then on a build repeats like any other."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from gobench.build.asking import answer_file
from gobench.build.assemble import read_sums
from gobench.build.engine import Threads
from gobench.build.estimate import estimate
from gobench.build.journal import JOURNAL, Answered, Journal
from gobench.build.plan import PLAN, read
from gobench.build.recipes import BuildConfig, configure
from gobench.build.run import LOCKS, build
from gobench.canonical import sha256_file
from gobench.errors import BuildError, ChildError, DataError, UsageError
from gobench.verify import repair, verify

HERE = Path(__file__).parents[1]  # where bouncing.py lies
TRAP, NOBODY = "BOUNCING_TRAP", "BOUNCING_NOBODY"
ASKED = range(0, 60, 2)  # of the recipe's 60 dots

SCRIPT = """
import sys
from bouncing import Asking
from gobench.build.run import build
from gobench.build.recipes import configure
if __name__ == "__main__":
    domain = Asking()
    build(domain, configure(domain, "dot-tiny"), sys.argv[1], workers=int(sys.argv[2]))
"""


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.delenv(TRAP, raising=False)
    monkeypatch.delenv(NOBODY, raising=False)
    return importlib.import_module("bouncing").Asking()


@pytest.fixture
def config(domain: Any) -> BuildConfig:
    return configure(domain, "dot-tiny")


@pytest.fixture
def built(domain: Any, config: BuildConfig, tmp_path: Path) -> Path:
    build(domain, config, tmp_path / "built")
    return tmp_path / "built"


def listing(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and LOCKS not in path.parts]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def killed(folder: Path, workers: int, place: str) -> None:
    """A build that kills itself at a place."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, sys.path)])}
    environment |= {TRAP: f"{place}:kill:{folder.parent / 'mark'}"}
    script = folder.parent / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script), str(folder), str(workers)], env=environment, check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL


def answers(path: Path) -> dict[int, int]:
    lines = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    return {line["unit"]: line["answer"] for line in lines}


def test_the_journal_is_an_input_of_the_plan(built: Path) -> None:
    header, *lines = [json.loads(line) for line in (built / JOURNAL).read_text().splitlines()]
    assert header == {"format": 1, "asked": {"dots": 60, "seed": 0, "starts": 1000}}
    assert [line["unit"] for line in lines] == list(ASKED)
    digest = sha256_file(built / JOURNAL)
    assert read(built).inputs == {"dots": "0" * 64, JOURNAL: digest}
    assert read_sums(built)[JOURNAL] == digest
    assert set(os.listdir(built / LOCKS)) == {"lock", "plan.lock"}


def test_the_same_journal_gives_the_same_bytes(
    domain: Any, config: BuildConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages: list[tuple[str, int, int]] = []
    first = build(domain, config, tmp_path / "a", workers=3, progress=lambda *step: stages.append(step))
    assert first.made_answers == 29  # and the trial asked about the first
    assert stages[:2] == [("journal", 0, 30), ("journal", 1, 30)]
    assert ("journal", 30, 30) in stages
    monkeypatch.setenv(NOBODY, "1")
    again = build(domain, config, tmp_path / "b", journal=tmp_path / "a" / JOURNAL)
    assert (again.made_answers, again.samples) == (0, first.samples)
    assert listing(tmp_path / "a") == listing(tmp_path / "b")


def test_two_journals_give_two_datasets(
    domain: Any, config: BuildConfig, built: Path, tmp_path: Path
) -> None:
    build(domain, config, tmp_path / "b")
    assert read(tmp_path / "b").hash != read(built).hash


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_while_asking_the_same_command_goes_on(
    domain: Any, config: BuildConfig, tmp_path: Path, workers: int
) -> None:
    folder = tmp_path / "a"
    killed(folder, workers, "ask:30")
    assert not (folder / PLAN).exists()
    before = {unit: int(p.read_text()) for unit in ASKED if (p := answer_file(folder, unit)).exists()}
    assert len(before) >= 12
    report = build(domain, config, folder)
    assert report.made_answers == 30 - len(before)
    assert before.items() <= answers(folder / JOURNAL).items()
    assert verify(folder, domain).ok


@pytest.mark.parametrize("place", ["unit:31", "finish:20"])
def test_once_all_have_answered_nobody_is_needed(
    domain: Any, config: BuildConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    folder = tmp_path / "a"
    killed(folder, 1, place)
    digest = sha256_file(folder / JOURNAL)
    monkeypatch.setenv(NOBODY, "1")
    assert build(domain, config, folder).done
    assert sha256_file(folder / JOURNAL) == digest
    before = listing(folder)
    for lost in ("games/part-00003.jsonl", "data/test-00000-of-00001.tar", "manifest.json"):
        (folder / lost).unlink()
        assert build(domain, config, folder).made_answers == 0
        assert listing(folder) == before


def test_between_journal_and_plan(domain: Any, config: BuildConfig, built: Path, tmp_path: Path) -> None:
    """Killed there, a folder holds a journal and nothing else."""
    (tmp_path / "b").mkdir()
    shutil.copy(built / JOURNAL, tmp_path / "b")
    assert build(domain, config, tmp_path / "b").made_answers == 0
    assert listing(tmp_path / "b") == listing(built)


def test_who_does_not_answer_is_named_and_answers_are_kept(
    domain: Any, config: BuildConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TRAP, f"ask:20:fail:{tmp_path / 'mark'}")
    with pytest.raises(BuildError, match="answer about unit 20 of the source failed: ZeroDivisionError"):
        build(domain, config, tmp_path / "a")
    monkeypatch.setenv(NOBODY, "1")
    with pytest.raises(
        ChildError, match=r"asking about unit 2. .*nobody is here.*run the same command again"
    ):
        build(domain, config, tmp_path / "a", workers=2)
    assert len(list(answer_file(tmp_path / "a", 0).parent.glob("0*.json"))) == 10
    monkeypatch.delenv(NOBODY)
    assert build(domain, config, tmp_path / "a").made_answers == 20


def test_tasks_of_an_array_ask_their_share(domain: Any, config: BuildConfig, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    reports = [build(domain, config, shared, task_index=task, task_count=3) for task in (2, 0, 1, 1, 2, 0)]
    assert [report.made_answers for report in reports] == [10, 9, 10, 0, 0, 0]
    assert "10 of 30 answers of the journal" in reports[1].message
    assert not any(report.done for report in reports)
    assert build(domain, config, shared).done
    build(domain, config, tmp_path / "b", journal=shared / JOURNAL)
    assert listing(shared) == listing(tmp_path / "b")


def test_other_questions_are_refused(domain: Any, config: BuildConfig, built: Path, tmp_path: Path) -> None:
    other = configure(domain, "dot-tiny", {"seed": 7})
    with pytest.raises(BuildError, match=r"seed is 0 there, 7 was asked for"):
        build(domain, other, built)
    with pytest.raises(BuildError, match=r"built/journal\.jsonl is a journal of other questions: seed is 0"):
        build(domain, other, tmp_path / "b", journal=built / JOURNAL)
    killed(tmp_path / "c", 1, "ask:30")
    with pytest.raises(BuildError, match=r"c/journal\.jsonl is a journal of other questions: seed is 0"):
        build(domain, other, tmp_path / "c")
    plain = importlib.import_module("bouncing").Bouncing()
    with pytest.raises(BuildError, match=r"c/journal\.jsonl is a journal of other questions: dots is 60"):
        build(plain, configure(plain, "dot-tiny"), tmp_path / "c")
    with pytest.raises(BuildError, match=r"answers nothing.*Leave --journal out"):
        build(plain, configure(plain, "dot-tiny"), tmp_path / "d", journal=built / JOURNAL)
    assert build(domain, other, tmp_path / "c", overwrite=True).made_answers == 29


def test_the_first_answer_belongs_to_its_question(domain: Any, config: BuildConfig, tmp_path: Path) -> None:
    odd = configure(domain, "dot-tiny", {"codec": "h264"}, {"size": 31})
    with pytest.raises(UsageError, match="even"):
        build(domain, odd, tmp_path / "a")
    first = int(answer_file(tmp_path / "a", 0).read_text())
    with pytest.raises(BuildError, match="journal of other questions: seed is 0 there"):
        build(domain, configure(domain, "dot-tiny", {"seed": 7}), tmp_path / "a")
    build(domain, config, tmp_path / "a")
    assert answers(tmp_path / "a" / JOURNAL)[0] == first


def test_a_question_that_nobody_answered_is_taken_back(
    domain: Any, config: BuildConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that was mistyped, an engine that does not start: another question may follow without --overwrite."""
    with monkeypatch.context() as patched:
        patched.setenv(NOBODY, "1")
        with pytest.raises(ChildError, match="nobody is here"):
            build(domain, config, tmp_path / "a")
    assert build(domain, configure(domain, "dot-tiny", {"seed": 7}), tmp_path / "a").made_answers == 29


def test_answers_never_lose_their_question(
    domain: Any, config: BuildConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while answers are thrown away, a folder refuses other questions rather than mixing two."""
    folder, other = tmp_path / "a", configure(domain, "dot-tiny", {"seed": 7})
    killed(folder, 1, "ask:30")
    unlink = Path.unlink

    def dies(path: Path, missing_ok: bool = False) -> None:
        if path.name == answer_file(folder, 10).name:
            raise KeyboardInterrupt
        unlink(path, missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", dies)
        with pytest.raises(KeyboardInterrupt):
            build(domain, other, folder, overwrite=True)
    assert answer_file(folder, 10).exists()
    with pytest.raises(BuildError, match="journal of other questions: seed is 0 there"):
        build(domain, other, folder)
    assert build(domain, other, folder, overwrite=True).made_answers == 29


def test_pictures_may_differ(domain: Any, built: Path, tmp_path: Path) -> None:
    other = configure(domain, "dot-tiny", {"codec": "moves"}, {"size": 64})
    assert build(domain, other, tmp_path / "b", journal=built / JOURNAL).made_answers == 0
    with pytest.raises(BuildError, match=r'codec is "png" there'):
        build(domain, other, built)


def test_another_journal_in_the_same_folder(
    domain: Any, config: BuildConfig, built: Path, tmp_path: Path
) -> None:
    build(domain, config, tmp_path / "b")
    before = listing(built)
    for lost in ("manifest.json", JOURNAL):
        (built / lost).rename(tmp_path / lost)
        with pytest.raises(BuildError, match=r"given is not that of .*built/plan\.json.*fetch it again"):
            build(domain, config, built, journal=tmp_path / "b" / JOURNAL)
        (tmp_path / lost).rename(built / lost)
    assert listing(built) == before
    assert build(domain, config, built, journal=built / JOURNAL).done
    (tmp_path / "c").mkdir()
    shutil.copy(built / JOURNAL, tmp_path / "c")
    with pytest.raises(BuildError, match=r"given is not that of .*c/journal\.jsonl"):
        build(domain, config, tmp_path / "c", journal=tmp_path / "b" / JOURNAL)


def test_verify_and_repair_a_damaged_journal(
    domain: Any, config: BuildConfig, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(built / JOURNAL, tmp_path / "copy.jsonl")
    before = listing(built)
    monkeypatch.setenv(NOBODY, "1")
    for damage in (b"{", None):
        (built / JOURNAL).unlink() if damage is None else (built / JOURNAL).write_bytes(damage)
        found = verify(built, domain)
        assert [(f.kind, f.file) for f in found.findings] == [("checksum" if damage else "missing", JOURNAL)]
        assert "cannot be made anew" in found.advice
        assert "--journal FILE" in found.advice
        assert repair(built, found) == ("manifest.json",)
        with pytest.raises(BuildError, match=r"journal\.jsonl is (missing|not that of)"):
            build(domain, config, built)
        assert build(domain, config, built, journal=tmp_path / "copy.jsonl").made_parts == 0
        assert listing(built) == before


def test_repair_makes_games_anew_from_the_journal(
    domain: Any, config: BuildConfig, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = listing(built)
    (built / "games/part-00002.jsonl").write_text("")
    monkeypatch.setenv(NOBODY, "1")
    repair(built, verify(built, domain))
    assert build(domain, config, built, workers=2).made_parts == 1
    assert listing(built) == before
    assert verify(built, domain).ok


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda lines: lines[:-1], "29 answers to 30 questions"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "line 2: there is no answer about unit 0"),
        (lambda lines: [b"x", *lines[1:]], "line 1 is not JSON"),
        (lambda lines: [], "ends before line 1"),
    ],
)
def test_a_broken_journal_is_refused(
    domain: Any, config: BuildConfig, built: Path, tmp_path: Path, edit: Any, message: str
) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_bytes(b"".join(line + b"\n" for line in edit((built / JOURNAL).read_bytes().splitlines())))
    with pytest.raises(DataError, match=message):
        build(domain, config, tmp_path / "b", journal=broken)
    assert not (tmp_path / "b" / PLAN).exists()


def test_overwrite_asks_anew_unless_a_journal_is_given(domain: Any, config: BuildConfig, built: Path) -> None:
    before = listing(built)
    assert build(domain, config, built, overwrite=True, journal=built / JOURNAL).made_answers == 0
    assert listing(built) == before
    with pytest.raises(UsageError, match="even"):
        odd = configure(domain, "dot-tiny", {"codec": "h264"}, {"size": 31})
        build(domain, odd, built, overwrite=True)
    assert listing(built) == before
    assert build(domain, config, built, overwrite=True).made_answers == 29
    assert listing(built)[JOURNAL] != before[JOURNAL]
    other = configure(domain, "dot-tiny", {"seed": 7})
    assert build(domain, other, built, overwrite=True).made_answers == 29


def test_an_estimate_asks_no_more_than_it_must(
    domain: Any, config: BuildConfig, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guesses, asked = importlib.import_module("bouncing").Guesses, list[int]()
    ask = guesses.ask
    monkeypatch.setattr(guesses, "ask", lambda self, index: (asked.append(index), ask(self, index))[1])
    closed = list[Any]()
    monkeypatch.setattr(guesses, "close", lambda self: closed.append(self), raising=False)
    found = estimate(domain, config)
    assert (found.asked, found.sampled, asked) == (30, 1, [0])
    assert len(closed) == 1  # nobody waits for more
    monkeypatch.setenv(NOBODY, "1")
    found = estimate(domain, config, journal=built / JOURNAL)
    assert (found.asked, asked) == (0, [0])
    assert found.sampled > 1


def test_an_answered_source_is_like_any_other(domain: Any, config: BuildConfig, built: Path) -> None:
    source = domain.source(config.options, 60, 0)
    told = Answered.of(source, built / JOURNAL)
    assert told.units == 60
    records = [item.record for unit in ASKED for item in told.unit(unit)]  # type: ignore[union-attr]
    assert [record["start"] for record in records] == list(answers(built / JOURNAL).values())
    assert list(told.unit(1)) == list(source.unit(1))
    with pytest.raises(DataError, match="cannot read"):
        Journal(built / "nothing.jsonl").sha256  # noqa: B018


class Waiting:
    """Pieces of which one fails, while the others wait until they are let go."""

    def __init__(self) -> None:
        self.begun, self.freed = threading.Barrier(3), threading.Event()
        self.made: list[int] = []

    def name(self, index: int) -> str:
        return f"piece {index}"

    def __call__(self, index: int) -> None:
        if index < 3:
            self.begun.wait(10)
        if index == 1:
            raise ChildError("it broke")
        assert self.freed.wait(10)
        self.made.append(index)

    def close(self) -> None:
        self.freed.set()


def test_threads_are_let_go_when_one_of_them_fails() -> None:
    job, done, before = Waiting(), list[int](), threading.active_count()
    with pytest.raises(ChildError, match="it broke"):
        Threads(3).run(job, range(6), done.append)
    assert {0, 2} <= set(job.made) < set(range(6))
    assert done == []
    assert threading.active_count() == before
