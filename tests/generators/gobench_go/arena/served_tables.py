"""Tables that are served, for tests: the real server in this process, and requests as a page makes them."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

from gobench_go.arena.names import Conditions
from gobench_go.arena.play.game import MODEL, YOU, Setup
from gobench_go.arena.play.server import PlayServer
from gobench_go.arena.play.table import Seats, Table

BLACK_SEATS = (YOU, MODEL)


def setup(seats: tuple[str, str] = BLACK_SEATS, side: int = 5) -> Setup:
    return Setup.of(seats, "benchmark", side, side, 5.5)


class Page:
    """Requests as a page makes them, or not quite."""

    def __init__(self, server: PlayServer) -> None:
        self.server = server
        self.port = server.server_address[1]
        self.host = f"127.0.0.1:{self.port}"

    def ask(
        self, path: str, body: bytes | None = None, token: str | None = None, method: str = "", **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        own = {"Host": self.host}
        if body is not None:
            own |= {
                "Origin": f"http://{self.host}",
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
            }
        own |= {name.replace("_", "-"): value for name, value in headers.items()}
        given = self.server.token if token is None else token
        try:
            connection.putrequest(
                method or ("GET" if body is None else "POST"), f"/{given}/{path}", skip_host=True
            )
            for name, value in own.items():
                if value:
                    connection.putheader(name, value)
            connection.endheaders()
            connection.send(body or b"")
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            connection.close()

    def state(self, after: int | None = None) -> dict[str, Any]:
        status, data, _ = self.ask("state" if after is None else f"state?after={after}")
        assert status == 200
        return json.loads(data)

    def act(self, act: str, now: dict[str, Any] | None = None, **more: Any) -> tuple[int, dict[str, Any]]:
        now = self.state() if now is None else now
        wish = {"act": act, "game": now["game"], "ply": now["ply"], **more}
        status, data, _ = self.ask("act", json.dumps(wish).encode())
        return status, json.loads(data)

    def settled(self) -> dict[str, Any]:
        """The state once nobody thinks any more."""
        now = self.state()
        while now["thinking"]:
            now = self.state(now["version"])
        return now


def tabled(
    model: str = "random-legal", seats: tuple[str, str] = BLACK_SEATS, **others: str
) -> Iterator[Page]:
    table = Table(Seats(model, **others), setup(seats), Conditions(seconds=120.0, tries=3))
    table.open()
    with PlayServer(table) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield Page(server)
        finally:
            table.close()
            server.shutdown()
            thread.join()
