"""The text values of SGF: encodings, names, komi and results. Nothing here raises."""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Mapping

from sgfmill import sgf_grammar

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"\bCA\s*\[\s*([A-Za-z0-9_.:-]{1,40})\s*\]")
_ALIASES: Mapping[str, str] = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "x-gbk": "gb18030",
    "big5": "big5hkscs",
    "euc-kr": "cp949",
    "iso-8859-1": "cp1252",
    "ascii": "utf-8",
    "us-ascii": "utf-8",
}
"""Declared names -> the wider encoding that files with this name really use."""

_SHIFTING = re.compile(r"iso2022_\w+|hz")
"""Encodings that write other letters with ASCII bytes."""
_ESCAPE = re.compile(rb"\x1b\$(?:[@AB]|\([ABCD]|\)[AC])")
_ESCAPED = ("iso2022_jp_2", "iso2022_jp_ext", "iso2022_kr")
_ASCII_LIKE = re.compile(
    r"utf-8(-sig)?|cp[0-9]{3,4}|iso8859-[0-9]+|koi8[-_][rtu]|mac-\w+|ptcp154|kz1048|tis-620"
    r"|big5(hkscs)?|gb(k|2312|18030)|euc_(jp|jis_2004|jisx0213|kr)"
)
_GUESSES = ("cp932", "gb18030")
_PRINTABLE = bytes(range(32, 127))
_SAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_HIGH = re.compile(rb"[\x80-\xff]+")
MAX_TEXT = 120


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """One line of valid Unicode without control characters, cut to ``limit`` characters."""
    return " ".join(_SAFE.sub(" ", text[: 4 * limit]).split())[:limit]


def decode(raw: bytes) -> str:
    """UTF-8, anything else as U+FFFD."""
    return raw.decode("utf-8", "replace")


def simple(node: Mapping[str, list[bytes]], name: str) -> str:
    """The text of a node's property, escapes resolved; empty when it is missing."""
    values = node.get(name)
    return decode(sgf_grammar.simpletext_value(values[0])).strip() if values else ""


def utf8(data: bytes) -> bytes:
    """A whole file as UTF-8; plain ASCII comes back as it is."""
    if data.isascii() and not _shifts(data):
        return data
    return data.decode(encoding(data), "replace").encode("utf-8", "replace").lstrip(codecs.BOM_UTF8)


def encoding(data: bytes) -> str:
    """The encoding of a file: its mark, its CA if the bytes agree, what its escape sequences say, UTF-8 if the
    bytes agree, else a guess."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    declared = _declared(data)
    tries = (declared, *_ESCAPED) if _SHIFTING.fullmatch(declared) else (*_ESCAPED, declared)
    for name in tries if _ESCAPE.search(data) else (declared,):
        if name and _fits(data, name):
            return name
    return "utf-8" if _fits(data, "utf-8") else _guess(data)


def _shifts(data: bytes) -> bool:
    """Whether ASCII bytes may stand for other letters, as they do in ISO-2022 and HZ."""
    return _ESCAPE.search(data) is not None or _SHIFTING.fullmatch(_declared(data)) is not None


def _declared(data: bytes) -> str:
    """What CA says, in Python's spelling, or nothing."""
    found = _DECLARED.search(data[:4096])
    return _known(found[1].decode()) if found else ""


def _known(name: str) -> str:
    """Python's name of a text encoding in which ASCII is ASCII (no UTF-16, base64, unicode_escape, ...), or
    nothing."""
    name = _ALIASES.get(name.lower(), name)
    try:
        found = codecs.lookup(name).name
    except LookupError:
        return ""
    if _SHIFTING.fullmatch(found):
        return found
    same = _ASCII_LIKE.fullmatch(found) and _PRINTABLE.decode(found, "replace") == _PRINTABLE.decode("ascii")
    return found if same else ""


