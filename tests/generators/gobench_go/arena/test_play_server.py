"""The page's server: who may ask, what for, and that two pages cannot spoil a game."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from served_tables import Page, setup, tabled

from gobench.codec.pictures import decode
from gobench.errors import UsageError
from gobench_go.arena.model_player import Shown, Try
from gobench_go.arena.names import Conditions
from gobench_go.arena.play import server as served
from gobench_go.arena.play import view
from gobench_go.arena.play.game import FRAMED, MODEL, OPPONENT, YOU, Game, Setup
from gobench_go.arena.play.server import LARGEST, PlayServer
from gobench_go.arena.play.table import Seats, StaleError, Table
from gobench_go.arena.play.view import state
from gobench_go.arena.player import NOTHING, RESIGN, Reply
from gobench_go.engines.faults import EngineError
from gobench_go.game import sgf
from gobench_go.tasks import asking
from gobench_go.teachers import Judgement
from gobench_go.teachers.random_teacher import RandomTeacher

HERE = Path(__file__).parent
MODELS = HERE / "drawing_models.py"


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    yield from tabled(oracle="mcts:20", opponent="random")


# --- who may ask ---


def test_the_whole_address_is_needed(page: Page) -> None:
    assert page.server.server_address[0] == "127.0.0.1" and len(page.server.token) >= 32
    for token in ("", "x", page.server.token[:-1], page.server.token + "x"):
        assert page.ask("state", token=token)[0] == 404
    status, data, _ = page.ask("", token=".")
    assert status == 404 and page.server.token.encode() not in data
    assert page.ask("state")[0] == 200


@pytest.mark.parametrize("name", ["Host", "Origin", "Referer", "Sec-Fetch-Site"])
def test_nobody_else_may_ask(page: Page, name: str) -> None:
    foreign = {
        "Host": [
            "evil.example",
            f"evil.example:{page.port}",
            "127.0.0.1",
            f"127.0.0.1:{page.port + 1}",
            "127.0.0.1.evil",
        ],
        "Origin": [
            "http://evil.example",
            "null",
            f"http://localhost:{page.port}",
            f"https://127.0.0.1:{page.port}",
        ],
        "Referer": ["http://evil.example/", f"http://{page.host}.evil.example/"],
        "Sec-Fetch-Site": ["cross-site", "same-site"],
    }
    for value in foreign[name]:
        for body in (None, b'{"act": "undo"}'):
            status, data, headers = page.ask(
                "act" if body else "state", body, **{name.replace("-", "_"): value}
            )
            assert status == 403, (name, value, body)
            assert "Access-Control-Allow-Origin" not in headers and "error" in json.loads(data)
    assert page.ask("state", Host=f"localhost:{page.port}")[0] == 200


def test_the_page_itself_may_be_gone_to_from_a_file_of_the_person(page: Page) -> None:
    going = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert page.ask("", **going)[0] == 200
    assert page.ask("", token="x", **going)[0] == 403
    for path, other in (
        ("state", {}),
        ("", {"Sec_Fetch_Dest": "iframe"}),
        ("", {"Sec_Fetch_Mode": "no-cors"}),
    ):
        assert page.ask(path, **(going | other))[0] == 403, (path, other)
    assert page.ask("act", b'{"act": "undo"}', **going)[0] == 403
    assert page.ask("", **going, Origin="null")[0] == 403


@pytest.mark.parametrize(
    ("line", "more", "status"),
    [
        ("GET /TOKEN/state HTTP/1.1", "Host: evil.example\r\n", 403),
        ("GET /TOKEN/état HTTP/1.1", "", 404),
        ("GET /té/state HTTP/1.1", "", 404),
        ("GET http://[/ HTTP/1.1", "", 404),
        ("GET //TOKEN/state HTTP/1.1", "", 200),
        ("GET /TOKEN/state?after=٣ HTTP/1.1", "", 200),
        ("GET /TOKEN/frames/７/0/0.png HTTP/1.1", "", 404),
        ("GET /" + "x" * 70_000 + " HTTP/1.1", "", 414),
        ("nonsense", "", 400),
    ],
)
def test_odd_requests(page: Page, line: str, more: str, status: int) -> None:
    raw = f"{line.replace('TOKEN', page.server.token)}\r\nHost: {page.host}\r\n{more}\r\n"
    with socket.create_connection(("127.0.0.1", page.port), timeout=10) as link:
        link.sendall(raw.encode())
        answer = link.recv(1 << 16)
    assert b" %d " % status in answer[:20] or (status == 400 and b'"error"' in answer)


def test_changes_need_an_origin_and_json(page: Page) -> None:
    wish = b'{"act": "undo"}'
    assert page.ask("act", wish, Origin="")[0] == 403
    for kind in ("", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert page.ask("act", wish, Content_Type=kind)[0] == 415, kind
    for body in (b"", b"{", b"[]", b"7", b"\xff\xfe", b"[" * 3000, b"null"):
        assert page.ask("act", body)[0] == 400, body
    assert page.ask("act", b"x" * (LARGEST + 1))[0] == 413
    for length in ("-5", "1e3", "99999999999", " "):
        assert page.ask("act", wish, Content_Length=length)[0] in (400, 411), length
    assert page.ask("act", wish, Transfer_Encoding="chunked")[0] == 411
    assert page.ask("state", wish)[0] == 404
    for method in ("PUT", "DELETE", "OPTIONS", "HEAD", "BREW"):
        assert page.ask("state", method=method)[0] == 501


@pytest.mark.parametrize(
    "path",
    [
        "../page.py", "..%2fserver.py", "vendor/../server.py", "server.py", "vendor/", "vendor/README.md", "%00", "/etc/passwd",
        "page.js/", "frames/1/0/../../x.png", "frames/1/0/-1.png", "frames/99999999999/0/0.png", "frames/1/0/0.jpg", "act",
    ],
)  # fmt: skip
def test_nothing_but_the_page_is_served(page: Page, path: str) -> None:
    status, data, _ = page.ask(path)
    assert status == 404 and b"import" not in data


def test_every_answer_says_how_it_may_be_used(page: Page) -> None:
    for path in ("", "page.js", "state", "nothing"):
        headers = page.ask(path)[2]
        for name, value in served.HEADERS.items():
            assert headers[name] == value
    assert "unsafe" not in served.HEADERS["Content-Security-Policy"]


def test_the_page_loads_nothing_from_elsewhere(page: Page) -> None:
    for path in served.PAGE:
        status, data, headers = page.ask(path)
        assert status == 200 and headers["Content-Type"] == served.PAGE[path][1]
        links = re.findall(rb"(?:src|href|url|import|from)\s*[=(]?\s*[\"']?(?:https?:)?//[^\s\"')]*", data)
        assert not links, (path, links)


def test_the_vendored_board_is_what_its_readme_says() -> None:
    folder = Path(served.__file__).parent / "vendor"
    readme = (folder / "README.md").read_text()
    for name in ("shudan.js", "shudan.css"):
        assert f"| {name} | `{hashlib.sha256((folder / name).read_bytes()).hexdigest()}` |" in readme
    assert (folder / "LICENSES.txt").read_text().count("Permission is hereby granted") == 3


# --- a game ---


def test_a_game_over_the_wire(page: Page) -> None:
    now = page.act("new", you="black", rows=5, cols=5)[1]
    assert (now["ply"], now["your_turn"], len(now["legal"])) == (0, True, 26)
    status, now = page.act("play", move=12)
    assert status == 200 and now["board"][12] == 1 and now["last"] == 12
    now = page.settled()
    assert now["ply"] == 2 and now["your_turn"]
    assert {"color": 1, "move": "C3", "who": YOU, "captured": 0}.items() <= now["moves"][0].items()
    shown = now["shown"]
    assert (
        shown["ply"] == 1 and shown["tries"][-1]["kind"] == "clean" and shown["tries"][-1]["confidence"] > 0.9
    )
    status, png, headers = page.ask(shown["tries"][-1]["frame"])
    assert status == 200 and headers["Content-Type"] == "image/png" and decode(png).shape == (256, 256, 3)
    assert not np.array_equal(decode(png), decode(page.ask(shown["prompt"])[1]))
    status, data, headers = page.ask("game.sgf")
    game = next(iter(sgf.read(data)))
    assert headers["Content-Disposition"] == 'attachment; filename="game.sgf"'
    assert (game.moves[0], game.black, game.white, game.komi) == (12, "you", "random-legal", 5.5)
    assert page.act("undo")[1]["ply"] == 0


def test_what_cannot_be_done_is_said(page: Page) -> None:
    page.act("new", you="black", rows=5, cols=5)
    assert page.act("play", move=12)[0] == 200
    page.settled()
    for act, more, words in (
        ("play", {"move": 12}, "a stone stands there"),
        ("play", {"move": 99}, "off the board"),
        ("play", {"move": True}, "a move is a number"),
        ("play", {"move": 1e400}, "a move is a number"),
        ("fly", {}, "nothing to do here"),
        ("new", {"you": "green", "rows": 5, "cols": 5}, "you play"),
        ("new", {"you": "black", "rows": 50, "cols": 5}, "not possible"),
        ("new", {"you": "black"}, "rows and cols"),
        ("new", {"you": ["black"], "rows": 5, "cols": 5}, "you play"),
    ):
        before = page.state()
        status, told = page.act(act, **more)
        assert status == 400 and words in told["error"], (act, more, told)
        assert page.state()["ply"] == before["ply"]


def test_two_pages_do_not_spoil_a_game(page: Page) -> None:
    old = page.act("new", you="black", rows=5, cols=5)[1]
    other = Page(page.server)
    answers: list[int] = []
    players = [
        threading.Thread(target=lambda p=p, move=move: answers.append(p.act("play", old, move=move)[0]))
        for p, move in ((page, 12), (other, 13))
    ]
    for player in players:
        player.start()
    for player in players:
        player.join()
    assert sorted(answers) == [200, 409]
    assert page.settled()["ply"] == 2
    assert other.act("undo", old)[0] == 409 and other.act("resign", old | {"game": old["game"] - 1})[0] == 409
    assert other.act("resign", old)[0] == 200, (
        "whoever gives up means the game, whatever was played meanwhile"
    )


def test_a_page_waits_for_news(page: Page) -> None:
    now = page.act("new", you="black", rows=5, cols=5)[1]
    now = page.settled()
    heard: list[int] = []
    listener = threading.Thread(target=lambda: heard.append(page.state(now["version"])["version"]))
    listener.start()
    time.sleep(0.1)
    assert not heard or now["version"] != heard[0]
    page.act("resign")
    listener.join(10)
    assert heard and heard[0] > now["version"]
    over = page.state()
    assert over["over"] and over["result"] == "W+R" and over["end"] == "White wins: Black gave up."


def test_the_oracle_speaks_only_when_asked(page: Page) -> None:
    page.act("new", you="black", rows=5, cols=5)
    assert page.act("oracle", on=False)[1]["oracle"]["heat"] == []
    now = page.act("oracle", on=True)[1]
    while not now["oracle"]["heat"]:
        now = page.state(now["version"])
    warm = [point for point in now["oracle"]["heat"] if point]
    assert len(now["oracle"]["heat"]) == 25 and max(p["strength"] for p in warm) == 9
    assert all(0 <= int(p["text"] or 0) <= 100 for p in warm) and now["oracle"]["gives"] == "chances"
    assert "best " in now["oracle"]["text"]


def test_a_game_that_plays_itself(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gobench_go.arena.play.table.PACE", 0.0)
    now = page.act("new", you="", rows=5, cols=5)[1]
    assert now["seats"] == [MODEL, OPPONENT] and now["names"] == ["random-legal", "random"]
    while now["ply"] < 6:
        now = page.state(now["version"])
    now = page.act("pause")[1] if page.state()["ply"] == now["ply"] else now
    for _ in range(50):
        if (now := page.state())["paused"]:
            break
        page.act("pause")
    assert now["paused"] and not now["thinking"]
    status, after = page.act("undo", now)
    assert status == 200 and after["ply"] == now["ply"] - 1
    assert page.act("new", you="", rows=5, cols=5)[1]["seats"] == [OPPONENT, MODEL], "colours in turn"
    page.act("new", you="black", rows=5, cols=5)


def test_a_model_without_a_legal_move_loses_and_may_be_asked_again() -> None:
    for page in tabled(f"{MODELS}:Corner"):
        page.act("play", move=0)
        now = page.settled()
        assert now["result"] == "B+F"
        assert now["end"] == "Black wins: White showed no legal move: wrong-colour (3 tries)."
        assert [t["kind"] for t in now["shown"]["tries"]] == ["wrong-colour"] * 3
        assert page.ask(now["shown"]["tries"][2]["frame"])[0] == 200
        assert page.act("play", now, move=3)[0] == 400
        assert page.act("undo", now)[1]["ply"] == 0
        assert page.act("play", move=7)[0] == 200
        assert page.settled()["ply"] == 2


def test_a_model_that_breaks_down_is_told_and_asked_again() -> None:
    for page in tabled(f"{MODELS}:Raising"):
        page.act("play", move=12)
        now = page.settled()
        assert "no such luck" in now["error"] and not now["over"] and not now["your_turn"]
        status, told = page.act("play", now, move=3)
        assert status == 400 and "to move" in told["error"]
        assert page.act("retry", now)[1]["error"] == ""
        assert "no such luck" in page.settled()["error"]
        assert page.act("undo")[1]["your_turn"]


def test_a_board_too_large_for_the_model_is_told() -> None:
    for page in tabled(f"{MODELS}:Tiny", seats=(MODEL, YOU)):
        page.act("new", you="white", rows=19, cols=19)
        assert "size 36 does not fit" in page.settled()["error"]
        assert page.act("new", you="black", rows=5, cols=5)[1]["your_turn"]


def test_what_is_asked_before_an_undo_does_not_count_after_it() -> None:
    for page in tabled(f"{MODELS}:Tired"):
        page.act("play", move=12)
        assert page.act("undo")[1]["ply"] == 0
        time.sleep(0.8)
        assert page.state()["ply"] == 0 and page.state()["your_turn"]


def test_tables_that_cannot_be() -> None:
    with pytest.raises(UsageError, match="unknown player"):
        Table(Seats("no-such-model"), setup(), Conditions()).open()
    with pytest.raises(UsageError, match="--opponent"):
        Table(Seats("random-legal"), setup((MODEL, OPPONENT)), Conditions()).open()
    with pytest.raises(UsageError, match="unknown teacher"):
        table = Table(Seats("random-legal", oracle="nobody"), setup(), Conditions())
        try:
            table.open()
        finally:
            table.close()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="cannot be had"):
            PlayServer(Table(Seats("random"), setup(), Conditions()), taken.getsockname()[1])


# --- what the page is told ---


def judged(value: float, visits: dict[int, int], known: bool = True) -> Judgement:
    counts, values = np.zeros(26, np.int32), np.full(26, np.nan, np.float32)
    for move, count in visits.items():
        counts[move] = count
    values[counts > 0] = value if known else np.nan
    policy = (counts / max(1, counts.sum())).astype(np.float32)
    return Judgement(policy, values, counts, int(counts.argmax()), value, values, math.nan)


def test_a_loss_agrees_with_what_was_said_of_the_positions() -> None:
    game = Game(1, setup())
    chances = (0.6, 0.44, 0.53)  # of Black, White, Black: Black gives away 4%, White nothing
    for ply, (move, chance) in enumerate(zip((12, 7, 8), chances, strict=True)):
        game.judged[ply] = (game.now, judged(chance, {move: 50}))
        game.play(move, YOU if ply % 2 == 0 else MODEL)
    lost = [view._ply(game, number, ply).get("lost") for number, ply in enumerate(game.plies)]
    assert lost == [pytest.approx(0.04), 0.0, None], "nothing is known of the last position"
    del game.judged[1]
    assert "lost" not in view._ply(game, 0, game.plies[0]) and "lost" not in view._ply(game, 1, game.plies[1])
    game.judged[1] = (game.positions[2], judged(0.4, {3: 50}))
    assert "lost" not in view._ply(game, 0, game.plies[0]), "a judgement of a position that was taken back"


def test_numbers_stand_where_the_search_has_looked_often_enough() -> None:
    heat = view.heat(judged(0.5, {0: 500, 1: 300, 2: 21, 3: 14, 4: 10}))
    assert [point["text"] if point else None for point in heat[:6]] == ["50", "50", "50", "", "", None]
    assert [point["strength"] for point in heat[:4] if point] == [9, 7, 2, 2]
    assert [p["text"] for p in view.heat(judged(0.5, {0: 10, 1: 9})) if p] == ["50", ""]


def test_a_teacher_without_chances_is_said_to_have_none() -> None:
    game = Game(1, setup())
    assert view.gives(game) == ""
    game.judged[0] = (game.now, judged(math.nan, {12: 1}, known=False))
    assert view.gives(game) == "moves" and view.opinion(game, game.judged[0][1]) == "best C3"
    assert view.gives(Game(1, setup())) == ""
    game.judged[0] = (game.now, RandomTeacher().judge(game.now, 1))
    assert view.gives(game) == "moves" and "wins" not in view.opinion(game, game.judged[0][1])


def test_a_pass_is_asked_about_early_and_when_it_ends_the_game() -> None:
    game = Game(1, setup())
    assert view.if_passed(game) == (
        "25 of 25 points are empty. If White passes too, the game ends as it stands: "
        "White wins by 5.5 by area, every stone alive."
    )
    game.play(12, YOU)
    game.answer(Reply(25), MODEL, None)
    assert view.if_passed(game) == (
        "White has passed: your pass ends the game as it stands. Black wins by 19.5 by area, every stone alive."
    )
    game = Game(1, setup())
    for move in range(0, 25, 2):
        game.play(move, YOU)
    assert view.if_passed(game) == "", "half of the board is full"


# --- the game itself ---


def test_undo_goes_back_to_a_persons_turn() -> None:
    game = Game(1, setup((MODEL, YOU)))
    with pytest.raises(UsageError, match="no move to take back"):
        game.undo()
    game.answer(Reply(12), MODEL, None)
    game.play(7, YOU)
    game.answer(Reply(8), MODEL, None)
    game.undo()
    assert len(game.plies) == 1 and game.turn == YOU
    game.undo()
    assert not game.plies and game.turn == MODEL


def test_how_games_end() -> None:
    game = Game(1, setup())
    game.play(12, YOU)
    game.answer(Reply(25), MODEL, None)
    game.play(25, YOU)
    assert (game.end, game.result) == ("passes", "B+19.5")
    with pytest.raises(UsageError, match="the game is over"):
        game.play(3, YOU)
    game.undo()
    assert not game.over and len(game.plies) == 2
    game.resign(1)
    game.undo()
    assert not game.over and len(game.plies) == 2, "a resignation is taken back alone"
    game.play(3, YOU)
    for reply, end in (
        (Reply(RESIGN), "resign"),
        (Reply(NOTHING, 3, said="unreadable"), "illegal"),
        (Reply(3), "illegal"),
    ):
        game.end = ""
        game.answer(reply, MODEL, None)
        assert (game.end, game.winner) == (end, 1)
    assert game.message == "D5: a stone stands there (1 try)"


def test_long_games_are_cut() -> None:
    game = Game(1, Setup.of((MODEL, OPPONENT), "benchmark", 1, 2, 0.0))
    turn = 0
    while not game.over:
        legal = [move for move in game.now.legal_moves() if move < 2]
        game.answer(Reply(legal[0] if legal else 2), MODEL, None)
        turn += 1
    assert game.end in ("passes", "move-limit") and turn <= 6


def test_frames_of_early_moves_are_let_go() -> None:
    game, frame = Game(1, setup()), np.zeros((8, 8, 3), np.uint8)
    verdict = asking.Verdict("clean", 0, "")
    for move in range(0, 24, 2):
        game.play(move, YOU)
        game.answer(Reply(move + 1), MODEL, Shown(frame[None], (Try(frame, None, verdict),)))
    assert sum(ply.shown is not None for ply in game.plies) == FRAMED
    assert game.frame(23, 0) is not None and game.frame(23, 5) is None and game.frame(1, 0) is None
    assert game.frame(99, 0) is None and game.frame(22, 0) is None


def test_a_game_that_was_lost_before_its_first_move_can_go_on() -> None:
    game = Game(1, setup((MODEL, YOU)))
    game.answer(Reply(NOTHING, 3, said="unreadable"), MODEL, None)
    assert game.over and game.message
    game.undo()
    assert (game.over, game.message, game.turn, game.attempt) == (False, "", MODEL, 1)
    with pytest.raises(UsageError, match="no move to take back"):
        game.undo()


def test_an_oracle_that_breaks_says_so_and_can_be_asked_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.contextmanager(tabled)(oracle="random") as page:
        for error in (EngineError("crash", "the oracle is gone"), ZeroDivisionError("an error of ours")):
            monkeypatch.setattr(RandomTeacher, "judge", raising(error))
            page.act("new", you="black", rows=5, cols=5)
            now = page.act("oracle", on=True)[1]
            while now["oracle"]["on"]:
                now = page.state(now["version"])
            assert str(error) in now["oracle"]["error"]
    assert "ZeroDivisionError" in capsys.readouterr().err


def raising(error: Exception) -> Callable[..., None]:
    def judge(*given: object) -> None:
        raise error

    return judge


def test_a_stale_wish_is_no_wish() -> None:
    table = Table(Seats("random"), setup(), Conditions())
    with pytest.raises(StaleError):
        table.act({"act": "play", "move": 3, "game": 1, "ply": 5})
    assert table.look(state)["ply"] == 0
