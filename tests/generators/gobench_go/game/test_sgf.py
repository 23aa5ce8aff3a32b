"""The SGF reader: encodings, versions, setups, komi, results, broken and hostile files, and writing."""

from __future__ import annotations

import gzip
import json
import pickle
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gobench_go.game import coords, sgf, sgf_text
from gobench_go.game.sgf import SgfError, SgfGame

ROOT = Path(__file__).parents[4]
GAMES = ROOT / "tests/data/go9_katago_sgf.zip"
JUDGED = ROOT.parent / "shared/data/go9_katago_judged.jsonl.gz"


def one(text: str | bytes) -> SgfGame | SgfError:
    found = list(sgf.read(text.encode() if isinstance(text, str) else text))
    assert len(found) == 1
    return found[0]


def game(text: str | bytes) -> SgfGame:
    found = one(text)
    assert isinstance(found, SgfGame), found
    return found


def reason(text: str | bytes) -> tuple[str, int]:
    found = one(text)
    assert isinstance(found, SgfError), found
    assert found.reason in sgf.REASONS
    assert "\n" not in found.detail
    return found.reason, found.ply


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    with zipfile.ZipFile(GAMES) as archive:
        return [archive.read(name) for name in sorted(archive.namelist())]


def test_a_plain_game():
    found = game(
        "(;GM[1]FF[4]SZ[9]KM[7]RU[Chinese]PB[Ann]PW[Bob]BR[3d]WR[1k]RE[B+2.50];B[ee];W[ca];B[];W[tt])"
    )
    assert (found.rows, found.cols, found.setup) == (9, 9, "")
    assert found.moves == (40, 2, 81, 81)
    assert found.colors == (1, 2, 1, 2)
    assert (found.komi, found.rules, found.result) == (7.0, "Chinese", "B+2.5")
    assert (found.black, found.white, found.black_rank, found.white_rank) == ("Ann", "Bob", "3d", "1k")


def test_real_games_all_read(files):
    games = [game(data) for data in files]
    assert len(games) == 110
    assert {(g.rows, g.cols, g.komi, g.rules) for g in games} == {(9, 9, 7.0, "Chinese")}


@pytest.mark.skipif(not JUDGED.exists(), reason="needs the judged games in ../shared/data")
def test_real_games_have_the_moves_of_the_judged_ones(files):
    with gzip.open(JUDGED, "rt") as lines:
        for data, line in zip(files, lines, strict=True):
            wanted = [coords.index_of_gtp(move, 9, 9) for move in json.loads(line)["moves"]]
            assert list(game(data).moves) == wanted


