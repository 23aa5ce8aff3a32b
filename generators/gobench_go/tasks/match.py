"""Whole games against a ladder of opponents: a model answers with frames, an opponent with moves.

A sample is a game: opponent, opening, colour; two with one opening and exchanged colours are a pair. The model is shown the
boards as the rules have them. An unchanged frame is a pass; what shows no legal move is asked again with another seed, and
after so many tries the game is lost. An opponent that breaks down is started again and asked again: that counts for
nobody, and if it cannot be had the run ends.

Evidence: {"opponent", "identity", "color", "opening", "seed", "moves": every ply, "answers": [[answer, ...] a turn of the
model], "end", "result"}, answers as in ``next_move``. All but the opponent's moves is derived again from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gobench.canonical import check, dumps, sha256
from gobench.errors import DataError
from gobench.seeds import seed64
from gobench.tasks import Chosen, Exhibit, Faced, Metric, Table, View
from gobench.types import Array, Json, Record
from gobench_go.game.rules import Rules
from gobench_go.tasks import asking, match_records, reading, rungs
from gobench_go.tasks.asking import COLOURS
from gobench_go.tasks.game import ENDS, Game, Terms, follow
from gobench_go.tasks.match_trial import MatchTrial
from gobench_go.tasks.rungs import Ladder, Rung
from gobench_go.video.themes import Look

SEED = 0  # of the opponents' games
TOGETHER = 16  # games played at once: a group is finished within minutes
KNOWN = 500  # games that are remembered once derived
LETTERS = ("", "b", "w")
ROW: Record = {
    "opponent": str, "identity": dict, "color": str, "opening": [int], "seed": int,
    "moves": [int], "answers": [list], "end": str, "result": str,
}  # fmt: skip

METRICS: Mapping[str, Metric] = {
    "score": Metric("points a game: 1 for a win, 0.5 for a draw, 0 for a loss"),
    "won": Metric("proportion of games won"),
    "legal_first_try": Metric(
        "share of a game's turns in which the model's first answer was a legal move, a pass among them"
    ),
    "forfeited": Metric(
        "proportion of games lost because no answer of a turn was a legal move", better="lower"
    ),
    "illegal_answers": Metric(
        "answers of a game that were no legal move, those that were asked again among them",
        better="lower",
        unit="answers",
    ),
    "plies_before_forfeit": Metric(
        "plies of a game, those of the opening among them, before the turn that lost it; over games so lost",
        unit="plies",
        conditional=True,
    ),
    "margin": Metric(
        "points of area that the model was ahead at the end, komi included; over games that the area decided",
        unit="points",
        conditional=True,
    ),
}


class Sample(NamedTuple):
    """A game that is to be played."""

    id: str
    rung: Rung
    opening: int
    color: int  # of the model: 1 black, 2 white


@dataclass(eq=False)
class Match:
    """As ``gobench.tasks.Task``. ``ratings`` are those of opponents on the shipped ladder, none for some tasks."""

    name: str
    rules: Rules
    ladder_of: Ladder
    openings: Sequence[tuple[int, ...]]
    tries: int
    settings: Mapping[str, Json]
    public: Mapping[str, Json]
    ratings: Mapping[str, float]
    version: str = "1"
    headline: str = "score"
    chained: bool = True
    most_together: int = TOGETHER
    metrics: Mapping[str, Metric] = field(default_factory=lambda: METRICS)
    kinds: Mapping[str, str] = field(default_factory=lambda: ENDS)
    oracle: Mapping[str, Json] = field(default_factory=dict)
    _known: dict[str, Game] = field(default_factory=dict, repr=False)

    @property
    def optional(self) -> bool:
        """Opponents that are not of this package need not be there."""
        return not self.ladder_of.embedded

    def unavailable(self) -> str:
        """Why an opponent cannot be had here; "" if all can."""
        return rungs.missing(self.ladder_of)

    @property
    def ladder(self) -> Mapping[str, float]:
        """Ratings of opponents."""
        return self.ratings

    @property
    def opponents(self) -> Mapping[str, float | None]:
        """All of them with their ratings, the weakest first."""
        return {rung.name: self.ratings.get(rung.name) for rung in self.ladder_of.rungs}

    @cached_property
    def samples(self) -> Mapping[str, Sample]:
        """Id -> game: of each opponent the first openings, each in both colours."""
        made = (
            Sample(f"{rung.slug}-o{number:03d}-{LETTERS[color]}", rung, number, color)
            for rung in self.ladder_of.rungs
            for number in range(rung.games // 2)
            for color in (1, 2)
        )
        return {sample.id: sample for sample in made}

    @cached_property
    def ids(self) -> Sequence[str]:
        """The samples' names, such as "mcts-200-o003-b"."""
        return tuple(self.samples)

    def sample(self, sample: str) -> Sample:
        """Raises DataError for an unknown one."""
        if sample not in self.samples:
            raise DataError(
                f"{self.name} has no sample {str(sample)[:100]!r}; the first one is {self.ids[0]!r}."
            )
        return self.samples[sample]

    def terms(self, sample: str) -> Terms:
        """What is agreed before a game."""
        found = self.sample(sample)
        return Terms(self.rules, self.openings[found.opening], found.color, self.tries)

    def seed(self, sample: str) -> int:
        """Of the opponent, for the whole game."""
        return seed64(SEED, "match", self.name, sample)

    def look(self, view: View) -> Look:
        """How boards are drawn for a model. Raises UsageError for a view that is not square or too small."""
        return asking.square_look(self.name, asking.THEME, view, self.rules)

    def trial(self, sample: str, view: View) -> MatchTrial:
        """Start a game; the opponent is opened when it is first to move."""
        return MatchTrial(self, sample, view)

    def truth(self, sample: str, view: View) -> Array:
        """A good answer, the right one being unknown: the board after a move of ``mcts:200``, uint8 [1, H, W, 3]."""
        from gobench_go.teachers import shared

        position = Game(self.terms(sample)).position
        board = position.play(shared("mcts:200").judge(position, self.seed(sample)).best).board
        return asking.prompt(self.look(view), board[None], 1)

    def wording(self, sample: str) -> Mapping[str, str]:
        """Words for an instruction: the model's colour and the rules."""
        return asking.wording(self.rules, self.sample(sample).color)

    def positions(self) -> npt.NDArray[np.uint64]:
        """None: games go where they go."""
        return np.zeros(0, np.uint64)

    def difficulty(self) -> npt.NDArray[np.float64]:
        """The place of the opponent on the ladder, float64 [n]."""
        places = {rung.name: place for place, rung in enumerate(self.ladder_of.rungs)}
        return np.array([places[sample.rung.name] for sample in self.samples.values()], np.float64)

    def exhibit(self, sample: str, row: Record | None, frames: Mapping[str, Array]) -> Exhibit:
        """The game drawn for a report."""
        from gobench_go.match_exhibits import exhibit

        return exhibit(self, sample, row, frames)

    def followed(self, row: Record) -> Game:
        """The game of a row, derived again by the rules; once for equal rows.

        Raises:
            DataError: a row that this task cannot have written.
        """
        key = sha256(dumps(row))
        if key not in self._known:
            if len(self._known) >= KNOWN:
                self._known.clear()
            self._known[key] = self._follow(row)
        return self._known[key]

    def _follow(self, row: Record) -> Game:
        name = str(row.get("id"))
        found = self.sample(name)
        check(row, ROW, name)
        terms = self.terms(name)
        try:
            game = follow(terms, row["moves"], row["answers"], row["end"] == "resign")
        except DataError as error:
            raise DataError(f"{self.name}, {name}: {error}.") from error
        own = match_records.facts(found, terms, game, self.seed(name))
        if odd := sorted(key for key, value in own.items() if row[key] != value):
            raise DataError(
                f"{self.name}, {name}: {odd[0]} is {row[odd[0]]!r} in the evidence, and {own[odd[0]]!r} by the rules."
            )
        return game

    def reread(self, sample: str, row: Record, frames: Mapping[str, Array]) -> Record:
        """The row with the answers whose frames were kept ("t00n0": turn, try) read now.

        Raises:
            DataError: a row that this task cannot have written.
        """
        self.followed(row)
        answers = [
            [self._again(answer, frames.get(f"t{turn:02d}n{number}")) for number, answer in enumerate(tries)]
            for turn, tries in enumerate(row["answers"])
        ]
        return {**row, "answers": answers}

    def _again(self, answer: Record, frame: Array | None) -> Record:
        if frame is None:
            return answer
        look = self.look(View(frame.shape[0], frame.shape[1], 1))
        return {**answer, **reading.read(look, frame).record()}

    def table(self, rows: Sequence[Record], novel: Mapping[str, bool] | None = None) -> Table:
        """Evidence as columns; see ``gobench.tasks.Task``. ``novel`` says nothing here."""
        games = dict(self._games(rows))
        ids = [name for name in self.ids if name in games]
        played = [self.samples[name] for name in ids]
        pairs = {pair: n for n, pair in enumerate(dict.fromkeys(map(_pair, self.samples.values())))}
        parts: dict[str, npt.NDArray[np.bool_]] = {
            f"opponent: {rung.name}": np.array([sample.rung == rung for sample in played], np.bool_)
            for rung in self.ladder_of.rungs
        }
        for color in (1, 2):
            parts[f"colour: {COLOURS[color]}"] = np.array([s.color == color for s in played], np.bool_)
        found = [games[name] for name in ids]
        clusters = np.array([pairs[_pair(sample)] for sample in played], np.int64)
        clean = np.array([game.clean for game in found], np.bool_)
        return Table(ids, clusters, _columns(found), [game.end for game in found], clean, parts)

    def chosen(self, table: Table, rows: Sequence[Record]) -> Mapping[str, Chosen]:
        """For reports: lost games are the worst, however they were lost."""
        from gobench_go.match_exhibits import chosen

        return chosen(table, rows)

    def games(self, rows: Sequence[Record]) -> Iterator[Faced]:
        """The games as ratings need them."""
        played = dict(self._games(rows))
        for sample in (self.samples[name] for name in self.ids if name in played):
            game = played[sample.id]
            yield Faced(
                sample.id, sample.rung.name, game.points, sample.color == 1, f"o{sample.opening:03d}",
                game.illegal, game.end == "illegal", ",".join(map(str, game.moves)),
            )  # fmt: skip

    def records(self, rows: Sequence[Record], model: Record) -> Mapping[str, bytes]:
        """``games.jsonl``, ``plan.json`` and ``sgf/``, as of a match."""
        return match_records.files(self, rows, dict(self._games(rows)), model)

    def _games(self, rows: Sequence[Record]) -> Iterator[tuple[str, Game]]:
        seen = set[str]()
        for row in rows:
            game = self.followed(row)
            if row["id"] in seen:
                raise DataError(f"{self.name}: the evidence has two rows of {row['id']!r}.")
            seen.add(row["id"])
            yield row["id"], game


def _pair(sample: Sample) -> tuple[str, int]:
    return sample.rung.slug, sample.opening


def _columns(games: Sequence[Game]) -> dict[str, npt.NDArray[np.float64]]:
    nan = float("nan")
    lost = [game.end == "illegal" for game in games]
    decided = [game.end in ("passes", "move-limit") for game in games]
    columns = {
        "score": [game.points for game in games],
        "won": [game.points == 1 for game in games],
        "legal_first_try": [game.first / game.turns if game.turns else nan for game in games],
        "forfeited": lost,
        "illegal_answers": [game.illegal for game in games],
        "plies_before_forfeit": [
            len(game.moves) if gone else nan for game, gone in zip(games, lost, strict=True)
        ],
        "margin": [game.margin if by_area else nan for game, by_area in zip(games, decided, strict=True)],
    }
    return {name: np.array(values, np.float64) for name, values in columns.items()}
