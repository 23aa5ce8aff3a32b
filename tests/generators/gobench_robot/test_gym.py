"""The tasks as Gymnasium sees them: its own checker, seeds, cameras, and what is refused."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from gobench.errors import UsageError

pytestmark = pytest.mark.usefixtures("needs_metaworld", "needs_gl")


@pytest.mark.parametrize("name", ["DrawerOpen", "Push", "TurnOnLed"])
def test_gymnasiums_own_checker_has_nothing_to_say(name: str) -> None:
    import gymnasium
    from gymnasium.utils.env_checker import check_env

    import gobench_robot.gym  # noqa: F401

    env = gymnasium.make(f"VideoGoBench/{name}-v1", size=32, render_mode="rgb_array")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)
    env.close()


def test_every_task_of_the_catalogue_is_registered() -> None:
    import gymnasium

    from gobench_robot.catalogue import tasks
    from gobench_robot.gym import env_id

    assert all(env_id(name) in gymnasium.registry for name in tasks())
    assert gymnasium.spec("VideoGoBench/DrawerOpen-v1").max_episode_steps == 50


def test_a_seed_is_an_episode_and_without_one_they_differ() -> None:
    from gobench_robot.gym import RobotEnv

    env, other = (RobotEnv("handle-press", size=32, camera="both") for _ in range(2))
    first, info = env.reset(seed=7)
    again, _ = other.reset(seed=7)
    assert info["seed"] == 7 and first["rgb"].shape == (32, 64, 3)
    assert np.array_equal(first["rgb"], again["rgb"]) and np.array_equal(first["proprio"], again["proprio"])
    unseeded = [env.reset()[1]["seed"] for _ in range(2)]
    assert unseeded[0] != unseeded[1]


def test_the_expert_ends_an_episode_with_a_reward() -> None:
    from gobench_robot.gym import RobotEnv

    env = RobotEnv("handle-press", size=32)
    env.reset(seed=0)
    for _ in range(50):
        _, reward, terminated, truncated, info = env.step(env.world.expert().astype(np.float32))
        if terminated:
            break
    assert terminated and not truncated and reward == 1.0 and info["success"] is True


def test_what_cannot_be_is_refused() -> None:
    from gobench_robot.gym import RobotEnv

    for kwargs, words in (
        ({"task": "drawer-opn"}, "drawer-open"),
        ({"task": "push", "size": 31}, "even"),
        ({"task": "push", "camera": "top"}, "static"),
        ({"task": "push", "render_mode": "human"}, "rgb_array"),
    ):
        with pytest.raises(UsageError, match=words):
            RobotEnv(**kwargs)  # type: ignore[arg-type]
    env = RobotEnv("push", size=32)
    env.reset(seed=0)
    with pytest.raises(UsageError, match="from -1 to 1"):
        env.step(np.full(4, 2.0, np.float32))