@pytest.mark.parametrize(
    ("text", "encoding", "name"),
    [
        ("(;SZ[9]PB[武宮正樹]PW[小林光一];B[aa])", "utf-8", "武宮正樹"),
        ("(;SZ[9]PB[武宮正樹]PW[小林光一];B[aa])", "utf-8-sig", "武宮正樹"),
        ("(;SZ[9]PB[武宮正樹]PW[小林光一];B[aa])", "utf-16", "武宮正樹"),
        ("(;SZ[9]PB[武宮正樹]PW[小林光一];B[aa])", "cp932", "武宮正樹"),
        ("(;SZ[9]PB[古力]PW[常昊];B[aa])", "gb18030", "古力"),
        ("(;CA[Shift_JIS]SZ[9]PB[表ソ十]PW[能];B[aa])", "cp932", "表ソ十"),
        ("(;CA[Big5]SZ[9]PB[許功蓋]PW[a];B[aa])", "big5", "許功蓋"),
        ("(;CA[EUC-KR]SZ[9]PB[이창호]PW[a];B[aa])", "cp949", "이창호"),
        ("(;SZ[9]PB[Müller]PW[Çelik];B[aa])", "latin-1", "Müller"),
        ("(;CA[UTF-8]SZ[9]PB[Müller]PW[a];B[aa])", "latin-1", "Müller"),
        ("(;CA[no-such-thing]SZ[9]PB[Müller]PW[a];B[aa])", "utf-8", "Müller"),
        ("(;CA[ISO-2022-JP]SZ[9]PB[武宮正樹]PW[小林光一];B[aa])", "iso2022_jp", "武宮正樹"),
        ("(;SZ[9]PB[武宮正樹]PW[小林光一];B[aa])", "iso2022_jp", "武宮正樹"),
        ("(;CA[Shift_JIS]SZ[9]PB[武宮正樹]PW[a];B[aa])", "iso2022_jp", "武宮正樹"),
        ("(;CA[ISO-2022-KR]SZ[9]PB[이창호]PW[a];B[aa])", "iso2022_kr", "이창호"),
        ("(;CA[HZ-GB-2312]SZ[9]PB[古力]PW[常昊];B[aa])", "hz", "古力"),
        ("(;CA[KOI8-R]SZ[9]PB[Шикшин]PW[a];B[aa])", "koi8-r", "Шикшин"),
        ("(;CA[windows-1251]SZ[9]PB[Шикшин]PW[a];B[aa])", "cp1251", "Шикшин"),
        ("(;CA[EUC-JP]SZ[9]PB[武宮正樹]PW[a];B[aa])", "euc_jp", "武宮正樹"),
        ("(;CA[ISO-2022-JP]SZ[9]PB[plain]PW[a];B[aa])", "ascii", "plain"),
        ("(;CA[ISO-2022-JP]SZ[9]PB[Müller]PW[a];B[aa])", "utf-8", "Müller"),
        (r"(;CA[unicode_escape]SZ[9]PB[a\\u0041]PW[Ü];B[aa])", "utf-8", r"a\u0041"),
        (r"(;CA[raw_unicode_escape]SZ[9]PB[a\\u0041]PW[Ü];B[aa])", "utf-8", r"a\u0041"),
        ("(;SZ[9]PB[a~{b]PW[~}];B[aa])", "utf-8", "a~{b"),
        ("(;SZ[9]PB[a\x1b$Bü]PW[b];B[aa])", "utf-8", "a $Bü"),
        ("(;CA[punycode]SZ[9]PB[Müller]PW[a];B[aa])", "utf-8", "Müller"),
    ],
)
def test_encodings(text, encoding, name):
    found = game(text.encode(encoding))
    assert found.black == name
    assert found.moves == (0,)


def test_bytes_that_do_not_decode_never_stop_a_game():
    found = game(b"(;SZ[9]PB[\xff\xfe\x81 \x00\x07x]PW[\xed\xa0\x80];B[aa])")
    assert found.moves == (0,)
    assert found.black.encode("utf-8")
    assert not set(found.black) & {"\0", "\a"}


def test_escapes_and_line_breaks_in_names():
    assert game(r"(;SZ[9]PB[a\]b\\c\:d];B[aa])").black == r"a]b\c:d"
    assert game("(;SZ[9]PB[a\nb\r\n c];B[aa])").black == "a b c"


def test_long_names_are_cut():
    assert len(game(f"(;SZ[9]PB[{'x' * 5000}];B[aa])").black) == sgf_text.MAX_TEXT


def test_old_files_with_long_property_names():
    found = game("(;GaMe[1]SiZe[9]PlayerBlack[Ann]KoMi[5.5];Black[aa];White[tt])")
    assert found.moves == (0, 81)
    assert (found.black, found.komi) == ("Ann", 5.5)


def test_the_main_line_is_the_first_variation():
    assert game("(;SZ[9];B[aa](;W[bb];B[cc](;W[dd])(;W[ee]))(;W[ff];B[gg]))").moves == (0, 10, 20, 30)


def test_rectangles_missing_size_and_the_corner_point_tt_of_larger_boards():
    found = game("(;SZ[5:3];B[ec];W[aa])")
    assert (found.rows, found.cols, found.moves) == (3, 5, (14, 0))
    assert game("(;GM[1];B[ss])").moves == (360,)
    assert game("(;SZ[19];B[tt])").moves == (361,)


@pytest.mark.parametrize("size", ["0", "20", "25", "9:30", "abc", "9:9:9", "-9", "٩", "999999999"])
def test_sizes_that_are_none(size):
    assert reason(f"(;SZ[{size}];B[aa])") == ("board-size", -1)


def test_setup_before_the_first_move():
    found = game("(;SZ[3]AB[aa][ca]AW[bb];AE[ca]AB[cc];W[ac])")
    assert found.setup == "X...O...X"
    assert (found.moves, found.colors) == ((6,), (2,))


def test_setup_rectangles_and_empty_lists():
    assert game("(;SZ[3]AB[aa:ba]AW[]AE[];W[ac])").setup == "XX......."
    assert game("(;SZ[3]AB[ba:aa];W[ac])").setup == "XX......."


