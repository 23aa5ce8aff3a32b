"""What the page needs of one episode, as plain data: a thumbnail, facts, and a way to play it.

There are two ways, and an episode may have both: its *pixels* (the stored MP4 if browsers play it, else its
frames as pictures), and a *board*, for domains whose episodes are discs on a grid.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, TypedDict, cast

from gobench.codec import mp4
from gobench.dataset import Dataset
from gobench.errors import DataError
from gobench.preview.pictures import fitted
from gobench.shards import Sample
from gobench.types import Array, Domain, Json, Record

THUMB, QUALITY = 128, 72
LARGE = 12_000  # letters of a data URI
PLAYABLE = ("h264", "h264-direct")  # codecs whose MP4 every browser plays
MOST_FRAMES = 128  # of a clip that is shown as pictures
LONGEST_FACT = 160


class Replay(TypedDict, total=False):
    """An episode as discs on a grid: what a domain's ``replay(record)`` returns. ``boards`` is needed."""

    rows: int
    cols: int
    boards: Sequence[
        str
    ]  # a string of rows x cols of ".XO" from the top left for each moment: none, dark, light
    last: Sequence[int]  # for each moment the point that was played last, -1 for none
    labels: Sequence[str]  # for each moment a few words: "Black E5"
    hints: Sequence[int]  # for each moment the point that a teacher would play next, -1 for none
    values: Sequence[float]  # for each moment a number from 0 to 1 for a curve, -1 for none
    values_name: str
    columns: Sequence[str]  # names of the columns from the left, and of the rows from the top
    lines: Sequence[str]
    dots: Sequence[int]  # points that carry a small dot
    title: str
    facts: Mapping[str, Json]  # shown instead of the record's keys
    first: int  # moment that frame 0 of the clip shows


def describe(data: Dataset, sample: Sample, domain: Domain | None, pixels: bool) -> Record:
    """One entry of the page; ``pixels`` asks for the frames also where there is a board."""
    record = sample.record()
    board = board_of(domain, record)
    facts = board.pop("facts", None) or record
    return {
        "key": sample.key,
        "split": record["split"],
        "title": board.pop("title", ""),
        "facts": [[name, text] for name, value in facts.items() if (text := _fact(value))],
        "thumb": thumbnail(data, sample, domain),
        **({"board": board} if board else {}),
        **({"pixels": pixels_of(data, sample, domain)} if pixels or not board else {}),
    }


def board_of(domain: Domain | None, record: Record) -> Record:
    """The domain's replay with its boards as differences, or {} where it has none to offer."""
    hook = getattr(domain, "replay", None)
    if hook is None:
        return {}
    try:
        replay = cast(Record, dict(hook(record)))
        boards = replay.pop("boards")
    except (DataError, KeyError, TypeError, ValueError):
        return {}  # the pixels are shown instead
    if not boards or any(len(board) != replay["rows"] * replay["cols"] for board in boards):
        return {}
    steps = [difference(old, new) for old, new in pairwise(boards)]
    return replay | {"start": boards[0], "steps": steps}


def difference(old: str, new: str) -> str:
    """The points that change, as text: ``"40X41."`` puts a dark disc on 40 and empties 41."""
    return "".join(f"{i}{b}" for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b)


def thumbnail(data: Dataset, sample: Sample, domain: Domain | None) -> str:
    """The clip's last frame, small, as a data URI."""
    if "png" in sample.members:
        from gobench.codec.pictures import decode  # never Pillow's own guess: it hands EPS to Ghostscript

        try:
            picture = decode(sample.members["png"])
        except DataError as error:
            raise DataError(f"{sample.key}.png: {error} Run `gobench verify`.") from error
        return webp(fitted(picture, THUMB))
    last = int(sample.record()["frames"]) - 1
    return webp(fitted(data.frames(sample, last, last + 1, domain=domain)[0], THUMB))


def pixels_of(data: Dataset, sample: Sample, domain: Domain | None) -> Record:
    """``{"video": URI, "fps": n, "frames": n}`` or ``{"pictures": [URI], "times": [frame]}``."""
    if data.plan.config.codec in PLAYABLE:
        return {"video": _uri("video/mp4", sample.members["mp4"]), **_timing(sample)}
    length = int(sample.record()["frames"])
    step = -(-length // MOST_FRAMES)
    frames = data.frames(sample, 0, None, step, domain=domain)
    return {"pictures": [_picture(frame) for frame in frames], "times": list(range(0, length, step))}


def _timing(sample: Sample) -> Record:
    try:
        rate = mp4.read(sample.members["mp4"]).fps  # our own files alone: playlists name other files
    except DataError as error:
        raise DataError(f"{sample.key}.{error} Run `gobench verify`.") from error
    return {"fps": float(rate), "frames": int(sample.record()["frames"])}


def _picture(frame: Array) -> str:
    """A frame as it is, or with loss where that would be large: flat drawings are smallest exact."""
    picture = fitted(frame, max(frame.shape[0], frame.shape[1], 64))
    exact = webp(picture, lossless=True, method=0)
    return exact if len(exact) <= LARGE else webp(picture)


def webp(picture: Any, lossless: bool = False, method: int = 4) -> str:
    """A Pillow picture as a data URI."""
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=QUALITY, lossless=lossless, method=method)
    return _uri("image/webp", file.getvalue())


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _fact(value: Json) -> str:
    """A value as a short text; lists and tables are no facts."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, dict)) or value == "":
        return ""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST_FACT else text[: LONGEST_FACT - 1] + "…"
