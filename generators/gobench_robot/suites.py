"""The suites and protocols of the robot domain, as tables, and how a suite is put together from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from gobench.errors import UsageError, unknown
from gobench.tasks import Suite
from gobench.types import Json, Record
from gobench_robot.catalogue import FPS, of_scene, task
from gobench_robot.rollout import Plan
from gobench_robot.tasks.loop import ClosedLoop, Sample, Terms, layout

PROTOCOLS: Mapping[str, str] = {
    "standard": "closed loop: 5 frames are predicted, 4 actions carried out, and again, up to the task's horizon",
}
PREDICTED, EXECUTED, LINGER = 5, 4, 8
CHAINS = (2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class SuiteRow:
    """A suite: tasks, and how many episodes of each."""

    about: str
    scene: str
    prefix: str  # of the tasks' names
    episodes: int  # of each task
    chains: int = 0  # episodes of each length of chain
    appearance: str = "A"
    idm: str = "core"
    layouts: int = 0  # root of the episodes' seeds


SUITES: Mapping[str, SuiteRow] = {
    "robot-lite": SuiteRow("ten tasks of Meta-World in closed loop, 10 episodes each", "metaworld", "robot", 10),
    "robot-core": SuiteRow("the same, 50 episodes each", "metaworld", "robot", 50),
    "playtable": SuiteRow(
        "the playtable in appearance D: single tasks of three families, and chains of 2 to 5",
        "playtable", "playtable", 20, chains=20, appearance="D", idm="playtable", layouts=1,
    ),  # layouts of root 0 were looked at while the scene was made

    "calvin-paper": SuiteRow(
        "500 single-step trials as in VideoWorld, in your own CALVIN, ABCD to D; not CALVIN's long-horizon protocol",
        "calvin", "calvin", 42, appearance="D", idm="",
    ),
}  # fmt: skip


def suites() -> Mapping[str, str]:
    """Name -> one line; the first one is the default."""
    return {name: row.about for name, row in SUITES.items()}


@lru_cache(maxsize=16)
def open_suite(name: str, protocol: str = "standard") -> Suite:
    """Open a suite under a protocol, once a process; no simulator is needed for it.

    "NAME:TASK,TASK" is the part of a suite that asks for some single tasks alone.

    Raises:
        UsageError: an unknown name or protocol.
        DataError: the inverse dynamics that it is played with is missing or broken.
    """
    base, colon, part = name.partition(":")
    if base not in SUITES:
        raise unknown("suite", name, SUITES)
    if protocol not in PROTOCOLS:
        raise UsageError(f"the suite {name} has no protocol {protocol!r}; it has {', '.join(PROTOCOLS)}.")
    row = SUITES[base]
    wanted = asked_tasks(base, row, part.split(",")) if colon else of_scene(row.scene)
    name = f"{base}:{','.join(wanted)}" if colon else base  # one part has one name
    if row.scene == "calvin":
        from gobench_robot.calvin.suite import task_of

        return Suite(name, row.about, (task_of(name, wanted),))
    tasks = [_task(f"{row.prefix}/closed-loop", name, row, singles(base, row, wanted))]
    if row.chains and not part:
        tasks.append(_task(f"{row.prefix}/chains", name, row, chains(name, row)))
    return Suite(name, row.about, tuple(tasks))


def asked_tasks(suite: str, row: SuiteRow, named: Sequence[str]) -> Sequence[str]:
    """The named tasks of a suite, in its order. Raises UsageError for one that it does not have."""
    known = of_scene(row.scene)
    if strange := [name for name in named if name not in known]:
        raise unknown(f"task of the suite {suite}", strange[0], known)
    return [name for name in known if name in named]


def singles(suite: str, row: SuiteRow, names: Sequence[str]) -> Iterator[Sample]:
    """Single tasks, in so many layouts each."""
    for name in names:
        for number in range(row.episodes):
            yield _sample(f"{name}-{number:02d}", suite, row, (name,), number)


def chains(suite: str, row: SuiteRow) -> Iterator[Sample]:
    """Chains of each length, in so many layouts."""
    from gobench_robot.envs.playtable.tasks import chain

    for length in CHAINS:
        for number in range(row.chains):
            tasks = chain(length, layout(row.layouts, suite, ["chain"], 100 * length + number))
            yield _sample(f"chain{length}-{number:02d}", suite, row, tasks, number)


def _sample(name: str, suite: str, row: SuiteRow, tasks: tuple[str, ...], number: int) -> Sample:
    plan = Plan(row.scene, tasks, layout(row.layouts, suite, tasks, number), row.appearance, 0.0)
    return Sample(name, plan, sum(task(one).horizon for one in tasks))


def _task(name: str, suite: str, row: SuiteRow, samples: Iterator[Sample]) -> ClosedLoop:
    table = {sample.id: sample for sample in samples}
    terms = Terms(PREDICTED, EXECUTED, LINGER, "static", row.idm)
    return ClosedLoop(
        name, row.scene, table, terms, _settings(suite, row, table, terms), _public(name, suite, row)
    )


def _settings(suite: str, row: SuiteRow, samples: Mapping[str, Sample], terms: Terms) -> Mapping[str, Json]:
    from gobench.canonical import dumps, sha256
    from gobench_robot.envs.metaworld import VERSION
    from gobench_robot.idm.artifact import shipped

    asked = [[s.id, s.plan.to_json(), s.horizon] for s in samples.values()]
    settings: Record = {
        "scene": row.scene,
        "samples": len(samples),
        "asked": sha256(dumps(asked)),
        "layout_seed": row.layouts,
        **terms.settings(),
        "idm": {"name": row.idm, "sha256": shipped(row.idm).sha256},
    }
    if row.scene == "metaworld":
        settings["metaworld"] = VERSION
    return settings


def _public(name: str, suite: str, row: SuiteRow) -> Mapping[str, Json]:
    return {
        "task": name,
        "suite": suite,
        "protocol": "standard",
        "scene": row.scene,
        "fps": FPS,
        "predicted": PREDICTED,
        "executed": EXECUTED,
        "camera": "static",
    }
