"""Floors and ceilings: players that need no training, as video models like any other.

    frames --seeing--> boards --players--> moves --kernels--> boards after --render--> the next frame

=================  =======  ============================================================================
``random-legal``   floor    a random point that is legal by what the prompt shows, each with the same chance
``first-empty``    floor    the first empty point in reading order, legal or not
``teacher:NAME``   ceiling  the best move of a teacher, such as ``teacher:mcts:200``
``oracle``         ceiling  the judge's best move, looked up in the judged set that the task names
=================  =======  ============================================================================

They see the frames of the prompt and are told who is to move, nothing else of a sample. Repetition is therefore judged
by the boards that are shown (6 to ``random-legal``, 8 to teachers): a longer cycle cannot be seen. A pass, and a
position without a legal point, is an unchanged frame. ``expectation`` has what a uniform legal mover scores, exactly.
"""

from __future__ import annotations

from gobench_go.floors.expectation import uniform_expectation
from gobench_go.floors.model import FloorModel
from gobench_go.floors.players import FirstEmpty, Oracle, RandomLegal, TeacherPlayer, no_argument

__all__ = ["FloorModel", "first_empty", "oracle", "random_legal", "teacher_model", "uniform_expectation"]


def random_legal(argument: str = "") -> FloorModel:
    """Plays any legal point, each as likely, and never passes while there is one.

    Raises UsageError for an argument.
    """
    no_argument("random-legal", argument)
    return FloorModel(RandomLegal())


def first_empty(argument: str = "") -> FloorModel:
    """Plays the first empty point in reading order, legal or not.

    Raises UsageError for an argument.
    """
    no_argument("first-empty", argument)
    return FloorModel(FirstEmpty())


def teacher_model(argument: str = "") -> FloorModel:
    """Plays the best move of an embedded teacher, as in teacher:mcts:200.

    Raises UsageError for a name that no teacher has.
    """
    return FloorModel(TeacherPlayer(argument))


def oracle(argument: str = "") -> FloorModel:
    """Plays the judge's best move: the ceiling of a judged set.

    Raises UsageError for an argument.
    """
    no_argument("oracle", argument)
    return FloorModel(Oracle())
