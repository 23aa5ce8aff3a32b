"""The dataset card: ``README.md`` filled from the manifest, the same bytes every time.

The text lies in ``cards/`` as Jinja templates: ``dataset.md.j2`` is the frame, ``NAME.md.j2`` fills its
blocks for the domain NAME. The front matter declares every column, so that ``datasets`` need not guess types.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gobench import atomic, canonical
from gobench.build.assemble import MANIFEST, SUMS, read_sums
from gobench.build.journal import JOURNAL
from gobench.build.recipes import CORE_KEYS, SPLITS
from gobench.dataset import read_manifest
from gobench.errors import UsageError
from gobench.types import Domain, Json, Record

if TYPE_CHECKING:
    from jinja2 import Environment, Template

CARD = "README.md"
FRAME = "dataset"
SUFFIX = ".md.j2"
DATA_FILES = "data/{split}-*.tar"

# what stands after KEY. in a shard -> its type in the hub's YAML, and what it is
MEMBERS: Mapping[str, tuple[Json, str]] = {
    "mp4": ("video", "the clip as H.264"),
    "png": ({"image": {"mode": "RGB"}}, "the last frame"),  # flat drawings are stored with a palette
    "frames.zip": ("binary", "all frames, one stored PNG each"),
}
LOSSLESS = "the clip as H.264: x264 RGB, lossless"
SIZE_CATEGORIES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
)
CORE_FLAGS = {
    "episodes": "games",
    "codec": "codec",
    "seed": "seed",
    "shards": "shards",
    "shard_size": "shard-size",
}
"""Key of a build's config -> flag of ``gobench build-dataset``."""
MEANING: Mapping[str, str] = {
    "&": "&amp;", "<": "&lt;", ">": "&gt;", **{letter: f"\\{letter}" for letter in "\\`*[]"},
}  # fmt: skip
"""Letters that Markdown or HTML would not print -> how they are written."""
BARE = re.compile(r"(?!(true|false|inf|nan)$)[A-Za-z][\w-]*", re.ASCII)
"""Texts that mean themselves in ``--set KEY=VALUE``."""


def card_text(folder: Path | str) -> str:
    """The card of a finished dataset. It depends on the build alone: no date, no path.

    Raises:
        DataError: no finished dataset lies there.
    """
    return render(read_manifest(folder))


def write_card(folder: Path | str) -> Path:
    """Write a finished dataset's card anew, with its sum in ``SHA256SUMS`` and the manifest.

    For a dataset that was built before the text or the templates changed.
    """
    root = Path(folder)
    manifest = read_manifest(root)
    sums = read_sums(root)
    text = render(manifest).encode()
    (root / MANIFEST).unlink()  # as in a build: while something is being written, the folder is not done
    sums[CARD] = atomic.write(root / CARD, text)
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    new = manifest | {"sums": atomic.write(root / SUMS, lines.encode())}
    atomic.write(root / MANIFEST, canonical.pretty(new))
    return root / CARD


def extra(folder: Path, manifest: Record) -> Mapping[str, bytes]:
    """The card as a further file of a build (``gobench.build.assemble.Extra``)."""
    return {CARD: render(manifest).encode()}


def render(manifest: Record) -> str:
    """Front matter and text of the card for a manifest, whatever the order of its keys."""
    manifest = canonical.loads(canonical.dumps(manifest), MANIFEST)
    manifest["splits"] = {name: manifest["splits"][name] for name in SPLITS if name in manifest["splits"]}
    own = manifest["domain"]["name"]
    name = own if own + SUFFIX in _environment().list_templates() else FRAME
    text = template(name).render(context(manifest))
    return f"---\n{front_matter(manifest)}---\n\n{text.strip()}\n"


def template(name: str) -> Template:
    """The template ``cards/NAME.md.j2``, with the filters of all cards."""
    return _environment().get_template(name + SUFFIX)


def templates() -> Path:
    """The folder ``cards/``: inside the installed package, or at the top of a checkout."""
    inside = Path(__file__).parent / "cards"
    return inside if inside.is_dir() else Path(__file__).parents[1] / "cards"


def license_of(manifest: Record) -> str:
    """The hub's id of the licence, as the domain tells it; else "other"."""
    return str(facts(manifest).get("license", "other"))


