"""The playtable: exact, done by its experts, and hard for those who only wave."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

if find_spec("mujoco") is None:  # importing it is left to the room, which first chooses how to draw
    pytest.skip("mujoco is not installed", allow_module_level=True)

from gobench.errors import UsageError
from gobench.seeds import stream
from gobench_robot.envs.painter import Painter
from gobench_robot.envs.playtable import goals, sizes
from gobench_robot.envs.playtable.appearances import APPEARANCES
from gobench_robot.envs.playtable.kinematics import angles, rotation
from gobench_robot.envs.playtable.scene import JOINTS
from gobench_robot.envs.playtable.tasks import BLOCKS, STATES, TASKS, Turn, chain
from gobench_robot.envs.playtable.tasks import GOALS as TASK_GOALS
from gobench_robot.envs.playtable.world import HIGH, LOW, SCALES, PlaytableWorld

LOOKS = tuple(APPEARANCES)
ARM = (*JOINTS, "front", "back")
STILL = np.zeros(7)


@cache
def world() -> PlaytableWorld:
    return PlaytableWorld()


@pytest.fixture(scope="module")
def painter() -> Iterator[Painter]:
    painter = Painter()
    table = world()
    table.reset(["open-drawer"], 0)
    try:
        painter.paint(table, 64)
    except UsageError as error:
        pytest.skip(str(error))
    yield painter
    painter.close()


def frames_to_success(table: PlaytableWorld, noise: float = 0.0, seed: int = 0) -> int:
    """Steps of the expert until the task at hand is done; 0 where it is not done in its horizon."""
    random = stream(seed, "test", "noise")
    for frame in range(1, TASKS[table.task].horizon + 1):
        table.step(np.clip(table.expert() + noise * random.standard_normal(7), -1, 1))
        if table.success():
            return frame
    return 0


@pytest.mark.parametrize("task", TASKS)
def test_the_expert_does_it_and_it_stays_done(task: str) -> None:
    table = world()
    for seed, look in enumerate(LOOKS):
        table.reset([task], seed, look)
        assert table.success() is False  # not numpy's own
        assert 5 < frames_to_success(table, noise=0.1 * (seed % 2), seed=seed) <= 45
        for _ in range(6):
            table.step(table.expert())
        assert table.success()


@pytest.mark.parametrize("task", TASKS)
def test_nothing_is_done_by_holding_still(task: str) -> None:
    table = world()
    table.reset([task], 3, "B")
    before, pose = table.proprio(), table.pose()
    for _ in range(20):
        table.step(STILL)
        assert not table.success()
    assert np.abs(table.proprio() - before).max() < 2e-3
    assert np.abs(table.pose() - pose).max() < 2e-3


def test_waving_does_little() -> None:
    table, done = world(), 0
    for place, task in enumerate(TASKS):
        table.reset([task], place, LOOKS[place % 4])
        random = stream(place, "test", "waving")
        for _ in range(TASKS[task].horizon):
            table.step(random.uniform(-1, 1, 7))
            if table.success():
                done += 1
                break
    assert done <= 1
    assert table.data.warning.number.sum() == 0


@pytest.mark.parametrize("seed", range(4))
def test_chains_of_five(seed: int) -> None:
    table, tasks = world(), chain(5, seed)
    table.reset(tasks, seed, LOOKS[seed])
    for task in tasks:
        assert table.task == task
        assert frames_to_success(table, 0.1, seed), task
        assert table.advance() == (task != tasks[-1])
    assert table.task == tasks[-1]


def test_the_expert_goes_on_from_where_it_is_led() -> None:
    table, done = world(), 0
    for place, task in enumerate(TASKS):
        table.reset([task], 20 + place, LOOKS[place % 4])
        random = stream(place, "test", "led astray")
        push = random.uniform(-1, 1, 7) * (1, 1, 0.3, 1, 1, 1, 1)
        for _ in range(8):
            table.step(push)
        done += frames_to_success(table) > 0
    assert done >= len(TASKS) - 1


def test_advance_needs_a_table_that_allows_it() -> None:
    table = world()
    table.reset(["push-red-block-left", "open-drawer"], 0)
    joint = table.model.joint("drawer").qposadr[0]
    table.data.qpos[joint] = 0.08
    before = table.save()
    assert not table.advance() and table.task == "push-red-block-left"
    assert (table.save() == before).all()
    table.data.qpos[joint] = 0.0
    assert table.advance() and table.task == "open-drawer"


def trajectory(table: PlaytableWorld, task: str, seed: int, look: str) -> str:
    """A digest of everything over an episode with noise."""
    table.reset([task], seed, look)
    parts = [table.save(), table.pose(), table.proprio()]
    random = stream(seed, "test", "trajectory")
    for _ in range(25):
        action = np.clip(table.expert() + 0.1 * random.standard_normal(7), -1, 1)
        table.step(action)
        parts += [action, table.save(), table.pose(), table.proprio()]
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def test_an_episode_does_not_depend_on_what_went_before() -> None:
    cases = (("push-blue-block-left", 7, "C"), ("open-drawer", 1, "A"), ("turn-on-led", 5, "C"))
    table = world()
    here = [trajectory(table, *case) for case in cases]
    assert [trajectory(table, *case) for case in cases] == here
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_playtable as t\n"
        f"print(*(t.trajectory(t.PlaytableWorld(), *case) for case in {cases!r}))"
    )
    folder = __file__.rsplit("/", 1)[0]
    done = subprocess.run([sys.executable, "-c", code, folder], check=True, capture_output=True, text=True)
    assert done.stdout.split() == here


@pytest.mark.parametrize("task", ["open-drawer", "turn-off-led", "push-pink-block-right", "move-slider-left"])
def test_a_loaded_state_goes_on_to_the_last_bit(task: str) -> None:
    table = world()

    def go_on(frames: int) -> list[npt.NDArray[np.float64]]:
        seen = []
        for _ in range(frames):
            table.step(table.expert())
            seen += [table.save(), table.proprio(), table.pose(), np.array([table.success()])]
        return seen

    table.reset([task, "push-red-block-left"], 11, "D")
    go_on(8)
    saved, felt = table.save(), table.proprio()
    once = go_on(20)
    table.show(np.round(table.pose(), 4))
    table.reset(["turn-on-led"], 4, "D")
    go_on(5)
    table.reset([task, "push-red-block-left"], 11, "D")
    table.load(saved)
    assert (table.proprio() == felt).all() and (table.save() == saved).all()
    assert all((a == b).all() for a, b in zip(once, go_on(20), strict=True))


def test_actions_are_steps_of_the_tip() -> None:
    table = world()
    table.reset(["open-drawer"], 0)
    for axis, frames in ((0, 3), (1, 3), (2, 2), (3, 2), (4, 2), (5, 3), (6, 1)):
        action = STILL.copy()
        action[axis] = 0.6 if axis < 6 or table.proprio()[6] < 0.03 else -0.6
        before = table.proprio()[:7]
        for _ in range(frames):
            table.step(action)
        for _ in range(6):
            table.step(STILL)
        moved = table.proprio()[:7] - before
        assert moved == pytest.approx(frames * action * SCALES, abs=2e-3)


def test_the_target_stays_near_the_tip_and_inside() -> None:
    table = world()
    table.reset(["open-drawer"], 0)
    for _ in range(40):
        table.step([0, 0, -1, 0, 0, 0, -1])
    assert table.proprio()[2] > -0.005  # the table stops it
    for _ in range(3):
        table.step([0, 0, 1, 0, 0, 0, 0])
    assert table.proprio()[2] > 0.02  # and it has not to come back from below
    for corner in ((1, 1, 1), (-1, 1, 1), (-1, -1, 1), (1, -1, 1)):
        for _ in range(40):
            table.step([*corner, 0, 0, 0, 0])
        felt = table.proprio()[:3]
        assert ((LOW[:3] - 0.02 < felt) & (felt < HIGH[:3] + 0.02)).all()


def test_layouts_are_what_the_tasks_need() -> None:
    table = world()
    for seed in range(40):
        tasks = chain(1 + seed % 5, seed)
        table.reset(tasks, seed, LOOKS[seed % 4])
        facts = table.facts()
        assert goals.possible(tasks[0], facts) and not table.success()
        assert all(goals.state(facts, fixture) in states for fixture, states in STATES.items())
        places = np.array([facts.blocks[name][:2] for name in BLOCKS])
        apart = np.abs(places[:, None] - places[None]).max(-1)[~np.eye(3, dtype=bool)]
        assert apart.min() > 0.06


def test_poses_show_everything() -> None:
    table = world()
    table.reset(["turn-on-lightbulb"], 2, "A")
    dark = table.pose()
    assert dark.shape == (table.model.nq + 2,)
    assert frames_to_success(table)
    lit = table.pose()
    assert (dark[-2], lit[-2]) == (0, 1)
    bulb = table.model.material("bulb").id
    for pose, glows in ((dark, False), (lit, True), (dark, False)):
        table.show(np.round(pose, 6))
        assert (table.model.mat_emission[bulb] > 0) == glows
        assert table.pose() == pytest.approx(pose, abs=1e-6)
    with pytest.raises(UsageError, match="pose"):
        table.show(dark[:-1])
    with pytest.raises(UsageError, match="state"):
        table.load(dark)


@pytest.mark.parametrize("task", TASKS)
def test_what_is_done_can_be_seen(task: str, painter: Painter) -> None:
    """The first pose, with what is not the arm's as it is at the end: pictures of 128 pixels tell them apart."""
    table = world()
    look = LOOKS[len(task) % 4]
    table.reset([task], 5, look)
    first, arm = table.pose(), [*table.model.jnt_qposadr[[table.model.joint(n).id for n in ARM]]]
    frames_to_success(table)
    last = table.pose()
    last[arm] = first[arm]
    pictures = []
    for pose in (first, last, np.round(first, 6)):
        table.show(pose)
        pictures.append(painter.paint(table, 128).astype(int))
    changed = np.abs(pictures[1] - pictures[0]).max(-1) > 24
    assert 30 < changed.sum() < 128 * 128 / 8
    assert np.abs(pictures[2] - pictures[0]).max() <= 2


