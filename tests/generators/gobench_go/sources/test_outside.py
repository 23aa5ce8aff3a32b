"""Datasets whose teacher is a program of others: asked once, written down, and never needed again."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gobench.build.asking import AskJob, answer_file
from gobench.build.engine import Threads
from gobench.build.journal import JOURNAL, Answered, seal
from gobench.build.recipes import BuildConfig, configure
from gobench.build.run import build
from gobench.canonical import read_json
from gobench.errors import ChildError, DataError, StoppedError, UsageError
from gobench.types import Episode, Rejection
from gobench.verify import verify
from gobench_go.domain import GoDomain
from gobench_go.engines.find import program
from gobench_go.engines.presets import PRESETS
from gobench_go.sources import make_source, outside
from gobench_go.sources.mixed import Mixed
from gobench_go.sources.outside import public

HOSTILE = Path(__file__).parents[1] / "engines" / "hostile.py"
SGF = "(;SZ[5]KM[0.5];B[cc];W[cd];B[dd];W[];B[])(;SZ[5]KM[0.5];B[aa];W[ab])"


def options(*sources: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {"rows": 5, "cols": 5, "komi": 0.5, "sources": list(sources), **keys}


def selfplay(name: str = "mcts:4", **keys: Any) -> dict[str, Any]:
    return {
        "kind": "selfplay",
        "teacher": name,
        "opening": {"plies": 2, "region": 3},
        "max_plies": 20,
        **keys,
    }


@pytest.fixture
def engine(tmp_path: Path) -> Callable[..., str]:
    """The name of a teacher that behaves so: an engine in a folder of this test."""
    place = tmp_path / "private" / "hostile.py"
    place.parent.mkdir()
    shutil.copy(HOSTILE, place)
    return lambda *words: " ".join([f"gtp:{sys.executable} -S {place}", *words])


@pytest.fixture
def games(tmp_path: Path) -> dict[str, Any]:
    """A source with two games in an SGF file."""
    (tmp_path / "two.sgf").write_text(SGF)
    return {"kind": "sgf", "paths": [str(tmp_path / "two.sgf")]}


def journalled(source: Mixed, path: Path) -> Answered:
    """The source with a journal, as a build makes it."""
    seal(path, source, source.ask)
    source.close()
    return Answered.of(source, path)


def candidates(source: Any) -> list[Episode | Rejection]:
    return [each for unit in range(source.units) for each in source.unit(unit)]


def records(source: Any) -> list[dict[str, Any]]:
    return [each.record for each in candidates(source) if isinstance(each, Episode)]


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("mcts@1:50", "mcts@1:50"),
        ("", ""),
        ("gnugo:10", "gnugo:10"),
        ("gtp:/home/me/engine --level 3", "gtp:engine --level 3"),
        ("gtp:'/home/me/my engine' -c ../x.cfg --net=/n/a.gz", "gtp:'my engine' -c x.cfg --net=a.gz"),
        ("gtp:env HOME=/home/me P=a:/b,/c/d x --dir /home/me/ {seed}", "gtp:env HOME=me P=a:b,d x --dir me {seed}"),
        ("gtp:'/unbalanced/x", "gtp:x"),
        ("katago:/nets/b6.bin.gz@~/my.cfg?visits=9&human=/n/h.bin.gz", "katago:b6.bin.gz@my.cfg?visits=9&human=h.bin.gz"),
        ("katago:/nets/b6?threads=16&visits=9", "katago:b6?visits=9"),
        ("katago:b6?visits=9&threads=16", "katago:b6?visits=9"),
        ("leela-zero:/w/best.gz@400", "leela-zero:best.gz@400"),
    ],
)  # fmt: skip
def test_what_is_stored_of_a_teachers_name(text: str, stored: str) -> None:
    assert public(text) == stored
    assert public(stored) == stored


def test_who_is_asked_and_about_what(engine: Callable[..., str], games: dict[str, Any]) -> None:
    name = engine("sane")
    plain = make_source(options(selfplay(), games), 4, 1)
    assert list(plain.asking) == []  # type: ignore[attr-defined]
    mixed = make_source(options(selfplay(share=3), games, selfplay(name)), 4, 1)
    assert isinstance(mixed, Mixed)
    assert list(mixed.asking) == [4]
    assert mixed.units == 5
    asked = json.dumps(mixed.asked)
    assert "gtp:" in asked
    assert "two.sgf" in asked  # its label and hash, as an input
    assert str(Path(name.split()[0][4:]).parent) not in asked
    assert "private" not in asked
    every = make_source(options(selfplay(), games, reannotate=name), 4, 1)
    assert list(every.asking) == [0, 1, 2, 3, 4]  # type: ignore[attr-defined]


def test_an_engine_plays_the_games_of_a_dataset(engine: Callable[..., str], tmp_path: Path) -> None:
    domain, folder = GoDomain(), tmp_path / "made"
    full = options(selfplay(engine("sane")), size=64)
    config = configure(domain, "go9-tiny", {"episodes": 5, "codec": "png", "part_size": 2}, full)
    assert build(domain, config, folder).samples > 0
    assert verify(folder, domain).ok
    for path in folder.rglob("*"):
        assert path.is_dir() or str(tmp_path).encode() not in path.read_bytes(), path
    record = json.loads((folder / "games/part-00000.jsonl").read_text().splitlines()[0])
    assert record["teacher"] == record["black"] == record["white"]
    assert record["teacher"].startswith("gtp:python")
    assert record["teacher"].endswith("hostile.py sane (Hostile 1)")
    assert len(record["targets"]) == len(record["moves"])
    assert record["values"] == []
    _made_again_without_the_engine(domain, config, folder, tmp_path / "private")


def _made_again_without_the_engine(
    domain: GoDomain, config: BuildConfig, folder: Path, private: Path
) -> None:
    shutil.rmtree(private)
    before = (folder / "SHA256SUMS").read_bytes()
    for lost in ("games/part-00001.jsonl", "SHA256SUMS"):
        (folder / lost).unlink()
        build(domain, config, folder)
        assert (folder / "SHA256SUMS").read_bytes() == before
    build(domain, config, folder.parent / "copy", journal=folder / JOURNAL)
    assert (folder.parent / "copy" / "SHA256SUMS").read_bytes() == before


def test_targets_of_an_engine_beside_the_moves_of_archives(
    engine: Callable[..., str], games: dict[str, Any], tmp_path: Path
) -> None:
    source = make_source(options(games, selfplay(), reannotate=engine("sane")), 2, 1)
    assert isinstance(source, Mixed)
    told = journalled(source, tmp_path / JOURNAL)
    found = records(told)
    assert [game["moves"] for game in found] == [
        game["moves"] for game in records(make_source(options(games, selfplay()), 2, 1))
    ]
    for game in found:
        assert game["teacher"].endswith("hostile.py sane (Hostile 1)")
        assert len(game["targets"]) == len(game["moves"])
        assert game["values"] == []
    assert records(told) == found


def test_two_teachers_one_behind_the_other(engine: Callable[..., str], tmp_path: Path) -> None:
    for number, judge in enumerate(("mcts:4", engine("sane", "--seed", "7"))):
        source = make_source(options(selfplay(engine("sane")), reannotate=judge), 3, 1)
        assert isinstance(source, Mixed)
        told = journalled(source, tmp_path / f"{number}.jsonl")
        first, again = records(told), records(told)
        assert first == again
        assert len(first) == 3
        for game in first:
            assert game["black"].endswith("sane (Hostile 1)")
            assert game["teacher"] != game["black"]
            assert len(game["targets"]) == len(game["moves"])


@pytest.mark.parametrize(
    ("mode", "reason", "detail"),
    [
        ("occupied", "teacher-malformed", "which is illegal (occupied)"),
        ("words", "teacher-malformed", "'hostile.py words"),
        ("refuse-genmove", "teacher-refused", "I do not feel like it"),
    ],
)
def test_games_that_an_engine_spoils_are_counted(
    engine: Callable[..., str], tmp_path: Path, mode: str, reason: str, detail: str
) -> None:
    source = make_source(options(selfplay(engine(mode)), selfplay("mcts:4")), 4, 1)
    assert isinstance(source, Mixed)
    found = candidates(journalled(source, tmp_path / JOURNAL))
    spoilt = [each for each in found if isinstance(each, Rejection)]
    assert [each.reason for each in spoilt] == [reason, reason]
    assert {each.origin for each in spoilt} == {"selfplay/0", "selfplay/1"}
    assert detail.split()[-1] in spoilt[0].detail
    assert str(tmp_path) not in (tmp_path / JOURNAL).read_text()


def test_an_engine_that_breaks_down_is_asked_again(engine: Callable[..., str], tmp_path: Path) -> None:
    source = make_source(options(selfplay(engine("crash", "--after", "30"))), 4, 1)
    assert isinstance(source, Mixed)
    assert len(records(journalled(source, tmp_path / JOURNAL))) == 4


def test_an_engine_that_breaks_down_always_ends_the_build(engine: Callable[..., str], tmp_path: Path) -> None:
    domain = GoDomain()
    full = options(selfplay(engine("crash", "--after", "3")), size=64)
    config = configure(domain, "go9-tiny", {"episodes": 4}, full)
    for workers in (1, 3):
        with pytest.raises(
            ChildError, match=r"(?s)asking about unit \d.*hostile.*run the same command again"
        ):
            build(domain, config, tmp_path / "made", workers=workers)
    assert not (tmp_path / "made" / "plan.json").exists()


@pytest.mark.parametrize("name", ["gtp:no-such-engine-here", "gnugo:99", "katago:no-such-net"])
def test_an_engine_that_is_not_here_is_told_at_once(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOBENCH_NETS", str(tmp_path))
    domain = GoDomain()
    config = configure(domain, "go9-tiny", {"episodes": 4}, options(selfplay(name), size=64))
    with pytest.raises(UsageError, match=name.partition(":")[2]):
        build(domain, config, tmp_path / "made")


def test_katago_judges(
    katago: Callable[..., str], games: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_source(options(games, selfplay(katago()), reannotate=katago()), 1, 1)
    assert isinstance(source, Mixed)
    told = journalled(source, tmp_path / JOURNAL)
    monkeypatch.setenv("PATH", "")
    for game in records(told):
        assert game["teacher"].startswith("katago:tiny?visits=64 (KataGo 1.17.2, net ")
        assert len(game["targets"]) == len(game["values"]) == len(game["moves"])
        assert all(0 <= value <= 1 for value in game["values"])


@pytest.mark.skipif(program(PRESETS["gnugo"].programs) is None, reason="needs GNU Go: apt install gnugo")
def test_gnu_go_teaches(games: dict[str, Any], tmp_path: Path) -> None:
    domain = GoDomain()
    full = options(selfplay("gnugo:1"), games, reannotate="gnugo:1", size=64)
    config = configure(domain, "go9-tiny", {"episodes": 2, "codec": "moves", "dedup": "none"}, full)
    report = build(domain, config, tmp_path / "made")
    assert report.samples == 4
    lines = (tmp_path / "made/games/part-00000.jsonl").read_text().splitlines()
    assert {json.loads(line)["teacher"] for line in lines} == {"gnugo:1 (GNU Go 3.8)"}
    build(domain, config, tmp_path / "copy", journal=tmp_path / "made" / JOURNAL)
    sums = [(tmp_path / name / "SHA256SUMS").read_bytes() for name in ("made", "copy")]
    assert sums[0] == sums[1]


def test_a_journal_that_was_edited_is_noticed(
    engine: Callable[..., str], games: dict[str, Any], tmp_path: Path
) -> None:
    source = make_source(options(games, reannotate=engine("sane")), 0, 1)
    assert isinstance(source, Mixed)
    journalled(source, tmp_path / JOURNAL)
    header, line = (json.loads(text) for text in (tmp_path / JOURNAL).read_text().splitlines())
    first = line["answer"]["games"][0]
    bad: list[Any] = [
        7,
        {},
        {"source": {}, "games": []},
        {"source": {}, "games": [{**first, "targets": [1]}]},
    ]
    bad += [{"source": {}, "games": [{**first, "targets": 1}]}, {"source": {}, "games": [{"fault": "x"}]}]
    bad += [{"source": {}, "games": 7}, {"games": [first]}]
    for answer in bad:
        (tmp_path / JOURNAL).write_text(f"{json.dumps(header)}\n{json.dumps({**line, 'answer': answer})}\n")
        with pytest.raises(DataError, match="Was it edited"):
            candidates(Answered.of(source, tmp_path / JOURNAL))


def test_a_game_of_a_journal_is_refereed(engine: Callable[..., str]) -> None:
    source = make_source(options(selfplay(engine("sane"))), 1, 1)
    assert isinstance(source, Mixed)
    answer = {"by": "gnugo:1 (GNU Go 3.8)", "moves": [12, 12], "targets": [12, 12], "values": []}
    (told,) = source.told(0, answer)
    assert isinstance(told, Rejection) and (told.reason, told.ply) == ("illegal-move", 1)


def test_many_games_at_once(engine: Callable[..., str], tmp_path: Path) -> None:
    source = make_source(options(selfplay(engine("sane")), selfplay(engine("resign"))), 12, 1)
    assert isinstance(source, Mixed)
    job, done = AskJob(tmp_path, source), list[int]()
    Threads(4).run(job, range(12), done.append)
    job.close()
    assert sorted(done) == list(range(12))
    seal(tmp_path / JOURNAL, source, lambda unit: read_json(answer_file(tmp_path, unit)))
    games = records(Answered.of(source, tmp_path / JOURNAL))
    assert [game["origin"] for game in games] == [f"selfplay/{number}" for number in range(12)]
    assert all(game["moves"][-2:] == [25, 25] for game in games[6:])  # who gives up passes


def test_nobody_is_asked_after_the_end(engine: Callable[..., str]) -> None:
    crew = outside.crew(engine("sane"))
    assert crew.player() is crew.player()
    assert outside.label(crew.player()).endswith("sane (Hostile 1)")
    outside.dismiss(engine("sane"))
    with pytest.raises(StoppedError):
        crew.player()
    assert outside.crew(engine("sane")) is not crew
