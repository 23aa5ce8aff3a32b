"""The dataset card: ``README.md`` filled from the manifest, the same bytes every time.

The text lies in ``cards/`` as Jinja templates: ``dataset.md.j2`` is the frame, ``NAME.md.j2`` fills its
blocks for the domain NAME. The front matter declares every column, so that ``datasets`` need not guess types.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gobench import atomic, canonical
from gobench.build.assemble import MANIFEST, SUMS
from gobench.build.recipes import SPLITS
from gobench.errors import DataError, UsageError
from gobench.types import Json, Record

if TYPE_CHECKING:
    from jinja2 import Environment

CARD = "README.md"
FRAME = "dataset"
SUFFIX = ".md.j2"
NEEDED = frozenset({"config", "domain", "features", "inputs", "members", "rejected", "shards", "splits"})
DATA_FILES = "data/{split}-*.tar"

# what stands after KEY. in a shard -> its type in the hub's YAML, and what it is
MEMBERS: Mapping[str, tuple[Json, str]] = {
    "mp4": ("video", "the clip as H.264"),
    "png": ({"image": {"mode": "RGB"}}, "the last frame"),  # flat drawings are stored with a palette
    "frames.zip": ("binary", "all frames, one stored PNG each"),
}
SIZE_CATEGORIES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
)
CORE_FLAGS = {
    "episodes": "--games",
    "codec": "--codec",
    "seed": "--seed",
    "shards": "--shards",
    "shard_size": "--shard-size",
}
OPTION_FLAGS = {
    "theme": "--theme",
    "size": "--size",
    "reannotate": "--reannotate",
    "randomise": "--randomise",
}
SOURCE_FLAGS = {"sgf": "--sgf YOUR-GAMES", "videoworld": "--videoworld-tars YOUR-TARS"}

# archives that the project ships and that are in the public domain, by sha256
PUBLIC_DOMAIN = frozenset({"ade5e3d6b1f73c84bca26c2bc4a833e5ca91324332c44f6aa5db5506a2c114c2"})


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
    digest = atomic.write(root / CARD, render(manifest).encode())
    old = (root / SUMS).read_text(encoding="utf-8").splitlines(keepends=True)
    lines = [line for line in old if line.rstrip("\n").partition("  ")[2] != CARD] + [f"{digest}  {CARD}\n"]
    sums = "".join(sorted(lines, key=lambda line: line.partition("  ")[2].rstrip("\n")))
    (root / MANIFEST).unlink()  # as in a build: while something is being written, the folder is not done
    new = manifest | {"sums": atomic.write(root / SUMS, sums.encode())}
    atomic.write(root / MANIFEST, canonical.pretty(new))
    return root / CARD


def extra(folder: Path, manifest: Record) -> Mapping[str, bytes]:
    """The card as a further file of a build (``gobench.build.assemble.Extra``)."""
    return {CARD: render(manifest).encode()}


def read_manifest(folder: Path | str) -> Record:
    """The manifest of a finished dataset; raises DataError if there is none."""
    path = Path(folder) / MANIFEST
    if not path.is_file():
        raise DataError(
            f"{folder} holds no finished dataset: it has no {MANIFEST}. "
            "Run `gobench build-dataset` first, or again if it was stopped."
        )
    manifest = canonical.read_json(path)
    if not isinstance(manifest, dict) or not set(manifest) >= NEEDED:
        raise DataError(f"{path} is not the manifest of a dataset.")
    return manifest


def render(manifest: Record) -> str:
    """Front matter and text of the card for a manifest, whatever the order of its keys."""
    manifest = canonical.loads(canonical.dumps(manifest), MANIFEST)
    manifest["splits"] = {name: manifest["splits"][name] for name in SPLITS if name in manifest["splits"]}
    environment = _environment()
    own = manifest["domain"]["name"] + SUFFIX
    name = own if own in environment.list_templates() else FRAME + SUFFIX
    text = environment.get_template(name).render(context(manifest))
    return f"---\n{front_matter(manifest)}---\n\n{text.strip()}\n"


def templates() -> Path:
    """The folder ``cards/``: inside the installed package, or at the top of a checkout."""
    inside = Path(__file__).parent / "cards"
    return inside if inside.is_dir() else Path(__file__).parents[1] / "cards"


def license_of(manifest: Record) -> str:
    """The hub's id of the licence: CC0 where all episodes are the project's own, else "other"."""
    return "cc0-1.0" if set(manifest["inputs"].values()) <= PUBLIC_DOMAIN else "other"


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
    return {
        "data": manifest,
        "config": manifest["config"],
        "options": manifest["config"]["options"],
        "license": license_of(manifest),
        "members": {suffix: MEMBERS[suffix][1] for suffix in pictures(manifest)},
        "settings": list(settings(manifest["config"])),
        "candidates": manifest["samples"] + sum(manifest["rejected"].values()),
        "command": command(manifest["config"], recipe_of(manifest)),
        "citation": citation(),
    }


def citation() -> str:
    """How to cite, as BibTeX."""
    return (templates() / "citation.bib").read_text(encoding="utf-8").strip()


def recipe_of(manifest: Record) -> Record:
    """The named recipe as it is installed here, or {} where its domain is not, or no longer knows it."""
    from gobench import registry

    try:
        recipes = registry.domain(manifest["domain"]["name"]).recipes()
    except UsageError:
        return {}
    return dict(recipes.get(manifest["recipe"], {}))


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


def command(config: Record, recipe: Record) -> str:
    """The command line that makes a dataset, as far as flags can say it."""
    usual: Record = {"shards": 0, "episodes": 0, "seed": 0}
    before = (
        usual | {key: recipe[key] for key in CORE_FLAGS if key in recipe} | dict(recipe.get("options", {}))
    )
    after = {key: config[key] for key in CORE_FLAGS if key in config} | dict(config["options"])
    words = [f"gobench build-dataset {config['recipe']} --out PATH"]
    for key, flag in (CORE_FLAGS | OPTION_FLAGS).items():
        if key in after and after[key] != before.get(key, after[key]):
            words.append(flag if after[key] is True else f"{flag} {shlex.quote(str(after[key]))}")
    words += _source_flags(before.get("sources", []), after.get("sources", []))
    return " ".join(words)


def _source_flags(before: Sequence[Record], after: Sequence[Record]) -> Iterator[str]:
    """Flags for sources that a recipe does not have, and for another teacher."""
    known = {source.get("kind"): source for source in before}
    for source in after:
        kind, teacher = str(source.get("kind")), source.get("teacher")
        if kind not in known and kind in SOURCE_FLAGS:
            yield SOURCE_FLAGS[kind]
        elif teacher != known.get(kind, {}).get("teacher", teacher):
            yield f"--teacher {shlex.quote(str(teacher))}"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # the card is Markdown, so values are made harmless by the filters below instead of by HTML escapes
    environment = Environment(
        loader=FileSystemLoader(templates()), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(code=code, type=type_name, thousands=_thousands, mib=_mib)
    return environment


def _thousands(number: int) -> str:
    return f"{number:,}"


def _mib(size: int) -> str:
    return f"{size / (1 << 20):,.1f} MiB"


def type_name(feature: Json) -> str:
    """A feature for people: "int64", "list of int64"."""
    kind = feature.get("_type", "struct")
    if kind == "List":
        return f"list of {type_name(feature['feature'])}"
    return str(feature["dtype"]) if kind == "Value" else str(kind).lower()


def code(value: object) -> str:
    """Any text as inline code that stays one cell of a table: no line breaks, pipes or stray backticks."""
    text = " ".join(str(value).split()).replace("`", "'").replace("|", "¦")
    return f"`{text}`" if text else ""
