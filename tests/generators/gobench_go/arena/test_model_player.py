"""A video model as a player: what it is shown, what is read of its frames, and what its failures are called."""

from __future__ import annotations

import gc
import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

from gobench.errors import UsageError
from gobench_go.arena.model_player import ModelPlayer
from gobench_go.arena.names import Conditions, open_player
from gobench_go.arena.player import NOTHING
from gobench_go.engines.faults import EngineError
from gobench_go.game.position import Position
from gobench_go.game.rules import named
from gobench_go.tasks import asking
from gobench_go.video import read
from gobench_go.video.themes import look

MODELS = Path(__file__).with_name("drawing_models.py")
ROOT = Path(__file__).resolve().parents[4]
RULES = named("benchmark", 5, 5)


def player(name: str, **conditions: float) -> ModelPlayer:
    given = Conditions(**{"seconds": 120.0, "tries": 4, **conditions})
    made = ModelPlayer.of(f"{MODELS}:{name}", given)
    made.begin(RULES, 1)
    return made


def test_it_is_shown_the_last_boards_and_its_frame_is_kept() -> None:
    model, position = player("FirstEmpty"), Position.start(RULES).play(12).play(7).play(8)
    reply = model.reply(position, 5)
    assert reply.move == 0 and reply.tries == 1 and reply.illegal == () and math.isnan(reply.value)
    shown = model.last
    assert shown is not None and shown.prompt.shape == (3, 96, 96, 3)
    seen = look("videoworld", 96, 5, 5)
    assert np.array_equal(read.boards(seen, shown.prompt)[0], position.boards()[-3:])
    assert np.array_equal(read.board(seen, shown.tries[0].frame)[0], position.play(0).board)
    assert shown.tries[0].reading.confidence > 0.9 and shown.tries[0].verdict.kind == "clean"


def test_it_is_asked_again_until_a_legal_move_and_every_answer_is_counted() -> None:
    model = player("ThirdTime")
    reply = model.reply(Position.start(RULES), 5)
    assert reply == (0, 3, ("several-stones", "wrong-colour"), reply.value, "")
    assert [t.verdict.why for t in model.last.tries] == ["several-stones", "wrong-colour", ""]
    reply = player("ThirdTime", tries=2).reply(Position.start(RULES), 5)
    assert (reply.move, reply.tries, reply.illegal) == (NOTHING, 2, ("several-stones",))
    assert reply.said == "wrong-colour"


def test_an_illegal_move_is_handed_on_as_it_is() -> None:
    position = Position.start(RULES).play(1).play(12).play(5)  # the corner is Black's eye
    reply = player("Corner", tries=3).reply(position, 5)
    assert (reply.move, reply.tries, reply.illegal, reply.said) == (0, 3, ("suicide", "suicide"), "suicide")


def test_an_unchanged_frame_is_a_pass() -> None:
    model = ModelPlayer.of("copy-frame", Conditions())
    model.begin(RULES, 1)
    reply = model.reply(Position.start(RULES).play(3), 5)
    assert (reply.move, reply.tries) == (25, 1)
    assert model.last.tries[0].verdict == ("no-change", 25, "")


def test_a_picture_of_nothing_is_no_move() -> None:
    reply = player("Noise").reply(Position.start(RULES).play(12).play(7), 5)
    assert (reply.move, reply.tries, len(reply.illegal)) == (NOTHING, 4, 3)
    assert {*reply.illegal, reply.said} <= {"unreadable", "several-stones", "vanished-stones"}


def test_equal_seeds_give_equal_games() -> None:
    def game(seed: int) -> list[int]:
        model, position = ModelPlayer.of("random-legal", Conditions()), Position.start(RULES)
        model.begin(RULES, seed)
        while position.plies < 12:
            position = position.play(model.reply(position, seed + position.plies).move)
        return position.boards().tolist()

    assert game(3) == game(3) != game(4)