def test_ways_of_the_hand_are_different_ones_in_the_picture() -> None:
    """Right, away and up: no two of them within 35 degrees of each other, or of each other's opposite."""
    for look in LOOKS:
        view = APPEARANCES[look].view
        ahead = np.subtract(view.target, view.position)
        right = np.cross(ahead, (0.0, 0.0, 1.0))
        up = np.cross(right, ahead)
        ways = np.stack([right / np.linalg.norm(right), up / np.linalg.norm(up)])  # [2, 3]: a column a way
        ways /= np.linalg.norm(ways, axis=0)
        alike = np.abs(ways.T @ ways)[~np.eye(3, dtype=bool)]
        assert alike.max() < np.cos(np.radians(35))


def test_the_hand_is_above_its_shadow() -> None:
    table = world()
    table.reset(["open-drawer"], 3, "C")
    heights = set()
    for _ in range(TASKS["open-drawer"].horizon):
        tip = table.proprio()[:3]
        x, y, z = table.data.body("shadow").xpos
        assert (x, y) == pytest.approx(tip[:2], abs=1e-9)
        on_top = abs(x) < sizes.TOP[0] and abs(y) < sizes.TOP[1]
        assert z == pytest.approx(0.0015 if on_top else sizes.FLOOR + 0.0015)
        heights.add(on_top)
        table.step(table.expert())
    assert heights == {True, False}
    geoms = table.model.geom_bodyid == table.model.body("shadow").id
    assert geoms.sum() == len(sizes.SHADOW) and not table.model.geom_contype[geoms].any()