def front_matter(manifest: Record) -> str:
    """The YAML between the dashes: licence, tags, data files by split, declared features and counts."""
    import yaml  # type: ignore[import-untyped]

    kind, splits = license_of(manifest), manifest["splits"]
    files = [{"split": name, "path": DATA_FILES.format(split=name)} for name in splits]
    counts = [
        {"name": name, "num_bytes": s["bytes"], "num_examples": s["samples"]} for name, s in splits.items()
    ]
    table: Record = {
        "license": kind,
        **({"license_name": "see-sources", "license_link": "#licence"} if kind == "other" else {}),
        "pretty_name": f"Video-GoBench {manifest['recipe']}",
        "size_categories": [size_category(manifest["samples"])],
        "task_categories": ["image-to-video", "other"],
        "tags": sorted({"video", "webdataset", "world-model", "video-gobench", manifest["domain"]["name"]}),
        "configs": [{"config_name": "default", "data_files": files}],
        "dataset_info": {
            "config_name": "default",
            "features": columns(manifest),
            "splits": counts,
            "download_size": manifest["bytes"],
            "dataset_size": manifest["bytes"],
        },
    }
    return str(yaml.safe_dump(table, sort_keys=False, allow_unicode=True, width=1000))


def columns(manifest: Record) -> list[Record]:
    """The columns that ``datasets`` sees, in the hub's YAML: one a member, the record as a struct."""
    struct = [{"name": name, **_yaml(feature)} for name, feature in manifest["features"].items()]
    table: Record = {suffix: {"dtype": MEMBERS[suffix][0]} for suffix in pictures(manifest)}
    table["json"] = {"struct": struct}
    names = [*sorted(table), "__key__", "__url__"]
    return [{"name": name, **table.get(name, {"dtype": "string"})} for name in names]


def pictures(manifest: Record) -> list[str]:
    """Suffixes of a sample's files beside the record, sorted."""
    return sorted(set(manifest["members"]) - {"json"})


def _yaml(feature: Json) -> Record:
    """A feature dictionary in the hub's YAML: a value, a list (of anything) or a struct."""
    kind = feature.get("_type")
    if kind == "Value":
        return {"dtype": feature["dtype"]}
    if kind == "List":
        inner = _yaml(feature["feature"])
        return {"list": inner["dtype"] if set(inner) == {"dtype"} else inner.get("struct", inner)}
    if kind is None:
        return {"struct": [{"name": name, **_yaml(inner)} for name, inner in feature.items()]}
    return {"dtype": str(kind).lower()}


def size_category(samples: int) -> str:
    """The hub's name for a number of samples."""
    return next((name for limit, name in SIZE_CATEGORIES if samples < limit), "n>10M")


def context(manifest: Record) -> dict[str, Any]:
    """What the templates may use."""
    told = facts(manifest)
    unused = told.get("unused", ())
    return {
        "data": manifest,
        "facts": told,
        "config": manifest["config"],
        "options": manifest["config"]["options"],
        "license": license_of(manifest),
        "members": {suffix: member(suffix, manifest["codec"]) for suffix in pictures(manifest)},
        "settings": [row for row in settings(manifest["config"]) if row[0] not in unused],
        "candidates": manifest["samples"] + sum(manifest["rejected"].values()),
        "command": command(manifest),
        "citation": citation(),
    }


def member(suffix: str, codec: str) -> str:
    """What a sample's file beside the record is, as a codec writes it."""
    return LOSSLESS if (suffix, codec) == ("mp4", "lossless") else MEMBERS[suffix][1]


def citation() -> str:
    """How to cite, as BibTeX."""
    return (templates() / "citation.bib").read_text(encoding="utf-8").strip()


def domain_of(manifest: Record) -> Domain | None:
    """The domain that made a dataset, None where it is not installed."""
    from gobench import registry

    try:
        return registry.domain(manifest["domain"]["name"])
    except UsageError:
        return None


def facts(manifest: Record) -> Record:
    """What the domain adds to a card by ``card_facts(manifest)``; {} where it has nothing to add.

    ``license`` is the hub's id of the licence of the whole dataset, ``flags`` are command-line flags (name ->
    value, as its ``override`` takes them) that lead from the recipe to the dataset's options,
    ``unused`` are dotted settings that decide nothing here. Whatever else there is goes to the domain's template.
    """
    hook = getattr(domain_of(manifest), "card_facts", None)
    return dict(hook(manifest)) if hook else {}


def settings(table: Mapping[str, Json], prefix: str = "") -> Iterator[tuple[str, str]]:
    """A config as (dotted key, value) rows; where files lay on the maker's disk is left out."""
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from settings(value, f"{name}.")
        elif isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value):
            for i, row in enumerate(value):
                yield from settings(row, f"{name}[{i}].")
        elif key != "paths":
            yield name, canonical.dumps(value).decode()


