"""The Go engine beside its peers: playouts, search, replay, self-play. `python benchmarks/bench_go_engine.py`.

Ours and the peer take turns in one process, in CPU time, and the medians are compared; so the ratio holds
also on a busy machine, where the absolute numbers suffer.
"""

from __future__ import annotations

import itertools
import random
import statistics
from collections.abc import Callable

from harness import Row, Work, rate, row, table

from gobench_go.game import kernels
from gobench_go.game.position import Position
from gobench_go.game.rules import named
from gobench_go.teachers import teacher

Seeded = Callable[[int], int]  # a seed -> how many units were done
REPEATS = 7
RULES = named("benchmark")


def seeded(work: Seeded) -> Work:
    """The same work with a new seed at every call."""
    seeds = itertools.count()
    return lambda: work(next(seeds))


def our_playouts(seed: int) -> int:
    kernels.playouts(RULES, seed, 20_000)
    return 20_000


def our_simulations(seed: int) -> int:
    teacher("mcts:10000").judge(Position.start(RULES), seed)
    return 10_000


def our_replays(seed: int) -> int:
    for game in _games():
        kernels.replay(RULES, None, game)
    return len(_games())


def spiel_playouts(seed: int) -> int:
    import pyspiel

    game, dice = pyspiel.load_game("go(board_size=9,komi=7.0)"), random.Random(seed)
    for _ in range(200):
        state = game.new_initial_state()
        while not state.is_terminal():
            state.apply_action(dice.choice(state.legal_actions()))
    return 200


def spiel_simulations(seed: int) -> int:
    import pyspiel

    game, count = pyspiel.load_game("go(board_size=9,komi=7.0)"), 2000
    bot = pyspiel.MCTSBot(
        game,
        pyspiel.RandomRolloutEvaluator(1, seed),
        2.0,
        count,
        1000,
        False,
        seed + 1,
        False,
        pyspiel.ChildSelectionPolicy.UCT,
    )
    bot.step(game.new_initial_state())
    return count


def sgfmill_replays(seed: int) -> int:
    from sgfmill.boards import Board

    games = _games()[:50]
    for game in games:
        board = Board(9)
        for ply, move in enumerate(game):
            if move < 81:
                board.play(8 - move // 9, move % 9, "bw"[ply & 1])
            board.copy()
    return len(games)


def position_replays(seed: int) -> int:
    games = _games()[:20]
    for game in games:
        position = Position.start(RULES)
        for move in game:
            position = position.play(move)
    return len(games)


def _games() -> list[list[int]]:
    if not _GAMES:
        _GAMES.extend(kernels.random_game(RULES, seed, 64).tolist() for seed in range(1000))
    return _GAMES


_GAMES: list[list[int]] = []

ROWS: tuple[tuple[str, Seeded, Seeded, str, str, str], ...] = (
    (
        "random playouts 9x9",
        our_playouts,
        spiel_playouts,
        "open_spiel from Python",
        "playouts/s",
        "60000, 20x",
    ),
    (
        "search 9x9, empty board",
        our_simulations,
        spiel_simulations,
        "open_spiel C++ MCTSBot",
        "simulations/s",
        "25000, 4x",
    ),
    (
        "replay, 64 plies 9x9",
        our_replays,
        sgfmill_replays,
        "sgfmill boards (no legality)",
        "games/s",
        "20000",
    ),
    ("replay, 64 plies 9x9", our_replays, position_replays, "our own Position", "games/s", ""),
)


def self_play(name: str, count: int) -> Seeded:
    """``count`` games by a teacher."""
    player, opening = teacher(name), {"plies": 4, "region": 5}
    heats = [(8, 1.0), (30, 0.5), (400, 0.1)]

    def games(seed: int) -> int:
        for i in range(count):
            player.game(RULES, opening, heats, 162, 1000 * seed + i)
        return count

    return games


def alone(what: str, unit: str, work: Work, peer_name: str = "", target: str = "", repeats: int = 3) -> Row:
    """A row without a peer."""
    work()
    speed = statistics.median(rate(work) for _ in range(repeats))
    nothing = {"peer": None, "ratio": None}
    return {"what": what, "ours": speed, "peer_name": peer_name, "unit": unit, "target": target, **nothing}


def rows() -> list[Row]:
    """One row a comparison; a peer that is not installed leaves its row without one."""
    found = []
    for what, ours, peer, peer_name, unit, target in ROWS:
        try:
            found.append(row(what, unit, seeded(ours), peer_name, seeded(peer), target, REPEATS))
        except ImportError:
            found.append(alone(what, unit, seeded(ours), f"{peer_name} (not installed)", target, REPEATS))
    for name, count in (("random", 2000), ("mcts:25", 12), ("mcts:50", 6)):
        found.append(alone(f"self-play 9x9 by {name}", "games/s", seeded(self_play(name, count))))
    return found


if __name__ == "__main__":
    print(table(rows()))
