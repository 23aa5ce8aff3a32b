"""SGF archives as a source: every game becomes an Episode or a counted Rejection."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gobench.types import Episode, Rejection
from gobench_go.game.kernels import replay, score
from gobench_go.sources import filters, record
from gobench_go.sources.sgf_files import REASONS, SgfSource

KO = "(;SZ[5]RU[{}];B[ba];W[ca];B[ab];W[db];B[bc];W[cc];B[cb];W[bb];B[cb])"


def source(
    *paths: Path, judged_by: str = "as-written", size: tuple[int, int] = (9, 9), **wanted: Any
) -> SgfSource:
    options = {"rules": judged_by, "max_bytes": 4 << 20, "filters": filters.configure(wanted, "filters")}
    return SgfSource.of([str(p) for p in paths], options, *size, "benchmark")


def run(found: SgfSource) -> list[Episode | Rejection]:
    return [each for index in range(found.units) for each in found.unit(index)]


def written(tmp_path: Path, *games: str) -> Path:
    path = tmp_path / "games.sgf"
    path.write_text("".join(games), "utf-8")
    return path


def only(found: SgfSource) -> Episode | Rejection:
    (each,) = run(found)
    return each


def accepted(found: SgfSource) -> dict[str, Any]:
    each = only(found)
    assert isinstance(each, Episode), each
    return each.record


def refused(found: SgfSource) -> Rejection:
    each = only(found)
    assert isinstance(each, Rejection), each
    assert each.reason in REASONS
    return each


def test_the_real_games_are_all_legal_by_positional_superko(data):
    found = run(source(data / "go9_katago_sgf.zip", judged_by="benchmark"))
    assert Counter(type(each) for each in found) == {Episode: 110}
    assert {e.record["ko"] for e in found} == {"positional"}
    assert {e.record["rules"] for e in found} == {"benchmark"}
    assert sum(e.record["over"] for e in found) > 100
    assert sum(sum(e.record["captures"]) for e in found) > 300


def test_the_real_games_as_written_are_chinese(data):
    found = run(source(data / "go9_katago_sgf.zip"))
    assert {(e.record["rules"], e.record["komi"]) for e in found} == {("chinese", 7.0)}


def test_a_record_is_complete_and_plain(data):
    first = run(source(data / "go9_katago_sgf.zip"))[0].record
    assert tuple(first) == record.KEYS
    assert json.loads(json.dumps(first, allow_nan=False)) == first
    assert (first["source"], first["origin"]) == ("sgf", "go9_katago_sgf.zip/game_0000.sgf")
    assert first["black"] == "katago b6c96"
    rules = record.rules_of(first)
    boards, captures, illegal = replay(rules, None, first["moves"], first["colors"])
    assert illegal == -1
    assert captures.tolist() == first["captures"]
    assert score(rules, boards[-1]) == first["score"]


def test_results_of_a_unit_never_change(data):
    found = source(data / "go9_katago_sgf.zip")
    again = pickle.loads(pickle.dumps(found))
    assert [list(found.unit(i)) for i in (5, 99, 5)] == [list(again.unit(i)) for i in (5, 99, 5)]
    assert found.inputs == again.inputs
    assert all(len(digest) == 64 for digest in found.inputs.values())


def test_several_games_of_a_file_are_numbered(tmp_path):
    path = written(tmp_path, "(;SZ[9];B[aa])", "(;SZ[9];B[aa];W[aa])", "(;SZ[9];B[bb])")
    found = run(source(path))
    assert found[0].record["origin"] == "games.sgf"
    assert found[1] == Rejection("games.sgf#2", "illegal-move", found[1].detail, 1)
    assert "White A9" in found[1].detail and "occupied" in found[1].detail
    assert found[2].record["origin"] == "games.sgf#3"


@pytest.mark.parametrize(
    ("text", "reason", "ply"),
    [
        ("(;SZ[9];B[aa];W[bb];B[aa])", "illegal-move", 2),
        ("(;SZ[3]AW[aa]AB[ba][ab];W[bb])", "setup-dead", 0),
        ("(;SZ[3];B[ba];W[cc];B[ab];W[aa])", "illegal-move", 3),
        ("(;SZ[9];B[zz])", "bad-point", 0),
        ("nothing", "unreadable", -1),
    ],
)
def test_games_that_are_refused(tmp_path, text, reason, ply):
    size = (3, 3) if "SZ[3]" in text else (9, 9)
    found = refused(source(written(tmp_path, text), size=size))
    assert (found.reason, found.ply) == (reason, ply)


def test_a_game_is_judged_by_its_own_rules(tmp_path):
    taken = "(;SZ[3]RU[{}];B[aa];W[ba];B[];W[bb];B[];W[ac];B[ab])"
    assert refused(source(written(tmp_path, taken.format("Chinese")), size=(3, 3))).ply == 6
    logical = accepted(source(written(tmp_path, taken.format("Tromp-Taylor")), size=(3, 3)))
    assert (logical["suicide"], logical["captures"][-1]) == (True, 2)
    forced = refused(
        source(written(tmp_path, taken.format("Tromp-Taylor")), size=(3, 3), judged_by="japanese")
    )
    assert forced.reason == "illegal-move"


def test_unknown_rules_fall_back_on_the_recipes(tmp_path):
    assert accepted(source(written(tmp_path, "(;SZ[9]RU[xyz];B[aa])")))["rules"] == "benchmark"
    assert accepted(source(written(tmp_path, "(;SZ[9]RU[Japanese];B[aa])")))["rules"] == "japanese"


def test_retaking_a_ko_at_once_is_refused(tmp_path):
    found = refused(source(written(tmp_path, KO.format("Japanese")), size=(5, 5)))
    assert (found.reason, found.ply) == ("illegal-move", 8)
    assert "(ko" in found.detail


def test_komi_of_a_file_and_without_one(tmp_path):
    komi = {
        "(;SZ[9]KM[375];B[aa])": 7.5,
        "(;SZ[9]KM[-3];B[aa])": -3.0,
        "(;SZ[9];B[aa])": 7.0,
        "(;SZ[9]HA[2]AB[aa][bb];W[cc])": 0.0,
        "(;SZ[9]HA[2]KM[0.5]AB[aa][bb];W[cc])": 0.5,
    }
    for text, value in komi.items():
        assert accepted(source(written(tmp_path, text)))["komi"] == value


def test_setup_and_colours_that_do_not_alternate(tmp_path):
    found = accepted(
        source(written(tmp_path, "(;SZ[3]AB[ba][ab]AW[bb][ca];B[ac];B[bc];W[aa];W[cb])"), size=(3, 3))
    )
    assert found["setup"] == ".XOXO...."
    assert found["colors"] == [1, 1, 2, 2]
    assert found["captures"] == [0, 0, 1, 0]


def test_score_result_and_over(tmp_path):
    text = "(;SZ[3]KM[0.5]RE[B+R];B[ba];W[];B[bb];W[];B[bc];W[];B[])"
    found = accepted(source(written(tmp_path, text), size=(3, 3)))
    assert (found["result"], found["score"], found["over"]) == ("B+R", 8.5, True)


SCORED = "(;SZ[3]KM[0.5]{};B[ba];W[];B[bb];W[];B[bc];W[];B[])"


@pytest.mark.parametrize("said", ["", "RE[]", "RE[?]", "RE[Void]"])
def test_a_finished_game_without_a_result_is_counted(tmp_path, said):
    path = written(tmp_path, SCORED.format(said))
    for wanted in ("any", "known", "decided", "counted"):
        assert accepted(source(path, size=(3, 3), results=wanted))["result"] == "B+8.5"


@pytest.mark.parametrize("wanted", ["known", "decided", "counted"])
def test_an_unfinished_game_without_a_result_stays_unknown(tmp_path, wanted):
    path = written(tmp_path, "(;SZ[9];B[aa])")
    assert accepted(source(path))["result"] == "?"
    assert refused(source(path, results=wanted)).reason == "filter-result"


def test_the_real_games_have_results(data):
    found = run(source(data / "go9_katago_sgf.zip", results="counted"))
    kept = [each.record for each in found if isinstance(each, Episode)]
    assert len(kept) > 100
    assert all(game["result"] == record.result_text(game["score"]) for game in kept)


FILTERED = "(;SZ[9]RU[Japanese]BR[3d]WR[2k]RE[W+T]HA[2]AB[cc][gg];W[aa];B[bb])"


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"sizes": ["13x13", "19"]}, "filter-size"),
        ({"sizes": ["9x9"]}, ""),
        ({"rules": ["chinese"]}, "filter-rules"),
        ({"rules": ["japanese", "chinese"]}, ""),
        ({"min_rank": "1d"}, "filter-rank"),
        ({"min_rank": "2k", "max_rank": "3d"}, ""),
        ({"max_rank": "2d"}, "filter-rank"),
        ({"min_moves": 3}, "filter-moves"),
        ({"max_moves": 1}, "filter-moves"),
        ({"max_moves": 0}, ""),
        ({"results": "known"}, ""),
        ({"results": "decided"}, "filter-result"),
        ({"results": "counted"}, "filter-result"),
        ({"handicap": "none"}, "filter-handicap"),
        ({"handicap": "only"}, ""),
    ],
)
def test_filters(tmp_path, wanted, reason):
    each = only(source(written(tmp_path, FILTERED), **wanted))
    assert (each.reason if isinstance(each, Rejection) else "") == reason


def test_the_board_of_the_recipe_is_the_default_filter(tmp_path):
    path = written(tmp_path, "(;SZ[9];B[aa])", "(;SZ[13];B[aa])", "(;SZ[9:13];B[aa])")
    assert [isinstance(e, Episode) for e in run(source(path, size=(13, 13)))] == [False, True, False]
    assert [isinstance(e, Episode) for e in run(source(path, size=(13, 9)))] == [False, False, True]


def test_a_file_that_is_too_large(tmp_path):
    options = {"rules": "as-written", "max_bytes": 10, "filters": filters.configure({}, "filters")}
    found = SgfSource.of([str(written(tmp_path, "(;SZ[9];B[aa])"))], options, 9, 9, "benchmark")
    assert refused(found).reason == "too-large"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("30k", 0),
        ("1k", 29),
        ("1d", 30),
        ("9 dan", 38),
        ("9p", 49),
        ("3段", 32),
        ("5级", 25),
        ("6d?", 35),
        ("", None),
    ],
)
def test_ranks(text, value):
    assert filters.rank(text) == value


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Chinese", "chinese"),
        ("japanese", "japanese"),
        ("AGA", "aga-like"),
        ("Tromp-Taylor", "tromp-taylor"),
        ("日本ルール", "japanese"),
        ("中国规则", "chinese"),
        ("NZ", ""),
        ("", ""),
    ],
)
def test_names_of_rules(text, name):
    assert filters.rules_name(text) == name


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, 109), st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=2)), max_size=5))
def test_fuzz_of_whole_sources(tmp_path, data, number, changes):
    with zipfile.ZipFile(data / "go9_katago_sgf.zip") as archive:
        raw = archive.read(archive.namelist()[number])
    for at, new in changes:
        raw = raw[:at] + new + raw[at + 1 :]
    path = tmp_path / "mutant.sgf"
    path.write_bytes(raw)
    found = run(source(path))
    assert found
    for each in found:
        if isinstance(each, Rejection):
            assert each.reason in REASONS
        else:
            assert tuple(each.record) == record.KEYS
