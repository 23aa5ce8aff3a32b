"""Judging with KataGo: the numbers of a known set come out again, once each, whatever happens to the engine."""

from __future__ import annotations

import json
import math
import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from gobench.errors import BuildError, ChildError, DataError, GobenchError, UsageError
from gobench.types import Record
from gobench_go.commands.judging import judge as command
from gobench_go.engines.faults import EngineError
from gobench_go.game.position import Position
from gobench_go.game.rules import Rules
from gobench_go.judged import JudgedSet, open_set, read
from gobench_go.judged.cache import Cache
from gobench_go.judged.judges import open_judge
from gobench_go.judged.judging import Cached, Game, Judge
from gobench_go.judged.pieces import Text, judge_games

SGF = Path(__file__).resolve().parents[4] / "tests" / "data" / "go9_katago_sgf.zip"
TINY = Rules(3, 3, komi=2.5, name="tiny")
GAMES = [Game((4, 1, 9, 9), (1, 2, 1, 2)), Game((4, 1, 3), (1, 2, 1)), Game((4, 1, 9), (1, 2, 1))]
Katago = Callable[..., str]
Ask = Callable[..., Result]


@pytest.fixture
def judged(tmp_path: Path) -> Iterator[Ask]:
    """``gobench go judge`` of the first games of go9-lite; raises what goes wrong."""

    def run(teacher: str, *more: str, out: str = "mine", games: int = 2) -> Result:
        args = [
            str(SGF),
            "--out",
            str(tmp_path / f"{out}.jsonl.gz"),
            "--games",
            str(games),
            "--teacher",
            teacher,
        ]
        return CliRunner().invoke(command, [*args, "--workers", "2", *more], catch_exceptions=False)

    yield run


def questions(log: Path) -> int:
    """How many were asked, without those about the perspective."""
    lines = log.read_text().splitlines() if log.exists() else []
    return len([line for line in lines if json.loads(line)["komi"] == 7.0])


def same_judgements(one: JudgedSet, other: JudgedSet) -> None:
    """All numbers; but a pass that ends the game is worth its score, where KataGo had looked at an ended game.

    What two games share was judged twice then, and only once now.
    """
    seen = set[tuple[int, ...]]()
    for mine, theirs in zip(one.games, other.games, strict=False):
        assert mine.moves == theirs.moves
        for ply, (a, b) in enumerate(zip(mine.positions, theirs.positions, strict=True)):
            if (before := tuple(theirs.moves[:ply])) in seen:
                continue
            seen.add(before)
            ends = ply > 0 and theirs.moves[ply - 1] == 81
            kept = slice(0, 81) if ends and b.visits[81] < 4 else slice(None)
            for key in ("policy", "legal", "visits"):
                assert np.array_equal(getattr(a, key), getattr(b, key)), (mine.id, ply, key)
            for key in ("value", "lead"):
                assert np.array_equal(getattr(a, key)[kept], getattr(b, key)[kept], equal_nan=True), (
                    mine.id,
                    ply,
                )
            assert (a.best, a.root_value, a.root_lead) == (b.best, b.root_value, b.root_lead)


def test_a_known_set_comes_out_again(katago: Katago, judged: Ask, tmp_path: Path) -> None:
    """go9-lite was judged by the very KataGo whose answers the server gives."""
    log = tmp_path / "log"
    done = judged(katago(known=2, log=str(log), reverse=True), "--json")
    told, known = json.loads(done.stdout), open_set("go9-lite")
    made = read(tmp_path / "mine.jsonl.gz")
    same_judgements(made, known)
    assert made.rules == known.rules and told["digest"] == made.digest
    oracle = dict(made.oracle)
    assert [len(oracle.pop(key)) for key in ("net_sha256", "config_sha256")] == [64, 64]
    assert oracle == {k: known.oracle[k] for k in ("name", "version", "net", "visits", "child_visits")}
    legal = sum(int(p.legal.sum()) for game in made.games for p in game.positions)
    assert 0 <= legal + made.positions - questions(log) < 60  # a pass after a pass, and what both games share
    assert not list(tmp_path.glob("*.parts"))


