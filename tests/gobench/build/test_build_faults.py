"""Builds that go wrong: killed anywhere, no room, dying workers, two at once. Nothing is lost."""

from __future__ import annotations

import hashlib
import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gobench import atomic
from gobench.build.recipes import BuildConfig, configure
from gobench.build.run import LOCKS, build
from gobench.errors import BuildError, DataError, UsageError
from gobench.types import Episode, Record

HERE = Path(__file__).parents[1]  # where bouncing.py lies
TRAP = "BOUNCING_TRAP"

SCRIPT = """
import resource, sys
from bouncing import Bouncing
from gobench.build.run import build
from gobench.errors import GobenchError
from gobench.build.recipes import configure
if __name__ == "__main__":
    if len(sys.argv) > 3:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
    domain = Bouncing()
    try:
        build(domain, configure(domain, "dot-tiny"), sys.argv[1], workers=int(sys.argv[2]))
    except GobenchError as error:
        print(f"{type(error).__name__}: {error}")
        sys.exit(error.exit_code)
"""


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.delenv(TRAP, raising=False)
    return importlib.import_module("bouncing").Bouncing()


@pytest.fixture
def config(domain: Any) -> BuildConfig:
    return configure(domain, "dot-tiny")


@pytest.fixture
def whole(domain: Any, config: BuildConfig, tmp_path: Path) -> dict[str, str]:
    build(domain, config, tmp_path / "whole")
    return listing(tmp_path / "whole")


def listing(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and LOCKS not in path.parts]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def start(folder: Path, workers: int = 1, trap: str = "", *more: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, sys.path)])}
    script = folder.parent / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(folder), str(workers), *map(str, more)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, env=environment | ({TRAP: trap} if trap else {}), **pipes)  # type: ignore[call-overload, no-any-return]


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    for _ in range(3000):
        if path.exists():
            return
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.01)
    raise AssertionError(f"{path} did not appear")


@pytest.mark.parametrize("place", ["unit:0", "unit:30", "finish:0", "finish:20", "finish:51"])
def test_killed_anywhere_the_same_command_goes_on(
    domain: Any, config: BuildConfig, whole: dict[str, str], tmp_path: Path, place: str
) -> None:
    folder = tmp_path / "killed"
    process = start(folder, 1, f"{place}:kill:{tmp_path / 'mark'}")
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    build(domain, config, folder)
    assert listing(folder) == whole


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_any_moment(
    domain: Any, config: BuildConfig, whole: dict[str, str], tmp_path: Path, workers: int
) -> None:
    kills = 0
    for delay in range(12):
        folder = tmp_path / f"killed-{delay}"
        process = start(folder, workers)
        wait_for(folder / LOCKS / "lock", process)
        time.sleep(delay * 0.15 * workers)
        process.kill()
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
        build(domain, config, folder)
        assert listing(folder) == whole
    assert kills > 3