def command(manifest: Record) -> str:
    """The command line that makes a dataset; what no flag can say is put into a recipe file first."""
    config, flags = manifest["config"], facts(manifest).get("flags", {})
    base = reached(manifest, flags)
    words = [*_core_words(config, base), *_flag_words(flags if base else {})]
    for key, value in changes(base.get("options", {}), config["options"]):
        words.append(f"--set {shlex.quote(f'{key}={value if _bare(value) else toml(value)}')}")
    words += [f"--journal {JOURNAL}"] if JOURNAL in manifest["inputs"] else []
    rest = [key for key in config if key in CORE_KEYS - set(CORE_FLAGS) and config[key] != base.get(key)]
    if not rest:
        return _line("gobench build-dataset", shlex.quote(config["recipe"]), "--out PATH", *words)
    table = {"base": config["recipe"]} | {key: config[key] for key in rest}
    lines = [f"{key} = {toml(value)}" for key, value in table.items()]
    return "\n".join(
        [
            "cat > recipe.toml <<'END'",
            *lines,
            "END",
            _line("gobench build-dataset recipe.toml --out PATH", *words),
        ]
    )


def reached(manifest: Record, flags: Mapping[str, Json]) -> Record:
    """The config that a dataset's recipe and some flags give today; {} where the recipe is not installed."""
    from gobench.build.recipes import configure

    domain, recipe = domain_of(manifest), manifest["config"]["recipe"]
    try:
        if domain is None:
            return {}
        options = domain.recipes().get(recipe, {}).get("options", {})
        override = getattr(domain, "override", None)
        config = configure(domain, recipe, None, override(options, flags) if flags and override else options)
    except UsageError:
        return {}
    return dict(canonical.loads(canonical.dumps(config.to_json()), recipe))


def changes(before: Json, after: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """(dotted key, value) for each option that is not as before; tables in lists go by number."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(after):
            yield from changes(before.get(key), after[key], f"{path}.{key}" if path else key)
    elif _tables(before) and _tables(after) and len(before) == len(after):
        for i, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from changes(old, new, f"{path}.{i}")
    elif before != after:
        yield path, after


def toml(value: Json) -> str:
    """Plain data as a TOML value."""
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{key if _bare(key) else toml(key)} = {toml(item)}" for key, item in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return canonical.dumps(value).decode()


def _core_words(config: Record, base: Record) -> Iterator[str]:
    for key, flag in CORE_FLAGS.items():
        if key in config and config[key] != base.get(key):
            yield f"--{flag} {shlex.quote(str(config[key]))}"


def _flag_words(flags: Mapping[str, Json]) -> Iterator[str]:
    for name, given in flags.items():
        flag = "--" + name.replace("_", "-")
        for value in given if isinstance(given, list) else [given]:
            yield flag if value is True else f"{flag} {shlex.quote(str(value))}"


def _line(*words: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in " ".join(words))


def _bare(value: Json) -> bool:
    return isinstance(value, str) and BARE.fullmatch(value) is not None


def _tables(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(item, Mapping) for item in value)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # the card is Markdown, so values are made harmless by the filters below instead of by HTML escapes
    environment = Environment(
        loader=FileSystemLoader(templates()), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        code=code, line=line, cell=cell, type=type_name, thousands=_thousands, count=count, size=file_size
    )
    environment.tests["starting"] = str.startswith
    return environment


def _thousands(number: int) -> str:
    return f"{number:,}"


def count(number: int, noun: str) -> str:
    """A number of things: "1 game", "2,000 games"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def file_size(size: int) -> str:
    """Bytes for people: KiB below one MiB."""
    return f"{size / (1 << 20):,.1f} MiB" if size >= 1 << 20 else f"{size / (1 << 10):,.1f} KiB"


def type_name(feature: Json) -> str:
    """A feature for people: "int64", "list of int64"."""
    kind = feature.get("_type", "struct")
    if kind == "List":
        return f"list of {type_name(feature['feature'])}"
    return str(feature["dtype"]) if kind == "Value" else str(kind).lower()


def line(value: object) -> str:
    """Any text as one line of Markdown that means itself: no HTML, link, picture or code."""
    text = " ".join(str(value).split())
    return "".join(MEANING.get(letter, letter) for letter in text)


def cell(value: object) -> str:
    """The same as one cell of a table."""
    return line(value).replace("|", "¦")


def code(value: object) -> str:
    """Any text as inline code that stays one cell of a table: no line breaks, pipes or stray backticks."""
    text = " ".join(str(value).split()).replace("`", "'").replace("|", "¦")
    return f"`{text}`" if text else ""
