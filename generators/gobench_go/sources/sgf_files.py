"""Games from SGF files, folders and archives: every game is an Episode or a Rejection, never silence.

A unit is one file (a member of an archive counts as a file); a file may hold many games. Origins read
``archive.zip/member.sgf``, with ``#2`` for the second game of a file.

``rules`` says by which rules a game is judged: a name of ``RULES`` for all, or ``as-written``: what RU means
where it is known, else the recipe's. Komi is the file's; without KM it is 0 for games with a handicap, else
the default of the rule set on that board.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gobench.types import Episode, Rejection
from gobench_go.game import sgf
from gobench_go.game.rules import Rules, named
from gobench_go.game.sgf import SgfError, SgfGame
from gobench_go.sources import archives, filters, record
from gobench_go.sources.archives import MemberError
from gobench_go.sources.members import Listing, list_members

SUFFIXES = (".sgf", ".sgfs", ".mgt")
MAX_BYTES = 4 << 20
AS_WRITTEN = "as-written"
REASONS: Mapping[str, str] = {**archives.REASONS, **sgf.REASONS, **filters.REASONS, **record.REASONS}
"""Every reason for which this source rejects."""


@dataclass(frozen=True)
class SgfSource:
    """SGF games as ``gobench.types.Source``."""

    listing: Listing
    filters: Mapping[str, Any]
    rules: str
    fallback: str
    rows: int
    cols: int
    max_bytes: int = MAX_BYTES

    @classmethod
    def of(
        cls, paths: Sequence[str], options: Mapping[str, Any], rows: int, cols: int, fallback: str
    ) -> SgfSource:
        """List ``paths``. Raises UsageError for one that does not exist or holds no SGF."""
        listing = list_members(paths, SUFFIXES, "sgf")
        return cls(listing, options["filters"], options["rules"], fallback, rows, cols, options["max_bytes"])

    @property
    def units(self) -> int:
        """Files."""
        return len(self.listing)

    @property
    def inputs(self) -> Mapping[str, str]:
        """Label -> sha256 of each file, folder or archive."""
        return self.listing.hashes()

    def unit(self, index: int) -> Iterator[Episode | Rejection]:
        """The games of file ``index``."""
        container, member = self.listing.find(index)
        origin = container.origin(member)
        try:
            data = container.read(member, self.max_bytes)
        except MemberError as error:
            yield Rejection(origin, error.reason, error.detail)
            return
        for number, game in enumerate(sgf.read(data), 1):
            yield self._judged(game, origin if number == 1 else f"{origin}#{number}")

    def _judged(self, game: SgfGame | SgfError, origin: str) -> Episode | Rejection:
        if isinstance(game, SgfError):
            return Rejection(origin, game.reason, game.detail, game.ply)
        if problem := filters.unwanted(game, self.filters, self.rows, self.cols):
            return Rejection(origin, *problem)
        found = record.episode(self._game(game, origin))
        if isinstance(found, Episode) and (
            problem := filters.unwanted_result(found.record["result"], self.filters)
        ):
            return Rejection(origin, *problem)
        return found

    def _game(self, game: SgfGame, origin: str) -> record.Game:
        return record.Game(
            rules=self._rules(game),
            moves=game.moves,
            colors=game.colors,
            source="sgf",
            origin=origin,
            setup=game.setup,
            result=game.result,
            black=_name(game.black, game.black_rank),
            white=_name(game.white, game.white_rank),
        )

    def _rules(self, game: SgfGame) -> Rules:
        name = (filters.rules_name(game.rules) or self.fallback) if self.rules == AS_WRITTEN else self.rules
        komi = 0.0 if game.komi is None and game.handicap >= 2 else game.komi
        return named(name, game.rows, game.cols, komi)


def _name(name: str, rank: str) -> str:
    return f"{name} {rank}".strip()
