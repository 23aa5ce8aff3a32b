"""The page's server: for one person on this machine, and for nobody else.

It listens on 127.0.0.1 alone, and a request counts only if

- its path begins with the token, which is in the address that the person was given and nowhere else,
- its Host is this server (a name of somebody else's that leads here is refused), and so are Origin and Referer, if any;
- for a change: Origin is there, and the body is JSON of at most 4 KiB.

Answers may be framed, cached or read by no other page, and the page may load and run only what comes from here.
"""

from __future__ import annotations

import json
import re
import secrets
import sys
import threading
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any, NamedTuple

from gobench.errors import UsageError
from gobench.types import Json
from gobench_go.arena.play.table import StaleError, Table
from gobench_go.arena.play.view import state

ADDRESS = "127.0.0.1"
NAMES = (ADDRESS, "localhost")  # what a browser on this machine may call it
TOKEN_BYTES = 24
LARGEST = 4096  # bytes of a body
IDLE = 60.0  # seconds that a connection may be silent
PATIENCE = 20.0  # seconds that a page waits for news
WAITING = 16  # pages that may wait at once; more are answered at once

PAGE: Mapping[str, tuple[str, str]] = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
    "board.js": ("board.js", "text/javascript; charset=utf-8"),
    "vendor/shudan.js": ("vendor/shudan.js", "text/javascript; charset=utf-8"),
    "vendor/shudan.css": ("vendor/shudan.css", "text/css; charset=utf-8"),
}
"""Path below the token -> file of this package, type. Nothing else of the disk is served."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
FOREIGN = "the request comes from another page: paste the address into the browser yourself"
FRAME = re.compile(r"frames/([0-9]{1,9})/([0-9]{1,6})/(prompt|[0-9]{1,4})\.png", re.ASCII)


class Body(NamedTuple):
    """What goes out."""

    data: bytes
    kind: str
    status: HTTPStatus = HTTPStatus.OK
    name: str = ""  # of a file to be saved


class RefusedError(Exception):
    """The request is answered with an error."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