def test_every_file_may_be_the_last_one_written(
    domain: Any, config: BuildConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Power fails after the n-th file, for every n."""
    config = replace(config, episodes=9)
    build(domain, config, tmp_path / "whole")
    whole = listing(tmp_path / "whole")
    publish, left = atomic.AtomicFile._publish, [0]

    def limited(self: atomic.AtomicFile) -> None:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        publish(self)

    for steps in range(len(whole) + 1):  # the plan is written twice
        folder = tmp_path / f"cut-{steps}"
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(atomic.AtomicFile, "_publish", limited)
            left[0] = steps
            build(domain, config, folder)
        assert left[0] == 0
        build(domain, config, folder)
        assert listing(folder) == whole


def test_a_dead_worker_is_named_and_its_piece_made_again(
    domain: Any, config: BuildConfig, whole: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a"
    monkeypatch.setenv(TRAP, f"unit:20:kill:{tmp_path / 'first'}")
    with pytest.raises(BuildError, match=r"SIGKILL.*memory.*games/part-00002.jsonl \(units 16 to 23"):
        build(domain, config, folder, workers=2)
    monkeypatch.setenv(TRAP, f"finish:20:kill:{tmp_path / 'second'}")
    with pytest.raises(
        BuildError, match=r"SIGKILL.*data/train-00001-of-00003.tar.*run the same command again"
    ):
        build(domain, config, folder, workers=2)
    assert build(domain, config, folder).done
    assert listing(folder) == whole


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_names_unit_or_sample(
    domain: Any,
    config: BuildConfig,
    whole: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    workers: int,
) -> None:
    folder = tmp_path / "a"
    monkeypatch.setenv(TRAP, f"unit:33:raise:{tmp_path / 'first'}")
    with pytest.raises(BuildError, match="unit 33 of the source failed: ZeroDivisionError: the trap"):
        build(domain, config, folder, workers=workers)
    monkeypatch.setenv(TRAP, f"finish:40:raise:{tmp_path / 'second'}")
    with pytest.raises(BuildError, match=r"sample dot-000000040 \(candidate \d+\) failed: ZeroDivisionError"):
        build(domain, config, folder, workers=workers)
    assert not list(folder.rglob("*.tmp"))
    monkeypatch.delenv(TRAP)
    build(domain, config, folder)
    assert listing(folder) == whole


@pytest.mark.parametrize(("workers", "sign"), [(1, signal.SIGTERM), (2, signal.SIGTERM), (1, signal.SIGINT)])
def test_a_signal_stops_cleanly(
    domain: Any,
    config: BuildConfig,
    whole: dict[str, str],
    tmp_path: Path,
    workers: int,
    sign: signal.Signals,
) -> None:
    folder, mark = tmp_path / "a", tmp_path / "mark"
    process = start(folder, workers, f"finish:20:sleep:{mark}")
    wait_for(mark, process)
    process.send_signal(sign)
    output = process.communicate(timeout=20)[0]
    assert "KeyboardInterrupt" in output
    assert not list(folder.rglob("*.tmp"))
    build(domain, config, folder)
    assert listing(folder) == whole


def test_workers_do_not_outlive_a_killed_coordinator(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    process = start(tmp_path / "a", 2, f"finish:20:sleep:{mark}")
    wait_for(mark, process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        process.kill()
        pytest.skip("this system does not list child processes")
    crew = [int(pid) for pid in children.read_text().split()]
    assert crew
    process.kill()
    process.communicate(timeout=20)
    for _ in range(500):
        if not any(_alive(pid) for pid in crew):
            return
        time.sleep(0.02)
    raise AssertionError("a worker still runs")


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_two_builds_in_one_folder(domain: Any, config: BuildConfig, tmp_path: Path) -> None:
    folder, mark = tmp_path / "a", tmp_path / "mark"
    process = start(folder, 1, f"finish:20:sleep:{mark}")
    wait_for(mark, process)
    try:
        with pytest.raises(BuildError, match=f"another build is at work in {folder}"):
            build(domain, config, folder)
        with pytest.raises(BuildError, match="another build is at work"):
            build(domain, config, folder, task_index=0, task_count=2)
        with pytest.raises(BuildError, match="another build is at work"):
            build(domain, config, folder, overwrite=True)
    finally:
        process.kill()
        process.communicate()
    assert build(domain, config, folder).done  # the lock went with its process


def test_one_task_twice_at_once(domain: Any, config: BuildConfig, tmp_path: Path) -> None:
    with (
        atomic.lock(tmp_path / LOCKS / "lock", "", shared=True),
        atomic.lock(tmp_path / LOCKS / "task-1.lock", ""),
    ):
        with pytest.raises(BuildError, match="task 1 runs already"):
            build(domain, config, tmp_path, task_index=1, task_count=2)
        build(domain, config, tmp_path, task_index=0, task_count=2)


@pytest.mark.parametrize("workers", [1, 2])
def test_no_room_left(
    domain: Any, config: BuildConfig, whole: dict[str, str], tmp_path: Path, workers: int
) -> None:
    """A limit on the size of files stands in for a full disk: the system refuses the same calls."""
    folder = tmp_path / "a"
    process = start(folder, workers, "", 20_000)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == BuildError.exit_code, output
    assert output.startswith("BuildError: no room to write")
    assert "data/" in output
    assert "Free some space" in output
    assert not list(folder.rglob("*.tmp"))
    assert list(folder.rglob("*.jsonl"))
    build(domain, config, folder)
    assert listing(folder) == whole


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Path]:
    """A folder that cannot be written: for root, who may write everywhere, one of the kernel's."""
    folder = Path("/proc/sys") if os.geteuid() == 0 else tmp_path / "sealed"
    if os.geteuid() != 0:
        folder.mkdir(mode=0o500)
    yield folder / "a"


def test_a_folder_that_cannot_be_written(
    domain: Any, config: BuildConfig, sealed: Path, tmp_path: Path
) -> None:
    with pytest.raises(BuildError, match="cannot be written"):
        build(domain, config, sealed)
    (tmp_path / "file").write_text("")
    with pytest.raises(BuildError, match="cannot be written"):
        build(domain, config, tmp_path / "file" / "a")


@pytest.mark.parametrize(
    ("number", "words"), [(28, "no room"), (122, "no room"), (30, "may write"), (13, "may write")]
)
def test_what_the_system_says_is_explained(number: int, words: str) -> None:
    error = atomic.explain(OSError(number, os.strerror(number)), Path("d/x.tar"))
    assert words in str(error)
    assert "d/x.tar" in str(error)


def test_other_versions_are_refused(
    domain: Any, config: BuildConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(domain, config, tmp_path / "a", task_index=0, task_count=2)
    monkeypatch.setattr(type(domain), "versions", lambda self: {"dot": "2"})
    with pytest.raises(BuildError, match=r'versions\.dot is "1" there, "2" was asked for'):
        build(domain, config, tmp_path / "a")


def test_left_overs_are_swept(
    domain: Any, config: BuildConfig, whole: dict[str, str], tmp_path: Path
) -> None:
    build(domain, config, tmp_path / "a", task_index=0, task_count=2)
    for name in (".plan.json.1.tmp", "games/.part-00001.jsonl.77.tmp", "data/.x.tar.5.tmp"):
        (tmp_path / "a" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "a" / name).write_bytes(b"half")
    build(domain, config, tmp_path / "a")
    assert listing(tmp_path / "a") == whole


def test_a_part_that_was_changed_is_noticed(domain: Any, config: BuildConfig, tmp_path: Path) -> None:
    build(domain, config, tmp_path / "a")
    path = tmp_path / "a/games/part-00001.jsonl"
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"start":', b'"stort":'))
    for shard in (tmp_path / "a/data").glob("train*"):
        shard.unlink()
    with pytest.raises(DataError, match=r"part-00001\.jsonl is not the file that was planned with"):
        build(domain, config, tmp_path / "a")
    path.unlink()
    assert build(domain, config, tmp_path / "a").done
    assert path.read_bytes() == data


def test_a_source_that_does_not_repeat_itself(
    domain: Any, config: BuildConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(domain, config, tmp_path / "a")
    (tmp_path / "a/games/part-00001.jsonl").unlink()
    dots = importlib.import_module("bouncing").Dots
    monkeypatch.setattr(
        dots, "unit", lambda self, i: iter([Episode({"origin": "?", "start": 1, "mirrored": True})])
    )
    with pytest.raises(BuildError, match=r"part-00001.*does not repeat itself"):
        build(domain, config, tmp_path / "a")


def test_faults_of_a_domain_are_told_before_any_work(
    domain: Any, config: BuildConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="even"):
        build(domain, configure(domain, "dot-tiny", {"codec": "h264"}, {"size": 31}), tmp_path / "odd")
    with pytest.raises(UsageError, match=r"unknown codec 'h265'.*h264"):
        build(domain, replace(config, codec="h265"), tmp_path / "codec")
    with pytest.raises(UsageError, match="workers is 0"):
        build(domain, config, tmp_path / "workers", workers=0)
    features = domain.features()
    monkeypatch.setattr(type(domain), "features", lambda self: {**features, "colour": 1})
    with pytest.raises(BuildError, match=r"differ in the keys \['colour'\]"):
        build(domain, config, tmp_path / "features")
    assert not list(tmp_path.rglob("plan.json"))


@pytest.mark.parametrize(("value", "message"), [(None, "null"), ({1}, "not plain data|failed")])
def test_records_that_are_not_plain_are_refused(
    domain: Any,
    config: BuildConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    value: object,
    message: str,
) -> None:
    finish = type(domain).finish

    def finished(self: Any, *given: Any) -> Episode:
        record: Record = finish(self, *given).record
        return Episode({**record, "size": value if "7" in given[1] else 32})

    monkeypatch.setattr(type(domain), "finish", finished)
    monkeypatch.setattr(type(domain), "clip", lambda self, record: _still())
    with pytest.raises(BuildError, match=message):
        build(domain, config, tmp_path / "a")


def _still() -> Any:
    import numpy as np

    from gobench.clips import ArrayClip

    return ArrayClip(np.zeros((1, 8, 8, 3), np.uint8))


def test_nothing_to_keep_is_an_error(domain: Any, tmp_path: Path) -> None:
    config = configure(domain, "dot-tiny", options={"reject_every": 1})
    with pytest.raises(BuildError, match=r"none of 60 candidates is kept: too-slow 60\. For instance"):
        build(domain, config, tmp_path / "a")


def test_a_domain_that_cannot_travel_works_alone(config: BuildConfig, domain: Any, tmp_path: Path) -> None:
    domain.stuck = lambda: None
    with pytest.raises(UsageError, match="use 1 worker"):
        build(domain, config, tmp_path / "a", workers=2)
    assert build(domain, config, tmp_path / "a").done


SIZED = """
import sys
from bouncing import Bouncing
from gobench.build.run import build
from gobench.build.recipes import configure
domain = Bouncing()
changes = {"episodes": int(sys.argv[2]), "codec": "moves", "part_size": 256, "shard_size": 256, "dedup": "none"}
build(domain, configure(domain, "dot-tiny", changes), sys.argv[1])
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(int(status["VmHWM"].split()[0]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak from /proc")
def test_memory_does_not_grow_with_the_number_of_games(tmp_path: Path) -> None:
    peaks = []
    for games in (300, 6000):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, sys.path)])}
        command = [sys.executable, "-c", SIZED, str(tmp_path / str(games)), str(games)]
        peaks.append(int(subprocess.run(command, env=environment, check=True, capture_output=True).stdout))
    assert max(peaks) < 1 << 20  # KiB
    assert peaks[1] - peaks[0] < 24 << 10