def test_setup_with_a_move_in_the_same_node():
    found = game("(;SZ[3]AB[aa]W[bb])")
    assert (found.setup, found.moves) == ("X........", (4,))


def test_setup_between_moves_is_refused_and_after_the_last_one_dropped():
    assert reason("(;SZ[9];B[aa];W[bb];AE[aa];B[cc])") == ("setup-midgame", 2)
    assert game("(;SZ[9];B[aa];W[bb];AE[aa])").moves == (0, 10)


def test_one_point_set_up_twice():
    assert reason("(;SZ[9]AB[aa]AW[aa])") == ("bad-setup", -1)
    assert game("(;SZ[9]AB[aa][aa])").setup.count("X") == 1


def test_handicap():
    assert game("(;SZ[9]HA[2]AB[cc][gg];W[ee])").handicap == 2
    assert game("(;SZ[9]HA[2];B[cc];B[gg];W[ee])").colors == (1, 1, 2)
    assert reason("(;SZ[9]HA[2];W[ee])") == ("handicap", -1)
    assert game("(;SZ[9]HA[0];W[ee])").colors == (2,)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("(;SZ[9];B[aa];W[jj])", ("bad-point", 1)),
        ("(;SZ[9];B[aa];W[AA])", ("bad-point", 1)),
        ("(;SZ[9];B[aaa])", ("bad-point", 0)),
        ("(;SZ[9]AB[tt])", ("bad-point", -1)),
        ("(;SZ[9]AB[aa:])", None),
        ("(;SZ[9]AB[aa:zz])", ("bad-point", -1)),
        ("(;SZ[9];B[aa]W[bb])", ("bad-node", 0)),
        ("(;SZ[9];B[aa]B[bb])", ("bad-node", 0)),
        ("(;GM[2]SZ[8];B[aa])", ("not-go", -1)),
        ("(;SZ[9]KM[6.75];B[aa])", ("komi", -1)),
        ("", ("unreadable", -1)),
        ("hello", ("unreadable", -1)),
        ("(;SZ[9]", ("unreadable", -1)),
        ("(;SZ[9];B[aa", ("unreadable", -1)),
        ("()", ("unreadable", -1)),
        ("(;SZ[9];B)", ("unreadable", -1)),
        (b"PK\x03\x04" + bytes(range(256)) * 8, ("unreadable", -1)),
    ],
)
def test_broken_games(text, why):
    if why is None:
        assert game(text).setup[0] == "X"
    else:
        assert reason(text) == why


def test_passes_after_the_end_are_cut_and_plays_refused():
    found = game("(;SZ[9];B[aa];W[];B[];W[];B[])")
    assert (found.moves, found.colors) == ((0, 81, 81), (1, 2, 1))
    assert reason("(;SZ[9];B[aa];W[];B[];W[bb])") == ("after-the-end", 3)


def test_a_collection_with_a_broken_game():
    found = list(sgf.read(b"(;SZ[9];B[aa]) junk (;SZ[9];B[aa]$$) (;GM[1]SZ[9];B[bb])"))
    assert [type(g) for g in found] == [SgfGame, SgfError, SgfGame]
    assert found[1].reason == "unreadable"
    assert found[2].moves == (10,)


def test_deep_nesting_is_refused_without_recursion():
    deep = "(;SZ[9]" + "(;B[aa]" * 200_000
    assert reason(deep + ")" * 200_001)[0] == "too-deep"
    fine = "(;SZ[9]" + "(;C[x]" * 1500 + ")" * 1501
    assert game(fine).moves == ()
    many = "(;SZ[9];B[aa]" + "(;W[bb])" * 5000 + ")"
    assert game(many).moves == (0, 10)
    brackets = "(;SZ[9]C[" + "(" * 5000 + "];B[aa])"
    assert game(brackets).moves == (0,)


def test_megabyte_properties():
    assert reason(f"(;SZ[9]C[{'x' * (3 << 20)}];B[aa])")[0] == "huge-property"
    assert reason("(;SZ[9]C[" + r"\]" * (1 << 20) + "];B[aa])")[0] == "huge-property"
    assert game(f"(;SZ[9]C[{'x' * (1 << 19)}];B[aa])").moves == (0,)


