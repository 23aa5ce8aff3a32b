"""The page in headless Chromium: a real game to its end, by mouse and by keyboard, on a desk and on a phone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from headless_browser import CHROMIUM, Browser
from served_tables import tabled

from gobench.errors import UsageError
from gobench_go.arena.play.game import MODEL, YOU
from gobench_go.arena.play.opening import opened
from gobench_go.commands.play import play
from gobench_go.game import coords, sgf
from gobench_go.game.position import Position
from gobench_go.game.rules import named

HERE = Path(__file__).parent
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
READY = "document.querySelectorAll('.shudan-vertex').length > 0"
YOURS = "!document.getElementById('pass').disabled"
PASS = "document.getElementById('pass').textContent"
STATE = "fetch('state').then(answer => answer.json())"


@contextmanager
def served(*words: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """``gobench go play`` as a user starts it, and the address that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gobench", "go", "play", *words, "--no-open"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        assert line.startswith("Playing at http://127.0.0.1:"), line + process.stderr.read()
        yield line.split()[2], process
    finally:
        process.kill()
        process.communicate()


at_table = contextmanager(lambda *words, **others: (page.server.url for page in tabled(*words, **others)))
"""The same in this process, which is sooner there."""


def ctrl_c(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and stderr after Ctrl-C."""
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    return process.returncode, stderr


def point(x: int, y: int) -> str:
    return f".shudan-vertex[data-x='{x}'][data-y='{y}']"


def problems(browser: Browser) -> list[str]:
    """What the console has to say, but for frames of moves that were taken back before they had come."""
    return [problem for problem in browser.problems if not ("404" in problem and "/frames/" in problem)]


def stones(browser: Browser) -> int:
    found: int = browser.run("document.querySelectorAll('.shudan-vertex:not(.shudan-sign_0)').length")
    return found


def said(browser: Browser) -> str:
    found: str = browser.run("document.getElementById('status').textContent")
    return found


@needs_chromium
def test_a_game_to_its_end(tmp_path: Path) -> None:
    words = ("random-legal", "--size", "5x5", "--komi", "0.5", "--oracle", "mcts:60", "--seed", "4")
    with served(*words) as (url, process), Browser(tmp_path / "profile") as browser:
        browser.size(1280, 900)
        browser.open(url)
        browser.wait(READY)
        browser.wait("document.querySelectorAll('.shudan-heatlabel').length > 0")
        assert said(browser) == "Your move (Black)." and "mcts@" in browser.run("document.body.innerText")

        browser.click(point(2, 2))
        settled(browser, 2)
        browser.wait(
            "document.getElementById('frame').complete && document.getElementById('frame').naturalWidth === 256"
        )
        read = browser.run("document.querySelector('#reading tbody').innerText.split('\\t')")
        assert read[1] == "clean" and read[4] == "legal"
        assert stones(browser) == 2

        browser.click(point(2, 2))
        browser.wait("document.getElementById('error').textContent.includes('a stone stands there')")
        browser.press("u")
        settled(browser, 0)
        assert stones(browser) == 0

        browser.run("document.getElementById('board').focus()")
        for key in ("ArrowUp", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowDown", "ArrowRight"):
            browser.press(key)
        assert browser.run("document.getElementById('said').textContent").startswith("B3, empty")
        browser.press("Enter")
        settled(browser, 2)
        assert browser.run("document.getElementById('said').textContent").startswith("B3, black stone")
        browser.press("u")
        settled(browser, 0)
        assert browser.run("document.getElementById('said').textContent").startswith("B3, empty")
        browser.press("p")
        browser.wait("document.getElementById('warning').textContent.includes('25 of 25 points are empty')")
        assert current(browser)["ply"] == 0 and browser.run(PASS) == "Really pass?"
        browser.press("Enter")
        settled(browser, 2)
        assert browser.run("document.getElementById('warning').hidden") and browser.run(PASS) == "Pass"
        assert browser.run(f"{STATE}.then(s => s.board[11])") == 1
        free = browser.run(f"{STATE}.then(s => s.legal[0])")
        browser.run(f"document.getElementById('vertex').value = '{'abcde'[free % 5]}{5 - free // 5}'")
        browser.click("#point button")
        settled(browser, 4)
        browser.press("h")
        browser.wait("document.querySelectorAll('.shudan-heatlabel').length === 0")

        while not (now := current(browser))["over"]:
            assert now["ply"] < 120 and now["your_turn"]
            browser.run("document.activeElement.blur()")
            browser.press("p")
            if now["if_passed"]:
                assert not browser.run("document.getElementById('warning').hidden")
                browser.press("p")
            browser.wait(f"{STATE}.then(s => s.over || s.your_turn && s.ply > {now['ply']})")
        assert now["end"] and [m["move"] for m in now["moves"][-2:]] == ["pass", "pass"]
        browser.wait("document.getElementById('status').textContent.includes(' wins by ')")
        assert now["result"] in said(browser)

        folder = tmp_path / "saved"
        folder.mkdir()
        browser.download(folder)
        browser.click("#sgf")
        game = read_sgf(folder / "game.sgf")
        assert len(game.moves) == now["ply"] and game.result == now["result"]
        (refused,) = problems(browser)
        assert "400 (Bad Request)" in refused, "the move that was not legal"
        code, stderr = ctrl_c(process)
        assert code == 0 and "Traceback" not in stderr and "The game has ended." in stderr


def settled(browser: Browser, ply: int) -> None:
    """Until the page shows that it is a person's turn after so many moves."""
    browser.wait(f"{YOURS} && document.getElementById('facts').textContent.endsWith('move {ply}')")


def current(browser: Browser) -> dict[str, Any]:
    """The state that the server has, once the page shows it."""
    shown = "document.getElementById('facts').textContent.endsWith(`move ${s.ply}`) && s"
    state: dict[str, Any] = browser.wait(f"{STATE}.then(s => {shown})")
    return state


def read_sgf(path: Path) -> Any:
    """The game of a file, played again by the rules."""
    until = time.monotonic() + 20
    while not path.is_file():
        assert time.monotonic() < until, "nothing was saved"
        time.sleep(0.05)
    game = next(iter(sgf.read(path.read_bytes())))
    assert not isinstance(game, sgf.SgfError)
    position = Position.start(named("benchmark", game.rows, game.cols, game.komi))
    for move, color in zip(game.moves, game.colors, strict=True):
        position = position.play(move, color)
    assert position.over
    return game


@needs_chromium
def test_heat_lies_below_the_stones_and_stars_are_ours(tmp_path: Path) -> None:
    with at_table(oracle="mcts:60") as url, Browser(tmp_path / "profile") as browser:
        browser.open(url)
        browser.wait("document.querySelectorAll('.shudan-heatlabel').length > 0")
        layer = "Number(getComputedStyle(document.querySelector('.shudan-{}')).zIndex)"
        assert browser.run(f"{layer.format('heat')} < {layer.format('stone')}")
        assert not browser.run("document.getElementById('legend').hidden")
        for side in (5, 9):
            browser.run(f"document.getElementById('size').value = '{side}x{side}'")
            browser.click("#start")
            browser.wait(f"document.querySelectorAll('.shudan-vertex').length === {side**2}")
            drawn = browser.run("document.querySelectorAll('.shudan-hoshi').length")
            assert drawn == len(coords.stars(side, side))


@needs_chromium
def test_the_file_leads_to_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: told.append(url) or True)
    with at_table() as url, opened(url):
        assert told[0].startswith("file://") and url.split("/")[-2] not in told[0]
        file = Path(told[0].removeprefix("file://"))
        assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        with Browser(tmp_path / "profile") as browser:
            browser.open(told[0])
            browser.wait(f"location.href === '{url}' && {READY}")
            assert not problems(browser)
    assert not file.parent.exists()


