"""A program that speaks the protocol of KataGo's analysis engine, for tests: ``python katago_server.py analysis -model …``.

It knows the first games of go9-lite: what KataGo answered there it answers again. Elsewhere it counts area, with the
legality of the rules. It does every wrong thing that is asked of it by the environment variable KATAGO_SERVER, JSON:

known       games of go9-lite to know                    replay      a recorded exchange to answer from, in its order
log         file that gets a line a question             delay       seconds before each answer
reverse     answers come in the other order              twice       every answer comes twice
warn        a warning before every answer                garbage     lines that are no JSON between answers
early       partial answers before the last one          refuse      every question of so many visits is an error
nameless    errors do not name their question            old         knows neither query_models nor its versions
die_after   ends after so many answers of a process      half        ends in the middle of that answer
mute_after  says nothing more after so many answers      lose        never answers that question of a process
once        file: dies, mutes or loses only before it is there
flood       an endless line instead of the first answer  babble      endless lines that answer nothing
perspective whose chances it tells, whatever it is told  other_ko    warns that the net takes other rules
illegal     calls a legal move illegal                   broken      key of the answer that holds nonsense
stay        does not end when asked to                   no_start    ends before it has begun
"""

from __future__ import annotations

import gzip
import json
import math
import os
import queue
import sys
import threading
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import gobench_go
from gobench_go.game import coords
from gobench_go.game.position import BLACK, WHITE, Position
from gobench_go.game.rules import Rules

KO = {"SIMPLE": "simple", "POSITIONAL": "positional", "SITUATIONAL": "situational"}
FAULTS: dict[str, Any] = json.loads(os.environ.get("KATAGO_SERVER", "{}"))
SHIPPED = Path(gobench_go.__file__).parent / "judged" / "data" / "go9-lite.jsonl.gz"
VERSION = "1.17.2"
NET = "g170-b6c96-s175395328-d26788732"


def option(name: str, default: str = "") -> str:
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


SETTINGS = dict(word.split("=", 1) for word in option("-override-config").split(",") if word)


# --- what it thinks ---


@lru_cache(maxsize=1)
def known() -> dict[tuple[int, ...], dict[str, Any]]:
    """Moves -> what KataGo said of the position after them."""
    found: dict[tuple[int, ...], dict[str, Any]] = {}
    with gzip.open(SHIPPED) as file:
        file.readline()
        for _, line in zip(range(FAULTS.get("known", 0)), file, strict=False):
            game = json.loads(line)
            for ply, position in enumerate(game["positions"]):
                found.setdefault(tuple(game["moves"][:ply]), position)
    return found


class Board:
    """A position and the moves that led there, replayed once for all that follow."""

    seen: dict[tuple[Any, ...], Position] = {}  # noqa: RUF012

    def __init__(self, query: dict[str, Any], turn: int) -> None:
        told = query["rules"]
        rows, cols = query["boardYSize"], query["boardXSize"]
        self.rules = Rules(rows, cols, KO[told["ko"]], told["suicide"], float(query["komi"]))
        self.setup = [("BW".index(c) + 1, self._point(v)) for c, v in query.get("initialStones", [])]
        played = [("BW".index(c) + 1, self._point(v)) for c, v in query["moves"][:turn]]
        first = "BW".index(query.get("initialPlayer", "B")) + 1
        self.moves = tuple(move for _, move in played)
        self.position = self._after(tuple(played), first)

    def _point(self, vertex: str) -> int:
        return coords.index_of_gtp(vertex, self.rules.rows, self.rules.cols)

    def _after(self, played: tuple[tuple[int, int], ...], first: int) -> Position:
        key = (self.rules, tuple(self.setup), first, played)
        if key not in self.seen:
            if played:
                color, move = played[-1]
                self.seen[key] = self._after(played[:-1], first).play(move, color)
            else:
                sides = [[point for c, point in self.setup if c == color] for color in (BLACK, WHITE)]
                self.seen[key] = Position.setup(self.rules, sides[0], sides[1], first)
        return self.seen[key]


def chance(lead: float) -> float:
    return 1 / (1 + math.exp(-lead / 8))


def lead_of(position: Position) -> float:
    score = position.score()
    return score if position.to_move == BLACK else -score


