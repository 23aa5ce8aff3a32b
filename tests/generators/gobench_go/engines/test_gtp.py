"""The GTP client against an engine that does each wrong thing: the right fault, in time, and nothing left behind."""

from __future__ import annotations

import importlib.util
import os
import pickle
import sys
import threading
import time
from pathlib import Path
from types import ModuleType

import pytest

from gobench.errors import UsageError
from gobench_go.engines.commands import EngineCommand
from gobench_go.engines.faults import EngineError
from gobench_go.engines.gtp import RESIGN, GtpEngine, identity_of
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules

HOSTILE = Path(__file__).with_name("hostile.py")
SHORT, LONG = 0.4, 20.0  # for engines that do not answer, and for all others
RULES = Rules(5, 5, komi=0.5)
LINUX = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")


def hostile() -> ModuleType:
    """The script as a module, for its table of modes."""
    spec = importlib.util.spec_from_file_location("hostile", HOSTILE)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MODES: dict[str, str] = hostile().MODES


def engine(mode: str, *more: str, seconds: float = 0) -> GtpEngine:
    short = MODES[mode] == "late"
    start = SHORT if mode == "hang-start" else LONG
    argv = (sys.executable, "-S", "-E", str(HOSTILE), mode, "--seed", "{seed}", *more)
    return GtpEngine(EngineCommand(f"hostile {mode}", argv, start), seconds or (SHORT if short else LONG))


