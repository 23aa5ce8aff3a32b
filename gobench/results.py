"""The result of an evaluation as strict models: what is written, read, compared and put on a leaderboard.

A result is plain JSON in one canonical form: sorted keys, floats rounded to ``DIGITS``. It holds nothing that depends
on workers, order, time, hosts or places on a disk, so that equal evidence gives equal bytes. Proportions lie in
[0, 1]; what is missing is null, never 0.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gobench.canonical import dumps, pretty, sha256
from gobench.errors import DataError, UsageError
from gobench.types import Json, Record

SCHEMA = 1  # raised when a field changes its meaning or goes
FILE = "result.json"
DIGITS = 6  # after the point, of every number in a result; part of the protocol

Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]


class Strict(BaseModel):
    """Nothing unknown, nothing converted, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class SuiteFacts(Strict):
    """What was asked."""

    name: str
    domain: str
    protocol: str


class ModelFacts(Strict):
    """Who answered."""

    name: str
    text: str = Field(description="How it was named on the command line, without private paths")
    form: str = Field(
        description='How it was opened: "file", "python", "installed", "cmd", "predictions", ...'
    )
    org: str = Field(default="", description="Who made it, as its maker states")
    kind: str = Field(description='"video", "state", "floor" or "ceiling"')
    video_only: bool = Field(description="Whether it saw frames alone")
    frame_size: tuple[int, int] = Field(description="Height and width of a frame as asked, in pixels")
    max_frames: Annotated[int, Field(ge=1)]
    context_keys: tuple[str, ...] = Field(description="What it read beside the frames")
    parameters: Count | None = None
    weights_sha256: Hex | None = None
    code_sha256: Hex | None = Field(default=None, description="Of the file with its class or program")
    provenance: dict[str, Any] = Field(
        default_factory=dict,
        description="Training data as its maker states it: datasets, shard hashes, frames watched, action labels",
    )
    attempts: Count | None = Field(
        default=None, description="How many results of it were looked at before, as its maker states"
    )


class Number(Strict):
    """One metric over some samples."""

    value: float
    interval: tuple[float, float] | None = Field(description="null where the samples allow none; see method")
    n: Annotated[int, Field(ge=1)] = Field(description="Samples on which it is defined")
    method: str = Field(description="How the interval was made")
    better: Literal["higher", "lower"]
    unit: str

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        low, high = self.interval or (self.value, self.value)
        if low > high:
            raise ValueError(f"the interval [{low}, {high}] is turned round")
        if self.unit == "proportion" and not (0 <= self.value <= 1 and low >= 0 and high <= 1):
            raise ValueError(f"a proportion lies in [0, 1], not {self.value} [{low}, {high}]")
        return self


Numbers = dict[str, Number | None]


class SliceFacts(Strict):
    """The metrics over a part of the samples."""

    n: Count
    metrics: Numbers


class BatchCheck(Strict):
    """Asked once more, one sample at a time: how many answers differ from those of a full batch."""

    asked: Count
    different: Count


class TaskResult(Strict):
    """One task."""

    name: str
    version: str
    protocol_hash: Hex
    headline: str
    n: Count = Field(description="Samples that were answered and scored")
    of: Count = Field(description="Samples of the task")
    complete: bool
    missing: str | None = Field(default=None, description="Why the task was not run, where it was not")
    metrics: Numbers
    clean: Numbers = Field(description="The same over answers that were read cleanly")
    slices: dict[str, SliceFacts]
    audit: dict[str, Count] = Field(description="Kind of answer -> how many")
    batch_check: BatchCheck | None = None
    batch_check_failed: str | None = Field(
        default=None, description="Why it could not be made, if it was tried"
    )

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.n > self.of:
            raise ValueError(f"{self.n} samples of {self.of}")
        if sum(self.audit.values()) != self.n:
            raise ValueError(f"the audit counts {sum(self.audit.values())} answers, n is {self.n}")
        return self


class Elo(Strict):
    """A rating, or a difference of two; see ``gobench.statistics.ratings``."""

    value: float = Field(
        description="The greatest posterior; where there is a bound, what the prior makes of it"
    )
    interval: tuple[float | None, float | None] | None = Field(
        description="null where the games allow none; an end is null where games hold it from the other side only"
    )
    bound: Literal[">=", "<=", "?"] | None = Field(
        description="At least, or at most, where one side won every game; ? where nothing is held"
    )
    n: Annotated[int, Field(ge=1)] = Field(description="Games")


class Match(Strict):
    """Games against an opponent."""

    task: str
    opponent: str
    games: Count
    wins: Count
    draws: Count
    losses: Count
    illegal: Count = Field(description="Answers that were no legal move")
    forfeits: Count = Field(description="Games lost by them")
    timeouts: Count
    unique_games: Count
    elo: Elo | None = Field(
        default=None, description="The model's rating less the opponent's, by these games"
    )
    path: str = Field(description="Of the games, relative to the result")
    sha256: Hex

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.wins + self.draws + self.losses != self.games:
            raise ValueError(f"{self.wins} + {self.draws} + {self.losses} are not {self.games} games")
        return self


