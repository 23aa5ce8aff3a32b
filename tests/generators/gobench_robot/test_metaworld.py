"""Meta-World, seeded: equal resets are equal to the last bit, experts do their tasks, and what is recorded is what was done."""

from __future__ import annotations

import multiprocessing

import numpy as np
import pytest

from gobench.errors import UsageError
from gobench_robot.catalogue import CORE
from gobench_robot.envs import open_world, own_painter
from gobench_robot.envs.metaworld import MetaWorld
from gobench_robot.rollout import Plan, replay, roll

pytestmark = pytest.mark.usefixtures("needs_metaworld")


@pytest.fixture(scope="module")
def world() -> MetaWorld:
    found = open_world("metaworld")
    assert isinstance(found, MetaWorld)
    return found


@pytest.mark.parametrize("task", sorted(CORE))
def test_an_expert_does_its_task_and_its_actions_alone_do_it_again(world: MetaWorld, task: str) -> None:
    plan = Plan("metaworld", (task,), 5, "A", 0.0)
    found = roll(world, plan)
    assert 5 < found.success_frame <= CORE[task].horizon and found.starts == [0]
    assert len(found.proprio) == len(found.poses) == len(found.actions) + 1
    done = replay(world, plan, found.actions)
    assert done.index(True) + 1 == found.success_frame


def test_what_went_before_does_not_matter(world: MetaWorld) -> None:
    fresh = open_world("metaworld")
    fresh.reset(["push"], 3)
    for task in ("push", "drawer-open", "push"):
        world.reset([task], 8)
        for _ in range(4):
            world.step(world.expert())
    world.reset(["push"], 3)
    assert np.array_equal(world.save(), fresh.save()) and np.array_equal(world.pose(), fresh.pose())
    other = open_world("metaworld")
    other.reset(["push"], 4)
    assert not np.array_equal(other.pose(), fresh.pose()), "another seed is another layout"


@pytest.mark.parametrize("task", ["push", "door-open"])
def test_a_saved_state_goes_on_to_the_same_end(world: MetaWorld, task: str) -> None:
    world.reset([task], 1)
    for _ in range(6):
        world.step(world.expert())
    saved, ends = world.save(), []
    for _ in range(2):
        world.load(saved)
        for _ in range(8):
            world.step(world.expert())
        ends.append(world.save())
        world.reset([task], 1)
    assert np.array_equal(*ends)


@pytest.mark.usefixtures("needs_gl")
def test_a_pose_is_drawn_as_what_was_seen(world: MetaWorld) -> None:
    world.reset(["plate-slide"], 2)
    for _ in range(9):
        world.step(world.expert())
    pose, seen = world.pose(), own_painter().paint(world, 64)
    world.reset(["plate-slide"], 2)
    before = own_painter().paint(world, 64)
    world.show(pose)
    assert np.array_equal(own_painter().paint(world, 64), seen) and not np.array_equal(before, seen)
    assert own_painter().paint(world, 64, "gripper").shape == (64, 64, 3)


@pytest.mark.usefixtures("needs_gl")
def test_the_mark_of_push_is_seen_where_the_goal_is(world: MetaWorld) -> None:
    world.reset(["push"], 0)
    green = own_painter().paint(world, 128).astype(int)
    assert ((green[..., 1] - green[..., 0] > 60) & (green[..., 1] - green[..., 2] > 60)).sum() > 20


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ([0, 0, 0], "shape"),
        ([0, 0, 0, 1.5], "close is 1.5"),
        ([0, float("nan"), 0, 0], "dy is nan"),
        (["a"] * 4, "4 numbers"),
    ],
)
def test_other_actions_are_refused(world: MetaWorld, action: list[object], words: str) -> None:
    world.reset(["push"], 0)
    with pytest.raises(UsageError, match=words):
        world.step(action)


def test_what_cannot_be_begun_is_said(world: MetaWorld) -> None:
    for tasks, appearance, words in (
        (["pusch"], "A", "push"),
        (["push", "push"], "A", "one task"),
        (["push"], "B", "'B'"),
    ):
        with pytest.raises(UsageError, match=words):
            world.reset(tasks, 0, appearance)


@pytest.mark.usefixtures("needs_gl")
def test_a_forked_process_is_told_that_it_cannot_draw(world: MetaWorld) -> None:
    world.reset(["push"], 0)
    own_painter().paint(world, 32)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        said = pool.apply_async(_drawn_after_fork).get(timeout=60)
    assert "spawn" in said


def _drawn_after_fork() -> str:
    try:
        own_painter().paint(open_world("metaworld"), 32)
    except UsageError as error:
        return str(error)
    return "drawn"
