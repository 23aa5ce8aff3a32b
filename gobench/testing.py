"""The contracts as tests that anyone calls: ``check_domain(MyDomain())``, ``check_model(MyModel())`` in a test of yours.

Each check raises AssertionError that says what the contract is and what came instead.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from gobench.build.journal import asking, let_go, retold
from gobench.build.recipes import BuildConfig, configure
from gobench.canonical import dumps, loads
from gobench.clips import rgb_to_yuv
from gobench.types import Array, AskingSource, Clip, Domain, Episode, Json, Record, Rejection, Verdict

if TYPE_CHECKING:
    from gobench.smoke import Report

TRIED = 3  # episodes looked at in each recipe
BLOCK = 16
LESSONS = ("grid", "symbols", "states", "labels", "act", "verdicts")


def check_model(model: str | Any, suite: str | None = None, timeout: float = 600.0) -> Report:
    """Ask a model a few questions, as ``gobench smoke`` does; returns what was seen.

    Args:
        model: an object with ``generate``, or a text as for ``gobench evaluate``.
        suite: whose questions; by default the first that is installed.
        timeout: seconds that one answer may take.

    Raises:
        AssertionError: it breaks the contract of ``gobench.types.VideoModel``; lists how, and what to do.
    """
    from gobench.smoke import smoke

    report = smoke(model, suite, timeout=timeout)
    wrong = [f"{f.check}: {f.text} {f.fix}".rstrip() for f in report.findings if f.level == "wrong"]
    assert not wrong, "\n".join(wrong)
    return report


def check_domain(domain: Domain, options: Mapping[str, Json] | None = None) -> int:
    """Try every recipe of a domain that gives episodes without further input; returns how many were tried.

    Args:
        options: the domain's options to change in every recipe, for instance to make it quick.
    """
    assert pickle.loads(pickle.dumps(domain)).name == domain.name, "a domain travels to worker processes"
    tried = 0
    for name in domain.recipes():
        config = configure(domain, name, None, options)
        full = config.all_options
        assert domain.configure(full) == full, f"{name}: configure() changes what it has configured"
        if full.get("sources") != []:  # else the recipe waits for files of the user
            tried += check_recipe(domain, config)
    return tried


def check_recipe(domain: Domain, config: BuildConfig) -> int:
    """Its first few episodes: repeatable, plain, with the declared keys, and drawn as the contract says.

    A source that asks (``gobench.types.AskingSource``) is asked once.
    """
    answers: dict[int, Json] = {}
    first, second = (list(_candidates(domain, config, answers)) for _ in range(2))
    assert [_plain(e) for e in first] == [_plain(e) for e in second], (
        "a unit gives the same candidates each time"
    )
    episodes = [item for item in first if isinstance(item, Episode)]
    for episode in episodes:
        for dedup in ("exact", "symmetry"):
            number = domain.fingerprint(episode, dedup)
            assert 0 <= number < 2**64 and number == domain.fingerprint(episode, dedup)
        record = domain.finish(episode, "key-0", config.options, config.seed).record
        check_record(domain, {**record, "key": "key-0", "split": "train"})
        check_lessons(domain, config.options, {**record, "key": "key-0", "split": "train"})
    return int(bool(episodes))


def check_record(domain: Domain, record: Record) -> None:
    """A shipped record and its clip."""
    assert None not in record.values(), "a record holds no nulls"
    assert {*record, "frames"} == set(domain.features()), "a record has the keys that features() declares"
    clip = domain.clip(record)
    assert np.array_equal(domain.clip(pickle.loads(pickle.dumps(record))).rgb(0, 1), clip.rgb(0, 1))
    check_clip(clip)


def check_lessons(domain: Domain, options: Mapping[str, Json], record: Record) -> None:
    """What a domain may offer to those who train, where it does: it fits together, and explains a shipped record."""
    offered: Any = domain
    if not all(hasattr(domain, name) for name in LESSONS):
        return
    frames = domain.clip(record).rgb()
    rows, columns = offered.grid(options)
    cells, symbols, states = rows * columns, offered.symbols(options), offered.states(options, frames)
    assert states.shape == (len(frames), cells) and states.dtype == np.uint8 and states.max() < symbols
    if hasattr(domain, "readable"):
        assert offered.readable(options, frames).tolist() == [True] * len(frames), "frames can be read"
    actions = offered.labels(record)
    assert actions.shape == (len(frames) - 1, 2) and actions.dtype == np.int64
    none = actions[:, 0] == cells
    assert (actions >= 0).all() and (actions <= [cells, symbols - 1]).all() and not actions[none, 1].any()
    after = offered.act(options, frames[:-1], actions)
    assert np.array_equal(offered.states(options, after), states[1:]), "actions lead from frame to frame"
    assert np.array_equal(
        offered.act(options, frames[:-1], np.full_like(actions, (cells, 0))), frames[:-1]
    ), "without an action nothing changes"
    check_verdicts(offered, record, frames, none)


def check_verdicts(domain: Any, record: Record, frames: Array, none: npt.NDArray[np.bool_]) -> None:
    """The frames that come are legal answers, but for those without an action; the frame itself is none."""
    times = list(range(len(frames) - 1))
    right, same = (domain.verdicts(record, times, answer) for answer in (frames[1:], frames[:-1]))
    assert all(isinstance(verdict, Verdict) for verdict in (*right, *same))
    assert [verdict.legal for verdict in right] == (~none).tolist(), "a frame that comes is a legal answer"
    assert not any(verdict.legal for verdict in same), "an unchanged frame is no legal answer"


def check_clip(clip: Clip) -> None:
    """Shapes, windows, planes and damage of a clip."""
    frames = clip.rgb()
    assert frames.shape == (clip.length, clip.height, clip.width, 3) and frames.dtype == np.uint8
    assert np.array_equal(clip.rgb(1, None, 2), frames[1::2]), "a window holds the frames of the whole"
    if not (clip.height % 2 or clip.width % 2):
        for drawn, converted in zip(clip.yuv(), rgb_to_yuv(frames), strict=True):
            assert np.array_equal(drawn, converted), "yuv() is rgb(), converted by gobench.clips"
    damage = clip.damage()
    assert (
        damage.shape == (clip.length, -(-clip.height // BLOCK), -(-clip.width // BLOCK)) and damage[0].all()
    )
    changed = (frames[1:] != frames[:-1]).any(axis=3)
    for row, column in np.ndindex(damage.shape[1:]):
        block = changed[:, row * BLOCK : (row + 1) * BLOCK, column * BLOCK : (column + 1) * BLOCK]
        assert not (block.any(axis=(1, 2)) & ~damage[1:, row, column]).any(), (
            "an unmarked block does not change"
        )


def _candidates(
    domain: Domain, config: BuildConfig, answers: dict[int, Json]
) -> Iterator[Episode | Rejection]:
    source = domain.source(config.all_options, max(config.episodes, TRIED), config.seed)
    units = range(min(source.units, TRIED))
    for unit in set(units) & set(asking(source)) - answers.keys():
        answers[unit] = loads(dumps(cast(AskingSource, source).ask(unit)), f"the answer about unit {unit}")
    let_go(source)
    for unit in units:
        yield from retold(source, unit, lambda place: answers[asking(source)[place]])


def _plain(item: Episode | Rejection) -> bytes:
    return dumps(item.record) if isinstance(item, Episode) else repr(item).encode()