class Standing(Strict):
    """Where the model stands among opponents whose ratings are given."""

    elo: Elo
    anchors: dict[str, float] = Field(description="Opponent -> its rating, which stayed as it was")


class Git(Strict):
    """The code that ran, where it was a checkout."""

    commit: str
    dirty: bool


class Environment(Strict):
    """What the numbers may depend on beside the model and the protocol."""

    packages: dict[str, str]
    git: Git | None
    python: str
    platform: str
    device: str
    dtype: str
    batch: Annotated[int, Field(ge=1)]
    seed: int


class Evidence(Strict):
    """One file of evidence."""

    task: str
    path: str = Field(description="Relative to the result")
    sha256: Hex
    rows: Count


class Watched(Strict):
    """A training set whose positions were looked up, for the slices of novel positions."""

    name: str
    manifest_sha256: Hex


class Provenance(Strict):
    """Who vouches for the numbers."""

    level: Literal["reported", "self-reported", "evidence-checked", "reproduced"] = "self-reported"
    sampled_by: str = ""
    evaluated_by: str = ""


class Scoring(Strict):
    """How intervals were made; part of every protocol hash."""

    draws: Count
    level: float
    seed: int
    digits: Count


class Result(Strict):
    """Everything that is said of one model on one suite."""

    schema_version: Literal[1] = Field(description="Version of this schema")
    suite: SuiteFacts
    model: ModelFacts
    tasks: tuple[TaskResult, ...]
    matches: tuple[Match, ...] = ()
    standing: Standing | None = Field(default=None, description="null where no opponent has a rating")
    environment: Environment
    scoring: Scoring
    oracle: dict[str, dict[str, Any]] = Field(description="Task -> who judged; empty where nobody did")
    trained_on: tuple[Watched, ...] = ()
    evidence: tuple[Evidence, ...]
    provenance: Provenance = Provenance()
    status: Literal["complete", "partial"]

    def task(self, name: str) -> TaskResult:
        """The task called ``name``; raises DataError if the result has none."""
        for task in self.tasks:
            if task.name == name:
                return task
        raise DataError(f"the result has no task {name!r}. It has: {', '.join(t.name for t in self.tasks)}.")

    def plain(self) -> Record:
        """Plain JSON data; nulls are written out."""
        table: Record = self.model_dump(mode="json")
        return table


def rounded(value: float) -> float:
    """To ``DIGITS`` digits, and no minus zero."""
    return round(float(value), DIGITS) + 0.0


def to_bytes(result: Result) -> bytes:
    """``result.json``: the canonical data, indented for people; ends with a newline."""
    return pretty(result.plain())


def content_hash(result: Result) -> str:
    """sha256 in hex of the canonical JSON: equal for equal results, however they are indented."""
    return sha256(dumps(result.plain()))


def from_plain(table: Record, where: str) -> Result:
    """Plain JSON data -> a result; raises as ``parse``."""
    return parse(dumps(table), where)


def parse(data: bytes, where: str) -> Result:
    """JSON -> a result. Raises DataError that names ``where`` it comes from and the field that does not fit."""
    try:
        return Result.model_validate_json(data)
    except ValidationError as error:
        raise DataError(f"{where} is no result of this version: {_first(error)}.") from error


def read_result(path: Path | str) -> Result:
    """The result in a file, or in a folder's ``result.json``.

    Raises:
        DataError: it is missing, or a field does not fit; the message names the field.
    """
    path = Path(path)
    if path.is_dir():
        path = path / FILE
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"cannot read {path}: {error.strerror or error}. Give a folder of `gobench evaluate` or its {FILE}."
        ) from error
    return parse(data, str(path))


def check_model(facts: Record, who: str) -> None:
    """Raise UsageError that names the model and its first fact that a result cannot hold."""
    try:
        ModelFacts.model_validate_json(dumps(facts))
    except ValidationError as error:
        raise UsageError(f"{who} says of itself what a result cannot hold: {_first(error)}.") from error


def schema() -> Json:
    """The JSON Schema (draft 2020-12) of a result, as plain data."""
    table = Result.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **table}


def _first(error: ValidationError) -> str:
    """The first thing that does not fit, and how many more."""
    found = error.errors(include_url=False)
    place = ".".join(str(step) for step in found[0]["loc"]) or "the whole"
    given = repr(found[0].get("input"))
    given = given if len(given) <= 60 else given[:57] + "..."
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{place}: {found[0]['msg']}, not {given}{more}"


def number(
    value: float, interval: tuple[float, float] | None, n: int, method: str, better: str, unit: str
) -> Record:
    """The plain form of a ``Number``, rounded; the interval may be None. Raises ValueError for NaN."""
    numbers = (value, *(interval or ()))
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"{value} {interval} over {n} samples is no number")
    return {
        "value": rounded(value),
        "interval": interval and list(map(rounded, interval)),
        "n": int(n),
        "method": method,
        "better": better,
        "unit": unit,
    }
