"""What an analysis is of: a trained model to ask, or what models and results tell of themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gobench.build.assemble import MANIFEST
from gobench.canonical import sha256_file
from gobench.dataset import Dataset
from gobench.errors import DataError, UsageError
from gobench.types import Json, Record
from gobench_videoworld.config import VideoWorldConfig, from_json

if TYPE_CHECKING:
    from gobench.results import Result, TaskResult
    from gobench_videoworld.model import VideoWorld

NAME = "videoworld"
NO_CODES = {
    "state": "a state model reads positions and labelled moves: it has no latent codes",
    "video": "this model was trained on video alone: it has no latent codes",
}


def opened(place: str, device: str = "cpu") -> VideoWorld:
    """A trained VideoWorld: model.pt, or model.pt?temperature=0.5 with other settings of its sampler.

    Args:
        device: a torch device, or "auto": a GPU where there is one.

    Raises:
        UsageError: another model's file, no such setting, or a device that is not there. DataError: no file, or a broken one.
    """
    from gobench_videoworld.model import VideoWorld
    from gobench_videoworld.train.parallel import choose_device

    return VideoWorld(place, str(choose_device(device)))


def with_codes(place: str, device: str = "cpu") -> VideoWorld:
    """The same of a model that has latent codes; UsageError for others, which says what to train."""
    model = opened(place, device)
    if why := lacking(model.config):
        raise UsageError(
            f"{place.partition('?')[0]}: {why}, which this analysis is about. Train one with codes: "
            "gobench train videoworld --input video+ldm"
        )
    return model


def lacking(config: VideoWorldConfig) -> str:
    """Why a model has no latent codes; "" where it has."""
    if config.input in NO_CODES:
        return NO_CODES[config.input]
    return "" if config.codes else 'this model predicts frames alone (target "video"): it has no latent codes'


def same_world(config: VideoWorldConfig, data: Dataset) -> None:
    """UsageError where a dataset does not show what a model watched."""
    from gobench_videoworld.configure import scene

    seen = scene(data)
    pairs: Mapping[str, tuple[Any, Any]] = {
        "domain": (config.domain, seen.domain),
        "board": (config.board, seen.board or config.board),
        "theme": (config.theme, seen.theme),
        "frame size": (config.frame_size, seen.frame_size),
    }
    for what, (own, there) in pairs.items():
        if own != there:
            raise UsageError(
                f"{data.folder}: its {what} is {shown(there)}, and the model watched the {what} {shown(own)}: give a "
                "dataset like the one that the model was trained on."
            )


def shown(value: Any) -> str:
    """(9, 9) as "9x9"."""
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def model_facts(model: VideoWorld) -> Record:
    """What an analysis notes of its model."""
    return {
        "name": str(model.provenance.get("name", NAME)),
        "weights_sha256": model.weights_sha256,
        "input": model.config.input,
        "latent": model.config.latent.form,
        "offsets": list(model.config.latent.offsets),
        "trained_on": model.provenance.get("trained_on", []),
    }


def data_facts(data: Dataset) -> Record:
    """What an analysis notes of its dataset."""
    return {
        "name": data.folder.resolve().name,
        "recipe": data.manifest["recipe"],
        "content": data.manifest["content"],
        "manifest_sha256": sha256_file(data.folder / MANIFEST),
    }


@dataclass(frozen=True, slots=True)
class Told:
    """A VideoWorld as its file, or a result of it, tells."""

    place: str  # name of the file or folder
    config: VideoWorldConfig | None  # of a model's file; results do not tell it
    provenance: Record
    parameters: int
    weights_sha256: str
    parts: Mapping[str, int] = field(default_factory=dict)  # network -> parameters, of a model's file
    result: Result | None = None

    @property
    def name(self) -> str:
        """What tables call it."""
        return str(self.provenance.get("name", NAME))

    @property
    def seed(self) -> int:
        """Root of its training's randomness."""
        return int(self.provenance.get("seed", 0))

    @property
    def options(self) -> Record:
        """What its training was asked for."""
        found = self.provenance.get("options", {})
        return dict(found) if isinstance(found, Mapping) else {}

    @property
    def data(self) -> Record:
        """The dataset that it was trained on, as ``train.provenance`` tells it; {} where a file tells none."""
        rows = self.provenance.get("trained_on", [])
        return dict(rows[0]) if isinstance(rows, list) and rows and isinstance(rows[0], Mapping) else {}

    def curve(self, stage: str) -> list[Record]:
        """The rows of a stage in which something was evaluated, oldest first."""
        found = self.provenance.get("curve", {})
        rows = found.get(stage, []) if isinstance(found, Mapping) else []
        return [dict(row) for row in rows if isinstance(row, Mapping) and "step" in row]