def test_endless_setups():
    assert reason("(;SZ[19]AB" + "[aa:ss]" * 100_000 + ")") == ("bad-setup", -1)
    assert reason("(;SZ[19]" + ";AB[aa:ss]" * 100_000 + ")") == ("bad-setup", -1)


def test_deep_nesting_behind_a_false_mark():
    assert reason(b"\xff\xfe" + b"(;B[aa]" * 100_000 + b")" * 100_000)[0] == "too-deep"


def test_too_many_plies():
    assert reason("(;SZ[9]" + ";B[aa]" * (sgf.MAX_PLIES + 1) + ")") == ("too-long", sgf.MAX_PLIES)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("6.5", 6.5),
        ("6,5", 6.5),
        (" 7 ", 7.0),
        ("7.", 7.0),
        ("375", 7.5),
        ("3.75", 7.5),
        ("2.75", 5.5),
        ("650", 6.5),
        ("-5.5", -5.5),
        ("0", 0.0),
        ("7.5目", 7.5),
        ("6.75", None),
        ("1e3", None),
        ("nan", None),
        ("inf", None),
        ("abc", None),
        ("6.500001", None),
    ],
)
def test_komi(text, value):
    assert sgf_text.komi(text) == value


def test_missing_komi_is_none():
    assert game("(;SZ[9];B[aa])").komi is None
    assert game("(;SZ[9]KM[];B[aa])").komi is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("B+3.50", "B+3.5"),
        ("w+12", "W+12"),
        ("W+1,5", "W+1.5"),
        ("B+R", "B+R"),
        ("W+Resign", "W+R"),
        ("B+Time", "B+T"),
        ("B+T", "B+T"),
        ("W+F", "W+F"),
        ("W+Forfeit", "W+F"),
        ("B+", "B+"),
        ("0", "0"),
        ("Draw", "0"),
        ("Jigo", "0"),
        ("B+0", "0"),
        ("Void", "?"),
        ("?", "?"),
        ("", "?"),
        ("黑中盘胜", "B+R"),
        ("白中盤勝", "W+R"),
        ("B+99999999999999999999", "?"),
    ],
)
def test_results(text, value):
    assert sgf_text.result(text) == value


def test_writing_and_reading_again():
    record = {
        "rows": 3,
        "cols": 4,
        "komi": 0.5,
        "rules": "benchmark",
        "black": r"a]b\c",
        "white": "武宮",
        "result": "W+1",
        "setup": "X..O........",
        "moves": [5, 12, 6, 12, 12],
        "colors": [2, 1, 1, 2, 1],
    }
    found = game(sgf.write(record))
    for key in ("rows", "cols", "komi", "rules", "black", "white", "result", "setup"):
        assert getattr(found, key) == record[key], key
    assert (list(found.moves), list(found.colors)) == (record["moves"], record["colors"])


def test_errors_pickle():
    error = SgfError("komi", "KM[x]", 3)
    again = pickle.loads(pickle.dumps(error))
    assert (again.reason, again.detail, again.ply) == ("komi", "KM[x]", 3)


def sound(data: bytes) -> None:
    """Whatever the bytes, only games and errors come out, with text that JSON can hold."""
    for found in sgf.read(data):
        if isinstance(found, SgfError):
            assert found.reason in sgf.REASONS
            found.detail.encode("utf-8")
        else:
            assert all(0 <= move <= found.rows * found.cols for move in found.moves)
            json.dumps([found.black, found.white, found.rules, found.result], ensure_ascii=False).encode(
                "utf-8"
            )


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.binary(max_size=300))
def test_fuzz_of_bytes(data):
    sound(data)


WORDS = (
    "( ) ; [ ] \\ B[aa] W[] AB[aa:cc] AE[bb] SZ[9] SZ[ KM[x] GM[1] HA[3] CA[gbk] CA[utf-7] RE[B+R] : B tt é"
)
TOKENS = st.sampled_from([*WORDS.split(), "表", "\n", "\0"])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(TOKENS, max_size=25), st.sampled_from(["utf-8", "cp932", "gb18030", "utf-16", "iso2022_jp"]))
def test_fuzz_of_tokens(tokens, encoding):
    sound(("(;" + "".join(tokens) + ")").encode(encoding, "replace"))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(0, 109), st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=3)), max_size=6))
def test_fuzz_of_mutated_games(files, number, changes):
    data = files[number]
    for at, new in changes:
        data = data[:at] + new + data[at + 1 :]
    sound(data)
