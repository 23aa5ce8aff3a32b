"""What a work folder remembers between calls: what was asked for, minutes as they were given, weights of finished stages."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from gobench import atomic, canonical
from gobench.errors import BuildError, DataError
from gobench.types import Record
from gobench_videoworld.config import VideoWorldConfig
from gobench_videoworld.data.store import META, leave
from gobench_videoworld.options import ALL, STAGES, TrainOptions, command_of, flags, needed, work_of
from gobench_videoworld.train import clock
from gobench_videoworld.train.fit import Fitted, Report
from gobench_videoworld.train.parallel import Parallel
from gobench_videoworld.train.state import set_aside
from gobench_videoworld.train.tensorfile import write_tensors
from gobench_videoworld.train.terms import terms

ASKED, WEIGHTS, DONE, MINUTES = "asked.json", "weights.safetensors", "done.json", "minutes.json"
FINISHED = (DONE, MINUTES, WEIGHTS)  # in this order: half of it moved is no finished stage
LOCK = ".lock"
LENGTHS = ("minutes", "steps")
TOKENS = "tokens"  # the folder of all splits' tokens


@contextlib.contextmanager
def held(asked: TrainOptions, parallel: Parallel) -> Iterator[None]:
    """Hold the whole work folder, so that nobody else trains in it or begins it anew meanwhile.

    Raises:
        BuildError: somebody is at work there, or there is nothing to go on with (``resume`` "must").
    """
    with contextlib.ExitStack() as stack:
        parallel.first(lambda: _take(asked, stack))
        yield


def _take(asked: TrainOptions, stack: contextlib.ExitStack) -> None:
    if asked.resume == "must" and not (asked.work / ASKED).exists():
        raise BuildError(f"{asked.work} holds no training to go on with: leave --resume out to start one.")
    refusal = f"another training is at work in {asked.work}: wait for it, end it, or choose another --work."
    stack.enter_context(atomic.lock(asked.work / LOCK, refusal))


def remember(asked: TrainOptions, config: VideoWorldConfig, parallel: Parallel, say: Report) -> None:
    """Write down what was asked for, or check that it is what was asked for before; ``resume`` "never" begins anew.

    Raises:
        BuildError: the folder is another training's, or holds stages that were trained on other terms; names what differs.
    """
    parallel.first(lambda: _remember(asked, config, say))


def _remember(asked: TrainOptions, config: VideoWorldConfig, say: Report) -> None:
    path, now = asked.work / ASKED, {**asked.decisive(), "stage": ""}
    before: Record = canonical.read_json(path) if path.exists() else now
    anew = asked.resume == "never" or _longer(asked, before, now, say)
    if not anew:
        _check_same(asked, before, now)
    first = STAGES.index(asked.stages[0])
    for stage in needed(asked):
        if not anew or STAGES.index(stage) < first:
            _check_terms(asked.work / stage, terms(asked, config, stage))
    if path.exists() and anew:
        _forget(asked, say)
    atomic.write(path, canonical.pretty(now))


def _check_terms(folder: Path, now: Record) -> None:
    """Refuse a finished stage that was trained on other terms; one that is linked here was chosen by whoever linked it."""
    if folder.is_symlink() or not (folder / DONE).exists():
        return
    before: Record = canonical.read_json(folder / DONE).get("asked", {})
    if differing := [key for key in before if key in now and before[key] != now[key]]:
        key = differing[0]
        raise BuildError(
            f"{folder} was trained with {key} {before[key]!r}; now it is {now[key]!r}. Ask for what it was trained with, "
            f"train it anew, too (--resume never without --stage, or with --stage {folder.name} first), or choose another --work."
        )


def _longer(asked: TrainOptions, before: Record, now: Record, say: Report) -> bool:
    """Whether a finished training is asked for again, only longer; it is begun anew then, and ``say`` is told."""
    differing = _differing(before, now)
    if not differing or asked.stage != ALL or asked.resume != "auto" or not set(differing) <= set(LENGTHS):
        return False
    if any(before.get(key) is None or now[key] is None or now[key] < before[key] for key in differing):
        return False
    folders = [asked.work / stage for stage in needed(asked)]
    if not all((folder / DONE).exists() and not folder.is_symlink() for folder in folders):
        return False
    say(
        f"{asked.work} holds a finished training with {_told(before, differing)}; now it is {_told(now, differing)}. "
        "The learning rate falls over a training's whole length, so it is trained anew, and the frames' tokens are used "
        f"again where the tokenizer comes out the same. {asked.out} stays as it is until the new one is done."
    )
    return True


def _check_same(asked: TrainOptions, before: Record, now: Record) -> None:
    if not (differing := _differing(before, now)):
        return
    beside = _beside(asked.out)
    raise BuildError(
        f"{asked.work} holds a training with {_told(before, differing)}; now it is {_told(now, differing)}. "
        f"Train another one beside it:\n  {command_of(asked, out=beside, work=work_of(beside), resume='auto')}\n"
        "or start anew with --resume never (what is there moves into subfolders; tokens are used again where they are the "
        f"same):\n  {command_of(asked, resume='never')}"
    )


def _differing(before: Record, now: Record) -> list[str]:
    return [key for key in now if before.get(key) != now[key]]


def _told(table: Record, keys: list[str]) -> str:
    """ "--minutes 4 and no --steps"."""
    return " and ".join(
        " ".join(flags(key, table.get(key))) or f"no --{key.replace('_', '-')}" for key in keys
    )


def _beside(out: Path) -> Path:
    """A name like this one where nothing is yet: "model-2.pt"."""
    names = (out.with_name(f"{out.stem}-{n}{out.suffix}") for n in count(2))
    return next(name for name in names if not name.exists() and not work_of(name).exists())


def _forget(asked: TrainOptions, say: Report) -> None:
    """What is to be trained anew is not finished, nor is what builds on it."""
    first = STAGES.index(asked.stages[0])
    for stage in STAGES[first:]:
        folder = asked.work / stage
        if folder.is_symlink():
            folder.unlink()
        elif folder.is_dir():
            set_aside(folder, say, FINISHED)
    clock.forget(asked.work, STAGES[first:])
    if asked.stages[0] == needed(asked)[0]:  # all of it anew
        _leave_stores(asked.work / TOKENS)


def _leave_stores(folder: Path) -> None:
    """What was made of the frames is used again where it comes out the same, and else replaced (``data.store``)."""
    if folder.is_symlink():
        folder.unlink()
        return
    for meta in sorted(folder.glob(f"*/{META}")):
        leave(meta.parent)


def minutes(folder: Path, wanted: float, parallel: Parallel) -> float:
    """The minutes that a stage was given when it first began."""
    path = folder / MINUTES
    if parallel.main and not path.exists():
        atomic.write(path, canonical.pretty({"minutes": wanted}))
    return parallel.agreed(float(canonical.read_json(path)["minutes"]) if parallel.main else 0.0)


def save(folder: Path, tensors: Mapping[str, Tensor], done: Fitted, asked: Record) -> None:
    """A finished stage: its weights, then what it came to and on what terms. Raises BuildError where the disk is full."""
    write_tensors(folder / WEIGHTS, tensors)
    atomic.write(folder / DONE, canonical.pretty({**told(done), "asked": asked}))


def told(done: Fitted) -> Record:
    """What a stage came to, as plain data."""
    names = ("step", "loss", "seconds", "tokens", "frames", "flops", "metrics")
    return {name: getattr(done, name) for name in names}


def load_if_there(folder: Path, module: nn.Module) -> bool:
    """Fill a module with a finished stage's weights; False where it is not finished."""
    if not (folder / DONE).exists():
        return False
    load(folder, module, folder.name)
    return True


