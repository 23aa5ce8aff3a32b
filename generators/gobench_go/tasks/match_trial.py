"""One game against an opponent on its way, as ``gobench.tasks.Trial``."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from gobench.errors import ChildError
from gobench.tasks import Ask, View
from gobench.types import Array, Record
from gobench_go.arena.player import NOTHING, RESIGN, Player
from gobench_go.arena.referee import REPLAYS, move_seed
from gobench_go.engines.faults import EngineError
from gobench_go.tasks import asking, match_records, reading, rungs
from gobench_go.tasks.base import ask
from gobench_go.tasks.game import Game

if TYPE_CHECKING:
    from gobench_go.tasks.match import Match

T = TypeVar("T")


class MatchTrial:
    """Asks the model in its turns and the opponent in between; whoever plays, the rules say what counts."""

    def __init__(self, task: Match, sample: str, view: View) -> None:
        self.task, self.sample, self.view = task, sample, view
        self.look = task.look(view)
        self.terms = task.terms(sample)
        self.game = Game(self.terms)
        self.seed = task.seed(sample)
        self.asked = 0
        self.frames: dict[str, tuple[Array, bool]] = {}  # name -> frame, whether it was read cleanly
        self.player: Player | None = None
        self.begun = False
        self.identity: Record = {}

    def ask(self) -> Ask | None:
        """The last boards, when it is the model's turn; the opponent moves first where it is its turn."""
        self._let_opponent_move()
        if self.game.end:
            return None
        position = self.game.position
        context = asking.context(self.sample, self.task.name, self.asked, position.to_move)
        return ask(asking.prompt(self.look, position.boards(), self.view.frames), 1, context)

    def tell(self, frames: Array) -> None:
        """Read the next frame; a legal move is answered by the opponent at once."""
        turn, number = len(self.game.answers) - (self.game.tries > 0), self.game.tries
        self.asked += 1
        if not len(frames):
            self.game.answered({"missing": True})
        else:
            clean = self.game.answered(reading.read(self.look, frames[-1]).record())
            self.frames[f"t{turn:02d}n{number}"] = (frames[-1], clean)
        self._let_opponent_move()

    def evidence(self) -> Record:
        """What was played and read, and who the opponent was."""
        found = self.task.sample(self.sample)
        own = match_records.facts(found, self.terms, self.game, self.seed)
        identity = self.identity or self._with_opponent(lambda player: dict(player.identity))
        return {**own, "identity": identity, "moves": self.game.moves, "answers": self.game.answers}

    def kept(self, everything: bool) -> Mapping[str, Array]:
        """The frames "t00n0" (turn, try): all, or those not read as a pass or one clean move."""
        return {name: frame for name, (frame, clean) in self.frames.items() if everything or not clean}

    def _let_opponent_move(self) -> None:
        while not self.game.end and not self.game.models_turn:
            self.game.replied(self._with_opponent(self._reply))

    def _reply(self, player: Player) -> int:
        """Its move. Raises EngineError for one that is not legal, as for none."""
        position = self.game.position
        move = player.reply(position, move_seed(self.seed, position)).move
        if move == NOTHING or (move != RESIGN and position.why_illegal(move)):
            raise EngineError("malformed", f"{player.name} plays {move}, which is no legal move")
        return move

    def _with_opponent(self, ask: Callable[[Player], T]) -> T:
        """Ask the opponent for something. One that breaks down is started again; raises ChildError if that is no help."""
        for _ in range(REPLAYS + 1):
            try:
                return ask(self._opened())
            except EngineError as error:
                if self.player is not None:
                    self.player.close()
                self.begun, why = False, str(error)  # not the error: it would hold this trial
        name = self.task.sample(self.sample).rung.name
        raise ChildError(
            f"{self.task.name}, {self.sample}: the opponent {name} does not play, in {REPLAYS + 1} attempts: {why}"
        )

    def _opened(self) -> Player:
        """The opponent with its game begun. It is closed with this trial: games side by side may share an engine."""
        if self.player is None:
            self.player = rungs.open_rung(self.task.sample(self.sample).rung)
            weakref.finalize(self, self.player.close)
        if not self.begun:
            self.player.begin(self.terms.rules, self.seed)
            self.identity = dict(self.player.identity)
            self.begun = True
        return self.player
