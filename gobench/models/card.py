"""The model card: what a model file tells, what results say of it, as Markdown with a header for the hub.

The text is ``cards/model.md.j2``; the same file and results give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from gobench import atomic, registry
from gobench.card import citation, code, template
from gobench.errors import DataError
from gobench.models import contents
from gobench.models.describe import KINDS, ModelInfo
from gobench.models.files import open_model
from gobench.models.installed import about
from gobench.results import Number, Result, read_result
from gobench.types import Record

TEMPLATE = "model"
CARD = "README.md"


class Score(NamedTuple):
    """A line of the table of scores."""

    suite: str
    protocol: str
    task: str
    version: str
    metric: str
    headline: bool
    number: Number
    part: bool  # of the samples only


def model_card(path: Path, results: Sequence[Path] = ()) -> str:
    """The card of a model.

    Args:
        path: ``model.pt``, or a folder with config.json and model.safetensors.
        results: results of ``gobench evaluate``, whose numbers the card shows.

    Raises:
        DataError: no model, no result, or a result of other weights.
    """
    told = contents.contents(path)
    read = [_of_this(place, told["weights_sha256"]) for place in results]
    text = template(TEMPLATE).render(context(path, told, read))
    return f"---\n{front_matter(told, read)}---\n\n{text.strip()}\n"


def write_model_card(path: Path, results: Sequence[Path] = ()) -> Path:
    """Write the card beside the model: README.md in a folder, NAME.md beside the file NAME.pt. Returns its path."""
    place = path / CARD if path.is_dir() else path.with_suffix(".md")
    atomic.write(place, model_card(path, results).encode())
    return place


def context(path: Path, told: Record, results: Sequence[Result]) -> Record:
    """What the template may use."""
    provenance = told["provenance"]
    hidden = {"name", "trained_on", "frames_watched", "labels_used", "license", contents.CURVE}
    info = described(path, told["model"])
    return {
        "told": told,
        "title": provenance.get("name") or told["model"],
        "about": about(told["model"]) if told["model"] in registry.installed("models") else "",
        "info": info,
        "kind": KINDS[info.kind] if info else "",
        "provenance": provenance,
        "datasets": datasets(provenance),
        "labels": provenance.get("labels_used"),
        "settings": list(contents.rows({k: v for k, v in provenance.items() if k not in hidden})),
        "end": list(contents.rows(contents.last_rows(provenance.get(contents.CURVE, {})))),
        "config": list(contents.rows(told["config"])),
        "scores": [score for result in results for score in scores(result)],
        "standings": [(r.suite.name, r.standing.elo) for r in results if r.standing],
        "tested": results,
        "citation": citation(),
    }


def described(path: Path, model: str) -> ModelInfo | None:
    """What the model says of itself once it is made; None where it is not installed, or does not make this file."""
    if model not in registry.installed("models"):
        return None
    try:
        return open_model(path, str(path), "cpu", "float32")[1]
    except DataError:  # of another version, or not whole: the card tells what can be read
        return None


def datasets(provenance: Record) -> list[Record]:
    """``trained_on`` as a list of tables, whether it holds names or tables."""
    given = provenance.get("trained_on") or []
    listed = given if isinstance(given, list) else [given]
    return [item if isinstance(item, dict) else {"name": str(item)} for item in listed]


def scores(result: Result) -> Iterator[Score]:
    """The metrics of a result, the headline of each task first."""
    for task in result.tasks:
        ordered = sorted(task.metrics.items(), key=lambda item: item[0] != task.headline)
        for name, number in ordered:
            if number is not None:
                yield Score(
                    result.suite.name, result.suite.protocol, task.name, task.version,
                    name, name == task.headline, number, not task.complete,
                )  # fmt: skip


def front_matter(told: Record, results: Sequence[Result] = ()) -> str:
    """The YAML between the dashes, as the hub reads it: licence, tags, and the headline numbers as a model index."""
    import yaml  # type: ignore[import-untyped]

    provenance = told["provenance"]
    kind = str(provenance.get("license", "other"))
    table: Record = {
        "license": kind,
        **({"license_name": "see-card", "license_link": "#licence"} if kind == "other" else {}),
        "library_name": "video-gobench",
        "pipeline_tag": "image-to-video",
        "tags": sorted({"video", "world-model", "video-gobench", told["model"]}),
    }
    heads = [score for result in results for score in scores(result) if score.headline]
    if heads:
        name = str(provenance.get("name") or told["model"])
        table["model-index"] = [{"name": name, "results": [_indexed(score) for score in heads]}]
    return str(yaml.safe_dump(table, sort_keys=False, allow_unicode=True, width=1000))


def _indexed(score: Score) -> Record:
    name = f"{score.suite}, protocol {score.protocol}" + (", a part of the samples" if score.part else "")
    return {
        "task": {"type": "image-to-video", "name": f"{score.task} {score.version}"},
        "dataset": {"name": name, "type": score.suite},
        "metrics": [{"type": score.metric, "name": score.metric, "value": score.number.value}],
    }


def _of_this(place: Path, weights: str) -> Result:
    result = read_result(place)
    if result.model.weights_sha256 != weights:
        raise DataError(
            f"{place} is a result of other weights ({code(result.model.name)}, sha256 "
            f"{str(result.model.weights_sha256)[:12]}, not {weights[:12]}): evaluate this model first."
        )
    return result
