"""A Go engine that does each wrong thing that an engine can do, on demand. Standard library only: it starts quickly.

    python -S hostile.py MODE [--after MOVES] [--seed N] [--slow SECONDS]

It plays random legal moves and fills no own eye, until it has made ``--after`` moves; then it misbehaves as ``MODES``
says. The mode ``any`` is one of the others but ``hang-start``, drawn by the seed.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time

COLUMNS = "ABCDEFGHJKLMNOPQRST"

Point = tuple[int, int]  # row, column

MODES = {
    # mode: what a client must make of it
    "sane": "move",
    "chatter": "move",
    "crlf": "move",
    "no-id": "move",
    "nul": "move",
    "odd-case": "move",
    "noisy": "move",  # a megabyte of stderr before each answer
    "split": "move",  # an answer byte by byte
    "resign": "resign",
    "occupied": "illegal",
    "other-colour": "illegal",  # repeats the last move of the other side
    "colour-word": "malformed",
    "off-board": "malformed",
    "column-i": "malformed",
    "empty": "malformed",
    "words": "malformed",
    "wrong-id": "malformed",
    "twice": "malformed",  # answers twice, so that the second answer comes for the next command
    "flood": "malformed",
    "flood-line": "malformed",
    "flood-answer": "malformed",
    "refuse-genmove": "refused",
    "refuse-play": "refused",
    "refuse-all": "refused",
    "hang": "late",
    "hang-start": "late",
    "slow": "late",
    "half": "late",  # the beginning of an answer, then nothing
    "drip": "late",  # lines of chatter, slowly and for ever
    "flood-stderr": "late",
    "deaf": "late",  # ignores quit, SIGTERM and the end of its stdin
    "crash": "crash",
    "crash-middle": "crash",
    "exit-zero": "crash",
    "close-stdout": "crash",
    "fork": "crash",  # leaves a grandchild that holds the pipes and ignores SIGTERM
}


class Board:
    """As much of Go as it takes to play random legal games under positional superko."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.stones: dict[Point, str] = {}
        self.seen = {frozenset[tuple[Point, str]]()}
        self.last: Point | None = None

    def around(self, point: Point) -> list[Point]:
        row, col = point
        near = ((row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1))
        return [(r, c) for r, c in near if 0 <= r < self.size and 0 <= c < self.size]

    def chain(self, point: Point, stones: dict[Point, str]) -> tuple[set[Point], bool]:
        """The stones that are connected, and whether they have a liberty."""
        found, todo, free = {point}, [point], False
        while todo:
            for near in self.around(todo.pop()):
                if near not in stones:
                    free = True
                elif near not in found and stones[near] == stones[point]:
                    found.add(near)
                    todo.append(near)
        return found, free

    def play(self, color: str, point: Point | None) -> bool:
        """Whether the stone may stand there; it stands there then."""
        if point is None:
            return True
        stones = {**self.stones, point: color}
        for near in self.around(point):
            if stones.get(near, color) != color:
                chain, free = self.chain(near, stones)
                for stone in () if free else chain:
                    del stones[stone]
        key = frozenset(stones.items())
        if point in self.stones or key in self.seen or not self.chain(point, stones)[1]:
            return False
        self.stones, self.last = stones, point
        self.seen.add(key)
        return True

    def random_move(self, color: str, rng: random.Random) -> Point | None:
        every = [(row, col) for row in range(self.size) for col in range(self.size)]
        rng.shuffle(every)
        for point in every:
            eye = all(self.stones.get(near) == color for near in self.around(point))
            if not eye and self.play(color, point):
                return point
        return None

    def name(self, point: Point | None) -> str:
        return "pass" if point is None else f"{COLUMNS[point[1]]}{self.size - point[0]}"

    def point(self, word: str) -> Point | None:
        if word.lower() == "pass":
            return None
        return self.size - int(word[1:]), COLUMNS.index(word[0].upper())