@needs_chromium
def test_on_a_phone_and_for_a_screen_reader(tmp_path: Path) -> None:
    with (
        at_table("copy-frame", (MODEL, YOU), oracle="mcts:20") as url,
        Browser(tmp_path / "profile") as browser,
    ):
        browser.size(375, 700, phone=True)
        browser.open(url)
        browser.wait(f"{READY} && {YOURS}")
        assert "Black passed. Your move (White)." in said(browser)
        for side in (19, 5):
            browser.run(f"document.getElementById('size').value = '{side}x{side}'")
            browser.click("#start")
            browser.wait(f"{STATE}.then(s => s.rows === {side} && s.your_turn)")
            browser.wait(f"document.querySelectorAll('.shudan-vertex').length === {side**2}")
            assert browser.run("document.documentElement.scrollWidth <= 375")
            sides = browser.run(
                "[...document.querySelectorAll('.shudan-vertex')].map(e => e.getBoundingClientRect().right)"
            )
            assert max(sides) <= 375
        browser.wait(
            f"{YOURS} && document.querySelector('#pictures:not([hidden]) #frame').naturalWidth === 256"
        )
        browser.size(375, 700, dark=True, phone=True)
        assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(23, 22, 20)"
        nodes = [n for n in browser.call("Accessibility.getFullAXTree")["nodes"] if not n.get("ignored")]
        roles = {(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if "role" in n}
        for role in ("button", "textbox", "combobox", "checkbox", "link", "image", "application"):
            names = [name for kind, name in roles if kind == role]
            assert names and all(names), (role, names)
        assert {"status", "main", "heading"} <= {role for role, _ in roles}
        assert any(kind == "application" and name.startswith("Board of 5 by 5") for kind, name in roles)
        assert not problems(browser)


@needs_chromium
def test_names_of_models_are_text(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "odd.py").write_text(ODD)
    with at_table(f"{folder / 'odd.py'}:Odd") as url, Browser(tmp_path / "profile") as browser:
        browser.open(url)
        browser.wait(READY)
        browser.click(point(1, 1))
        browser.wait("!document.getElementById('retry').hidden")
        assert "<img src=x" in browser.run("document.getElementById('title').textContent")
        assert "<b>gone</b>" in browser.run("document.getElementById('error').textContent")
        assert browser.run("document.title").startswith("you – <img") and not problems(browser)


ODD = """
class Odd:
    name = "<img src=x onerror=document.title='owned'>"
    def generate(self, frames, n, seeds, context=None):
        raise ValueError("<b>gone</b><script>document.title='owned'</script>")
"""


def test_ctrl_c_ends_a_model_at_work(tmp_path: Path) -> None:
    import json
    import urllib.request

    program = tmp_path / "model.py"
    program.write_text(SLEEPY)
    with served(f"cmd:{sys.executable} {program} {tmp_path / 'pid'}", "--color", "white") as (url, process):
        until = time.monotonic() + 30
        while not (tmp_path / "asked").exists():
            assert time.monotonic() < until
            time.sleep(0.02)
        with urllib.request.urlopen(f"{url}state", timeout=10) as answer:
            assert json.load(answer)["thinking"]
        code, stderr = ctrl_c(process)
    assert code == 0 and "Traceback" not in stderr, stderr
    pid = int((tmp_path / "pid").read_text())
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("the model still runs")


SLEEPY = """
import json, os, pathlib, struct, sys, time
place = pathlib.Path(sys.argv[1])
place.write_text(str(os.getpid()))
while head := sys.stdin.buffer.read(4):
    asked = json.loads(sys.stdin.buffer.read(struct.unpack("<I", head)[0]))
    if asked["op"] == "generate":
        (place.parent / "asked").write_text("")
        time.sleep(300)
    text = json.dumps({"ok": True, "op": asked["op"], "frame_size": [96, 96]}).encode()
    sys.stdout.buffer.write(struct.pack("<I", len(text)) + text)
    sys.stdout.buffer.flush()
"""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("no-such-model",), "unknown player"),
        (("random-legal", "--color", "watch"), "--opponent"),
        (("random-legal", "--board", "40x40"), "not possible"),
        (("random-legal", "--seconds", "-1"), "timeout"),
        (("random-legal", "--oracle", "nobody"), "unknown teacher"),
        (("random-legal", "--komi", "0.3"), "multiple of 0.5"),
    ],
)
def test_wrong_words_are_told(words: tuple[str, ...], told: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match=told):
        play.main([*words, "--no-open"], standalone_mode=False)
    assert capfd.readouterr().out == ""