def _fits(data: bytes, name: str) -> bool:
    try:
        data.decode(name)
    except (UnicodeError, ValueError):
        return False
    return True


def _guess(data: bytes) -> str:
    """Lone bytes above 127 are accents (latin-1); else the encoding that gives the most East Asian
    letters."""
    if all(len(run) == 1 for run in _HIGH.findall(data[:65536])):
        return "cp1252" if _fits(data, "cp1252") else "latin-1"
    fitting = [name for name in _GUESSES if _fits(data, name)]
    return max(fitting, key=lambda name: _likely(data[:65536].decode(name, "ignore")), default="latin-1")


def _likely(text: str) -> float:
    """How much a text looks like Chinese or Japanese: common letters count, rare ones cost."""
    wide = [c for c in text if ord(c) > 127]
    good = sum("\u3040" <= c <= "\u30ff" or "\u4e00" <= c <= "\u9fa5" for c in wide)
    kana = sum("\u3040" <= c <= "\u30ff" for c in wide)
    odd = sum("\uff61" <= c <= "\uff9f" or "\ue000" <= c <= "\uf8ff" for c in wide)
    return (good + kana - 3 * odd) / max(1, len(wide))


_HUNDREDTHS = 100
_CHINESE: Mapping[float, float] = {2.75: 5.5, 3.25: 6.5, 3.75: 7.5}
"""Komi in Chinese stones -> points."""
_NUMBER = re.compile(r"([+-]?[0-9]{1,5}(?:\.[0-9]{0,6})?|[+-]?\.[0-9]{1,6})", re.ASCII)


def komi(text: str) -> float | None:
    """KM as a multiple of 0.5 between -1000 and 1000, or None (see the table in ``game.sgf``)."""
    found = _NUMBER.match(text.strip().replace(",", "."))
    if not found or re.match(r"[0-9.eE_]", text.strip()[found.end() :]):
        return None
    value = float(found[1])
    if abs(value) >= _HUNDREDTHS:
        value /= _HUNDREDTHS
    value = _CHINESE.get(value, value)
    return value + 0.0 if math.isfinite(value) and (value * 2).is_integer() else None


_WORDS = (
    (re.compile(r"^(0|draw|jigo|tie|持碁|和棋|无胜负)$", re.I), "0"),
    (re.compile(r"^([BW])\+([0-9]{1,4}(?:\.[0-9]{1,4})?)(?![0-9.])", re.I), "{0}+{1:g}"),
    (re.compile(r"^([BW])\+(?:R(?:esign(?:ation)?)?|中盘|中押)\b", re.I), "{0}+R"),
    (re.compile(r"^([BW])\+T(?:ime)?\b", re.I), "{0}+T"),
    (re.compile(r"^([BW])\+F(?:orfeit)?\b", re.I), "{0}+F"),
    (re.compile(r"^([BW])\+\s*$", re.I), "{0}+"),
)
_FAR_EAST = (
    (re.compile(r"黑.*(中盘|中押|认输|投了)|白(认输|投了)"), "B+R"),
    (re.compile(r"白.*(中盘|中押|认输|投了)|黑(认输|投了)"), "W+R"),
    (re.compile(r"^黑.*勝|^黑.*胜"), "B+"),
    (re.compile(r"^白.*勝|^白.*胜"), "W+"),
)


def result(text: str) -> str:
    """RE in one spelling: ``B+3.5``, ``W+R``, ``B+T``, ``W+F``, ``B+``, ``0`` or ``?``."""
    word = text.strip().replace(",", ".").replace("黒", "黑").replace("盤", "盘")
    for pattern, form in _WORDS:
        if found := pattern.match(word):
            number = float(found[2]) if found.re.groups == 2 else 0.0
            color = found[1].upper()
            return (
                "0" if form == "0" or (found.re.groups == 2 and number == 0) else form.format(color, number)
            )
    return next((form for pattern, form in _FAR_EAST if pattern.search(word)), "?")
