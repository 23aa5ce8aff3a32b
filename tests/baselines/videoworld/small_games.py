"""Small datasets of real games, for fixtures."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gobench import card, registry
from gobench.build.recipes import configure
from gobench.build.run import build

Games = Callable[..., Path]


def built(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Games:
    """``built(...)("moves")``: 20 real 9x9 games in that codec, 64 pixels, two shards for training and one for tests.

    Further arguments change options of the Go domain. Nobody writes into it: ``shutil.copytree`` it first.
    """
    domain = registry.domain("go")
    archive = {"size": 64, "sources": [{"kind": "sgf", "paths": [str(data / "go9_katago_sgf.zip")]}]}

    @cache
    def folder(codec: str = "moves", **changes: Any) -> Path:
        core = {"codec": codec, "episodes": 20, "shard_size": 8, "splits": {"train": 0.8, "test": 0.2}}
        out = tmp_path_factory.mktemp("games") / codec
        build(domain, configure(domain, "go9-sgf", core, archive | changes), out, extras=(card.extra,))
        return out

    return folder
