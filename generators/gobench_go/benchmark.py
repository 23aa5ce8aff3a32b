"""The suites and protocols of the Go domain, as tables, and how a suite is put together from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from gobench.errors import unknown
from gobench.tasks import MOST_FRAMES, Suite, Task
from gobench.types import Json, Record
from gobench_go.judged import JudgedSet, open_set
from gobench_go.match_suites import MATCHES, open_matches

BOTH, BLACK = (1, 2), (1,)
START_SEED = 0  # of where rollouts begin


@dataclass(frozen=True, slots=True)
class SuiteRow:
    """A suite: frozen games and what is asked about them."""

    about: str
    judged: str  # name of the judged games
    prefix: str  # of the tasks' names
    headline: str  # the metric of next moves that stands first
    plies: int  # how long a rollout goes on at most
    starts: int  # of rollouts, 1 or 2 a game
    entropies: tuple[float, float]  # nats that part the positions asked in three, near their terciles
    tasks: tuple[str, ...] = ("next-move", "rollout")


@dataclass(frozen=True, slots=True)
class ProtocolRow:
    """The conditions of a test."""

    about: str
    colors: tuple[int, ...]  # whose positions are asked
    tries: int  # until the first legal move
    scored_try: Literal["first", "first-legal"]  # the one that all metrics but legal_* are of
    answer: Literal["frame", "video"]
    tasks: tuple[str, ...] = ("next-move",)
    most: int = 0  # positions asked at most, a fixed fair part; 0: all


_SMALL = "positions on {0}x{0}, where the win rate saturates and the score is what counts, judged by a deep mcts search"

SUITES: Mapping[str, SuiteRow] = {
    "go9-lite": SuiteRow(
        about="next moves and rollouts on 9x9 from 110 games that KataGo judged",
        judged="go9-lite", prefix="go9", headline="accuracy", plies=60, starts=1, entropies=(1.45, 1.95),
    ),
    "go9": SuiteRow(
        about="the same from games that you have judged, with KataGo or with the embedded mcts",
        judged="go9", prefix="go9", headline="accuracy", plies=60, starts=1, entropies=(1.45, 1.95),
    ),
    "go7-lite": SuiteRow(
        about=_SMALL.format(7),
        judged="go7-lite", prefix="go7", headline="score_loss", plies=40, starts=2, entropies=(0.6, 1.4),
    ),
    "go5-lite": SuiteRow(
        about=_SMALL.format(5),
        judged="go5-lite", prefix="go5", headline="score_loss", plies=24, starts=2, entropies=(0.25, 1.25),
    ),
}  # fmt: skip
"""Suite of positions -> what it is. Suites of whole games: ``match_suites.MATCHES``."""

PROTOCOLS: Mapping[str, ProtocolRow] = {
    "standard": ProtocolRow(
        "both colours, 10 tries, the first one counts", BOTH, 10, "first", "frame", ("next-move", "rollout")
    ),
    "paper": ProtocolRow(
        "near the original's conditions: Black only, an illegal move is sampled again, up to 10 tries",
        BLACK,
        10,
        "first-legal",
        "frame",
    ),
    "zero-shot": ProtocolRow(
        "image-to-video models as they are: both colours, one answer of any size and length, at most 500 positions",
        BOTH,
        1,
        "first",
        "video",
        most=500,
    ),
}


def suites() -> Mapping[str, str]:
    """Name -> one line, of all suites; the first one is the default."""
    positions, games = ({name: row.about for name, row in table.items()} for table in (SUITES, MATCHES))
    return {**positions, **games}


@lru_cache(maxsize=16)
def open_suite(name: str, protocol: str = "standard") -> Suite:
    """Open a suite under a protocol, once a process.

    Raises:
        UsageError: an unknown name or protocol.
        DataError: its judged games are missing or broken; says how to make them.
    """
    if name not in (offered := suites()):
        raise unknown("suite", name, offered)
    if protocol not in PROTOCOLS:
        raise unknown("protocol", protocol, PROTOCOLS)
    if name in MATCHES:
        return open_matches(name, protocol, PROTOCOLS[protocol].tries)
    row = SUITES[name]
    asked = [kind for kind in row.tasks if kind in PROTOCOLS[protocol].tasks]
    judged = open_set(row.judged)
    return Suite(name, row.about, tuple(MAKERS[kind](judged, name, protocol) for kind in asked))


def next_move(judged: JudgedSet, suite: str, protocol: str) -> Task:
    """The next-move task of a suite on given games."""
    from gobench_go.tasks import scores, slices
    from gobench_go.tasks.next_move import NextMove
    from gobench_go.tasks.samples import digest, next_moves
    from gobench_go.video.moves import SURE

    row, rules = PROTOCOLS[protocol], judged.rules
    asked = next_moves(judged, row.colors, row.most)
    settings: Record = {
        **_settings(judged, protocol),
        "colors": list(row.colors),
        "tries": row.tries,
        "scored_try": row.scored_try,
        "answer": row.answer,
        "samples": len(asked.samples),
        "asked": digest(asked.samples),
        "repeats": asked.repeats,
        "best_is_pass": asked.passes,
        "sure": SURE,
        "tie": scores.TIE,
        "least_value": scores.LEAST_VALUE,
        "slices": {"phases": slices.phases(rules), "entropies": list(SUITES[suite].entropies)},
    }
    if row.answer == "video":
        settings["video"] = _video_settings()
    name = f"{SUITES[suite].prefix}/next-move"
    public = _public(judged, name, suite, protocol)
    return NextMove(name, judged, asked.samples, settings, public, headline=SUITES[suite].headline)


def rollout(judged: JudgedSet, suite: str, protocol: str) -> Task:
    """The rollout task of a suite on given games."""
    from gobench_go.tasks import slices
    from gobench_go.tasks.rollout import Rollout
    from gobench_go.tasks.samples import digest, starts
    from gobench_go.video.moves import SURE

    samples = starts(judged, START_SEED, SUITES[suite].starts)
    settings: Record = {
        **_settings(judged, protocol),
        "plies": SUITES[suite].plies,
        "samples": len(samples),
        "asked": digest(samples),
        "starts_a_game": SUITES[suite].starts,
        "start_seed": START_SEED,
        "sure": SURE,
        "slices": {"phases": slices.phases(judged.rules)},
    }
    name = f"{SUITES[suite].prefix}/rollout"
    return Rollout(name, judged, samples, settings, _public(judged, name, suite, protocol))


MAKERS: Mapping[str, Callable[[JudgedSet, str, str], Task]] = {"next-move": next_move, "rollout": rollout}
"""Kind of task -> how it is made of judged games, for a suite and a protocol."""


def _settings(judged: JudgedSet, protocol: str) -> Record:
    from gobench_go.tasks.asking import THEME
    from gobench_go.tasks.reading import READER
    from gobench_go.video.themes import DRAWN

    rules = judged.rules
    return {
        "judged": {"name": judged.name, "version": judged.version, "sha256": judged.digest},
        "protocol": protocol,
        "rules": {
            "rows": rules.rows,
            "cols": rules.cols,
            "ko": rules.ko,
            "suicide": rules.suicide,
            "komi": rules.komi,
        },
        "theme": THEME,
        "drawn": DRAWN,
        "reader": READER,
        "most_frames": MOST_FRAMES,
    }


def _public(judged: JudgedSet, task: str, suite: str, protocol: str) -> Mapping[str, Json]:
    from gobench_go.tasks.asking import THEME

    rules = judged.rules
    return {
        "task": task,
        "suite": suite,
        "protocol": protocol,
        "rows": rules.rows,
        "cols": rules.cols,
        "theme": THEME,
        "komi": rules.komi,
        "rules": rules.name,
        "judged": judged.name,
    }


def _video_settings() -> Json:
    from gobench.zeroshot import SETTINGS

    return dict(SETTINGS)
