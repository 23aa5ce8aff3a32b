"""The Go engine beside its peers: playouts, search, replay, self-play. `python benchmarks/bench_go_engine.py`.

Ours and the peer take turns in one process, in CPU time, and the medians are compared; so the ratio holds
also on a busy machine, where the absolute numbers suffer.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from gobench_go.game import kernels
from gobench_go.game.position import Position
from gobench_go.game.rules import named
from gobench_go.teachers import teacher

Work = Callable[[int], int]  # a seed -> how many units were done
REPEATS = 7
RULES = named("benchmark")


def measure(ours: Work, peer: Work, repeats: int = REPEATS) -> tuple[float, float]:
    """Median units per second of both, run in turns after one round that does not count."""
    rates: dict[int, list[float]] = {0: [], 1: []}
    for seed in range(repeats + 1):
        for who, work in enumerate((ours, peer)):
            start = time.process_time()
            done = work(seed)
            if seed > 0:
                rates[who].append(done / (time.process_time() - start))
    return statistics.median(rates[0]), statistics.median(rates[1])


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

ROWS: tuple[tuple[str, Work, Work, str, str, str], ...] = (
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


def self_play_rows() -> list[dict[str, Any]]:
    """Games a second of our teachers, which have no peer."""
    found = []
    for name, count in (("random", 2000), ("mcts:25", 12), ("mcts:50", 6)):
        player = teacher(name)
        speeds = []
        for seed in range(4):
            start = time.process_time()
            for i in range(count):
                player.game(
                    RULES, {"plies": 4, "region": 5}, [(8, 1.0), (30, 0.5), (400, 0.1)], 162, 1000 * seed + i
                )
            speeds.append(count / (time.process_time() - start))
        found.append(_row(f"self-play 9x9 by {name}", statistics.median(speeds[1:]), None, "", "games/s", ""))
    return found


def _row(
    what: str, ours: float, peer: float | None, peer_name: str, unit: str, target: str
) -> dict[str, Any]:
    ratio = round(ours / peer, 1) if peer else None
    return {
        "what": what,
        "ours": ours,
        "peer": peer,
        "peer_name": peer_name,
        "unit": unit,
        "ratio": ratio,
        "target": target,
    }


def rows() -> list[dict[str, Any]]:
    """One row a comparison; a peer that is not installed leaves its row without one."""
    found = []
    for what, ours, peer, peer_name, unit, target in ROWS:
        try:
            fast, slow = measure(ours, peer)
        except ImportError:
            fast, slow, peer_name = measure(ours, ours)[0], 0.0, f"{peer_name} (not installed)"
        found.append(_row(what, fast, slow or None, peer_name, unit, target))
    return found + self_play_rows()


def main() -> None:
    """Print the table."""
    for row in rows():
        peer = (
            f"{row['peer']:>10,.0f} {row['peer_name']}, {row['ratio']}x" if row["peer"] else row["peer_name"]
        )
        print(f"{row['what']:<28}{row['ours']:>12,.0f} {row['unit']:<15}{peer:<52} {row['target']}")


if __name__ == "__main__":
    main()
