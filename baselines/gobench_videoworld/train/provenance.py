"""What a ``model.pt`` says of its making; the keys are those of ``gobench.models.contents.PROVENANCE``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

import gobench
from gobench.build.assemble import MANIFEST
from gobench.canonical import sha256, sha256_file
from gobench.card import license_of
from gobench.models.weights import weights_hash
from gobench.types import Json, Record
from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.data.splits import TRAIN
from gobench_videoworld.options import TrainOptions
from gobench_videoworld.train.material import Material

EVALUATED = "eval/"
TOLD = ("step", "tokens", "seconds")  # of a log's row, beside what was evaluated


def provenance(
    asked: TrainOptions,
    config: VideoWorldConfig,
    material: Material,
    stages: Mapping[str, Record],
    parts: Mapping[str, Mapping[str, Tensor]],
) -> Record:
    """Plain data for ``gobench.models.save``. It names no licence of the weights: that is for whoever shares them to say.

    Args:
        stages: stage -> what it came to, for those in the model.
        parts: stage -> its weights.
    """
    return {
        "name": f"videoworld-{asked.size}-{config.input}" + ("-faithful" if asked.paper_faithful else ""),
        "trained_on": [_dataset(material, asked)],
        "held_out": material.held_out,
        "frames_watched": sum(int(row.get("frames", 0)) for row in stages.values()),
        "labels_used": ["actions"] if config.input == "state" else [],
        "steps": {name: row["step"] for name, row in stages.items()},
        "flops": float(sum(row["flops"] for row in stages.values())),
        "seconds": round(sum(row["seconds"] for row in stages.values()), 1),
        "seed": asked.seed,
        "options": asked.decisive(),
        "weights": {name: part_hash(config, name, tensors) for name, tensors in parts.items()},
        "code": {"gobench": gobench.__version__, "torch": str(torch.__version__), "videoworld_sha256": code_hash()},
        "buffers": material.networks.buffers(),
        "curve": {name: curve(asked.work / name) for name in stages},
    }  # fmt: skip


def part_hash(config: VideoWorldConfig, part: str, tensors: Mapping[str, Tensor]) -> str:
    """sha256 in hex of a part's own table and weights; of a tokenizer, what token stores are made by."""
    return weights_hash(config.to_json()[part], tensors)


def _dataset(material: Material, asked: TrainOptions) -> Record:
    data = material.data
    return {
        "name": asked.data.resolve().name,
        "recipe": data.manifest["recipe"],
        "content": data.manifest["content"],
        "manifest_sha256": sha256_file(data.folder / MANIFEST),
        "episodes": int(material.windows(TRAIN).provenance["episodes"]),
        "license": license_of(data.manifest),
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
