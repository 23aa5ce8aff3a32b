"""Players as GTP engines: the protocol, whatever comes in, and games against programs of others."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gobench_go.arena.gtp_commands import COMMANDS
from gobench_go.arena.gtp_server import LONGEST, ON_FAILURE, Options, Session, lines, serve
from gobench_go.arena.names import Conditions, open_player
from gobench_go.arena.referee import Fixture, play
from gobench_go.engines.faults import EngineError
from gobench_go.game.position import Position
from gobench_go.game.rules import named

HERE = Path(__file__).parent
MODELS = HERE / "drawing_models.py"
GNUGO = shutil.which("gnugo", path=f"{os.environ.get('PATH', '')}:/usr/games")
RESPONSE = re.compile(rb"([=?])([0-9]*)(?: ?)(.*)", re.DOTALL)


def session(player: str = "random-legal", said: list[str] | None = None, **options: object) -> Session:
    made = open_player(player, Conditions(seconds=120.0, tries=4))
    return Session(made, Options(**options), (said if said is not None else []).append)


def told(given: Session, *commands: str) -> list[str]:
    """The answers to commands, without the empty line at the end."""
    answers = [given.answer(command.encode()) for command in commands]
    return [answer.text for answer in answers if answer is not None]


def stream(given: Session, data: bytes) -> bytes:
    out = io.BytesIO()
    serve(given, io.BytesIO(data), out.write)
    return out.getvalue()


def check_stream(out: bytes) -> list[bytes]:
    """Every answer begins with = or ?, ends with an empty line, and has none inside."""
    assert out == b"" or out.endswith(b"\n\n")
    found = out.split(b"\n\n")[:-1] if out else []
    for answer in found:
        assert RESPONSE.fullmatch(answer), answer
    return found


# --- the protocol ---


def test_what_every_controller_asks_first() -> None:
    given = session()
    assert told(given, "protocol_version", "7 name", "known_command play", "known_command fly") == [
        "= 2",
        "=7 Video-GoBench random-legal",
        "= true",
        "= false",
    ]
    listed = told(given, "list_commands")[0][2:].split("\n")
    assert {"boardsize", "clear_board", "komi", "play", "genmove", "undo", "final_score", "loadsgf"} <= set(
        listed
    )
    assert "lz-analyze" not in listed, "a video model has no win rates to give"
    assert told(given, "lz-analyze b", "12 fly me to the moon") == [
        "? unknown command",
        "?12 unknown command",
    ]


def test_form_of_commands() -> None:
    given = session()
    assert given.answer(b"\n") is None and given.answer(b"  # a comment\r\n") is None
    assert told(given, "1\tplay\tB\tE5 # here\r\n") == ["=1"]
    assert given.answer(b"2 pl\x00ay white\x07 d4\n").text == "=2"
    assert told(given, "showboard")[0].count("X") == 1
    assert told(
        given, "play", "play b d3 d4", "boardsize nine", "komi", "genmove purple", "3 boardsize 99999999999"
    ) == [
        "? syntax error: play black|white VERTEX",
        "? syntax error: play black|white VERTEX",
        "? syntax error: 'nine' is no number",
        "? syntax error: komi POINTS",
        "? syntax error: 'purple' is no colour; write black or white",
        "?3 unacceptable size: a board of 99999999999x99999999999 is not possible; sides go from 1 to 19.",
    ]


def test_a_game_by_hand() -> None:
    given = session(rules="benchmark")
    assert told(given, "boardsize 5", "komi 0.5", "get_komi") == ["=", "=", "= 0.5"]
    assert told(given, "play b c3", "play b C3")[1].startswith("? illegal move: Black cannot play C3")
    assert told(given, "play b d3", "play b pass", "play w a1", "play w j9")[3].startswith("? invalid vertex")
    assert told(given, "final_score") == ["= 0" if given.game.now.score() == 0 else f"= {score(given)}"]
    assert told(given, *["undo"] * 5) == ["="] * 4 + ["? cannot undo"]
    assert given.game.now == Position.start(given.game.rules)
    assert told(given, "boardsize 26")[0].startswith("? unacceptable size: a board of 26x26")
    assert told(given, "rectangular_boardsize 4 3", "play b d1", "komi 1.3")[2].startswith(
        "? komi 1.3 is not"
    )
    assert (given.game.rules.rows, given.game.rules.cols) == (3, 4)


def test_what_gogui_asks() -> None:
    given = session()
    assert told(given, "boardsize 5", "gogui-play_sequence b c3 w c4 b pass") == ["=", "="]
    assert told(given, "gogui-play_sequence w d3 b c3", "gogui-play_sequence w")[0].startswith(
        "? illegal move"
    )
    assert given.game.now.plies == 3 and told(given, "gg-undo 4", "gg-undo 2", "gg-undo") == [
        "? cannot undo",
        "=",
        "=",
    ]
    assert given.game.now.plies == 0


def score(given: Session) -> str:
    points = given.game.now.score()
    return f"{'B' if points > 0 else 'W'}+{abs(points):g}"


def test_repetition_is_refused() -> None:
    given = session()
    stones = ["b c5", "w d5", "b b4", "w e4", "b c3", "w d3", "b d4", "w c4"]
    assert told(given, "boardsize 5", "komi 7", *(f"play {s}" for s in stones)) == ["="] * 10
    assert told(given, "play b d4")[0].startswith("? illegal move") and "(ko)" in told(given, "play b d4")[0]


def test_moves_of_the_player_are_made_and_follow_from_the_seed() -> None:
    def game(seed: int) -> list[str]:
        given = session(seed=seed)
        return told(given, "boardsize 5", *["genmove b", "genmove w"] * 5, "clear_board", "genmove b")

    first = game(1)
    assert first == game(1) != game(2)
    given = session(seed=5)
    assert told(given, "set_random_seed 4029226030", "boardsize 5")[1] == "="
    assert told(given, "reg_genmove w") == told(given, "reg_genmove w"), "nothing is played"
    assert given.game.now.plies == 0
    assert told(given, "genmove w")[0] != "= resign" and given.game.now.plies == 1


def test_two_passes_end_the_game_until_somebody_goes_on() -> None:
    given = session()
    assert told(given, "boardsize 5", "play b c3", "play w pass", "play b pass", "genmove w") == ["="] * 4 + [
        "= pass"
    ]
    assert told(given, "kgs-genmove_cleanup b")[0] not in ("= pass", "= resign")
    assert told(given, "play w pass", "play b pass", "play w d4") == ["="] * 3
    assert (
        told(given, "final_status_list dead", "final_status_list alive", "final_status_list green")[0] == "="
    )


def test_status_lists_chains() -> None:
    given = session()
    told(given, "boardsize 5", "play b c3", "play b c4", "play b a1", "play w e5")
    assert told(given, "final_status_list alive") == ["= E5\nC4 C3\nA1"]


def test_handicap() -> None:
    given = session()
    assert told(given, "boardsize 9", "fixed_handicap 4") == ["=", "= C3 G7 C7 G3"]
    assert given.game.now.to_move == 2 and told(given, "fixed_handicap 2") == ["? board not empty"]
    assert told(given, "undo", "clear_board", "fixed_handicap 10", "fixed_handicap 1")[2:] == [
        "? invalid number of stones: 10 handicap stones; 2 to 9 on 9x9.",
        "? invalid number of stones: 1 handicap stones; 2 to 9 on 9x9.",
    ]
    assert told(given, "boardsize 5", "place_free_handicap 3")[1].startswith("? invalid number of stones")
    assert told(given, "boardsize 8", "place_free_handicap 9") == ["=", "= C3 F6 C6 F3"]
    assert (
        told(given, "clear_board", "set_free_handicap a1 a1", "set_free_handicap a1 pass")[1:]
        == ["? bad vertex list: a point twice, or a pass"] * 2
    )
    assert told(given, "set_free_handicap a1 d4 e5", "genmove w")[0] == "="
    assert (given.game.now.boards()[0] == 1).sum() == 3


def test_games_of_files(tmp_path: Path) -> None:
    given = session()
    file = tmp_path / "a game.sgf"
    file.write_text("(;GM[1]FF[4]SZ[7]KM[5.5]AB[aa];W[cc];B[dd];W[ee])")
    assert told(given, f"loadsgf {file}") == ["="]
    assert (given.game.now.plies, given.game.rules.komi, given.game.rules.rows) == (3, 5.5, 7)
    assert told(given, f"loadsgf {file} 2") == ["="] and given.game.now.plies == 1
    before = given.game.now
    file.write_text("(;SZ[7];B[cc];W[cc])")
    assert told(given, f"loadsgf {file}")[0].startswith("? cannot load file")
    file.write_bytes(b"\x00\xff(;[")
    assert (
        told(given, f"loadsgf {file}", "loadsgf /no/such/file", f"loadsgf {tmp_path}", "loadsgf a\x00b")[0][0]
        == "?"
    )
    assert given.game.now == before and told(given, "genmove b")[0][0] == "="


# --- players that fail ---


@pytest.mark.parametrize("choice", ON_FAILURE)
def test_no_legal_move(choice: str) -> None:
    said: list[str] = []
    given = session(f"{MODELS}:Corner", said, on_failure=choice)
    told(given, "boardsize 5", "play b b5", "play w c3", "play b a4")
    answer = told(given, "genmove w")[0]
    wanted = {"resign": "= resign", "pass": "= pass"}
    assert answer == wanted.get(choice, "? cannot move: A5: the stone would have no liberty (4 tries)")
    assert given.game.now.plies == (4 if choice == "pass" else 3)
    assert "suicide" in said[0] and "no legal move" in said[1]
    assert told(given, "gobench-last")[0].startswith(
        "= try 1: clean A5, confidence 1.00, not legal: suicide\ntry 2"
    )


def test_a_player_that_breaks_down_is_begun_again() -> None:
    given = session(f"{MODELS}:Raising")
    told(given, "boardsize 5")
    for _ in range(2):
        assert re.match(r"\? model .* failed: ValueError: no such luck", told(given, "genmove b")[0])
    assert told(given, "play b c3", "final_score")[0] == "="
    with pytest.raises(EngineError):
        given.ask(given.game.now)


def test_a_board_that_the_player_cannot_play_is_refused() -> None:
    given = session(f"{MODELS}:Tiny")
    before = given.game.now
    assert told(given, "boardsize 19")[0].startswith("? unacceptable size: size 36 does not fit")
    assert given.game.now == before and told(given, "play b c3", "boardsize 9") == ["=", "="]


def test_an_error_of_ours_is_told_and_survived() -> None:
    said: list[str] = []
    given = session(said=said)
    given.player.reply = None  # type: ignore[method-assign, assignment]
    assert told(given, "genmove b") == ["? internal error: TypeError: 'NoneType' object is not callable"]
    assert "Traceback" in said[0] and told(given, "name")[0][0] == "="


# --- analysis ---


def test_teachers_say_what_they_think() -> None:
    given = session("mcts:60")
    told(given, "boardsize 5", "komi 5.5", "play b c3")
    line = told(given, "lz-analyze w 10")[0]
    moves = re.findall(
        r"info move ([A-E][1-5]|pass) visits (\d+) winrate (\d+) prior (\d+) order (\d+) pv \1", line
    )
    assert [int(m[4]) for m in moves] == list(range(len(moves))) and sum(int(m[1]) for m in moves) == 60
    assert all(0 <= int(m[2]) <= 10_000 for m in moves)
    assert re.search(
        r"winrate 0\.\d{6} scoreMean -?[\d.]+ scoreLead", told(given, "kata-analyze interval 5")[0]
    )
    sign, record, play = told(given, "cgos-genmove_analyze w")[0].split("\n")
    assert sign == "=" and json.loads(record)["moves"][0]["move"] == play.split()[1] == moves[0][0]
    assert given.game.now.plies == 2
    policy = told(given, "gobench-policy")[0].split("\n")[1:]
    assert len(policy) == 5 and all(len(row.split()) == 5 for row in policy)
    assert "gobench-policy" in told(given, "gogui-analyze_commands")[0]
    given = session("random")
    assert told(given, "lz-analyze") == ["? random has no opinion"]
    for name in ("lz-genmove_analyze b", "kata-genmove_analyze w 10", "cgos-genmove_analyze b"):
        assert re.fullmatch(r"=\nplay [A-J][1-9]", told(given, name)[0])
    told(given, "play b pass", "play w pass")
    assert told(given, "cgos-genmove_analyze b", "lz-analyze") == ["=\nplay pass", "? random has no opinion"]


def test_an_analysis_ends_with_the_next_line() -> None:
    given = session("mcts:20")
    out = stream(given, b"boardsize 5\nlz-analyze 10\n\n5 name\nkata-analyze b\n")
    first, second, third, last = check_stream(out)
    assert first == b"=" and second.startswith(b"=\ninfo move ") and third.startswith(b"=5 ")
    assert last.startswith(b"=\ninfo move ")


# --- whatever comes in ---

WORDS = [
    *COMMANDS,
    "b",
    "W",
    "pass",
    "d4",
    "A1",
    "T19",
    "0",
    "5",
    "-1",
    "3.5",
    "99999999",
    "alive",
    "/dev/null",
    "/dev/zero",
    "#",
    "7",
]
TEXT = st.lists(st.sampled_from(WORDS), max_size=4).map(lambda words: " ".join(words).encode())
LINES = st.lists(st.one_of(TEXT, st.binary(max_size=40)), max_size=12)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LINES, st.sampled_from([b"\n", b"\r\n", b"\n\n\t"]))
def test_whatever_comes_in_answers_go_out(given_lines: list[bytes], end: bytes) -> None:
    given = session("random")
    data = end.join(given_lines)
    answers = check_stream(stream(given, data))
    asked = [line for line in data.split(b"\n") if given.answer(line) is not None]
    assert len(answers) <= len(asked)
    assert not given.say.__self__, "no internal error was told"  # type: ignore[attr-defined]
    assert told(given, "clear_board", "genmove b")[1][0] == "="


def test_long_lines_and_the_end() -> None:
    long = b"play b " + b"a" * (3 * LONGEST) + b"\n"
    out = check_stream(stream(session(), long + b"1 name\n" + b"2 " * LONGEST + b"\n3 quit\n4 name\n"))
    assert [answer.split()[0] for answer in out] == [b"?", b"=1", b"?", b"=3"]
    assert list(lines(io.BytesIO(b"x" * LONGEST))) == [None]
    assert stream(session(), b"") == b"" and check_stream(stream(session(), b"9 name")) != []


# --- as a program ---


def program(*words: str) -> list[str]:
    return [sys.executable, "-m", "gobench", "go", "gtp", *words]


def test_stdout_holds_the_protocol_alone() -> None:
    done = subprocess.run(
        program(f"{MODELS}:Raising", "--on-failure", "pass"),
        input=b"boardsize 5\n1 genmove b\nplay b c3\nquit\n", capture_output=True, timeout=120,
    )  # fmt: skip
    answers = check_stream(done.stdout)
    assert done.returncode == 0 and answers[1].startswith(b"?1 model")
    assert b"about to fail" in done.stderr and b"about to fail" not in done.stdout


def test_wrong_words_are_told_before_the_first_command() -> None:
    done = subprocess.run(program("no-such-model"), input=b"name\n", capture_output=True, timeout=60)
    assert done.returncode == 2 and done.stdout == b"" and b"unknown player" in done.stderr


def itself(*words: str) -> str:
    """The name of a player that is this program."""
    return "gtp:" + shlex.join(program(*words))


@pytest.mark.skipif(GNUGO is None, reason="gnugo is not installed")
@pytest.mark.parametrize("model", ["random-legal", "teacher:mcts:30"])
def test_gnu_go_is_an_opponent(model: str) -> None:
    players = open_player(itself(model, "--tries", "5")), open_player("gnugo:1")
    fixture = Fixture("g00000", "a/b/o000", model, "gnugo:1", opening=(), seeds=(1, 1 << 63))
    try:
        game = play(fixture, named("benchmark", 5, 5, 5.5), players)
    finally:
        for player in players:
            player.close()
    assert game.end in ("passes", "move-limit", "resign", "illegal"), game
    assert len(game.moves) >= 8 and not game.voided


def test_our_own_client_plays_it() -> None:
    player = open_player(itself("random-legal", "--seed", "3"), Conditions(seconds=60.0))
    rules = session().game.rules_on(5, 5)
    try:
        assert "random-legal" in player.identity["program"]
        player.begin(rules, 1)
        position = Position.start(rules).play(12)
        for ply in range(6):
            reply = player.reply(position, ply)
            assert position.is_legal(reply.move)
            position = position.play(reply.move)
            position = position.play(next(m for m in position.legal_moves() if m != 25))
    finally:
        player.close()