def told(place: Path) -> Told:
    """Read a model's file or folder, or a result.json or the folder with it; no network is made.

    Raises:
        DataError: it is neither, or broken. UsageError: another model's.
    """
    if place.name.endswith(".json") or (place / "result.json").is_file():
        return _of_result(place)
    from gobench.models.contents import contents

    found = contents(place)
    if found["model"] != NAME:
        raise UsageError(f"{place} is for the model {found['model']!r}: this analysis is of {NAME} models.")
    parts = {name: int(part["parameters"]) for name, part in found["parts"].items()}
    config = from_json(found["config"])
    return Told(place.name, config, found["provenance"], found["parameters"], found["weights_sha256"], parts)


def _of_result(place: Path) -> Told:
    from gobench.results import read_result

    found = read_result(place)
    model = found.model
    if not model.weights_sha256 or "curve" not in model.provenance:
        raise UsageError(
            f"{place} is a result of {model.name!r}, which tells no training: give results of model.pt files that "
            "`gobench train videoworld` has made."
        )
    name = place.parent.name if place.name.endswith(".json") else place.name
    return Told(name, None, model.provenance, model.parameters or 0, model.weights_sha256, {}, found)


def together(models: Sequence[Told]) -> list[Told]:
    """Each model once, with its result where one was given beside its file; in the order in which they come."""
    found: dict[str, Told] = {}
    for one in models:
        before = found.get(one.weights_sha256)
        found[one.weights_sha256] = one if before is None else _both(before, one)
    return list(found.values())


def _both(a: Told, b: Told) -> Told:
    file, other = (a, b) if a.config is not None else (b, a)
    return Told(file.place, file.config, file.provenance, file.parameters, file.weights_sha256, file.parts,
                other.result or file.result)  # fmt: skip


def labels(models: Sequence[Told]) -> list[str]:
    """A name for each, equal for trainings that differ in the seed alone; with what they were asked for where names are equal."""
    asked = [{**one.options, **({"data": one.data.get("name", "")} if one.data else {})} for one in models]
    found = []
    for one, own in zip(models, asked, strict=True):
        others = [table for other, table in zip(models, asked, strict=True) if other.name == one.name]
        differing = [
            key
            for key in own
            if key != "seed" and own[key] is not None and any(t.get(key) != own[key] for t in others)
        ]
        found.append(", ".join([one.name, *(f"{key} {_brief(own[key])}" for key in differing)]))
    return found


def _brief(value: Json) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def the_task(result: Result, metric: str, name: str = "") -> TaskResult:
    """The first task of a result that has a metric, or the named one. Raises DataError where there is none."""
    for task in result.tasks:
        if (not name or name in (task.name, task.name.rpartition("/")[2])) and task.metrics.get(metric):
            return task
    known = sorted({key for task in result.tasks for key, number in task.metrics.items() if number})
    raise DataError(
        f"the result of {result.model.name} on {result.suite.name} has no metric {metric!r}"
        f"{f' of a task {name!r}' if name else ''}. It has: {', '.join(known) or 'none'}."
    )
