"""The files play and seek in a browser: headless Chromium shows the frames that PyAV decodes."""

import http.server
import json
import queue
import shutil
import subprocess
import threading

import numpy as np
import pytest

from gobench.clips import ArrayClip
from gobench.codec import codec

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
]
SEEKS = (0, 7, 19, 3, 12, 18)
POINTS = ((6, 6), (40, 40), (100, 8), (8, 90), (70, 70))
PAGE = """<!doctype html><video id=v muted preload=auto src=clip.mp4></video><script>
const video = document.getElementById("v"), seen = [];
const tell = answer => fetch("answer", {method: "POST", body: JSON.stringify(answer)});
const once = event => new Promise(done => video.addEventListener(event, done, {once: true}));
// "seeked" can come before the frame is there to be drawn; no new one comes if it is shown already
const drawn = () => new Promise(done => { video.requestVideoFrameCallback(done); setTimeout(done, 600); });
const seek = time => {
  const both = Promise.all([once("seeked"), drawn()]); video.currentTime = time; return both;
};
video.onerror = () => tell({error: video.error.code + " " + video.error.message});
async function main() {
  if (video.readyState < 2) await once("loadeddata");
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  for (const frame of SEEKS) {
    await seek((frame + 0.5) / 4); pen.drawImage(video, 0, 0);
    seen.push(POINTS.map(([x, y]) => Array.from(pen.getImageData(x, y, 1, 1).data.slice(0, 3))));
  }
  await seek(video.duration - 0.6);
  const ended = once("ended"); video.playbackRate = 4; await video.play(); await ended;
  tell({size: [video.videoHeight, video.videoWidth], duration: video.duration, ended: video.ended, seen});
}
main().catch(error => tell({error: String(error)}));
</script>"""


def board(frames: int = 20, size: int = 116) -> np.ndarray:
    """Discs dropped one a frame on an orange ground."""
    rng = np.random.default_rng(5)
    picture = np.empty((size, size, 3), np.uint8)
    picture[:] = (255, 165, 0)
    down, across = np.mgrid[:size, :size]
    clip = []
    for t in range(frames):
        clip.append(picture.copy())
        y, x = rng.integers(10, size - 10, 2)
        picture[(down - y) ** 2 + (across - x) ** 2 < 144] = 255 * (t % 2)
    return np.stack(clip)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = {"/": (self.server.page, "text/html"), "/clip.mp4": (self.server.mp4, "video/mp4")}
        body, kind = page.get(self.path, (b"", "text/plain"))
        start, stop, status = 0, len(body), 200 if body else 404
        if body and "Range" in self.headers:
            first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
            start, stop, status = int(first), min(int(last or stop) + 1, stop), 206
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(stop - start))
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(body)}")
        self.end_headers()
        self.wfile.write(body[start:stop])

    def do_POST(self) -> None:
        self.server.answers.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def play(mp4: bytes, profile: str) -> dict:
    """What the page saw."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.page = PAGE.replace("SEEKS", json.dumps(SEEKS)).replace("POINTS", json.dumps(POINTS)).encode()
    server.mp4, server.answers = mp4, queue.Queue()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    browser = subprocess.Popen(
        [
            CHROMIUM,
            *FLAGS,
            "--autoplay-policy=no-user-gesture-required",
            f"--user-data-dir={profile}",
            address,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return server.answers.get(timeout=45)
    finally:
        browser.terminate()
        browser.wait(10)
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("name", ["h264", "h264-direct"])
def test_chromium_plays_and_seeks(name, tmp_path):
    clip = ArrayClip(board())
    members = codec(name).members(clip)
    answer = play(members["mp4"], str(tmp_path / "profile"))
    assert "error" not in answer, answer
    assert answer["size"] == [116, 116]
    assert answer["ended"]
    assert answer["duration"] == pytest.approx(20 / 4)
    frames = codec(name).decode(members)
    expected = [[frames[t, y, x] for x, y in POINTS] for t in SEEKS]
    assert np.abs(np.array(expected, int) - answer["seen"]).max() <= 3  # the tags of the stream are right
