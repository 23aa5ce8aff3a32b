"""The client of KataGo's analysis engine against a server that answers as it was recorded, and does everything wrong."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from gobench_go.engines import katago_loop
from gobench_go.engines.faults import EngineError
from gobench_go.engines.katago import KataGo
from gobench_go.engines.katago_queries import Query, query_of
from gobench_go.engines.katago_replies import analysis_of
from gobench_go.engines.katago_spec import parse
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules

RULES = Rules(4, 4, komi=2.0)
Katago = Callable[..., str]


def engine(text: str, **options: Any) -> KataGo:
    return KataGo(parse(text).command, start=20, **{"seconds": 20, **options})


def positions(count: int) -> list[Position]:
    """Positions that differ, from the empty board on."""
    found, position = [], Position.start(RULES)
    while len(found) < count:
        found.append(position)
        position = position.play(position.legal_moves()[len(found) % 3])
    return found


def ask(engine: KataGo, count: int = 8, visits: int = 5) -> list[Future[Any]]:
    return [engine.submit(query_of(position, visits, policy=True)) for position in positions(count)]


def values(engine: KataGo, count: int = 8) -> list[float]:
    return [analysis_of(asked.result()[0], RULES, "it").value for asked in ask(engine, count)]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_recorded_exchange_is_understood(katago: Katago, data: Path) -> None:
    """KataGo 1.17.2 itself: out of order, several turns, errors, a warning, superko, a game that has ended."""
    path = data / "katago_exchange.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    asked = {
        line["line"]["id"]: Query(
            {key: value for key, value in line["line"].items() if key != "id"},
            tuple(line["line"].get("analyzeTurns", [len(line["line"]["moves"])])),
        )
        for line in lines
        if line["from"] == "client"
        and isinstance(line["line"], dict)
        and {"id", "moves"} <= line["line"].keys()
    }
    kata = engine(katago(replay=str(path), questions=len(asked)))
    futures = {name: kata.submit(query) for name, query in asked.items()}
    refused = {
        name: str(futures.pop(name).exception()) for name in ("illegal", "badvertex", "badrules", "nokomi")
    }
    assert "refused: Illegal move 1: E5 (moves)" in refused["illegal"]
    assert "Could not parse rules: martian" in refused["badrules"]
    nine, thirteen = Rules(9, 9), Rules(13, 13)
    found = {
        name: [analysis_of(record, thirteen if name == "size" else nine, "it") for record in future.result()]
        for name, future in futures.items()
    }
    assert [analysis.turn for analysis in found["turns"]] == [0, 1, 2, 3, 4]
    assert [analysis.visits for analysis in found["slow"]] == [400] and found["fast"][0].searched == ()
    assert found["child"][0].searched[0].move == 72 and found["child"][0].value == pytest.approx(
        0.05244, abs=1e-4
    )
    superko = found["superko"][0].policy
    assert superko is not None and superko[73] == -1  # B1: taking back would repeat an earlier board
    assert found["size"][0].policy is not None and len(found["size"][0].policy) == 170
    assert [s.visits for s in found["turns"][4].searched] == [7, 7, 3, 1, 1]
    assert kata.notes["warning (notAField): Unexpected or unused field, do you have a typo? (set warnUnusedFields="
                      "false in the config to disable this warning)"] == 1  # fmt: skip
    assert kata.facts.version == "1.17.2"
    kata.close()


def test_answers_come_in_any_order_to_many_threads(katago: Katago) -> None:
    plain = engine(katago())
    expected = values(plain)
    plain.close()
    kata, found = engine(katago(reverse=True, twice=True, early=True, warn=True)), dict[int, list[float]]()
    threads = [threading.Thread(target=lambda n=n: found.update({n: values(kata)})) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys(range(4), expected)
    assert kata.starts == 1 and kata.notes["warning (notAField): Unexpected or unused field"] == 32
    assert 0 < kata.notes["an answer to no open question"] <= 32  # every answer came twice
    kata.close()


def test_lines_that_mean_nothing_are_counted_and_passed_over(katago: Katago) -> None:
    kata = engine(katago(garbage=True))
    assert values(kata, 3) and kata.notes["a line that is no JSON"] == 12
    kata.close()


@pytest.mark.parametrize("fault", ["die_after", "half"])
def test_an_engine_that_dies_is_asked_again_what_was_open(katago: Katago, fault: str) -> None:
    expected = values(engine(katago()))
    kata = engine(katago(**{fault: 3}))  # every process dies after three answers
    assert values(kata) == expected
    assert kata.starts == 3 and kata.notes["started again"] == 2
    kata.close()


def test_it_is_not_asked_again_for_ever(katago: Katago) -> None:
    kata = engine(katago(die_after=0))
    errors = [asked.exception() for asked in ask(kata, 3)]
    assert {error.fault for error in errors if isinstance(error, EngineError)} == {"crash"}
    assert "asked for ply 0 on 4x4 with 5 visits, ended with exit code 3" in str(errors[0])
    assert "terminate called after throwing" in str(errors[0])
    assert kata.starts == katago_loop.RESTARTS + 1
    katago()
    assert values(kata, 2)  # and it can be used again
    kata.close()


@pytest.mark.parametrize("fault", [{"mute_after": 2}, {"lose": 3}])
def test_silence_ends_at_a_deadline(katago: Katago, tmp_path: Path, fault: dict[str, int]) -> None:
    expected = values(engine(katago()))
    kata = engine(katago(**fault, once=str(tmp_path / "once")), seconds=1.0)
    assert values(kata) == expected
    assert kata.starts == 2
    kata.close()
    hung = engine(katago(mute_after=0), seconds=0.4, restarts=0)
    error = ask(hung, 1)[0].exception()
    assert (
        isinstance(error, EngineError)
        and error.fault == "late"
        and "did not answer for 0.4 seconds" in str(error)
    )
    hung.close()


def test_a_long_queue_is_no_silence(katago: Katago) -> None:
    kata = engine(katago(delay=0.1), seconds=1.0)
    values(kata, 1)
    start = time.monotonic()
    assert len(values(kata, 15)) == 15 and time.monotonic() - start > 1.4
    assert kata.starts == 1
    kata.close()


@pytest.mark.parametrize(
    ("faults", "fault", "message"),
    [
        ({"refuse": 5}, "refused", r"refused: Illegal move 3: E5 \(moves\)"),
        ({"refuse": 5, "nameless": True}, "refused", "refused: Illegal move 3: E5"),
        ({"other_ko": True}, "refused", "warned: Rules not supported by neural net"),
        ({"babble": True}, "malformed", "wrote 1000 lines that answer nothing"),
        ({"flood": True}, "malformed", "a line of more than 262,144 bytes"),
        ({"no_start": True}, "crash", "asked for its version, ended with exit code 1"),
        ({"broken": "winrate"}, "malformed", "winrate being 1.5, not a chance from 0 to 1"),
        ({"broken": "moveInfos"}, "malformed", "moveInfos being 7, not a list"),
        ({"broken": "rootInfo"}, "malformed", "answered without a result"),
        ({"broken": "policy"}, "malformed", r"policy being \[0.5\], not a list of 17 numbers"),
        ({"broken": "scoreLead"}, "malformed", "scoreLead being 'much', not a number of points"),
    ],
)
def test_each_thing_that_goes_wrong_has_its_name(
    katago: Katago, monkeypatch: pytest.MonkeyPatch, faults: dict[str, Any], fault: str, message: str
) -> None:
    monkeypatch.setattr(katago_loop, "LONGEST", 1 << 18)
    kata = engine(katago(**faults), restarts=0)
    with pytest.raises(EngineError, match=message) as caught:
        analysis_of(ask(kata, 1)[0].result()[0], RULES, "it")
    assert caught.value.fault == fault
    kata.close()


@pytest.mark.parametrize("whose", ["BLACK", "WHITE"])
def test_values_that_speak_for_somebody_else_are_noticed(katago: Katago, whose: str) -> None:
    kata = engine(katago(perspective=whose))
    with pytest.raises(EngineError, match="do not speak for the side to move"):
        kata.check_perspective(Rules())
    kata.close()
    fine = engine(katago(old=True))
    for size in ((9, 9), (5, 4), (9, 9)):
        fine.check_perspective(Rules(*size, komi=0.5))
    assert fine.facts.models == ()
    fine.close()


def test_nothing_is_left_of_an_engine_that_is_forgotten(katago: Katago) -> None:
    kata = engine(katago(stay=True))
    asked = ask(kata, 1)
    pid = kata.pid if asked[0].result() else None
    assert pid
    threads = threading.active_count()
    del kata, asked
    deadline = time.monotonic() + 5
    while not gone(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert gone(pid) and threading.active_count() < threads


def test_what_is_open_fails_when_it_is_closed(katago: Katago) -> None:
    kata = engine(katago(mute_after=0))
    asked = ask(kata, 3)
    time.sleep(0.2)
    kata.close()
    assert all("was closed" in str(future.exception(5)) for future in asked)
    katago()
    assert values(kata, 1)
    kata.close()


def test_a_program_that_cannot_run_is_an_error_at_once(tmp_path: Path) -> None:
    kata = KataGo(["/nowhere/katago"])
    with pytest.raises(EngineError, match=r"cannot start /nowhere/katago: No such file"):
        _ = kata.facts
