"""``predictions:DIR``: answers that were made elsewhere, found by task and sample.

For the task ``go9/next-move`` (folder ``go9-next-move``) and the sample ``g000-p010`` one of these is read:

    DIR/go9-next-move/g000-p010.png | .gif | .mp4 | .webm | .npy
    DIR/go9-next-move/g000-p010/*.png         frames, in the order of their names
    DIR/go9-next-move/00000.mp4               numbered as in DIR/prompts.jsonl, which export-prompts writes

Later asks of the same sample (second tries) are ``g000-p010.1.png``, ``g000-p010.2.png``, ...
Nothing outside of DIR is read.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gobench import canonical
from gobench.errors import DataError, UsageError
from gobench.types import Array, Json, Record
from gobench.zeroshot.files import INDEX, MARK, READERS, read_frames

NUMBERED = re.compile(r"\d{5,}")
ROW: Record = {"task": str, "id": str, "number": str, "size": [int], "frames": int}


class Predictions:
    """A model that only looks its answers up. ``kind`` "video"; its weights are the files of its folder."""

    ready_made = True
    any_length = True
    kind = "video"
    context_keys = ("id", "task", "ask")
    parameters = 0

    def __init__(self, folder: str) -> None:
        """Raises UsageError where there is no such folder, DataError for a broken prompts.jsonl."""
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise UsageError(
                f"predictions:{folder}: there is no folder {folder!r}. Give the folder that holds TASK/ID.mp4; "
                "`gobench export-prompts SUITE --out DIR` writes the prompts and says where answers go."
            )
        _refuse_prompts(self.folder)
        self._root = self.folder.resolve()
        rows = _index(self.folder)
        self._numbers = {(row["task"], row["id"]): row["number"] for row in rows}
        if rows:  # the prompts as they were exported: what the answers are compared with
            self.frame_size = (int(rows[0]["size"][0]), int(rows[0]["size"][1]))
            self.max_frames = int(rows[0]["frames"])
        self._purposes = {
            (row["suite"], row["protocol"]) for row in rows if {"suite", "protocol"} <= row.keys()
        }
        self._files: dict[str, dict[str, list[Path]]] = {}

    @property
    def made_for(self) -> Record | None:
        """{"suite", "protocol"} of the prompts that were answered; None where prompts.jsonl does not say one."""
        if len(self._purposes) != 1:
            return None
        return dict(zip(("suite", "protocol"), next(iter(self._purposes)), strict=True))

    def begin(self, public: Mapping[str, Json]) -> None:
        """Raises UsageError where the answers are to prompts of another suite or protocol than is asked now."""
        now = tuple(str(public.get(key, "")) for key in ("suite", "protocol"))
        if not self._purposes or not all(now) or now in self._purposes:
            return
        suite, protocol = sorted(self._purposes)[0]
        raise UsageError(
            f"predictions:{self.folder} answers prompts of {suite} under the protocol {protocol} ({INDEX} says so), "
            f"but is asked for {now[0]} under {now[1]}. Add --suite {suite} --protocol {protocol}."
        )

    @cached_property
    def weights_sha256(self) -> str:
        """sha256 over the names and contents of all files of answers, whatever their order."""
        files = [p for p in self.folder.rglob("*") if p.is_file() and not _hidden(p.relative_to(self.folder))]
        table = {str(p.relative_to(self.folder)): canonical.sha256_file(self._inside(p)) for p in files}
        return canonical.sha256(canonical.dumps(table))

    def coverage(self, task: str, ids: Sequence[str]) -> Record:
        """What is there before a run: {"found": n, "missing": [ids without a file, in the order given]}."""
        missing = [sample for sample in ids if self._path(task, sample, 0) is None]
        return {"found": len(ids) - len(missing), "missing": missing}

    def generate(
        self,
        frames: Array,
        n: int,
        seeds: npt.NDArray[np.uint64],
        context: Sequence[Mapping[str, Json]] | None = None,
    ) -> list[Array]:
        """The answers found for ``context``'s samples: B arrays uint8 [m, h, w, 3], not stacked.

        With n > 0 they are n frames of the prompt's size, with n = 0 whatever was found. m is 0 for a sample without
        a file.

        Raises:
            DataError: a file that cannot be read, an answer of another size or length than n > 0 wants, two files
                for one sample, or a link out of the folder.
        """
        if context is None or len(context) != len(frames):
            raise UsageError("ready-made answers are found by the context's id and task: pass them.")
        return [self._answer(c, frames.shape[2:4], n) for c in context]

    def _answer(self, context: Mapping[str, Json], size: tuple[int, ...], n: int) -> Array:
        none = np.empty((0, size[0], size[1], 3), np.uint8)
        path = self._path(str(context["task"]), str(context["id"]), int(context.get("ask", 0)))
        if path is None:
            return none
        try:
            found = read_frames(path)
        except DataError as error:
            raise DataError(
                f"{error} Replace it, or remove it: a sample without a file is missing."
            ) from error
        if n and (len(found), *found.shape[1:3]) != (n, *size):
            raise DataError(
                f"{path} holds {len(found)} frames of {found.shape[1]}x{found.shape[2]}, but {n} of "
                f"{size[0]}x{size[1]} were asked for. Answers of any size and length: --protocol zero-shot."
            )
        return found

    def _path(self, task: str, sample: str, ask: int) -> Path | None:
        """The file or folder of an answer, None where there is none."""
        folder = task.replace("/", "-")
        if folder not in self._files:
            self._files[folder] = self._listed(folder)
        there = self._files[folder]
        names = [sample, self._numbers.get((task, sample), sample)]
        found = [p for name in dict.fromkeys(names) for p in there.get(f"{name}.{ask}" if ask else name, ())]
        if len(found) > 1:
            raise DataError(
                f"{self.folder}: {' and '.join(p.name for p in found)} are both answers of {sample}: keep one."
            )
        if not found and not self._numbers:
            self._check_numbered(folder)
        return self._inside(found[0]) if found else None

    def _listed(self, folder: str) -> dict[str, list[Path]]:
        """Name without suffix -> the files and folders of answers with it."""
        table: dict[str, list[Path]] = {}
        home = self.folder / folder
        if not home.is_dir():
            return table
        for path in sorted(self._inside(home).iterdir()):
            if path.name.startswith("."):
                continue
            if path.is_dir():
                table.setdefault(path.name, []).append(path)
            elif path.suffix.lower() in READERS:
                table.setdefault(path.stem, []).append(path)
        return table

    def _check_numbered(self, folder: str) -> None:
        numbered = next((p for name, p in self._files[folder].items() if NUMBERED.fullmatch(name)), None)
        if numbered:
            raise DataError(
                f"{numbered[0]} is a numbered answer, but {self.folder / INDEX} is not there to say of which sample. "
                f"Copy the file {INDEX} out of the folder that `gobench export-prompts ... --out PROMPTS` wrote: "
                f"cp PROMPTS/{INDEX} {shlex.quote(str(self.folder / INDEX))} (or name answers after their samples, ID.mp4)."
            )

    def _inside(self, path: Path) -> Path:
        """The same path; DataError where it leads out of the folder."""
        if not path.resolve().is_relative_to(self._root):
            raise DataError(f"{path} is a link out of {self.folder}: answers lie in the folder itself.")
        return path


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _refuse_prompts(folder: Path) -> None:
    """DataError for a folder of exported prompts: read as answers, they would all be unchanged frames."""
    mark = folder / MARK
    if not mark.is_file():
        return
    facts = canonical.read_json(mark)
    if isinstance(facts, dict) and facts.get("kind") == "prompts":
        raise DataError(
            f"{folder} holds exported prompts, not answers: put TASK/00000.mp4 or TASK/ID.mp4 into a folder of their "
            f"own, with a copy of {INDEX} from {folder}."
        )


def _index(folder: Path) -> list[Record]:
    """The rows of DIR/prompts.jsonl, where it is there: how samples were numbered, and how large they were drawn."""
    path = folder / INDEX
    if not path.is_file():
        return []
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{path} is a link out of {folder}: copy the file.")
    rows = []
    for k, line in enumerate(path.read_bytes().splitlines(), 1):
        row = canonical.loads(line, f"{path}, line {k}")
        canonical.check(row, ROW, f"{path}, line {k}")
        for key in ("suite", "protocol"):
            if key in row:
                canonical.check(row[key], str, f"{path}, line {k}: {key}")
        rows.append(row)
    return rows
