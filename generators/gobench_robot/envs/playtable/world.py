"""The playtable as a world: see ``gobench_robot.envs.world`` for the contract.

An action moves a target that the fingertips follow: its position, its turn away from pointing down, and the fingers'
opening. An action of zeros keeps all of it. The target is part of the state, and never far from where the tip is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gobench.errors import UsageError
from gobench.seeds import stream
from gobench_robot.envs.gl import mujoco
from gobench_robot.envs.playtable import experts, goals, sizes
from gobench_robot.envs.playtable.appearances import appearance
from gobench_robot.envs.playtable.goals import Facts
from gobench_robot.envs.playtable.kinematics import FIRST_STEPS, RESTING, Arm, angles, rotation, within_reach
from gobench_robot.envs.playtable.scene import GLOW, JOINTS, LIT, TIMESTEP, mjcf
from gobench_robot.envs.playtable.tasks import BLOCKS, STATES, needed
from gobench_robot.envs.world import Floats, checked

SUBSTEPS = 10
"""Steps of the physics a frame: 1/20 s."""

STEP = 0.03  # m that the target moves in a frame at most, along each axis
TURN = 0.15  # rad that it turns in a frame at most, about each axis
SQUEEZE = 0.02  # m that the opening changes in a frame at most
SCALES = np.array((STEP, STEP, STEP, TURN, TURN, TURN, SQUEEZE))
"""What an action of 1 stands for."""

LEASH = 0.05  # m: how far the target may be from the tip, along each axis
LOW = np.array((-0.44, -0.52, -0.10, -0.5, -0.5, -1.0, 0.0))  # of the target
HIGH = np.array((0.44, 0.14, 0.34, 0.5, 0.5, 1.0, sizes.OPENING))

PRESSED, RELEASED = 0.7, 0.3  # parts of the button's travel: pressed it switches, released it is ready again
SHADOW_HEIGHT = 0.0015  # m above what it falls on
TIPPED = 0.15  # rad beyond which the lever has switched
OWN = ("task", "bulb", "led", "pressed")  # own variables, before the target [7] and the blocks' places [3]


class PlaytableWorld:
    """One table; a new one has begun to open its drawer. Its model is another one in each appearance."""

    action_names: Sequence[str] = ("dx", "dy", "dz", "droll", "dpitch", "dyaw", "dopening")
    proprio_names: Sequence[str] = (
        *("x (m)", "y (m)", "z (m)", "roll (rad)", "pitch (rad)", "yaw (rad)", "opening (m)"),
        *(f"{name} (rad)" for name in JOINTS),
    )
    cameras: Mapping[str, Any] = {"static": "static", "gripper": "gripper"}

    def __init__(self) -> None:
        self._mujoco = mujoco()
        self._tables: dict[str, _Table] = {}
        self.option = self._mujoco.MjvOption()
        self.reset(("open-drawer",), 0)

    def _use(self, name: str) -> None:
        look = appearance(name)
        if name not in self._tables:
            self._tables[name] = _Table(mjcf(look))
        self._table, self._layout = self._tables[name], look.layout
        self.model, self.data, self.look = self._table.model, self._table.data, f"playtable/{name}"

    def reset(self, tasks: Sequence[str], seed: int, appearance: str = "A") -> None:
        """Begin an episode of 1 to 5 different tasks, the table prepared for the first of them."""
        first = needed(tasks)
        self._use(appearance)
        self._tasks = tuple(tasks)
        random = stream(seed, "playtable", "layout")
        states = {name: first.get(name, both[random.integers(2)]) for name, both in STATES.items()}
        self._own = np.array((0.0, states["bulb"] == "on", states["led"] == "on", 0.0))
        self._target = _first_target(random)
        self._mujoco.mj_resetData(self.model, self.data)
        self._table.put(_fixtures(states, random))
        self._table.put_blocks(_places(random))
        self._table.put_arm(self._target)
        self._settle()
        self._began = self._table.sideways()

    @property
    def task(self) -> str:
        return self._tasks[int(self._own[0])]

    def advance(self) -> bool:
        """Go to the next task; False where there is none, or the table does not allow it (``goals.possible``)."""
        place = int(self._own[0]) + 1
        if place >= len(self._tasks) or not goals.possible(self._tasks[place], self.facts()):
            return False
        self._own[0] = place
        self._began = self._table.sideways()
        return True

    def step(self, action: npt.ArrayLike) -> None:
        """Move the target, and the joints towards it, for one frame."""
        change = checked(action, self.action_names) * SCALES
        tip = self._table.arm.tip(self.data)[0]
        self._target = np.clip(self._target + change, LOW, HIGH)
        self._target[:3] = within_reach(
            np.clip(self._target[:3], tip - LEASH, tip + LEASH), self._target[3:6]
        )
        before = self.data.ctrl.copy()
        after = self._table.servos(self._target, before[: len(JOINTS)])
        for substep in range(1, SUBSTEPS + 1):
            self.data.ctrl[:] = before + (after - before) * (substep / SUBSTEPS)
            self._mujoco.mj_step(self.model, self.data)
            self._switch()
        self._settle()

    def _switch(self) -> None:
        """Let the lever and the button do what they are for."""
        lever, depth = self._table.get("lever"), -self._table.get("button") / sizes.BUTTON_TRAVEL
        if abs(lever) > TIPPED:
            self._own[1] = lever > 0
        if depth > PRESSED and not self._own[3]:
            self._own[2:] = 1 - self._own[2], 1.0
        elif depth < RELEASED:
            self._own[3] = 0.0

    def _settle(self) -> None:
        """Make positions follow from the state, and nothing else: forces and warm starts stay as they are."""
        self._table.place(bool(self._own[1]), bool(self._own[2]))

    def facts(self) -> Facts:
        """The table's state as goals and experts see it."""
        get = self._table.get
        return Facts(
            drawer=get("drawer"),
            slider=get("slider"),
            lever=get("lever"),
            bulb=bool(self._own[1]),
            led=bool(self._own[2]),
            pressed=bool(self._own[3]),
            blocks={name: self.data.body(name).xpos.copy() for name in BLOCKS},
            began=dict(zip(BLOCKS, self._began.tolist(), strict=True)),
        )

    def success(self) -> bool:
        return goals.reached(self.task, self.facts())

    def proprio(self) -> Floats:
        """Tip (the turn is that away from pointing down), opening, and joint angles."""
        position, turned = self._table.arm.tip(self.data)
        opening = self._table.get("front") + self._table.get("back")
        joints = self.data.qpos[self._table.arm.joints]
        return np.concatenate((position, angles(turned), (opening,), joints))

    def expert(self) -> Floats:
        hand = experts.Hand(self._table.arm.tip(self.data)[0], self._target)
        change = experts.wanted(self.task, self.facts(), hand, self._layout)
        return np.asarray(np.clip(change / SCALES, -1.0, 1.0), np.float64)

    def pose(self) -> Floats:
        """Generalized positions, then 1 or 0 for bulb and LED."""
        return np.concatenate((self.data.qpos, self._own[1:3]))

    def show(self, pose: Floats) -> None:
        if np.shape(pose) != (self.model.nq + 2,):
            raise UsageError(
                f"a pose of the playtable has {self.model.nq + 2} numbers, not {list(np.shape(pose))}."
            )
        self.data.qpos[:] = pose[:-2]
        self._own[1:3] = np.asarray(pose[-2:]) > 0.5
        self._settle()

    def save(self) -> Floats:
        """The physics' state, then the own variables, the target and the blocks' places when the task began."""
        return np.concatenate((self._table.state(), self._own, self._target, self._began))

    def load(self, saved: Floats) -> None:
        parts = (len(self._own), len(self._target), len(self._began))
        size = self._table.states + sum(parts)
        if np.shape(saved) != (size,):
            raise UsageError(
                f"a saved state of the playtable has {size} numbers, not {list(np.shape(saved))}."
            )
        physics, self._own, self._target, self._began = (
            part.copy()
            for part in np.split(np.asarray(saved, np.float64), np.cumsum((self._table.states, *parts))[:-1])
        )
        self._table.restore(physics)
        self._settle()