def members(group: int) -> list[int]:
    """Processes of a group that are no zombies."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group and fields[0] not in "ZX":
                found.append(int(entry.name))
    return found


def gone(group: int, seconds: float = 3.0) -> bool:
    until = time.monotonic() + seconds
    while members(group):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def play_out(player: GtpEngine, plies: int = 12) -> str:
    """What becomes of a game against a side that plays the first legal move: a fault, or how it ended."""
    player.begin(RULES, 5)
    position = Position.start(RULES)
    while position.plies < plies and not position.over:
        if position.plies % 2:
            position = position.play(position.legal_moves()[0])
            continue
        player.set_up(position)
        move = player.genmove(position.to_move)
        if move == RESIGN:
            return "resign"
        if not position.is_legal(move):
            return "illegal"
        position = position.play(move)
    return "move"


def outcome(player: GtpEngine) -> tuple[str, str]:
    try:
        return play_out(player), ""
    except EngineError as error:
        return error.fault, str(error)


@LINUX
@pytest.mark.parametrize("mode", MODES)
def test_each_wrong_thing_is_the_right_fault(mode: str) -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    player = engine(mode)
    groups: list[int] = []
    start, again = player.start, time.monotonic()

    def remembered(seed: int = 0) -> None:
        try:
            start(seed)
        finally:
            groups.extend([player.pid] if player.pid else [])

    player.start = remembered  # type: ignore[method-assign]
    for _ in range(2):  # the second time in a new process
        found, message = outcome(player)
        assert found == MODES[mode], message
        assert not message or message.startswith(f"engine 'hostile {mode}' ")
    player.close()
    player.close()
    assert time.monotonic() - again < 12
    assert all(gone(group) for group in groups)
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_messages_say_who_was_asked_what_and_what_came() -> None:
    wanted = {
        "hang": "'hostile hang' did not answer within 0.4 s, when it was asked 'genmove b'",
        "crash": "was ended by SIGABRT, when it was asked 'genmove b'. The last it wrote to stderr:\n  out of cheese",
        "exit-zero": "ended with exit code 0, when it was asked 'genmove b'. It wrote nothing to stderr",
        "close-stdout": "closed its stdout",
        "crash-middle": "ended with exit code 3",
        "off-board": "answered 'T77', which is no point of a 5x5 board",
        "wrong-id": "answered another command: ",
        "refuse-genmove": "refused it: 'I do not feel like it'",
    }
    for mode, part in wanted.items():
        player = engine(mode)
        found, message = outcome(player)
        player.close()
        assert part in message, (mode, found, message)


def test_what_speaks_no_gtp_is_asked_whether_it_does() -> None:
    for argv, start, says in (
        (("cat",), 0.4, "did not answer within 0.4 s, when it was asked 'protocol_version'"),
        (("true",), 9.0, "ended with exit code 0"),
        ((sys.executable, "-S", "-c", "import sys; print('?? ', input()); print('=x'); sys.exit(3)"), 9.0, "exit code 3"),
    ):  # fmt: skip
        player = GtpEngine(EngineCommand("mine", argv, start), 1)
        with pytest.raises(EngineError, match="Does it speak GTP, as 'gnugo --mode gtp' does") as error:
            player.start()
        assert says in str(error.value) and not player.running
    absent = GtpEngine(EngineCommand("mine", ("/no/such/program",)), 1)
    with pytest.raises(UsageError, match="'/no/such/program' cannot be started"):
        absent.start()


def test_a_late_answer_is_never_taken_for_another() -> None:
    player = engine("slow", "--slow", "0.8")
    assert outcome(player)[0] == "late" and not player.running
    time.sleep(0.4)
    position = Position.start(RULES).play(12)
    player.set_up(position)  # in a new process that has made no moves yet
    assert position.is_legal(player.genmove(position.to_move))
    player.close()


def test_another_thread_may_close_it() -> None:
    player = engine("hang", "--after", "0", seconds=60)
    player.begin(RULES, 1)
    player.set_up(Position.start(RULES))
    closing = threading.Timer(0.3, player.close)
    closing.start()
    begun = time.monotonic()
    with pytest.raises(EngineError, match="has been ended before, when it was asked 'genmove b'"):
        player.genmove(1)
    assert time.monotonic() - begun < 3 and not player.running
    closing.join()


def test_a_refusal_leaves_the_process_alone() -> None:
    player = engine("refuse-genmove", "--after", "0")
    player.begin(RULES, 1)
    with pytest.raises(EngineError) as error:
        player.set_up(Position.start(RULES))
        player.genmove(1)
    assert error.value.fault == "refused" and player.running
    assert pickle.loads(pickle.dumps(error.value)).fault == "refused"
    player.close()


def test_what_the_engine_is_told(tmp_path: Path) -> None:
    log, script = tmp_path / "told", tmp_path / "scribe.py"
    script.write_text(SCRIBE)
    player = GtpEngine(EngineCommand("scribe", (sys.executable, "-S", str(script), str(log))), 20)

    def told() -> list[str]:
        lines = [line.partition(" ")[2] for line in log.read_text().splitlines()]
        log.write_text("")
        return lines

    start = Position.start(RULES)
    player.begin(RULES, 3)
    assert told()[4:] == ["boardsize 5", "clear_board", "komi 0.5", "set_random_seed 4"]
    player.set_up(start.play(12).play(25))
    assert told() == ["play b C3", "play w pass"]
    assert player.genmove(1) == 20
    player.set_up(start.play(12).play(25).play(20).play(24))
    assert told() == ["genmove b", "play w E1"]
    player.set_up(start.play(12).play(25).play(7))  # another move than the engine's: all of it again
    assert told() == [
        "boardsize 5", "clear_board", "komi 0.5", "set_random_seed 4", "play b C3", "play w pass", "play b C4",
    ]  # fmt: skip
    shape = Position.of_text(RULES, "XX... ..... ..O.. ..... .....", 2)
    player.set_up(shape.play(0 + 4))
    assert told()[4:] == ["play b A5", "play b B5", "play w C3", "play w E5"]
    with pytest.raises(UsageError, match="square boards only, and this one is 3x4"):
        player.begin(Rules(3, 4), 1)
    with pytest.raises(
        UsageError, match="'scribe' does not play with a 7x7 board: it answers 'no such board'"
    ):
        player.begin(Rules(7, 7), 1)
    assert identity_of(player)["seeding"] == "set_random_seed at the start of each game"
    player.close()


SCRIBE = """
import sys
log = open(sys.argv[1], "a")
for line in sys.stdin:
    log.write(line); log.flush()
    number, command, *rest = line.split() if line.strip() != "quit" else ("", "quit")
    if command == "list_commands": answer = "= boardsize\\nset_random_seed"
    elif command == "genmove": answer = "= a1"
    elif (command, rest) == ("boardsize", ["7"]): answer = "? no such board"
    else: answer = "="
    print(f"{answer[0]}{number}{answer[1:]}\\n", flush=True)
"""


@LINUX
def test_an_engine_dies_with_its_client_object() -> None:
    player = engine("sane")
    player.begin(RULES, 1)
    group = player.pid
    assert group and members(group)
    del player
    assert gone(group)


def test_threads_are_pinned(tmp_path: Path) -> None:
    script = tmp_path / "threads.py"
    script.write_text(
        SCRIBE.replace('answer = "= a1"', "answer = '= ' + __import__('os').environ['OMP_NUM_THREADS']")
    )
    player = GtpEngine(
        EngineCommand("threads", (sys.executable, "-S", str(script), str(tmp_path / "log"))), 20
    )
    player.start()
    assert player.ask("genmove b") == "1"
    player.close()
