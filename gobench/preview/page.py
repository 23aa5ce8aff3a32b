"""The page: one HTML file with everything in it, that plays episodes from a disk without a network.

Records are untrusted. They travel as JSON in which ``<``, ``>`` and ``&`` are escaped, the script shows them
as text only, and the page's own policy lets the browser run this very script, load nothing and send nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from gobench import pages, registry
from gobench.build.recipes import SPLITS
from gobench.dataset import Dataset
from gobench.errors import UsageError
from gobench.preview import clips
from gobench.types import Domain, Json, Record


@dataclass(frozen=True)
class Words:
    """What the page calls an episode, several of them, and the groups that they are in; and what there is besides."""

    one: str = "clip"
    many: str = "clips"
    split: str = "split"
    splits: str = "splits"
    aside: str = "The contact sheet beside it needs none."  # what there is without JavaScript


WITH_PIXELS = 12  # of the episodes that have a board, how many carry their frames too
WITHOUT_BOARD = 24  # how many episodes there are where none has a board: frames take room
ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def render(data: Dataset, numbers: Sequence[int], domain: Domain | None = None) -> str:
    """The page for some samples of a dataset. Raises DataError for a broken sample."""
    domain = domain or _installed(data.plan.config.domain)
    shown = list(_episodes(data, numbers, domain))
    return document(str(data.manifest["recipe"]), summary(data.manifest), shown)


def document(
    title: str, facts: Sequence[str], episodes: Sequence[Record], words: Words | None = None,
    above: tuple[str, str] = ("", ""),
) -> str:  # fmt: skip
    """The page for described episodes (see ``gobench.preview.clips.describe``).

    Args:
        words: what episodes are called.
        above: safe markup to stand above the player, and its style (see ``gobench.pages.fragment``).
    """
    words = words or Words()
    data = embedded({"episodes": list(episodes), "splits": words.splits})
    markup, style = above
    return pages.render(
        "gobench.preview", script=True, style=style, title=title, facts=facts, data=data, words=words,
        above=markup,
    )  # fmt: skip


def embedded(value: Json) -> str:
    """JSON that may stand inside a ``<script>`` element, whatever strings it holds."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.translate(ESCAPES)


def summary(manifest: Record) -> list[str]:
    """The dataset in a few words each."""
    words = [f"{manifest['samples']:,} clips", f"{manifest['frames']:,} frames"]
    splits = manifest["splits"]
    words += [f"{splits[name]['samples']:,} {name}" for name in SPLITS if name in splits]
    return [*words, f"codec {manifest['codec']}"]


def _episodes(data: Dataset, numbers: Sequence[int], domain: Domain | None) -> list[Record]:
    found: list[Record] = []
    for number in numbers:
        episode = clips.describe(data, data.read(number), domain, pixels=len(found) < WITH_PIXELS)
        found.append(episode)
        if len(found) >= WITHOUT_BOARD and not any("board" in e for e in found):
            break
    return found


def _installed(name: str) -> Domain | None:
    try:
        return registry.domain(name)
    except UsageError:
        return None  # stored frames can be shown without it
