"""A suite's prompts, or reference answers to them, as a folder: resumable, byte for byte the same each time.

DIR/ export.json (what it was made with; written first)   README.md (what to answer and where)
     prompts.jsonl (one line a sample; written last)      metadata.jsonl (format frames: for ``datasets``)
     TASK/...      the samples, each whole or absent
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gobench import atomic, canonical
from gobench.canonical import dumps, pretty, read_json
from gobench.errors import BuildError, UsageError, unknown
from gobench.evaluate.protocol import open_suite, order, protocol_hash
from gobench.tasks import MOST_FRAMES, Suite, Task, View
from gobench.types import Record
from gobench.zeroshot import readme
from gobench.zeroshot.files import INDEX, MARK
from gobench.zeroshot.prompts import FORMATS, Format, Prompt
from gobench.zeroshot.references import REFERENCES, answer_file
from gobench.zeroshot.wordings import DEFAULT, instruction, template

VERSION = 1
METADATA, README = "metadata.jsonl", "README.md"
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What to export."""

    suite: str
    form: str = "frames"
    protocol: str = "zero-shot"
    limit: int | None = None
    size: int = 512  # pixels
    frames: int = 1
    wording: str = DEFAULT
    answers: str = ""  # a key of REFERENCES: write these instead of prompts

    def check(self) -> None:
        """Raises UsageError for a value out of range or an unknown name."""
        if self.form not in FORMATS:
            raise unknown("format", self.form, FORMATS)
        if self.answers and self.answers not in REFERENCES:
            raise unknown("kind of answers", self.answers, REFERENCES)
        if not 1 <= self.frames <= MOST_FRAMES:
            raise UsageError(f"--frames {self.frames} is out of range: 1 to {MOST_FRAMES}.")
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"--limit {self.limit} is out of range: 1 or more.")
        if not 16 <= self.size <= 4096:
            raise UsageError(f"--size {self.size} is out of range: 16 to 4096 pixels.")


def export(order_: Order, out: Path, progress: Progress | None = None) -> Record:
    """Write a folder of prompts or reference answers; goes on with one that was begun with the same settings.

    Returns:
        {"folder", "samples", "tasks": {name: samples}, "left_out": [chained tasks, which files cannot answer]}.

    Raises:
        UsageError: an unknown name or a value out of range.
        BuildError: the folder holds other things, or an export with other settings (says which).
    """
    order_.check()
    suite = open_suite(order_.suite, order_.protocol)
    tasks = [task for task in suite.tasks if not task.chained]
    if not tasks:
        raise UsageError(f"no task of {suite.name} under {order_.protocol} can be answered by files.")
    for task in tasks:
        template(order_.wording, task.name)
    settings = _settings(order_, tasks)
    out.parent.mkdir(parents=True, exist_ok=True)
    _claim(out, settings)
    with atomic.lock(
        out / ".lock", f"another export is at work in {out}: wait for it, or choose another --out."
    ):
        atomic.write(out / MARK, pretty(settings))
        rows = _written(order_, suite, tasks, out, progress or _quiet)
        counts = {task.name: sum(row["task"] == task.name for row in rows) for task in tasks}
        _finish(settings, suite, out, rows)
    left_out = [task.name for task in suite.tasks if task.chained]
    return {"folder": str(out), "samples": len(rows), "tasks": counts, "left_out": left_out}


def _quiet(stage: str, done: int, total: int) -> None:
    """No progress is shown."""


def _settings(order_: Order, tasks: list[Task]) -> Record:
    return {
        "version": VERSION,
        "kind": "answers" if order_.answers else "prompts",
        "suite": order_.suite,
        "protocol": order_.protocol,
        "format": order_.form,
        "limit": order_.limit or 0,
        "size": order_.size,
        "frames": order_.frames,
        "wording": order_.wording,
        "answers": order_.answers,
        "tasks": {
            task.name: {"version": task.version, "protocol_hash": protocol_hash(task)} for task in tasks
        },
    }