class PlayServer(ThreadingHTTPServer):
    """Serves a table. ``url`` is what the person opens."""

    daemon_threads = True
    block_on_close = False  # pages that wait are let go by ``Table.close``
    allow_reuse_address = False

    def __init__(self, table: Table, port: int = 0, token: str = "") -> None:
        """Port 0 takes a free one. Raises UsageError for a port that cannot be had."""
        try:
            super().__init__((ADDRESS, port), Handler)
        except OSError as error:
            raise UsageError(
                f"port {port} cannot be had ({error.strerror}): leave --port out for a free one."
            ) from None
        self.table = table
        self.token = token or secrets.token_urlsafe(TOKEN_BYTES)
        self.waiting = threading.BoundedSemaphore(WAITING)

    @property
    def url(self) -> str:
        """With the token."""
        return f"http://{ADDRESS}:{self.server_address[1]}/{self.token}/"

    @property
    def hosts(self) -> frozenset[str]:
        """What Host may say."""
        return frozenset(f"{name}:{self.server_address[1]}" for name in NAMES)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away in the middle is nothing to tell anybody; all else is."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: PlayServer
    protocol_version = "HTTP/1.1"
    server_version = "gobench"
    sys_version = ""
    timeout = IDLE

    def do_GET(self) -> None:
        """The page, its parts, the state, a frame, the SGF."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """A wish of the page."""
        self._answer(self._post)

    def _answer(self, make: Any) -> None:
        try:
            body = make(self._path())
        except RefusedError as refusal:
            self.close_connection = True  # its body, if any, is not read
            body = _said(str(refusal), refusal.status)
        self._send(body)

    def _path(self) -> str:
        """The path below the token; refuses whatever is not from the page itself."""
        origin = self.headers.get("Origin")
        if self.headers.get("Host", "") not in self.server.hosts or len(self.headers.get_all("Host", [])) > 1:
            raise RefusedError(HTTPStatus.FORBIDDEN, "this server has another name")
        own = f"http://{self.headers['Host']}"
        referer = self.headers.get("Referer")
        if (origin is not None and origin != own) or (referer and not referer.startswith(f"{own}/")):
            raise RefusedError(HTTPStatus.FORBIDDEN, FOREIGN)
        if (
            self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
            and not self._is_opening()
        ):
            raise RefusedError(HTTPStatus.FORBIDDEN, FOREIGN)
        token, slash, rest = self.path.partition("?")[0].removeprefix("/").partition("/")
        if not secrets.compare_digest(token.encode(), self.server.token.encode()) or not slash:
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is nothing here: open the whole address")
        return rest

    def _is_opening(self) -> bool:
        """Whether a browser goes to the whole page, as from the file of ``opening``: to that one may come from anywhere
        with the token, as it changes nothing and cannot be framed."""
        whole = self.command == "GET" and self.path == f"/{self.server.token}/"
        return whole and [self.headers.get(f"Sec-Fetch-{name}") for name in ("Mode", "Dest")] == [
            "navigate",
            "document",
        ]

    def _get(self, path: str) -> Body:
        table = self.server.table
        if path in PAGE:
            name, kind = PAGE[path]
            return Body(_file(name), kind)
        if path == "state":
            self._wait()
            return _json(table.look(state))
        if path == "game.sgf":
            return Body(table.sgf(), "application/x-go-sgf; charset=utf-8", name="game.sgf")
        if found := FRAME.fullmatch(path):
            return self._frame(int(found[1]), int(found[2]), -1 if found[3] == "prompt" else int(found[3]))
        raise RefusedError(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _wait(self) -> None:
        """Until there is news, if the page knows what is now."""
        known = self.path.partition("?")[2].removeprefix("after=")
        if not re.fullmatch("[0-9]{1,15}", known, re.ASCII) or not self.server.waiting.acquire(
            blocking=False
        ):
            return
        try:
            self.server.table.wait(int(known), PATIENCE)
        finally:
            self.server.waiting.release()

    def _frame(self, game: int, ply: int, number: int) -> Body:
        from gobench.codec.pictures import encode

        frame = self.server.table.frame(game, ply, number)
        if frame is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "no such frame: the game has gone on")
        return Body(encode(frame), "image/png")

    def _post(self, path: str) -> Body:
        if path != "act":
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is nothing here")
        wish = self._wish()
        try:
            self.server.table.act(wish)
        except StaleError:
            return _said("the game has gone on: look again", HTTPStatus.CONFLICT)
        except UsageError as error:
            return _said(str(error), HTTPStatus.BAD_REQUEST)
        return _json(self.server.table.look(state))

    def _wish(self) -> Mapping[str, Json]:
        if self.headers.get("Origin") is None:
            raise RefusedError(HTTPStatus.FORBIDDEN, "a change needs an Origin")
        if self.headers.get_content_type() != "application/json":
            raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a change is application/json")
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not re.fullmatch("[0-9]{1,9}", length, re.ASCII):
            raise RefusedError(HTTPStatus.LENGTH_REQUIRED, "a change says how long it is")
        if int(length) > LARGEST:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a change has at most {LARGEST} bytes")
        try:
            wish = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            wish = None
        if not isinstance(wish, dict):
            raise RefusedError(HTTPStatus.BAD_REQUEST, "a change is a JSON object")
        return wish

    def _send(self, body: Body) -> None:
        self.send_response(body.status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", body.kind)
        self.send_header("Content-Length", str(len(body.data)))
        if body.name:
            self.send_header("Content-Disposition", f'attachment; filename="{body.name}"')
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body.data)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the library refuses by itself, in the same form."""
        self.close_connection = True
        status = HTTPStatus(code)
        self._send(_said(status.phrase, status))

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged: addresses hold the token."""


@cache
def _file(name: str) -> bytes:
    return files("gobench_go.arena.play").joinpath(name).read_bytes()


def _json(value: Json, status: HTTPStatus = HTTPStatus.OK) -> Body:
    return Body(json.dumps(value, allow_nan=False).encode(), "application/json", status)


def _said(text: str, status: HTTPStatus) -> Body:
    return _json({"error": text}, status)
