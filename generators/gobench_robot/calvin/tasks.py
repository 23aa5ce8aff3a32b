"""The twelve sub-tasks of VideoWorld's evaluation in CALVIN, and how their episodes begin.

The tasks are those of the sequence file that VideoWorld's code puts in the place of CALVIN's: six pushes, the drawer, lamp and
LED; the sliding door is not among them. Episodes begin as CALVIN's evaluation begins its sequences: the arm in its neutral
pose, doors, switches and blocks in one of 192 conditions, of which those are taken in which the task can be done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from math import pi

import numpy as np

from gobench.errors import unknown
from gobench.seeds import stream
from gobench_robot.catalogue import Task
from gobench_robot.envs.world import Floats

SCENE, FPS, HORIZON = "calvin", 30, 360
APPEARANCE = "D"  # the environment that ``validation/`` of CALVIN's datasets is of
COLOURS = ("red", "blue", "pink")  # in the order of ``scene_obs``

TASKS: Mapping[str, Task] = {
    **{
        f"push_{colour}_block_{side}": Task(
            SCENE, "push", (f"push the {colour} block to the {side}",), HORIZON
        )
        for colour in COLOURS
        for side in ("right", "left")
    },
    "open_drawer": Task(SCENE, "open-close", ("pull the drawer open",), HORIZON),
    "close_drawer": Task(SCENE, "open-close", ("push the drawer shut",), HORIZON),
    "turn_on_lightbulb": Task(SCENE, "on-off", ("switch the light bulb on",), HORIZON),
    "turn_off_lightbulb": Task(SCENE, "on-off", ("switch the light bulb off",), HORIZON),
    "turn_on_led": Task(SCENE, "on-off", ("press the button so that the led is on",), HORIZON),
    "turn_off_led": Task(SCENE, "on-off", ("press the button so that the led is off",), HORIZON),
}
"""CALVIN's name -> what it is here. The words stand in where the user's dataset annotates none of that task."""

NEEDS: Mapping[str, tuple[str, int | str]] = {
    **{name: (name.split("_")[1], "table") for name in TASKS if name.startswith("push")},
    "open_drawer": ("drawer", 0),
    "close_drawer": ("drawer", 1),
    "turn_on_lightbulb": ("lightbulb", 0),
    "turn_off_lightbulb": ("lightbulb", 1),
    "turn_on_led": ("led", 0),
    "turn_off_led": ("led", 1),
}
"""Task -> what must hold before it: a part of a condition and its value."""

# Facts of CALVIN's evaluation (mees/calvin, evaluation/utils.py): metres and radians
NEUTRAL = (
    0.02586889, -0.2313129, 0.5712808, 3.09045411, -0.02908596, 1.50013585, 0.07999963, -1.21779124, 1.03987629,
    2.11978254, -2.34205014, -0.87015899, 1.64119093, 0.55344928, 1.0,
)  # fmt: skip
"""robot_obs: pose of the hand, width of the gripper, joints, last action of the gripper."""
SLIDER_LEFT, DRAWER_OPEN, SWITCH_ON = 0.28, 0.22, 0.088
ON_TABLE = ((0.05000009, -0.12000018, 0.45999001), (0.22999541, -0.11999514, 0.45999001))
IN_SLIDER = {
    "slider_left": (-0.24085166, 0.0924044687, 0.460990009),
    "slider_right": (0.070341633, 0.0924044687, 0.460990009),
}
TURNED = (pi / 2 - pi / 8, pi / 2 + pi / 8)  # of blocks, around the vertical


@cache
def conditions() -> Sequence[Mapping[str, int | str]]:
    """All of CALVIN's initial conditions: one or two blocks on the table, the others in the cabinet, in different places."""
    found: list[Mapping[str, int | str]] = []
    for led, bulb, slider, drawer in product((0, 1), repeat=4):
        for places in product(("table", *IN_SLIDER), repeat=len(COLOURS)):
            if places.count("table") in (1, 2) and max(map(places.count, IN_SLIDER)) < 2:
                state: dict[str, int | str] = {
                    "led": led,
                    "lightbulb": bulb,
                    "slider": slider,
                    "drawer": drawer,
                }
                found.append({**state, **dict(zip(COLOURS, places, strict=True))})
    return found


def start(task: str, seed: int) -> tuple[Floats, Floats]:
    """How an episode begins: robot_obs float64 [15] and scene_obs float64 [24]. Raises UsageError for an unknown task."""
    if task not in TASKS:
        raise unknown("task of CALVIN", task, TASKS, ordered=True)
    part, value = NEEDS[task]
    fitting = [one for one in conditions() if one[part] == value]
    random = stream(seed, "calvin")
    chosen = fitting[int(random.integers(len(fitting)))]
    scene = np.zeros(24)
    scene[:6] = (
        chosen["slider"] and SLIDER_LEFT, chosen["drawer"] and DRAWER_OPEN, 0.0,
        chosen["lightbulb"] and SWITCH_ON, chosen["lightbulb"], chosen["led"],
    )  # fmt: skip
    spots = iter(random.permutation(np.array(ON_TABLE)))
    for number, colour in enumerate(COLOURS):
        block = scene[6 + 6 * number : 12 + 6 * number]
        where = str(chosen[colour])
        block[:3] = next(spots) if where == "table" else IN_SLIDER[where]
        block[5] = random.uniform(*TURNED)
    return np.array(NEUTRAL), scene
