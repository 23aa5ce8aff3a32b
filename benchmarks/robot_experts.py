"""How surely the scripted experts do their tasks, and whether their recorded actions alone do them again.

python benchmarks/robot_experts.py [EPISODES]    prints a table: every task, EPISODES layouts (50) at each level of noise
"""

from __future__ import annotations

import sys

from gobench_robot import envs
from gobench_robot.catalogue import tasks
from gobench_robot.rollout import Plan, replay, roll

LEVELS = (0.0, 0.1, 0.2)
LOOKS = {"metaworld": "A", "playtable": "ABCD"}


def main(episodes: int) -> None:
    """Print a line a task as it is measured."""
    levels = [f"noise {level:g}" for level in LEVELS]
    print(
        f"| task | {' | '.join(levels)} | carried out again | median steps |\n| --- |{' ---: |' * (len(LEVELS) + 2)}"
    )
    for name, row in tasks().items():
        looks = LOOKS[row.scene]
        cells, again, steps = [], 0, []
        for level in LEVELS:
            plans = [
                Plan(row.scene, (name,), seed, looks[seed % len(looks)], level) for seed in range(episodes)
            ]
            done = 0
            for plan in plans:
                found = roll(envs.own_world(row.scene), plan)
                if found.success_frame < 0:
                    continue
                done += 1
                again += any(replay(envs.own_world(row.scene), plan, found.actions))
                steps += [found.success_frame] * (level == 0)
            cells.append(done)
        share = f"{again} of {sum(cells)}"
        middle = sorted(steps)[len(steps) // 2] if steps else "–"
        print(
            f"| {name} | {' | '.join(f'{done}/{episodes}' for done in cells)} | {share} | {middle} |",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