class _Table:
    """The compiled scene of one appearance, and the names of its parts."""

    def __init__(self, text: str) -> None:
        self._mujoco = mujoco()
        self.model = self._mujoco.MjModel.from_xml_string(text)
        if abs(self.model.opt.timestep * SUBSTEPS * 20 - 1) > 1e-9:
            raise AssertionError(f"{SUBSTEPS} steps of {TIMESTEP} s are not a frame")
        self.data = self._mujoco.MjData(self.model)
        self.arm = Arm(self.model)
        self._whole = self._mujoco.mjtState.mjSTATE_INTEGRATION
        self.states = int(self._mujoco.mj_stateSize(self.model, self._whole))
        names = ("drawer", "slider", "lever", "button", "front", "back", *BLOCKS)
        self._at = {name: int(self.model.joint(name).qposadr[0]) for name in names}
        self._paint = {
            name: (self.model.material(name).id, self.model.material(f"{name}-halo").id) for name in LIT
        }

    def get(self, joint: str) -> float:
        return float(self.data.qpos[self._at[joint]])

    def sideways(self) -> Floats:
        """x of the blocks' middles [3], in the order of ``BLOCKS``."""
        return np.array([self.get(name) for name in BLOCKS])

    def put(self, joints: Mapping[str, float]) -> None:
        for name, value in joints.items():
            self.data.qpos[self._at[name]] = value

    def put_blocks(self, places: Floats) -> None:
        """Lay the blocks down: [3, 3] x, y and yaw, in the order of ``BLOCKS``."""
        for name, (x, y, yaw) in zip(BLOCKS, places, strict=True):
            at = self._at[name]
            self.data.qpos[at : at + 7] = (x, y, sizes.BLOCK, np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2))

    def put_arm(self, target: Floats) -> None:
        """Bring arm and servos to a target at once."""
        self.data.ctrl[:] = self.servos(target, np.array(RESTING), FIRST_STEPS)
        self.data.qpos[self.arm.joints] = self.data.ctrl[: len(JOINTS)]
        self.put({"front": target[6] / 2, "back": target[6] / 2})

    def servos(self, target: Floats, joints: Floats, steps: int | None = None) -> Floats:
        """What the servos are told [8]: joint angles for a target from where they are, and both fingers."""
        more = {} if steps is None else {"steps": steps}
        solved = self.arm.solve(target[:3], rotation(*target[3:6]), joints, **more)
        return np.concatenate((solved, np.full(2, target[6] / 2)))

    def state(self) -> Floats:
        state = np.zeros(self.states)
        self._mujoco.mj_getState(self.model, self.data, state, self._whole)
        return state

    def restore(self, state: Floats) -> None:
        self._mujoco.mj_setState(self.model, self.data, state, self._whole)

    def place(self, bulb: bool, led: bool) -> None:
        """Where everything is and shines, from the generalized positions."""
        self._mujoco.mj_kinematics(self.model, self.data)
        self.data.mocap_pos[0] = _below(self.arm.tip(self.data)[0])
        self._mujoco.mj_kinematics(self.model, self.data)
        self._mujoco.mj_comPos(self.model, self.data)
        self._mujoco.mj_camlight(self.model, self.data)
        for name, lit in (("bulb", bulb), ("led", led)):
            own, halo = self._paint[name]
            self.model.mat_rgba[own, :3] = LIT[name][lit]
            self.model.mat_emission[own] = GLOW * lit
            self.model.mat_rgba[halo, 3] = 0.28 * lit


