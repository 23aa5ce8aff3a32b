"""Contact sheet, GIF and page; the page is also opened with headless Chromium where there is one."""

from __future__ import annotations

import html
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gobench import pages, preview
from gobench.build import recipes
from gobench.build.run import build
from gobench.dataset import open_dataset
from gobench.errors import DataError, UsageError
from gobench.preview import clips, page, pictures, sampling

sys.path.insert(0, str(Path(__file__).parent))
from bouncing import Bouncing

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
CHROMIUM = next((c for c in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if c), None)


class Played(Bouncing):
    """The dot as a disc that walks along a 2x3 grid, with hostile names."""

    def finish(self, episode: Any, key: str, options: Mapping[str, Any], seed: int) -> Any:
        done = super().finish(episode, key, options, seed)
        done.record["origin"] = HOSTILE
        return done

    def replay(self, record: Mapping[str, Any]) -> dict[str, Any]:
        boards = ["." * t + "X" + "." * (5 - t) for t in range(6)]
        return {
            "rows": 2,
            "cols": 3,
            "boards": boards,
            "last": [-1, 1, 2, 3, 4, 5],
            "labels": [f"step {t}" for t in range(6)],
            "values": [0.5, 0.25, -1, 0.75, 1.0, 0.0],
            "values_name": "dark wins",
            "hints": [1, 2, 3, 4, 5, -1],
            "title": f"dot {HOSTILE}",
            "facts": {"who": HOSTILE, "start": record["start"], "moves": [1, 2]},
        }


def make(folder: Path, codec: str, domain: Bouncing | None = None, **changes: Any) -> Path:
    domain = domain or Bouncing()
    build(domain, recipes.configure(domain, "dot-tiny", {"codec": codec, **changes}), folder)
    return folder


@pytest.fixture(scope="module", params=["h264", "png", "moves", "lossless"])
def dataset(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("built") / request.param, request.param, episodes=24)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make(tmp_path_factory.mktemp("built") / "dots", "h264", Played(), episodes=24)
    return preview.write_preview(folder, domain=Played(), episodes=16)["page"]


def payload(text: str) -> Any:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    return json.loads(found)["episodes"]


def test_everything_is_written_beside_the_dataset(dataset: Path) -> None:
    done = preview.write_preview(dataset, episodes=5, domain=Bouncing())
    assert done["page"].parent == dataset.with_name(f"{dataset.name}-preview")
    sheet = Image.open(done["sheet"])
    assert sheet.format == "PNG" and sheet.width > 6 * pictures.SHEET_CELL
    film = Image.open(done["gif"])
    assert film.format == "GIF" and film.n_frames == 6
    text = done["page"].read_text()
    assert len(payload(text)) == 5
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", text), "nothing is loaded from elsewhere"


def test_frames_on_the_page_are_those_of_the_dataset(dataset: Path) -> None:
    data = open_dataset(dataset)
    episode = clips.describe(data, data.read(0), Bouncing(), pixels=True)
    frames = data.frames(data.read(0), domain=Bouncing())
    shown = episode["pixels"]
    if dataset.name == "h264":
        assert (
            shown["video"].startswith("data:video/mp4;base64,") and shown["frames"] == 6 and shown["fps"] == 4
        )
        return
    assert shown["times"] == list(range(6))
    for uri, frame in zip(shown["pictures"], frames, strict=True):
        picture = Image.open(io.BytesIO(clips.base64.b64decode(uri.partition(",")[2]))).convert("RGB")
        assert np.array_equal(np.asarray(picture.resize((32, 32), Image.Resampling.NEAREST)), frame)


def test_it_repeats(dataset: Path, tmp_path: Path) -> None:
    first = preview.write_preview(dataset, tmp_path / "a", episodes=3, domain=Bouncing())
    second = preview.write_preview(dataset, tmp_path / "b", episodes=3, domain=Bouncing())
    for a, b in zip(first.values(), second.values(), strict=True):
        assert a.read_bytes() == b.read_bytes()


