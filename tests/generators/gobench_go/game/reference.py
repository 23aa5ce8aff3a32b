"""A second referee, written to be obviously right and nothing else: slow, and sharing no idea with the first.

A board is a dictionary from (row, col) to "b" or "w"; chains are found by visiting neighbours one by one; the
past is a list of whole boards.
"""

from __future__ import annotations

Point = tuple[int, int]
Stones = dict[Point, str]


class SlowGame:
    """A game that is played in place. ``ko`` also knows "none"."""

    def __init__(self, rows: int, cols: int, ko: str, suicide: bool, first: str = "b") -> None:
        self.points = [(row, col) for row in range(rows) for col in range(cols)]
        self.rows, self.cols, self.ko, self.suicide = rows, cols, ko, suicide
        self.near = {point: self.beside(point) for point in self.points}
        self.stones: Stones = {}
        self.captured: set[Point] = set()
        self.passes = 0
        self.past: list[tuple[Stones, str]] = [({}, first)]

    def set_up(self, stones: Stones, first: str) -> None:
        self.stones = dict(stones)
        self.past = [(dict(stones), first)]

    def beside(self, point: Point) -> list[Point]:
        row, col = point
        near = [(row + 1, col), (row - 1, col), (row, col + 1), (row, col - 1)]
        return [p for p in near if 0 <= p[0] < self.rows and 0 <= p[1] < self.cols]

    def chain(self, stones: Stones, point: Point) -> set[Point]:
        found, todo = {point}, [point]
        while todo:
            for near in self.near[todo.pop()]:
                if near not in found and stones.get(near) == stones[point]:
                    found.add(near)
                    todo.append(near)
        return found

    def breathes(self, stones: Stones, chain: set[Point]) -> bool:
        return any(near not in stones for member in chain for near in self.near[member])

    def dead(self, stones: Stones, color: str) -> set[Point]:
        """All stones of a colour whose chain has no liberty, wherever they stand."""
        seen: set[Point] = set()
        dead: set[Point] = set()
        for point, owner in stones.items():
            if owner == color and point not in seen:
                chain = self.chain(stones, point)
                seen |= chain
                dead |= chain if not self.breathes(stones, chain) else set()
        return dead

    def after(self, point: Point, color: str) -> tuple[Stones, set[Point]] | None:
        """The stones after a play and those it took off, or None where the play itself is impossible."""
        if point in self.stones:
            return None
        stones = {**self.stones, point: color}
        taken = self.dead(stones, "w" if color == "b" else "b")
        stones = {p: c for p, c in stones.items() if p not in taken}
        own = self.dead(stones, color)
        if not own:
            return stones, taken
        if not self.suicide or len(own) == 1:
            return None
        return {p: c for p, c in stones.items() if p not in own}, own

    def repeats(self, stones: Stones, to_move: str) -> bool:
        if self.ko == "none":
            return False
        if self.ko == "simple":
            return len(self.past) >= 2 and self.past[-2][0] == stones
        if self.ko == "positional":
            return any(before == stones for before, _ in self.past)
        return any(before == stones and who == to_move for before, who in self.past)

    def allowed(self, move: Point | None, color: str) -> bool:
        if self.passes == 2:
            return False
        if move is None:
            return True
        if move not in self.points:
            return False
        result = self.after(move, color)
        return result is not None and not self.repeats(result[0], "w" if color == "b" else "b")

    def play(self, move: Point | None, color: str) -> None:
        """Play a move that is allowed; None is a pass."""
        assert self.allowed(move, color)
        self.captured = set()
        if move is None:
            self.passes += 1
        else:
            self.passes = 0
            result = self.after(move, color)
            assert result is not None
            self.stones, self.captured = result
        self.past.append((dict(self.stones), "w" if color == "b" else "b"))

    def owner(self, point: Point) -> str | None:
        """Whose area a point is."""
        if point in self.stones:
            return self.stones[point]
        region, border, todo = {point}, set(), [point]
        while todo:
            for near in self.near[todo.pop()]:
                if near in self.stones:
                    border.add(self.stones[near])
                elif near not in region:
                    region.add(near)
                    todo.append(near)
        return border.pop() if len(border) == 1 else None

    def area(self) -> int:
        """Black's points minus White's."""
        owners = [self.owner(point) for point in self.points]
        return owners.count("b") - owners.count("w")

    def board(self) -> list[list[int]]:
        number = {"b": 1, "w": 2}
        return [
            [number.get(self.stones.get((row, col), ""), 0) for col in range(self.cols)]
            for row in range(self.rows)
        ]
