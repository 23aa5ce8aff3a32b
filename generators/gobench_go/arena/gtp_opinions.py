"""The commands that a teacher behind the player answers: what it thinks of the position."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gobench_go.arena import gtp_analysis as analysis
from gobench_go.arena.gtp_server import COLORS, Answer, GtpError, Session
from gobench_go.game.position import Position
from gobench_go.teachers import Judgement, Teacher

Args = Sequence[str]
Words = Callable[[list[analysis.Candidate], Judgement], str]


def _judged(session: Session, position: Position) -> tuple[Judgement, list[analysis.Candidate]]:
    """What the teacher thinks, and the moves that it has an opinion of. Raises GtpError after the end of the game."""
    teacher: Teacher | None = session.teacher
    assert teacher is not None
    if position.over:
        raise GtpError("the game is over")
    judged = teacher.judge(position, session.seed_of(position))
    return judged, analysis.candidates(position, judged)


def _opinion(session: Session, position: Position) -> tuple[Judgement, list[analysis.Candidate]]:
    """The same, but GtpError where there is no opinion."""
    judged, found = _judged(session, position)
    if not found:
        raise GtpError(f"{session.player.name} has no opinion")
    return judged, found


def _mover(session: Session, args: Args) -> int:
    """The colour that may stand first; intervals and limits on moves are the controller's wish and change nothing."""
    return COLORS.get(args[0].lower(), session.game.now.to_move) if args else session.game.now.to_move


def analyze(words: Words) -> Callable[[Session, Args], Answer]:
    def run(session: Session, args: Args) -> Answer:
        judged, found = _opinion(session, session.game.turn(_mover(session, args)))
        return Answer("\n" + words(found, judged), open=True)

    return run


def genmove_analyze(words: Words) -> Callable[[Session, Args], str]:
    """The move, and before it what is thought; a teacher without an opinion only moves."""

    def run(session: Session, args: Args) -> str:
        position = session.game.turn(color := _mover(session, args))
        if position.over:
            return f"\nplay {session.made(color, position.rules.points)}"
        judged, found = _judged(session, position)
        line = words(found, judged) if found else ""
        return f"\n{line}\nplay {session.made(color, int(judged.best))}"

    return run


def policy(session: Session, args: Args) -> str:
    judged, _ = _judged(session, session.game.now)
    return "\n" + analysis.policy(session.game.now, judged)
