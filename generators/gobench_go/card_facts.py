"""What the cards of Go's datasets say that the core cannot know: licence, mix of sources, command line flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gobench.build.journal import JOURNAL
from gobench.types import Domain, Json, Record

# archives that the project ships and that are in the public domain, by sha256: so far one, of self-play by KataGo
PUBLIC_DOMAIN = frozenset({"ade5e3d6b1f73c84bca26c2bc4a833e5ca91324332c44f6aa5db5506a2c114c2"})
LOOKS = ("theme", "size", "reannotate", "randomise")
"""Options that have a flag of their own name."""
ADDED = {"sgf": ("sgf", "YOUR-GAMES"), "videoworld": ("videoworld_tars", "YOUR-TARS")}
"""Kind of a source -> the flag that adds it after a recipe's own, in this order, and what to fill in."""


def card_facts(domain: Domain, manifest: Mapping[str, Json]) -> Record:
    """``license``, ``flags`` and ``unused`` of a dataset, as ``gobench.card.facts`` takes them; for the template:

    ``shipped`` is whether all games from outside are those of the project's own archive, ``asked`` are the games
    that each source of self-play was asked for, in the order of the sources.
    """
    config = manifest["config"]
    inputs = {name: digest for name, digest in manifest["inputs"].items() if name != JOURNAL}
    options = config["options"]
    recipe = domain.recipes().get(config["recipe"], {})
    before = domain.configure(recipe.get("options", {}))
    return {
        "license": license_of(inputs),
        "flags": flags(before, options),
        "unused": unused(options),
        "shipped": bool(inputs) and set(inputs.values()) <= PUBLIC_DOMAIN,
        "asked": asked(config.get("episodes", 0), options.get("sources", [])),
    }


def unused(options: Mapping[str, Json]) -> list[str]:
    """Settings that decide nothing: a recipe's komi where every game is an SGF, which brings its own."""
    return ["options.komi"] if {source["kind"] for source in options.get("sources", [])} == {"sgf"} else []


def asked(episodes: int, sources: Sequence[Mapping[str, Json]]) -> list[int]:
    """How many games each source of self-play among ``sources`` plays."""
    from gobench_go.sources.mixed import shared_out

    return shared_out(
        episodes, [source.get("share", 1) for source in sources if source["kind"] == "selfplay"]
    )


def license_of(inputs: Mapping[str, str]) -> str:
    """CC0 where all games are the project's own or in the public domain, else "other"."""
    return "cc0-1.0" if set(inputs.values()) <= PUBLIC_DOMAIN else "other"


def flags(before: Mapping[str, Json], after: Mapping[str, Json]) -> Record:
    """Flags that lead from some options to others, as far as flags can (see ``overrides.apply``)."""
    given = {key: after[key] for key in LOOKS if after.get(key) and after[key] != before[key]}
    own, sources = before["sources"], after.get("sources", [])
    added = [str(source["kind"]) for source in sources[len(own) :]]
    if added == [kind for kind in ADDED if kind in added]:
        given |= {ADDED[kind][0]: [ADDED[kind][1]] for kind in added}
    old, new = teachers(own), teachers(sources)
    if old and old != new and len(new) == 1:
        given["teacher"] = new.pop()
    return given


def teachers(sources: Sequence[Mapping[str, Json]]) -> set[str]:
    """Who plays in the self-play among some sources."""
    return {str(source["teacher"]) for source in sources if source["kind"] == "selfplay"}
