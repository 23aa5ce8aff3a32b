"""Whole episodes, shard by shard, as a ``webdataset`` pipeline with our decoders."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import torch

from gobench.build import plan
from gobench.build.recipes import BuildConfig
from gobench.codec import codec as codec_named
from gobench.dataset import open_dataset
from gobench.errors import DataError, GobenchError, UsageError, unknown
from gobench.loader.film import NAMES, Projector, Sample, named
from gobench.loader.view import Form, View
from gobench.types import Domain

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


def webdataset(
    source: str | Path | Sequence[str | Path],
    split: str = "train",
    form: Form = "rgb",
    *,
    size: int | tuple[int, int] | None = None,
    codec: str | None = None,
    domain: Domain | None = None,
    **options: Any,
) -> Any:
    """A ``wds.WebDataset`` of whole episodes: chain ``.shuffle``, ``.map``, ``.batched`` to it as usual.

    Samples are dicts: ``__key__``, ``__url__``, ``json`` (the record), as torch tensors ``frames`` uint8
    [T, H, W, 3] or ``y``, ``u``, ``v``, and the last frame ``png`` uint8 [H, W, 3] where it is stored.

    Args:
        source: a built folder, one shard, or a list of shards: local files only.
        split: which shards of a folder.
        form: "rgb", or "yuv" for planes without conversion.
        size: height and width of the frames, None: as stored.
        codec: for shards that lie outside of their folder (inside it, the folder's plan names it).
        domain: likewise, for codec ``moves``.
        options: of ``wds.WebDataset``. Ours differ from its defaults: ``shardshuffle=False``,
            ``nodesplitter=wds.split_by_node``, ``empty_check=False``.

    Raises:
        UsageError: a URL (``pipe:`` and others run or fetch things), no such split, codec or domain missing.
        DataError: while iterating, names the shard and the key.
    """
    import webdataset as wds

    shards = _local(source, split)
    made = _described(shards[0].parent.parent)
    if codec is None and made is None:
        raise UsageError(f"no plan.json beside {shards[0].parent}, so say codec=, for instance codec='h264'.")
    how = codec_named(codec or (made.codec if made else ""))
    drawn_by = _domain(domain, made) if how.renders else None
    projector = Projector(View(form=form, size=size), how, drawn_by)
    settings = {"shardshuffle": False, "nodesplitter": wds.split_by_node, "empty_check": False, **options}
    pipeline = wds.WebDataset([str(s) for s in shards], handler=broken, **settings)
    return pipeline.map(Decoder(projector), handler=broken)


def _local(source: str | Path | Sequence[str | Path], split: str) -> list[Path]:
    """Existing local shards as absolute paths."""
    given = [source] if isinstance(source, str | Path) else list(source)
    for one in given:
        if isinstance(one, str) and _SCHEME.match(one):
            raise UsageError(f"{one!r} is a URL: only local files are read here. Download the dataset first.")
    paths = [Path(one).absolute() for one in given]
    if len(paths) == 1 and paths[0].is_dir():
        return _shards_of(paths[0], split)
    missing = [p for p in paths if not p.is_file()]
    if missing or not paths:
        what = f"{missing[0]} is no file" if missing else "the list of shards is empty"
        raise UsageError(
            f"{what}. Give a built folder or its shards: sorted(Path(DIR, 'data').glob('train-*.tar'))."
        )
    return paths


def _shards_of(folder: Path, split: str) -> list[Path]:
    data = open_dataset(folder)
    if split not in data.splits:
        raise unknown("split", split, data.splits)
    entries = [entry for entry in data.manifest["shards"] if entry["split"] == split]
    for path, size in ((folder / entry["file"], entry["bytes"]) for entry in entries):
        if not path.is_file() or path.stat().st_size != size:  # a tar cut between members reads as whole
            raise DataError(f"{path} is missing or has not its {size} bytes. Run `gobench verify`.")
    return [folder / entry["file"] for entry in entries]


def _described(folder: Path) -> BuildConfig | None:
    """The config that the shards in ``folder`` were made by, if its plan is there."""
    return plan.read(folder).config if (folder / plan.PLAN).is_file() else None


def _domain(given: Domain | None, made: BuildConfig | None) -> Domain:
    if given is None and made is None:
        raise UsageError("codec 'moves' draws frames, and nothing says what the records are: give domain=.")
    from gobench.registry import domain

    return given or domain(made.domain if made else "")


class Decoder:
    """Raw members of one episode -> decoded ones."""

    def __init__(self, projector: Projector) -> None:
        self.projector = projector

    def __call__(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Decode a sample of ``wds.WebDataset``; raises DataError that names shard and key."""
        members = {name: data for name, data in raw.items() if not name.startswith("__")}
        sample = Sample(raw["__key__"], str(raw.get("__url__", "")), members)
        record = sample.record()
        made = {"__key__": sample.key, "__url__": sample.shard, "json": record}
        with named(sample):
            length = int(record["frames"])
        planes, _ = self.projector.window(sample, 0, length, 1, 0)
        made.update(zip(NAMES[self.projector.view.form], map(_tensor, planes), strict=True))
        if "png" in members:
            from gobench.codec import pictures

            with named(sample):
                made["png"] = _tensor(pictures.decode(members["png"]))
        return made


def _tensor(array: Any) -> torch.Tensor:
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def broken(error: Exception) -> NoReturn:
    """``webdataset``'s handler: whatever goes wrong stops the pipeline, as one of our errors."""
    if isinstance(error, GobenchError):
        error.args = error.args[:1]  # webdataset appends streams and paths on the way up
        raise error
    what = "; ".join(str(a) for a in error.args)
    raise DataError(f"{type(error).__name__} while reading shards: {what}") from error
