"""What a ``model.pt`` says of its making; the keys are those of ``gobench.models.contents.PROVENANCE``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import torch

import gobench
from gobench.build.assemble import MANIFEST
from gobench.canonical import sha256, sha256_file
from gobench.dataset import Dataset
from gobench.types import Json, Record
from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.options import TrainOptions

EVALUATED = "eval/"
TOLD = ("step", "tokens", "seconds")  # of a log's row, beside what was evaluated


def provenance(
    asked: TrainOptions,
    config: VideoWorldConfig,
    data: Dataset,
    stages: Mapping[str, Record],
    watched: Record,
) -> Record:
    """Plain data for ``gobench.models.save``.

    Args:
        stages: stage -> what it came to, for those in the model.
        watched: of the transformer's windows.
    """
    return {
        "name": f"videoworld-{asked.size}-{config.input}" + ("-faithful" if asked.paper_faithful else ""),
        "trained_on": [_dataset(data, asked, watched)],
        "frames_watched": int(watched["frames_watched"]),
        "labels_used": ["actions"] if config.input == "state" else [],
        "steps": {name: row["step"] for name, row in stages.items()},
        "flops": float(sum(row["flops"] for row in stages.values())),
        "seconds": round(sum(row["seconds"] for row in stages.values()), 1),
        "seed": asked.seed,
        "options": asked.decisive(),
        "code": {"gobench": gobench.__version__, "torch": str(torch.__version__), "videoworld_sha256": code_hash()},
        "curve": {name: curve(asked.work / name) for name in stages},
        "license": "apache-2.0",
    }  # fmt: skip


def _dataset(data: Dataset, asked: TrainOptions, watched: Record) -> Record:
    return {
        "name": asked.data.resolve().name,
        "recipe": data.manifest["recipe"],
        "content": data.manifest["content"],
        "manifest_sha256": sha256_file(data.folder / MANIFEST),
        "episodes": int(watched["episodes"]),
    }


def curve(folder: Path) -> list[Json]:
    """The rows of a stage's log in which something was evaluated."""
    path = folder / "log.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []
    found = []
    for row in rows:
        looked = {
            key.removeprefix(EVALUATED): value for key, value in row.items() if key.startswith(EVALUATED)
        }
        if looked:
            found.append({**{key: row[key] for key in TOLD if key in row}, **looked})
    return found


@cache
def code_hash() -> str:
    """sha256 over the files of this room."""
    home = Path(__file__).resolve().parent.parent
    names = sorted(home.rglob("*.py"))
    return sha256(b"".join(f"{p.relative_to(home)}\0".encode() + p.read_bytes() for p in names))