def raw(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


class Engine:
    """Reads commands and answers them, well or badly."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.mode: str = options.mode
        self.after, self.slow = options.after, options.slow
        self.rng = random.Random(options.seed)
        self.board = Board(9)
        self.made = 0

    @property
    def bad(self) -> bool:
        return self.made >= self.after

    def run(self) -> None:
        if self.mode == "hang-start":
            time.sleep(3600)
        if self.mode == "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for line in sys.stdin:
            words = line.split()
            number = words.pop(0) if words and words[0].isdigit() else ""
            if words and words[0] == "quit" and self.mode != "deaf":
                raw(f"={number}\n\n".encode())
                return
            if words:
                self.command(number, words)
        if self.mode == "deaf":
            time.sleep(3600)

    def command(self, number: str, words: list[str]) -> None:
        head = words[0]
        if self.mode == "refuse-all" or (self.mode == "refuse-play" and head == "play" and self.made):
            self.say("?", number, "I will not")
        elif head == "genmove":
            self.genmove(number, words[1][0].lower())
        elif head == "play":
            self.board.play(words[1][0].lower(), self.board.point(words[2]))
            self.say("=", number, "")
        elif head in ("boardsize", "clear_board"):
            self.board = Board(int(words[1]) if head == "boardsize" else self.board.size)
            self.say("=", number, "")
        elif head == "list_commands":
            known = ("boardsize", "clear_board", "komi", "play", "genmove", "name", "version", "quit")
            self.say("=", number, "\n".join(known))
        elif head in ("name", "version", "protocol_version", "komi"):
            self.say("=", number, {"name": "Hostile", "version": "1", "protocol_version": "2"}.get(head, ""))
        else:
            self.say("?", number, "unknown command")

    def say(self, sign: str, number: str, text: str) -> None:
        ends = "\r\n" if self.mode == "crlf" else "\n"
        number = "" if self.mode == "no-id" else number
        text = text.upper().swapcase() if self.mode == "odd-case" and "\n" not in text else text
        answer = f"{sign}{number} {text}".replace("\n", ends) + 2 * ends
        if self.mode == "chatter":
            answer = f"Thinking ...\n=== depth 3 ===\n\n{answer}\n\n"
        if self.mode == "nul":
            answer = answer.replace(" ", " \0\x07").replace("\n", "\0\n")
        if self.mode == "noisy":
            os.write(2, b"what a position! " * 60_000)
        for part in answer if self.mode == "split" else [answer]:
            raw(part.encode())

    def genmove(self, number: str, color: str) -> None:
        if self.bad and hasattr(self, name := "do_" + self.mode.replace("-", "_")):
            getattr(self, name)(number, color)
        else:
            self.say("=", number, self.board.name(self.board.random_move(color, self.rng)))
        self.made += 1

    # --- what an engine can do instead of a move ---

    def do_resign(self, number: str, color: str) -> None:
        self.say("=", number, "ReSiGn")

    def do_occupied(self, number: str, color: str) -> None:
        taken = sorted(self.board.stones)
        self.say("=", number, self.board.name(taken[0] if taken else None))

    def do_other_colour(self, number: str, color: str) -> None:
        self.say("=", number, self.board.name(self.board.last))

    def do_colour_word(self, number: str, color: str) -> None:
        self.say("=", number, f"{'white' if color == 'b' else 'black'} A1")

    def do_off_board(self, number: str, color: str) -> None:
        self.say("=", number, "T77")

    def do_column_i(self, number: str, color: str) -> None:
        self.say("=", number, "I5")

    def do_empty(self, number: str, color: str) -> None:
        self.say("=", number, "")

    def do_words(self, number: str, color: str) -> None:
        self.say("=", number, "I think that I shall play\nin the corner")

    def do_wrong_id(self, number: str, color: str) -> None:
        self.say("=", str(int(number or 0) + 7), "A1")

    def do_twice(self, number: str, color: str) -> None:
        point = self.board.name(self.board.random_move(color, self.rng))
        self.say("=", number, point)
        self.say("=", number, point)

    def do_flood(self, number: str, color: str) -> None:
        while True:
            raw(b"thinking ...\n" * 5000)

    def do_flood_line(self, number: str, color: str) -> None:
        while True:
            raw(b"x" * 65536)

    def do_flood_answer(self, number: str, color: str) -> None:
        raw(f"={number} A1\n".encode())
        while True:
            raw(b"and another thing\n" * 4000)

    def do_refuse_genmove(self, number: str, color: str) -> None:
        self.say("?", number, "I do not feel like it")

    def do_hang(self, number: str, color: str) -> None:
        time.sleep(3600)

    do_deaf = do_hang

    def do_slow(self, number: str, color: str) -> None:
        time.sleep(self.slow)
        self.say("=", number, "A1")

    def do_half(self, number: str, color: str) -> None:
        raw(f"={number} A".encode())
        time.sleep(3600)

    def do_drip(self, number: str, color: str) -> None:
        while True:
            raw(b"thinking ...\n")
            time.sleep(0.05)

    def do_flood_stderr(self, number: str, color: str) -> None:
        while True:
            os.write(2, b"y" * 65536)

    def do_crash(self, number: str, color: str) -> None:
        os.write(2, b"out of cheese\n")
        os.kill(os.getpid(), signal.SIGABRT)

    def do_crash_middle(self, number: str, color: str) -> None:
        raw(f"={number} A".encode())
        os._exit(3)

    def do_exit_zero(self, number: str, color: str) -> None:
        os._exit(0)

    def do_close_stdout(self, number: str, color: str) -> None:
        os.close(1)
        time.sleep(3600)

    def do_fork(self, number: str, color: str) -> None:
        if not os.fork():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(3600)
        os._exit(4)


def drawn(seed: int) -> str:
    """The mode that ``any`` is for a seed."""
    return random.Random(seed).choice([mode for mode in MODES if mode != "hang-start"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=[*MODES, "any"])
    parser.add_argument("--after", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--slow", type=float, default=2.0)
    options = parser.parse_args()
    if options.mode == "any":
        options.mode = drawn(options.seed)
    Engine(options).run()


if __name__ == "__main__":
    main()