def _below(tip: Floats) -> tuple[float, float, float]:
    """Where the hand's shadow lies: on the table's top, or on the floor."""
    x, y, _ = tip.tolist()
    inside = abs(x) < sizes.TOP[0] and abs(y) < sizes.TOP[1]
    return x, y, SHADOW_HEIGHT + (0.0 if inside else sizes.FLOOR)


def _first_target(random: np.random.Generator) -> Floats:
    """Where the tip begins [7]: above the middle of the table, pointing down, the fingers closed."""
    x, y, z = random.uniform((-0.12, -0.14, 0.17), (0.12, -0.02, 0.23))
    return np.array((x, y, z, 0.0, 0.0, 0.0, 0.0))


def _fixtures(states: Mapping[str, str], random: np.random.Generator) -> dict[str, float]:
    """Joint -> its first value; a drawer and a slider are not always at the very end."""
    slack = random.uniform(0.0, (0.02, 0.015))
    side = {"left": -1, "right": 1}[states["slider"]]
    return {
        "drawer": sizes.DRAWER_TRAVEL - slack[0] if states["drawer"] == "open" else 0.0,
        "slider": side * (sizes.SLIDER_TRAVEL - slack[1]),
        "lever": sizes.LEVER_TILT if states["bulb"] == "on" else -sizes.LEVER_TILT,
    }


def _places(random: np.random.Generator) -> Floats:
    """x, y and yaw of the blocks [3, 3]: each in a lane of its own."""
    lanes = np.array(sizes.LANES)[random.permutation(len(BLOCKS))]
    spread = np.array((sizes.BLOCK_REACH, 0.01, 0.2))
    places = random.uniform(-spread, spread, (len(BLOCKS), 3))
    places[:, 1] += lanes
    return places
