"""The tasks of the robot domain, as a table: what is asked, in which scene, in which words, and for how long.

Nothing here needs a simulator. A task's name is the same in the table, the Gymnasium environment, the records, the suites
and the reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gobench.errors import unknown

FPS = 20
"""Frames a second of every scene: one frame is one step of an environment."""


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do."""

    scene: str  # "metaworld", "playtable" or "calvin"
    family: str  # tasks that are alike: "drawer", "push", "light", ...
    wordings: tuple[str, ...]  # instructions that mean it; an episode has one of them
    horizon: int  # steps that an episode has at most


CORE: Mapping[str, Task] = {
    "drawer-open": Task(
        "metaworld", "drawer", ("open the drawer", "pull the drawer open", "slide the drawer out"), 50
    ),
    "drawer-close": Task(
        "metaworld", "drawer", ("close the drawer", "push the drawer shut", "slide the drawer in"), 50
    ),
    "door-open": Task(
        "metaworld", "door", ("open the door", "pull the door open", "swing the door open"), 50
    ),
    "door-close": Task(
        "metaworld", "door", ("close the door", "push the door shut", "swing the door shut"), 50
    ),
    "window-open": Task(
        "metaworld",
        "slider",
        ("open the window", "slide the window open", "push the window to the right"),
        50,
    ),
    "window-close": Task(
        "metaworld",
        "slider",
        ("close the window", "slide the window shut", "push the window to the left"),
        50,
    ),
    "button-press": Task(
        "metaworld", "switch", ("press the button", "push the button in", "push the button on the wall"), 50
    ),
    "handle-press": Task(
        "metaworld",
        "switch",
        ("press the handle down", "push the handle down", "switch it on with the handle"),
        50,
    ),
    "plate-slide": Task(
        "metaworld",
        "push",
        ("slide the plate into the goal", "push the plate into the net", "shoot the plate"),
        50,
    ),
    "push": Task(
        "metaworld",
        "push",
        ("push the puck to the mark", "move the puck onto the mark", "bring the puck to the mark"),
        50,
    ),
}
"""The core set: tasks of Meta-World 3.1.1 whose goals can be seen."""


def task(name: str) -> Task:
    """The task called ``name``; raises UsageError that lists what there is."""
    table = tasks()
    if name in table:
        return table[name]
    if name in (elsewhere := calvin()):
        return elsewhere[name]
    raise unknown("task", name, table)


def of_scene(scene: str) -> tuple[str, ...]:
    """The names of a scene's tasks."""
    return tuple(name for name, row in {**tasks(), **calvin()}.items() if row.scene == scene)


def tasks() -> Mapping[str, Task]:
    """All tasks by name that need nothing but packages, the core set first."""
    from gobench_robot.envs.playtable.tasks import TASKS

    return {**CORE, **TASKS}


def calvin() -> Mapping[str, Task]:
    """Those of the suite "calvin-paper", which are played in an installation of the user's own."""
    from gobench_robot.calvin.tasks import TASKS

    return TASKS
