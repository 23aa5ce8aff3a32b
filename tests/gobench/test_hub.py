"""Publishing: the real huggingface_hub client and a local HTTP server that keeps what it is sent."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from gobench import hub
from gobench.errors import DataError, GobenchError, UsageError

FILES = {
    "README.md": b"---\nlicense: cc0-1.0\n---\n# Go\n",
    "croissant.json": b"{}\n",
    "plan.json": b'{"seed":1}\n',
    "data/train-00000-of-00002.tar": bytes(range(256)) * 40,
    "data/train-00001-of-00002.tar": b"\0" * 10240,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished build as far as publishing can tell."""
    root = tmp_path / "go9"
    sums = []
    for name, content in sorted(FILES.items()):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
        sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
    (root / "SHA256SUMS").write_text("".join(sums))
    (root / "manifest.json").write_text("{}\n")
    (root / "preview.html").write_text("made later")
    return root


@dataclass
class Hub:
    """What the server has received, and how it is told to misbehave."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    repos: list[dict[str, Any]] = field(default_factory=list)
    branches: list[str] = field(default_factory=list)
    commits: list[list[str]] = field(default_factory=list)
    after: list[set[str]] = field(default_factory=list)  # what is there after each commit
    tokens: set[str] = field(default_factory=set)
    fail: dict[str, int] = field(default_factory=dict)  # part of a path -> status to answer


class Handler(BaseHTTPRequestHandler):
    """The few routes of the hub's API that an upload of small files uses."""

    state: Hub

    def log_message(self, *_: Any) -> None:
        """Silence."""

    def do_GET(self) -> None:
        if "/tree/" in self.path:
            files = [
                {"type": "file", "path": p, "size": len(b), "oid": "0"} for p, b in self.state.files.items()
            ]
            return self.answer(200, files)
        return self.answer(404, {"error": self.path})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = unquote(urlsplit(self.path).path)
        self.state.tokens.add(self.headers.get("authorization", ""))
        for part, status in self.state.fail.items():
            if part in path:
                return self.answer(status, {"error": f"told to fail at {part}"})
        if path == "/api/repos/create":
            self.state.repos.append(json.loads(body))
            return self.answer(200, {"url": f"{self.state.url}/datasets/me/go9", "id": "me/go9"})
        if path == "/api/validate-yaml":
            return self.answer(200, {"errors": [], "warnings": []})
        if "/branch/" in path:
            self.state.branches.append(path.rsplit("/branch/", 1)[1])
            return self.answer(200, {})
        if "/preupload/" in path:
            return self.answer(200, {"files": [self.mode(file) for file in json.loads(body)["files"]]})
        if "/commit/" in path:
            return self.commit(body)
        return self.answer(404, {"error": path})

    def mode(self, file: dict[str, Any]) -> dict[str, Any]:
        """Everything goes as a plain file; a known one is named by its git blob id."""
        known = self.state.files.get(file["path"])
        oid = None if known is None else hashlib.sha1(b"blob %d\0" % len(known) + known).hexdigest()
        return {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": oid}

    def commit(self, body: bytes) -> None:
        changed = []
        for operation in map(json.loads, body.splitlines()):
            value = operation["value"]
            if operation["key"] == "file":
                self.state.files[value["path"]] = base64.b64decode(value["content"])
                changed.append(value["path"])
            elif operation["key"] == "deletedFile":
                del self.state.files[value["path"]]
        self.state.commits.append(changed)
        self.state.after.append(set(self.state.files))
        oid = f"{len(self.state.commits):040x}"
        url = f"{self.state.url}/datasets/me/go9/commit/{oid}"
        self.answer(200, {"commitUrl": url, "commitOid": oid, "success": True})

    def answer(self, status: int, content: Any) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def server() -> Iterator[Hub]:
    state = Hub()
    http = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"state": state}))
    state.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield state
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses between the client's own retries; it still retries as often."""
    from huggingface_hub import constants
    from huggingface_hub.utils import _http

    monkeypatch.setattr(_http.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # 127.0.0.1 is no network


def test_dry_run_shows_everything_and_sends_nothing(folder: Path, server: Hub) -> None:
    upload = hub.prepare(folder, "me/go9", private=True, revision="v2", endpoint=server.url)
    assert [name for name, _ in upload.files] == sorted([*FILES, "SHA256SUMS", "manifest.json"])
    assert upload.left_out == ("preview.html",)
    assert (upload.url, upload.private, upload.revision) == (f"{server.url}/datasets/me/go9", True, "v2")
    assert upload.command == f"gobench publish {folder} me/go9 --yes --private --revision v2"
    assert upload.bytes == sum((folder / name).stat().st_size for name, _ in upload.files)
    assert json.loads(json.dumps(upload.to_json()))["bytes"] == upload.bytes
    assert not server.repos and not server.commits


def test_upload_arrives_byte_for_byte(folder: Path, server: Hub) -> None:
    upload = hub.prepare(folder, "me/go9", private=True, endpoint=server.url)
    done = hub.publish(upload, token="hf_secret")
    expected = {name: (folder / name).read_bytes() for name, _ in upload.files}
    assert server.files == expected
    assert server.commits[-1] == ["manifest.json"], "the manifest comes last"
    assert server.repos[0]["organization"] == "me" and server.repos[0]["type"] == "dataset"
    assert server.repos[0].get("visibility") == "private" or server.repos[0].get("private") is True
    assert "Bearer hf_secret" in server.tokens
    assert done == hub.Published(f"{server.url}/datasets/me/go9", f"{2:040x}", len(expected), upload.bytes)


def test_second_upload_sends_what_changed_and_drops_old_shards(folder: Path, server: Hub) -> None:
    server.files = {name: content for name, content in FILES.items() if "00001" not in name}
    server.files["data/train-00002-of-00003.tar"] = b"from an older build"
    server.files["sidecars/train-00002-of-00003.json"] = b"{}"
    server.files["manifest.json"] = b"of the older build"
    server.files["NOTES.md"] = b"written by hand on the hub"
    hub.publish(hub.prepare(folder, "me/go9", endpoint=server.url), token="t")
    assert set(server.files) == {*FILES, "SHA256SUMS", "manifest.json", "NOTES.md"}
    assert "manifest.json" not in server.after[0], "while data change, nothing says that all is done"
    assert server.after[-1] >= {"manifest.json", "NOTES.md"}
    assert "data/train-00000-of-00002.tar" not in server.commits[0]
    assert "data/train-00001-of-00002.tar" in server.commits[0]


def test_revision_becomes_a_branch(folder: Path, server: Hub) -> None:
    hub.publish(hub.prepare(folder, "me/go9", revision="v2", endpoint=server.url), token="t")
    assert server.branches == ["v2"]


def test_endpoint_comes_from_the_environment(folder: Path, server: Hub) -> None:
    code = (
        "import sys; from gobench import hub; "
        "u = hub.prepare(sys.argv[1], 'me/go9'); print(hub.publish(u, token='t').url)"
    )
    env = {**os.environ, "HF_ENDPOINT": server.url, "HF_HUB_OFFLINE": "0"}
    ran = subprocess.run([sys.executable, "-c", code, str(folder)], env=env, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == f"{server.url}/datasets/me/go9"
    assert server.files["data/train-00000-of-00002.tar"] == FILES["data/train-00000-of-00002.tar"]


@pytest.mark.parametrize(
    ("part", "status", "said"),
    [
        ("repos/create", 401, "hf auth login"),
        ("repos/create", 403, "write access"),
        ("/preupload/", 500, "run the same command again"),
        ("/commit/", 500, "run the same command again"),
        ("/commit/", 413, "--shards"),
    ],
)
def test_server_errors_are_one_clear_sentence(
    folder: Path, server: Hub, part: str, status: int, said: str
) -> None:
    server.fail = {part: status}
    with pytest.raises(GobenchError) as caught:
        hub.publish(hub.prepare(folder, "me/go9", endpoint=server.url), token="t")
    message = str(caught.value)
    assert str(status) in message and said in message and server.url in message
    assert "\n" not in message


def test_bad_card_is_refused_by_the_server(folder: Path, server: Hub) -> None:
    server.fail = {"validate-yaml": 400}
    with pytest.raises(GobenchError, match=r"README\.md"):
        hub.publish(hub.prepare(folder, "me/go9", endpoint=server.url), token="t")
    assert not server.commits


def test_nobody_listens(folder: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(GobenchError, match=r"cannot be reached.*HF_ENDPOINT"):
        hub.publish(hub.prepare(folder, "me/go9", endpoint=f"http://127.0.0.1:{port}"), token="t")


@pytest.mark.parametrize("repo", ["go9", "a/b/c", "me/go 9", "", "/go9", "me/", "me/-x", "me/a..b"])
def test_repository_names(folder: Path, repo: str) -> None:
    with pytest.raises(UsageError, match="ORG/NAME"):
        hub.prepare(folder, repo)


def test_unfinished_or_changed_folders_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a folder"):
        hub.prepare(tmp_path / "nowhere", "me/go9")
    shard = folder / "data/train-00001-of-00002.tar"
    shard.write_bytes(b"\0" * 10239 + b"\1")
    with pytest.raises(DataError, match=r"train-00001-of-00002\.tar has sha256"):
        hub.prepare(folder, "me/go9")
    shard.unlink()
    with pytest.raises(DataError, match="missing"):
        hub.prepare(folder, "me/go9")
    (folder / "manifest.json").unlink()
    with pytest.raises(DataError, match="not finished"):
        hub.prepare(folder, "me/go9")


NO_SUM = "0" * 64


def test_sums_that_are_no_text(folder: Path) -> None:
    (folder / "SHA256SUMS").write_bytes(b"\xff\xfe" + bytes(40))
    with pytest.raises(DataError, match="not UTF-8"):
        hub.prepare(folder, "me/go9")


@pytest.mark.parametrize("line", ["abc  x", f"{NO_SUM}  ../../etc/passwd", f"{NO_SUM}  /etc/passwd", NO_SUM])
def test_hostile_sums(folder: Path, line: str) -> None:
    (folder / "SHA256SUMS").write_text(line + "\n")
    with pytest.raises(DataError, match="line 1"):
        hub.prepare(folder, "me/go9")
