"""``croissant.json``: the dataset described for machines (MLCommons Croissant 1.0), a sum for each shard.

The record sets are ``splits``, the table ``index`` (a row a sample) and, for each split and member, the
contents of that member by key: ``train-json``, ``train-mp4``. The keys of the records are typed in the card
instead: the reference implementation does not look into JSON files that lie in archives. It also takes a tar
that ends in a zip for that zip, so where a member is one (codec ``png``) the contents are left to the index.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from gobench import canonical, card
from gobench.build.assemble import INDEX
from gobench.build.recipes import SPLITS
from gobench.dataset import read_manifest
from gobench.types import Record

CROISSANT = "croissant.json"
CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
LICENSE = {
    "cc0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "other": "see the card's licence section",
}

# member -> Croissant's type of its content, media type
MEDIA = {
    "json": ("sc:Text", "application/json"),
    "mp4": ("sc:VideoObject", "video/mp4"),
    "png": ("sc:ImageObject", "image/png"),
}
ZIPPED = "frames.zip"
INDEX_COLUMNS = {
    "key": ("sc:Text", "Name of the sample."),
    "split": ("sc:Text", "train, validation or test."),
    "shard": ("sc:Text", "Name of the shard that holds it: its file is data/NAME.tar."),
    "offset": ("sc:Integer", "First byte of the sample in its shard."),
    "size": ("sc:Integer", "Bytes of the sample, headers and padding included."),
    "frames": ("sc:Integer", "Frames of its clip."),
}

CONTEXT: Record = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def extra(folder: Path, manifest: Record) -> Mapping[str, bytes]:
    """The description as a further file of a build (``gobench.build.assemble.Extra``), once the index is there."""
    return {CROISSANT: canonical.pretty(describe(manifest, canonical.sha256_file(folder / INDEX)))}


def croissant_text(folder: Path | str) -> str:
    """The description of a finished dataset as JSON-LD.

    Raises:
        DataError: no finished dataset lies there.
    """
    return extra(Path(folder), read_manifest(folder))[CROISSANT].decode()


def describe(manifest: Record, index_sha256: str) -> Record:
    """The whole description as plain data. Depends on the build alone: no date, no address."""
    splits = [name for name in SPLITS if name in manifest["splits"]]
    domain = manifest["domain"]["name"]
    members = [] if ZIPPED in manifest["members"] else manifest["members"]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": f"video-gobench-{manifest['recipe']}",
        "description": f"{manifest['samples']} video clips of the domain {domain}, each with a record.",
        "license": LICENSE.get(card.license_of(manifest), card.license_of(manifest)),
        "version": "1.0.0",
        "citeAs": card.citation(),
        "distribution": [*_files(manifest, index_sha256), *_file_sets(manifest, splits, members)],
        "recordSet": [
            _split_names(splits),
            _index(),
            *(_contents(split, suffix) for split in splits for suffix in members),
        ],
    }


def _files(manifest: Record, index_sha256: str) -> Iterator[Record]:
    yield _file(INDEX, index_sha256, "application/x-parquet", {})
    for shard in manifest["shards"]:
        yield _file(
            shard["file"], shard["sha256"], "application/x-tar", {"contentSize": f"{shard['bytes']} B"}
        )


def _file(name: str, sha256: str, kind: str, more: Record) -> Record:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "encodingFormat": kind,
        "sha256": sha256,
    } | more


def _file_sets(manifest: Record, splits: list[str], members: list[str]) -> Iterator[Record]:
    """For each split and member, the files of that kind in all shards of the split."""
    for split in splits:
        shards = [{"@id": shard["file"]} for shard in manifest["shards"] if shard["split"] == split]
        for suffix in members:
            yield {
                "@type": "cr:FileSet",
                "@id": _files_of(split, suffix),
                "name": _files_of(split, suffix),
                "containedIn": shards,
                "encodingFormat": MEDIA[suffix][1],
                "includes": f"*.{suffix}",
            }


def _files_of(split: str, suffix: str) -> str:
    return f"{split}-{suffix}-files"


def _split_names(splits: list[str]) -> Record:
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [{"@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": "sc:Text"}],
        "data": [{"splits/name": split} for split in splits],
    }


def _index() -> Record:
    fields = [
        _field(f"index/{name}", kind, {"fileObject": {"@id": INDEX}, "extract": {"column": name}}, text)
        for name, (kind, text) in INDEX_COLUMNS.items()
    ]
    return _record_set("index", "One row a sample: where it lies.", fields)


def _contents(split: str, suffix: str) -> Record:
    """What is in ``KEY.suffix``, with the key taken from the file's name."""
    name, files = f"{split}-{suffix}", {"fileSet": {"@id": _files_of(split, suffix)}}
    key = files | {"extract": {"fileProperty": "filename"}, "transform": {"regex": r"^([^.]+)\..*$"}}
    content = files | {"extract": {"fileProperty": "content"}}
    fields = [
        _field(f"{name}/key", "sc:Text", key),
        _field(f"{name}/content", MEDIA[suffix][0], content),
    ]
    return _record_set(name, f"The {suffix} of each sample of the split {split}.", fields)


def _record_set(name: str, text: str, fields: list[Record]) -> Record:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": text,
        "key": {"@id": f"{name}/key"},
        "field": fields,
    }


def _field(name: str, kind: str, source: Record, text: str = "") -> Record:
    field = {
        "@type": "cr:Field",
        "@id": name,
        "name": name.partition("/")[2],
        "dataType": kind,
        "source": source,
    }
    return field | ({"description": text} if text else {})
