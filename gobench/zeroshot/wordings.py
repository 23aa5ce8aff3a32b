"""Instructions for models that take text: templates in ``wordings.toml``, words from the task."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from gobench.errors import UsageError, unknown
from gobench.tasks import Task

DEFAULT = "plain"
ANY = "*"


@cache
def wordings() -> Mapping[str, Mapping[str, str]]:
    """Wording -> "about", and kind of task -> template ("*": any other)."""
    return tomllib.loads((files("gobench.zeroshot") / "wordings.toml").read_text("utf-8"))


def template(wording: str, task: str) -> str:
    """The template of a wording for a task's name; raises UsageError for an unknown wording."""
    table = wordings()
    if wording not in table:
        raise unknown("wording", wording, table)
    kinds = table[wording]
    return kinds.get(task.rpartition("/")[2], kinds[ANY]).strip()


def instruction(wording: str, task: Task, sample: str) -> str:
    """The prompt of a sample in words, one line. Words with a capital are there even if the task gives none.

    Raises:
        UsageError: an unknown wording, or a word that the task does not have.
    """
    words = dict(task.wording(sample))
    words |= {k[:1].upper() + k[1:]: v[:1].upper() + v[1:] for k, v in words.items() if k[:1].islower()}
    try:
        return " ".join(template(wording, task.name).format_map(words).split())
    except KeyError as error:
        raise UsageError(
            f"the wording {wording!r} needs the word {error}, which {task.name} does not have: choose another."
        ) from error