def _claim(out: Path, settings: Record) -> None:
    """Make the folder, or make sure that it is ours and was made with the same settings."""
    try:
        out.mkdir(exist_ok=True)
        names = sorted(p.name for p in out.iterdir() if not p.name.startswith("."))
    except OSError as error:
        raise atomic.explain(error, out) from error
    if not names:
        return
    if MARK not in names:
        raise BuildError(
            f"{out} is not empty and holds no export ({', '.join(names[:5])}): choose another --out."
        )
    before = read_json(out / MARK)
    canonical.check(before, dict, f"{out / MARK}")
    differ = sorted(k for k in settings.keys() | before.keys() if settings.get(k) != before.get(k))
    if differ:
        told = "; ".join(
            f"{k}: {before.get(k)!r} there, {settings.get(k)!r} now" for k in differ if k != "tasks"
        )
        raise BuildError(
            f"{out} holds an export with other settings ({told or 'other versions of the tasks'}): "
            "choose another --out, or remove the folder."
        )


def _prompts(order_: Order, suite: Suite, task: Task) -> Iterator[Prompt]:
    """The samples of a task in the order in which they are asked; numbers are places in its ids."""
    view = View(order_.size, order_.size, order_.frames)
    numbers = {sample: f"{k:05d}" for k, sample in enumerate(task.ids)}
    for sample in order(suite.name, task, order_.limit):
        question = task.trial(sample, view).ask()
        if question is not None:
            words = instruction(order_.wording, task, sample)
            yield Prompt(task, sample, numbers[sample], view, question, words)


def _written(order_: Order, suite: Suite, tasks: list[Task], out: Path, progress: Progress) -> list[Record]:
    rows: list[Record] = []
    total = sum(len(order(suite.name, task, order_.limit)) for task in tasks)
    for task in tasks:
        answerer = REFERENCES[order_.answers].start(task) if order_.answers else None
        home = out / task.name.replace("/", "-")
        home.mkdir(exist_ok=True)
        _sweep(home)
        for prompt in _prompts(order_, suite, task):
            form = FORMATS[order_.form]
            if answerer is None:
                hashes = _write_prompt(form, prompt, home)
            else:
                path = home / f"{form.name(prompt)}.mp4"
                if not path.exists():
                    atomic.write(path, answer_file(prompt, answerer(prompt)))
                hashes = {path.name: canonical.sha256_file(path)}
            rows.append(_row(order_, prompt, hashes))
            progress("samples", len(rows), total)
    return sorted(rows, key=lambda row: (row["task"], row["number"]))


def _sweep(home: Path) -> None:
    """Remove what an export that was killed has left half-written."""
    atomic.remove_temporaries(home)
    for left in home.glob(f".*{atomic.TEMPORARY}-sample"):
        shutil.rmtree(left)


def _write_prompt(form: Format, prompt: Prompt, home: Path) -> dict[str, str]:
    """The sample's folder, whole or absent; name of a file below TASK/ -> sha256."""
    name = form.name(prompt)
    folder = home / name
    if not folder.is_dir():
        hidden = home / f".{name}{atomic.TEMPORARY}-sample"
        hidden.mkdir()
        for file, data in form.files(prompt).items():
            (hidden / file).write_bytes(data)
        hidden.rename(folder)
    return {f"{name}/{p.name}": canonical.sha256_file(p) for p in sorted(folder.iterdir())}


def _row(order_: Order, prompt: Prompt, hashes: dict[str, str]) -> Record:
    height, width = prompt.picture.shape[:2]
    return {
        "suite": order_.suite,
        "protocol": order_.protocol,
        "limit": order_.limit,
        "task": prompt.task.name,
        "id": prompt.sample,
        "number": prompt.number,
        "folder": prompt.folder,
        "files": hashes,
        "size": [height, width],
        "frames": prompt.view.frames,
        "shown": len(prompt.question.frames),
        "asked": prompt.question.n,
        "to_move": str(prompt.question.context.get("to_move", "")),
        "instruction": prompt.instruction,
    }


def _finish(settings: Record, suite: Suite, out: Path, rows: list[Record]) -> None:
    """The index and what explains it, last."""
    if settings["format"] == "frames" and settings["kind"] == "prompts":
        atomic.write(out / METADATA, _lines(_metadata(row) for row in rows))
    atomic.write(out / README, readme.text(settings, suite.about, rows).encode())
    atomic.write(out / INDEX, _lines(rows))


def _lines(rows: Iterable[Record]) -> bytes:
    return b"".join(dumps(row) + b"\n" for row in rows)


def _metadata(row: Record) -> Record:
    """A row as the folder builder of ``datasets`` reads it: the picture to go on from, and the words."""
    last = FORMATS["frames"].reference.format(last=row["shown"] - 1)
    kept = ("task", "id", "number", "shown", "asked", "to_move", "instruction")
    return {"file_name": f"{row['folder']}/{row['id']}/{last}", **{key: row[key] for key in kept}}