def load(folder: Path, module: nn.Module, name: str) -> None:
    """Fill a module with a finished stage's weights.

    Raises:
        BuildError: the stage is not finished. DataError: its file is broken, or of another model.
    """
    if not (folder / DONE).exists():
        raise BuildError(
            f"the stage {name} is not trained yet in {folder.parent}: train it first with --stage {name}."
        )
    own = weights(folder)
    try:
        module.load_state_dict(own)
    except RuntimeError as error:
        raise _useless(folder, error) from error


def spent(work: Path) -> dict[str, float]:
    """Finished stage -> seconds of its updates; stages that are linked here were trained for others, too, and are left out."""
    folders = [work / stage for stage in STAGES]
    return {
        folder.name: float(canonical.read_json(folder / DONE)["seconds"])
        for folder in folders
        if not folder.is_symlink() and (folder / DONE).exists()
    }


def weights(folder: Path) -> dict[str, Tensor]:
    """A finished stage's weights. Raises DataError where the file is broken."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        found: dict[str, Tensor] = load_file(folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise _useless(folder, error) from error
    return found


def _useless(folder: Path, error: Exception) -> DataError:
    reason = str(error).splitlines()[-1].strip()
    return DataError(
        f"{folder / WEIGHTS} cannot be used ({reason}): delete {folder} to train the stage again."
    )


def bar(name: str, shown: bool) -> Callable[[int, int], None]:
    """A bar on stderr, called with (done, all)."""
    from tqdm import tqdm

    made: list[Any] = []

    def tell(done: int, total: int) -> None:
        if not made:
            pace = 0.2 if sys.stderr.isatty() else 10.0
            made.append(tqdm(total=total, desc=name, unit="episode", disable=not shown, mininterval=pace))
        made[0].update(done - made[0].n)
        if done >= total:
            made[0].close()

    return tell
