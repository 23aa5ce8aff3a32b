"""The whole contract between the core, the domains and the models. Shapes are numpy shapes, pictures uint8.

    source -> rules -> render -> codec -> shards -> loader -> ... -> model -> read -> task -> score

A **domain** (Go, robots) turns a recipe into episodes and episodes into clips. A **model** continues clips.
The core moves them about and knows neither a game nor a network.

=========  ===========================================================================================
T          frames of a clip; frame 0 is the state before the first move or action
H, W       height and width of a frame in pixels
RGB        uint8 [T, H, W, 3]
YUV        planar 4:2:0, BT.601, limited range: y uint8 [T, H, W], u and v uint8 [T, H/2, W/2], even H and W
=========  ===========================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

Json: TypeAlias = Any
Record: TypeAlias = dict[str, Json]
Array: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Episode:
    """One game or one robot run as plain data: everything but the pixels.

    ``record`` becomes ``KEY.json``: the same keys with the same types in every episode of a domain, no nulls,
    no dates, hosts or absolute paths.
    """

    record: Record


@dataclass(frozen=True, slots=True)
class Rejection:
    """A candidate that was not taken, and why. Counted by ``reason`` and listed in the build report."""

    origin: str  # file (and member) relative to its source, or the stream's name
    reason: str  # a short slug: "illegal-move", "unreadable", "board-size"
    detail: str  # one line for a person
    ply: int = -1  # 0-based ply at which it went wrong, -1 where none is meant


class Yuv(NamedTuple):
    """Planar 4:2:0 frames (BT.601, limited range): y [T, H, W], u and v [T, H/2, W/2], all uint8."""

    y: Array
    u: Array
    v: Array


class Source(Protocol):
    """Where episodes come from: a fixed number of units, each a pure function of its index.

    A unit is one self-play game or one file of an archive; it may give several episodes, or none. A source may
    have an attribute ``limit``, how many of its candidates are kept at most (0: all); without it, the recipe's
    ``episodes``.
    """

    @property
    def units(self) -> int:
        """How many units there are."""
        ...

    @property
    def inputs(self) -> Mapping[str, str]:
        """Name -> sha256 of everything read from outside the recipe: part of the plan, so of the bytes."""
        ...

    def unit(self, index: int) -> Iterator[Episode | Rejection]:
        """The candidates of unit ``index`` (0 <= index < units), always the same ones in the same order."""
        ...


class AskingSource(Source, Protocol):
    """A source that asks somebody whose answers do not repeat, such as a program of others that plays or judges.

    A build asks once, about unit after unit, and writes the answers into a journal (``gobench.build.journal``) whose
    hash becomes one of the plan's inputs. From then on only ``told`` is called: nobody has to be there to answer.
    Any source may have these attributes; one whose ``asking`` is empty asks nobody. ``ask`` is called from several
    threads at once, since it waits for others. A ``close()``, if there is one, ends what asking has started; it may be
    called while threads ask, which then may raise, and again after that.
    """

    @property
    def asking(self) -> Sequence[int]:
        """The units about which somebody is asked, rising."""
        ...

    @property
    def asked(self) -> Mapping[str, Json]:
        """All that is asked, as plain data without places on this machine: equal questions share a journal."""
        ...

    def ask(self, index: int) -> Json:
        """The answer about unit ``index``, one of ``asking``, as plain data. Raises GobenchError where none comes."""
        ...

    def told(self, index: int, answer: Json) -> Iterator[Episode | Rejection]:
        """The candidates of unit ``index`` given the answer about it: what ``unit`` yields, which asks anew.

        Raises DataError for an answer that does not fit the unit.
        """
        ...


class Clip(Protocol):
    """A drawn episode whose frames are made when asked for."""

    @property
    def length(self) -> int:
        """T, the number of frames."""
        ...

    @property
    def height(self) -> int: ...

    @property
    def width(self) -> int: ...

    def rgb(self, start: int = 0, stop: int | None = None, step: int = 1) -> Array:
        """Frames ``range(start, stop, step)`` as uint8 [T', H, W, 3]."""
        ...

    def yuv(self, start: int = 0, stop: int | None = None, step: int = 1) -> Yuv:
        """The same frames as 4:2:0 planes; H and W must be even."""
        ...

    def damage(self) -> npt.NDArray[np.bool_]:
        """Bool [T, ceil(H/16), ceil(W/16)]: the 16x16 blocks that may differ from the frame before.

        Row 0 is all True. A True block may be unchanged; a False block is unchanged for certain.
        """
        ...


class Verdict(NamedTuple):
    """What an answer to "what comes next?" is worth."""

    kind: str  # a short slug of the domain's: "clean", "no-change", "occupied"
    legal: bool  # one move or action can be read in it, and the rules allow it there


class Domain(Protocol):
    """A world that can be drawn: what ``gobench`` asks of a room under ``generators/``.

    ``options`` is the domain's part of a recipe after ``configure``: plain JSON, every key present.

    A domain may offer more, and is asked only if it does: ``warm()`` compiles what workers need;
    ``override(options, flags)`` applies command-line flags; ``public_options(options)`` are the options as
    stored, without places on this machine; ``transform(record, k)`` and ``resize(record, size)`` spare a loader
    work on pixels; ``replay(record)`` lets the preview page play an episode; ``card_facts(manifest)`` tells the
    licence and the flags that a card names; ``film(record, options)`` is asked instead of ``clip`` while a dataset is
    built, and ``drawable(options)`` says whether ``clip`` can draw its records later: not where pictures were read from
    files; ``position_hashes(record)`` gives what a dataset's sketch holds;
    ``checks()`` adds to what ``gobench doctor`` looks at.

    To those who train it may offer a world of cells with symbols and actions (cell, symbol), where (cells, 0) is
    none: ``grid(options)``, rows and columns of the natural cells of a picture; ``symbols(options)``, how many
    symbols a cell may show; ``states(options, frames)``, uint8 [N, cells] as the benchmark reads pictures uint8
    [N, H, W, 3]; ``labels(record)``, int64 [T - 1, 2], the action between each frame and the next;
    ``act(options, frames, actions)``, the pictures after actions int64 [N, 2], the same where an action cannot be;
    and ``verdicts(record, times, frames)``, one ``Verdict`` for each of N pictures as the answer to what comes after
    frame ``times[n]`` of an episode. States and labels turn with ``transform`` as pictures do. ``readable(options,
    frames)``, bool [N], may say which pictures show cells at all; without it all are taken to.

    One in which models are evaluated is a ``gobench.tasks.Benchmark`` too.
    """

    name: str
    version: str

    def recipes(self) -> Mapping[str, Record]:
        """Named recipes as plain tables (see ``gobench.build.recipes.Recipe`` for the core's keys)."""
        ...

    def configure(self, options: Mapping[str, Json]) -> Record:
        """Fill in defaults and check; raises UsageError that names the key, the value and what is allowed."""
        ...

    def source(self, options: Mapping[str, Json], episodes: int, seed: int) -> Source:
        """Stage 1: the candidates of a recipe."""
        ...

    def fingerprint(self, episode: Episode, dedup: str) -> int:
        """A 64-bit identity: equal for episodes that ``dedup`` ("exact" or "symmetry") calls the same.

        Also asked of shipped records, by ``gobench verify``.
        """
        ...

    def finish(self, episode: Episode, key: str, options: Mapping[str, Json], seed: int) -> Episode:
        """Stage 2: the record as shipped in ``KEY.json`` (adds key, theme, size, seed, ...)."""
        ...

    def clip(self, record: Mapping[str, Json]) -> Clip:
        """Draw a shipped record. A pure function of the record: what the codec ``moves`` relies on."""
        ...

    def features(self) -> Mapping[str, Json]:
        """The type of every key of ``KEY.json``, as Hugging Face feature dictionaries."""
        ...

    def versions(self) -> Mapping[str, str]:
        """Packages and tables whose versions decide the bytes of records and frames."""
        ...


@runtime_checkable
class VideoModel(Protocol):
    """Anything that continues a video. The benchmark reads moves and actions off its frames.

    A model may say more of itself by attributes, all optional (see ``gobench.models.ModelInfo`` for defaults):
    ``frame_size`` (height, width) in pixels; ``max_frames``, the longest prompt it takes; ``context_keys``, what it
    reads of the context; ``kind`` ("video", "state", "floor", "ceiling"); ``parameters``; ``trained_on``. It may have
    ``begin(public)``, called with a task's public settings before its first sample, and ``close()``. One that knows what
    to do and not what it looks like has ``generate_actions`` with the arguments of ``generate``, whose answer is a float
    array [B, n, A]; it is asked for that where a task takes actions.
    """

    def generate(
        self,
        frames: Array,
        n: int,
        seeds: npt.NDArray[np.uint64],
        context: Sequence[Mapping[str, Json]] | None = None,
    ) -> Array:
        """Continue B clips.

        Args:
            frames: uint8 [B, T, H, W, 3], the prompt.
            n: how many frames to add.
            seeds: uint64 [B], one a sample: equal seeds and prompts give equal answers.
            context: one mapping a sample with the keys that the model declares, or None if it declares none.

        Returns:
            uint8 [B, n, H, W, 3].
        """
        ...