def test_choice_covers_all_splits(dataset: Path) -> None:
    data = open_dataset(dataset)
    for count in (3, 7, 100):
        chosen = sampling.pick(data, count)
        assert chosen == sorted(set(chosen)) and len(chosen) == min(count, len(data))
        assert all(set(chosen) & set(numbers) for numbers in data.splits.values())
    assert sampling.pick(data, 1) == [0]
    assert set(sampling.pick(data, 2, "test")) <= set(data.splits["test"])
    with pytest.raises(UsageError, match="unknown split 'dev'"):
        sampling.pick(data, 2, "dev")
    assert sampling.moments(100, 3) == [0, 49, 99] and sampling.moments(2, 8) == [0, 1]
    other = sampling.pick(data, 6, seed=5)
    assert len(set(other)) == 6 and other == sampling.pick(data, 6, seed=5) != sampling.pick(data, 6)
    assert sampling.moments(9, 1) == [8]


def test_boards_travel_as_differences() -> None:
    board = clips.board_of(Played(), {"start": 7})
    assert board["start"] == "X....." and board["steps"][0] == "0.1X"
    assert clips.difference("XO.", "XO.") == ""
    assert clips.difference(".X" * 50, ".X" * 49 + "O.") == "98O99."


@pytest.mark.parametrize(
    "replay", [{"rows": 2}, {"rows": 2, "cols": 2, "boards": ["..."]}, {"boards": []}, None]
)
def test_a_domain_that_fails_to_replay_is_shown_as_pixels(dataset: Path, replay: Any) -> None:
    class Broken(Bouncing):
        def replay(self, record: Any) -> Any:
            return replay

    data = open_dataset(dataset)
    episode = clips.describe(data, data.read(0), Broken(), pixels=False)
    assert "board" not in episode and episode["pixels"]


def test_records_are_text(played: Path) -> None:
    text = played.read_text()
    assert "<img src=x" not in text
    assert text.count("<script") == 2 and text.count("</script>") == 2
    episode = payload(text)[0]
    assert episode["title"] == f"dot {HOSTILE}"
    facts = dict(episode["facts"])
    assert facts["who"] == HOSTILE[: clips.LONGEST_FACT] and "moves" not in facts


def test_titles_and_facts_of_the_page_are_escaped() -> None:
    text = page.document(HOSTILE, [HOSTILE], [])
    assert html.escape(HOSTILE, quote=False).split("onerror")[0] in text.replace("&#39;", "'").replace(
        "&#34;", '"'
    )
    assert "<img src=x" not in text


def test_policy_names_the_script_that_is_there(played: Path) -> None:
    text = played.read_text()
    policy = html.unescape(re.findall(r'Content-Security-Policy" content="(.*?)"', text)[0])
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.S)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.S)
    assert f"script-src {pages._hash(script)}" in policy and f"style-src {pages._hash(style)}" in policy
    assert "default-src 'none'" in policy


def test_broken_pictures_and_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a folder"):
        preview.write_preview(tmp_path / "nowhere")
    folder = make(tmp_path / "d", "h264", episodes=8)
    with pytest.raises(UsageError, match="at least 1"):
        preview.write_preview(folder, episodes=0)
    sample = open_dataset(folder).read(0)
    sample.members["png"] = b"no picture"
    with pytest.raises(DataError, match=r"dot-000000000\.png"):
        clips.thumbnail(open_dataset(folder), sample, None)
    sample.members["mp4"] = b"no film"
    with pytest.raises(DataError, match=r"dot-000000000\.mp4"):
        clips.pixels_of(open_dataset(folder), sample, None)


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(x) run\nshowpage\n%%EOF\n"


def test_no_picture_reaches_ghostscript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import EpsImagePlugin

    reached: list[object] = []

    def ghostscript(*arguments: Any, **options: Any) -> Any:
        reached.append(arguments)
        raise OSError

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", ghostscript)
    data = open_dataset(make(tmp_path / "d", "h264", episodes=8))
    sample = data.read(0)
    sample.members["png"] = EPS
    with pytest.raises(DataError, match=r"dot-000000000\.png"):
        clips.thumbnail(data, sample, None)
    assert not reached