def counted(position: Position, visits: int) -> dict[str, Any]:
    """By area: the five best moves are searched."""
    legal = position.legal_moves()
    after = sorted((lead_of(position.play(move)), move) for move in legal)[:5]
    share = max(1, (visits - 1) // max(1, len(after)))
    search = {move: [share, chance(-lead), -lead] for lead, move in after} if visits > 1 else {}
    size = position.rules.points + 1
    policy = [1 / len(legal) if move in legal else -1 for move in range(size)]
    lead = lead_of(position)
    return {"policy": policy, "winrate": chance(lead), "lead": lead, "search": search, "best": after[0][1]}


def thought(board: Board, visits: int) -> dict[str, Any]:
    table, moves = known() if FAULTS.get("known") else {}, board.moves
    if visits == 1 and moves and moves[:-1] in table:
        parent = table[moves[:-1]]
        if parent["child_value"][moves[-1]] is not None:
            value, lead = 1 - parent["child_value"][moves[-1]], -parent["child_lead"][moves[-1]]
            return {"winrate": value, "lead": lead, "search": {}, "best": -1, "policy": []}
    if moves in table:
        found = table[moves]
        return {
            **found,
            "policy": [p / 100_000 if p >= 0 else -1 for p in found["policy"]],
            "search": {int(move): entry for move, entry in found["search"].items()},
        }
    return counted(board.position, visits)


def seen_by(board: Board, value: float, lead: float) -> tuple[float, float]:
    """From the side to move to whom the answers speak for."""
    whose = FAULTS.get("perspective") or SETTINGS.get("reportAnalysisWinratesAs", "WHITE")
    black = board.position.to_move == BLACK
    turned = (whose == "BLACK" and not black) or (whose == "WHITE" and black)
    return (1 - value, -lead) if turned else (value, lead)


def answer(query: dict[str, Any], turn: int) -> dict[str, Any]:
    board = Board(query, turn)
    rules, visits = board.rules, query.get("maxVisits", 64)
    found = thought(board, visits)
    first = [found["best"]] + [move for move in found["search"] if move != found["best"]]
    infos = []
    for order, move in enumerate(move for move in first if move in found["search"]):
        count, value, lead = found["search"][move]
        value, lead = seen_by(board, value, lead)
        vertex = coords.gtp(move, rules.rows, rules.cols)
        infos.append({"move": vertex, "visits": count, "winrate": value, "scoreLead": lead, "order": order})
    value, lead = seen_by(board, found["winrate"], found["lead"])
    player = ".BW"[board.position.to_move]
    root = {"winrate": value, "scoreLead": lead, "visits": visits, "currentPlayer": player}
    record = {
        "id": query["id"],
        "turnNumber": turn,
        "isDuringSearch": False,
        "moveInfos": infos,
        "rootInfo": root,
    }
    if query.get("includePolicy"):
        policy = list(found["policy"])
        if FAULTS.get("illegal"):
            policy[board.position.legal_moves()[0]] = -1
        record["policy"] = policy
        if option("-human-model"):
            legal = board.position.legal_moves()
            record["humanPolicy"] = [
                (0.9 if move == legal[1] else 0.1 / (len(legal) - 1)) if move in legal else -1
                for move in range(rules.points + 1)
            ]
    if key := FAULTS.get("broken"):
        table = record if key in record else root
        table[key] = {"moveInfos": 7, "rootInfo": None, "policy": [0.5], "winrate": 1.5}.get(key, "much")
    return record


# --- how it says it ---


class Server:
    def __init__(self) -> None:
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.answers = self.questions = 0
        self.faulty = not Path(FAULTS.get("once", "/nowhere/at/all")).exists()
        self.recorded = Recorded(FAULTS["replay"]) if "replay" in FAULTS else None

    def run(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()
        open_now = True
        while open_now:
            batch = [self.lines.get()]
            time.sleep(0.02 if FAULTS.get("reverse") else 0)
            while not self.lines.empty():
                batch.append(self.lines.get())
            open_now = None not in batch
            for line in reversed(batch) if FAULTS.get("reverse") else batch:
                if line is not None:
                    self.take(line)
        while FAULTS.get("stay"):
            time.sleep(1)

    def _read(self) -> None:
        for line in sys.stdin:
            self.lines.put(line)
        self.lines.put(None)

    def take(self, line: str) -> None:
        if self.recorded and "action" not in line:
            return self.recorded.take(line, self.say)
        query = json.loads(line)
        if "action" in query:
            return self.act(query)
        self.questions += 1
        if log := FAULTS.get("log"):
            with Path(log).open("a") as file:
                file.write(line)
        if self.fault(FAULTS.get("lose") == self.questions):
            return None
        if FAULTS.get("flood"):
            while True:
                sys.stdout.write("x" * 65536)
        while FAULTS.get("babble"):
            self.say({"id": "nobody", "turnNumber": 0})
        if FAULTS.get("refuse") == query.get("maxVisits"):
            name = {} if FAULTS.get("nameless") else {"id": query["id"], "field": "moves"}
            return self.say({"error": "Illegal move 3: E5", **name})
        if FAULTS.get("warn"):
            self.say({"id": query["id"], "field": "notAField", "warning": "Unexpected or unused field"})
        if FAULTS.get("other_ko"):
            self.say(
                {
                    "id": query["id"],
                    "field": "rules",
                    "warning": "Rules not supported by neural net, using others",
                }
            )
        turns = query.get("analyzeTurns", [len(query["moves"])])
        for turn in reversed(turns) if FAULTS.get("reverse") else turns:
            self.reply(answer(query, turn))
        return None

    def act(self, query: dict[str, Any]) -> None:
        if query["action"] == "query_version":
            self.say({**query, "version": VERSION, "git_hash": "<omitted>"})
        elif query["action"] == "query_models" and not FAULTS.get("old"):
            name = Path(option("-model")).name
            models = [{"name": name, "internalName": NET, "usesHumanSLProfile": False, "version": 8}]
            self.say({**query, "models": models})
        else:
            self.say({"error": "'action' field must be 'query_version' or 'terminate' or 'terminate_all'"})

    def fault(self, now: bool) -> bool:
        """Whether to misbehave; leaves its mark where that is to happen once."""
        if now and self.faulty and "once" in FAULTS:
            Path(FAULTS["once"]).touch()
        return now and self.faulty

    def reply(self, record: dict[str, Any]) -> None:
        time.sleep(FAULTS.get("delay", 0))
        if self.fault(FAULTS.get("die_after") == self.answers):
            sys.stderr.write("terminate called after throwing an instance of 'StringError'\n")
            sys.stderr.flush()
            os._exit(3)
        if self.fault(FAULTS.get("half") == self.answers):
            sys.stdout.write(json.dumps(record)[:60])
            sys.stdout.flush()
            os._exit(0)
        while self.fault(FAULTS.get("mute_after") == self.answers):
            time.sleep(60)
        if FAULTS.get("garbage"):
            sys.stdout.write('Tuned: 12 ms\n{"id":"q1","half\n[1,2]\n\n')
        if FAULTS.get("early"):
            self.say({**record, "isDuringSearch": True, "rootInfo": {**record["rootInfo"], "winrate": 0.123}})
        self.say(record)
        if FAULTS.get("twice"):
            self.say({**record, "rootInfo": {**record["rootInfo"], "winrate": 0.123}})
        self.answers += 1

    def say(self, record: Any) -> None:
        sys.stdout.write(
            record if isinstance(record, str) else json.dumps(record, separators=(",", ":")) + "\n"
        )
        sys.stdout.flush()


class Recorded:
    """A real conversation: a question that was asked in it gets what was answered, when all have been asked."""

    def __init__(self, path: str) -> None:
        lines = [json.loads(line) for line in Path(path).read_text().splitlines()]
        tables = [line for line in lines if isinstance(line["line"], dict) and "id" in line["line"]]
        self.asked = {self.key(t["line"]): t["line"]["id"] for t in tables if t["from"] == "client"}
        self.said = [t["line"] for t in tables if t["from"] == "engine"]  # in the order in which they came
        self.names: dict[str, str] = {}

    @staticmethod
    def key(query: dict[str, Any]) -> str:
        return json.dumps({k: v for k, v in query.items() if k != "id"}, sort_keys=True)

    def take(self, line: str, say: Any) -> None:
        query = json.loads(line)
        self.names[self.asked[self.key(query)]] = query["id"]
        if len(self.names) == FAULTS["questions"]:
            for record in self.said:
                if record["id"] in self.names:
                    say({**record, "id": self.names[record["id"]]})


if __name__ == "__main__":
    sys.stderr.write("KataGo v1.17.2 (test server)\n" * 3)
    if FAULTS.get("no_start"):
        sys.stderr.write("Uncaught exception: Could not open file - does not exist?\n")
        sys.exit(1)
    Server().run()