def test_fingers_begin_closed_and_experts_keep_them_so() -> None:
    table = world()
    for seed, task in enumerate(TASKS):
        table.reset([task], seed, LOOKS[seed % 4])
        assert table.proprio()[6] == 0
        frames_to_success(table, 0.1, seed)
        assert table.proprio()[6] < 0.012
        assert np.abs(table.proprio()[3:6]).max() < 0.1


@pytest.mark.parametrize("camera", ["static", "gripper"])
def test_appearances_look_different(camera: str, painter: Painter) -> None:
    table, pictures = world(), []
    for look in LOOKS:
        table.reset(["open-drawer"], 0, look)
        pictures.append(painter.paint(table, 64, camera).astype(int))
        assert pictures[-1].std() > 20  # something is there
    for place, picture in enumerate(pictures):
        assert all(np.abs(picture - other).mean() > 15 for other in pictures[:place])


@pytest.mark.parametrize(
    "action", [[0] * 6, [0] * 6 + [float("nan")], [0] * 6 + [1.5], "up", None, [[0] * 7]]
)
def test_wrong_actions_change_nothing(action: Any) -> None:
    table = world()
    table.reset(["open-drawer"], 0)
    before = table.save()
    with pytest.raises(UsageError, match="action"):
        table.step(action)
    assert (table.save() == before).all()


def test_names_go_with_numbers() -> None:
    table = world()
    table.reset(["open-drawer"], 0)
    assert table.expert().shape == (len(table.action_names),)
    assert table.proprio().shape == (len(table.proprio_names),)
    assert set(table.cameras) == {"static", "gripper"}
    assert isinstance(TASK_GOALS["open-drawer"], Turn)


def test_angles_undo_rotation() -> None:
    random = stream(0, "test", "angles")
    for _ in range(20):
        turned = random.uniform(-1.2, 1.2, 3)
        assert angles(rotation(*turned)) == pytest.approx(turned)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("task", TASKS)
def test_experts_on_fifty_seeds(task: str, noise: float) -> None:
    table, done = world(), 0
    for seed in range(50):
        table.reset([task], seed, LOOKS[seed % 4])
        done += frames_to_success(table, noise, seed) > 0
    assert done >= 48
