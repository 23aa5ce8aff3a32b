"""One string -> who judges."""

from __future__ import annotations

from gobench.errors import UsageError
from gobench_go.judged.judging import AnyJudge, Judge

CHILD_VISITS = 64
KATAGO_CHILD_VISITS = 1  # one look of a network is worth more than so many playouts


def open_judge(teacher: str, child_visits: int | None = None, seed: int = 0) -> AnyJudge:
    """``mcts:VISITS`` or ``katago:MODEL…``. Starts nothing; ``seed`` is of mcts alone.

    Raises UsageError for a teacher that gives no values, and as ``gobench_go.teachers.teacher`` does.
    """
    from gobench_go.teachers import is_external

    kind = teacher.partition(":")[0]
    if kind == "katago":
        from gobench_go.judged.katago_judge import KataGoJudge
        from gobench_go.teachers.katago import KataGoTeacher

        return KataGoJudge(KataGoTeacher.of(teacher), child_visits or KATAGO_CHILD_VISITS)
    if is_external(teacher):
        raise UsageError(
            f"teacher {teacher!r} says one move and nothing about values: judge with mcts:VISITS, or with katago:MODEL."
        )
    return Judge.of(teacher, child_visits or CHILD_VISITS, seed)