def test_what_was_judged_is_never_asked_again(katago: Katago, judged: Ask, tmp_path: Path) -> None:
    log = tmp_path / "log"
    judged(katago(known=2, log=str(log)), games=1)
    first = questions(log)
    done = judged("katago:tiny", out="again", games=1)  # another file, another run
    assert questions(log) == first and "judgements were known from before" in done.stdout
    assert (tmp_path / "again.jsonl.gz").read_bytes() != b"" and len(
        list((tmp_path / "judgements").iterdir())
    ) == 1
    assert read(tmp_path / "again.jsonl.gz").digest == read(tmp_path / "mine.jsonl.gz").digest
    judged("katago:tiny?visits=65", out="deeper", games=1)
    assert questions(log) == 2 * first and len(list((tmp_path / "judgements").iterdir())) == 2
    judged("katago:tiny", "--no-cache", out="anew", games=1)
    assert questions(log) == 3 * first


@pytest.mark.parametrize("fault", ["die_after", "mute_after"])
def test_a_run_whose_engine_fails_goes_on(
    katago: Katago, judged: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr("gobench_go.engines.katago_loop.RESTARTS", 0)
    monkeypatch.setattr("gobench_go.teachers.katago.SECONDS", 0.5)
    log = tmp_path / "log"
    with pytest.raises(ChildError, match="did not answer" if fault == "mute_after" else "exit code 3"):
        judged(katago(**{fault: 700}, known=2, log=str(log)))
    kept = next((tmp_path / "judgements").iterdir()).read_bytes().count(b"\n") - 1
    assert kept >= 6 and not (tmp_path / "mine.jsonl.gz").exists()
    log.unlink()
    done = judged(katago(known=2, log=str(log)), "--json")
    assert json.loads(done.stdout)["known"] >= kept
    same_judgements(read(tmp_path / "mine.jsonl.gz"), open_set("go9-lite"))


def test_an_engine_that_dies_now_and_then_does_no_harm(katago: Katago, judged: Ask, tmp_path: Path) -> None:
    done = judged(katago(known=1, die_after=900), games=1)
    assert "started again" in done.stderr
    same_judgements(read(tmp_path / "mine.jsonl.gz"), open_set("go9-lite"))


def test_nets_are_not_mixed(katago: Katago, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.jsonl.gz"
    with pytest.raises(ChildError):
        judge_games(GAMES, TINY, open_judge(katago(refuse=1)), out, Text("t"))
    katago()
    for name, key in (("katago:other", "judge"), ("katago:tiny?visits=9", "judge"), ("mcts:9", "judge")):
        with pytest.raises(BuildError, match=f"of another call: {key} differ"):
            judge_games(GAMES, TINY, open_judge(name), out, Text("t"))
    made = judge_games(GAMES, TINY, open_judge("katago:tiny"), out, Text("t"), workers=3)
    assert (made.positions, made.oracle["visits"], made.games[0].lead) == (10, 64, made.games[0].lead)


def test_what_it_thinks_of_legality_is_checked(katago: Katago) -> None:
    with pytest.raises(
        EngineError, match=r"disagree on what Black may play at ply 0 .*A3 \(legal here\)"
    ) as caught:
        open_judge(katago(illegal=True)).position(Position.start(TINY))
    assert str(caught.value).endswith("...\n...\n...")


def test_a_pass_that_ends_the_game_is_worth_its_score(katago: Katago) -> None:
    ended = Position.of_text(Rules(3, 3, komi=0.5), "XXX ... ...").play(9)
    judge = open_judge(katago())
    record = judge.position(ended)
    assert (record["child_value"][9], record["child_lead"][9]) == (0.0, -8.5)
    judge.close()


def test_people_are_judged_by_their_policy(katago: Katago) -> None:
    plain, people = open_judge(katago()), open_judge("katago:tiny?profile=rank_9d")
    position = Position.start(TINY)
    one, other = plain.position(position), people.position(position)
    assert other["best"] == 1 and other["policy"][1] == 90_000 and one["policy"] != other["policy"]
    assert one["search"] == other["search"] and one["child_value"] == other["child_value"]
    assert (people.plan["profile"], people.plan["human_net"]) == ("rank_9d", "b18c384nbt-humanv0")
    assert "profile" not in plain.plan
    plain.close()
    people.close()


@pytest.mark.parametrize("teacher", ["random", "gtp:cat", "gtp:not-here", "martian:3", "katago:nothing-here"])
def test_who_gives_no_values_cannot_judge(katago: Katago, teacher: str) -> None:
    katago()
    with pytest.raises(
        UsageError, match=r"judge with mcts:VISITS, or with katago:MODEL|unknown teacher|no network"
    ):
        open_judge(teacher)


# --- the cache ---


def _put(cache: Cache, numbers: range) -> None:
    for number in numbers:
        cache.put(Position.start(Rules(3, 3, komi=number)), {"number": number})


def test_a_cache_is_shared_by_processes(tmp_path: Path) -> None:
    cache = Cache.of({"name": "it", "visits": 3}, tmp_path)
    context = multiprocessing.get_context("fork")
    crew = [context.Process(target=_put, args=(cache, range(n, 400, 4))) for n in range(4)]
    for process in crew:
        process.start()
    for process in crew:
        process.join()
    positions = [Position.start(Rules(3, 3, komi=number)) for number in range(400)]
    assert [(cache.get(position) or {}).get("number") for position in positions] == list(range(400))
    assert cache.hits == 400 and cache.get(Position.start(Rules(3, 3, komi=400))) is None


def test_a_cache_survives_what_was_cut(tmp_path: Path) -> None:
    cache, start = Cache.of({"name": "it"}, tmp_path), Position.start(TINY)
    cache.put(start, {"a": 1})
    with cache.path.open("ab") as file:
        file.write(b'{"key":"half')
    other = Cache.of({"name": "it"}, tmp_path)
    assert other.get(start) == {"a": 1} and other.get(start.play(4)) is None
    other.put(start.play(4), {"a": 2})
    for one in (cache, other, Cache.of({"name": "it"}, tmp_path)):
        assert (one.get(start), one.get(start.play(4))) == ({"a": 1}, {"a": 2})
    cache.path.unlink()
    fresh = Cache.of({"name": "it"}, tmp_path)
    assert fresh.get(start) is None
    assert Cache.of({"name": "other"}, tmp_path).path != cache.path


def test_a_cache_may_be_removed_while_it_is_used(tmp_path: Path) -> None:
    """Also where another process has begun it anew, and more stands there now than before."""
    cache, start = Cache.of({"name": "it"}, tmp_path), Position.start(TINY)
    cache.put(start, {"a": 1})
    assert cache.get(start) == {"a": 1}
    cache.path.unlink()
    assert cache.get(start) is None
    cache.put(start, {"a": 2})
    assert cache.get(start) == {"a": 2}
    cache.path.unlink()
    other = Cache.of({"name": "it"}, tmp_path)
    for move in (4, 3, 2):
        other.put(start.play(move), {"long": "x" * 99})
    assert cache.get(start) is None
    assert cache.get(start.play(2)) == {"long": "x" * 99}
    assert cache.hits == 3


def test_a_cache_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    cache = Cache.of({"name": "it"}, tmp_path)
    cache.path.mkdir()
    with pytest.raises(DataError, match=r"cannot read .*GOBENCH_JUDGEMENTS name another folder"):
        cache.get(Position.start(TINY))
    with pytest.raises(BuildError, match="cannot be written"):
        cache.put(Position.start(TINY), {})


def test_positions_share_a_judgement_only_where_all_that_counts_is_equal(tmp_path: Path) -> None:
    cache, start = Cache.of({"name": "it"}, tmp_path), Position.start(TINY)
    for position in (
        start,
        Position.start(Rules(3, 3, komi=0.5)),
        Position.start(Rules(3, 3, ko="simple", komi=2.5)),
    ):
        assert cache.get(position) is None
        cache.put(position, {"komi": position.rules.komi})
    assert (cache.get(start) or {})["komi"] == 2.5
    one, other = start.play(0).play(1).play(2), start.play(2).play(1).play(0)
    cache.put(one, {})
    assert cache.get(other) is None  # another last move, and another history


def test_mcts_is_kept_as_it_is(tmp_path: Path, katago: Katago) -> None:
    """A pure function: from the cache or not, the same bytes."""
    plain, kept = tmp_path / "plain.jsonl.gz", tmp_path / "kept.jsonl.gz"
    judge = Judge.of("mcts:30", 4, 1)
    judge_games(GAMES, TINY, judge, plain, Text("t"))
    cached = Cached.of(judge)
    for one in (cached, pickle.loads(pickle.dumps(cached))):  # as in a worker process
        judge_games(GAMES, TINY, one, kept, Text("t"))
        assert kept.read_bytes() == plain.read_bytes()
    assert (cached.cache.hits, one.cache.hits) == (7, 12)
    assert len(list((tmp_path / "judgements").iterdir())) == 1


def test_an_answer_is_a_record_that_files_take(katago: Katago) -> None:
    judge = open_judge(katago(), 3)
    record: Record = judge.position(Position.start(TINY).play(4))
    judge.close()
    numbers: list[Any] = [v for v in record["child_value"] if v is not None]
    assert len(numbers) == 9 and all(math.isfinite(v) and 0 <= v <= 1 for v in numbers)
    assert issubclass(EngineError, GobenchError) and judge.plan["child_visits"] == 3