def test_no_playlist_is_followed(tmp_path: Path) -> None:
    data = open_dataset(make(tmp_path / "d", "h264", episodes=8))
    sample = data.read(0)
    (tmp_path / "other.mp4").write_bytes(sample.members["mp4"])
    sample.members["mp4"] = f"ffconcat version 1.0\nfile '{tmp_path}/other.mp4'\n".encode()
    with pytest.raises(DataError, match=r"dot-000000000\.mp4.*no MP4"):
        clips.pixels_of(data, sample, None)


def dom(address: str, profile: Path) -> str:
    """The page's elements after its script has run."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--dump-dom"]
    flags += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    flags += [f"--user-data-dir={profile}", "--virtual-time-budget=4000"]
    done = subprocess.run([str(CHROMIUM), *flags, address], capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt install chromium)")
def test_chromium_plays_the_page(played: Path, tmp_path: Path) -> None:
    address = played.as_uri()
    seen = dom(f"{address}#dot-000000000:3:board", tmp_path / "a")
    assert re.search(r'<p id="caption"[^>]*>move 3 / 5 · step 3 · dark wins 75%</p>', seen)
    assert seen.count('class="disc X"') == 1 and 'class="disc X" cx="0" cy="1"' in seen
    assert 'class="mark X" cx="0" cy="1"' in seen
    assert "<title>dot-tiny</title>" in seen, "the hostile names were not run"
    assert seen.count("<img src=x") == 0 and "&lt;img src=x" in seen
    assert len(re.findall(r'<span class="name">', seen)) == 16
    film = dom(f"{address}#dot-000000000:2:pixels", tmp_path / "b")
    assert re.search(r'<p id="caption"[^>]*>frame 2 / 5</p>', film)
    assert re.search(r'<video[^>]*src="blob:', film)


KEYS = """<script>
const press = (key) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const said = [], note = () => said.push(byId("caption").textContent.split(" ·")[0]);
press("ArrowRight"); press("ArrowRight"); note();
press("ArrowLeft"); note();
press("End"); note();
press("ArrowRight"); note();
press("Home"); note();
press("ArrowDown"); said.push(byId("about").querySelector("dd").textContent.length, state.current.key);
byId("at").value = 3; byId("at").dispatchEvent(new Event("input")); note();
byId("search").value = "nothing like this"; byId("search").dispatchEvent(new Event("input"));
said.push(byId("count").textContent);
byId("first").click(); press(" ");
setTimeout(() => { note(); document.title = JSON.stringify(said); }, 2500);
</script></body>"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt install chromium)")
def test_chromium_obeys_keys_slider_search_and_play(played: Path, tmp_path: Path) -> None:
    text = re.sub(r"<meta http-equiv=[^>]*>", "", played.read_text())
    (tmp_path / "open.html").write_text(text.replace("</body>", KEYS))
    seen = dom((tmp_path / "open.html").as_uri(), tmp_path / "profile")
    said = json.loads(html.unescape(re.findall(r"<title>(.*?)</title>", seen)[0]))
    assert said[:5] == ["move 2 / 5", "move 1 / 5", "move 5 / 5", "move 5 / 5", "move 0 / 5"]
    assert said[5:] == [len(HOSTILE), "dot-000000001", "move 3 / 5", "0 of 16", "move 5 / 5"]


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt install chromium)")
def test_chromium_runs_no_other_script(played: Path, tmp_path: Path) -> None:
    smuggled = (
        "<script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\"></body>"
    )
    (tmp_path / "bad.html").write_text(played.read_text().replace("</body>", smuggled))
    seen = dom((tmp_path / "bad.html").as_uri(), tmp_path / "profile")
    assert "<title>dot-tiny</title>" in seen and "move 0 / 5" in seen


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt install chromium)")
def test_chromium_shows_frames_of_domains_without_boards(tmp_path: Path) -> None:
    dataset = make(tmp_path / "dots", "png", episodes=8)
    done = preview.write_preview(dataset, tmp_path / "out", episodes=3, domain=Bouncing())
    seen = dom(f"{done['page'].as_uri()}#dot-000000000:4", tmp_path / "profile")
    assert re.search(r'<p id="caption"[^>]*>frame 4 / 5</p>', seen)
    stage = re.findall(r'<div id="stage">(.*?)</div>', seen, re.S)[0]
    assert stage.startswith('<img alt="" src="data:image/webp;base64,')