@pytest.mark.parametrize(
    ("name", "fault", "words"),
    [
        ("Slow", "late", "did not answer within"),
        ("Tired", "late", "no legal move in"),
        ("Hurrying", "late", "no legal move in"),
        ("Raising", "crash", "no such luck"),
        ("Misshapen", "malformed", "shape"),
    ],
)
def test_failures_have_names(name: str, fault: str, words: str) -> None:
    model = player(name, seconds=0.4, tries=9)
    with pytest.raises(EngineError, match=words) as caught:
        model.reply(Position.start(RULES).play(12).play(7), 5)
    assert caught.value.fault == fault
    model.begin(RULES, 2)  # it is loaded again where it hung


@pytest.mark.parametrize(("manner", "fault"), [("exit", "crash"), ("hang", "late"), ("lie", "malformed")])
def test_programs_that_fail(manner: str, fault: str, tmp_path: Path) -> None:
    program = tmp_path / "model.py"
    program.write_text(PROGRAM)
    model = ModelPlayer.of(f"cmd:python {program} {manner}", Conditions(seconds=3.0))
    model.begin(RULES, 1)
    with pytest.raises(EngineError) as caught:
        model.reply(Position.start(RULES), 5)
    assert caught.value.fault == fault
    model.begin(RULES, 2)
    model.close()
    model.close()


PROGRAM = """
import json, struct, sys, time
def read(n): return sys.stdin.buffer.read(n)
def say(record, data=b""):
    text = json.dumps(record).encode()
    sys.stdout.buffer.write(struct.pack("<I", len(text)) + text + data)
    sys.stdout.buffer.flush()
while True:
    asked = json.loads(read(struct.unpack("<I", read(4))[0]))
    if asked["op"] == "generate":
        if sys.argv[1] == "exit": sys.exit(3)
        if sys.argv[1] == "hang": time.sleep(60)
        sys.stdout.buffer.write(b"Segmentation fault? No, but no answer either"); sys.stdout.buffer.flush()
    say({"ok": True, "op": asked["op"], "frame_size": [96, 96]})
"""


def test_what_can_be_no_player_is_refused() -> None:
    with pytest.raises(UsageError, match="made beforehand"):
        ModelPlayer.of("predictions:/tmp", Conditions())
    with pytest.raises(UsageError, match="square"):
        player("Wide")
    for text in ("nobody", "mtcs:50"):
        with pytest.raises(UsageError, match=f"unknown player '{text[:4]}.*mcts, mixed"):
            open_player(text)
    assert isinstance(open_player("my_models:Net"), ModelPlayer)
    with pytest.raises(UsageError, match="unknown model"):
        ModelPlayer.of("no-such-model", Conditions())
    small = ModelPlayer.of(f"{MODELS}:Tiny", Conditions())
    with pytest.raises(UsageError, match="71 to 1024"):
        small.begin(named("benchmark", 19, 19), 1)
    with pytest.raises(EngineError, match="begin a game"):
        ModelPlayer.of("copy-frame", Conditions()).reply(Position.start(RULES), 1)


def test_its_identity_is_plain_data_without_paths() -> None:
    model = player("FirstEmpty")
    text = json.dumps(model.identity)
    assert str(MODELS.parent) not in text
    identity = model.identity
    assert identity["kind"] == "model" and identity["code_sha256"] and identity["tries"] == 4
    assert (identity["frame_size"], identity["max_frames"]) == ([96, 96], 3)
    assert (
        identity["context_keys"] == ["to_move", "ask"] and identity["version"] == identity["code_sha256"][:12]
    )
    assert ModelPlayer.of(f"{MODELS}:FirstEmpty", Conditions(tries=4)).identity == identity


def test_the_question_is_that_of_the_evaluation() -> None:
    from gobench_go.benchmark import open_suite

    task = open_suite("go5-lite").tasks[0]
    name = task.ids[0]
    assert task.context(name, 2, 1) == asking.context(name, task.name, 2, 1)
    assert set(asking.public(task.judged.rules, "go/match")) <= set(task.public)


def test_closing_leaves_no_descriptor() -> None:
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    for _ in range(3):
        model = ModelPlayer.of(f"cmd:python {ROOT / 'examples' / 'cmd_model.py'}", Conditions())
        model.begin(RULES, 1)
        assert model.reply(Position.start(RULES), 1).tries >= 1
        model.close()
    gc.collect()
    assert not before or len(os.listdir("/proc/self/fd")) <= before + 1
