"""docs/recipes.md names every key there is, and its example is a recipe."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from gobench.build.recipes import CORE_KEYS, DEDUP
from gobench.cli.recipe import chosen
from gobench.codec import CODECS
from gobench_go.game.rules import RULES
from gobench_go.picture_options import CLIP, LOOK
from gobench_go.sources import filters, options
from gobench_go.video.styles import THEMES

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "recipes.md").read_text(encoding="utf-8")


def test_every_key_and_name_stands_there() -> None:
    kinds = [name for _, keys in options._KINDS.values() for name in keys]
    tables = (CORE_KEYS, DEDUP, CODECS, RULES, CLIP, LOOK, options.KEYS, options._KINDS, kinds, THEMES)
    words = {
        *filters.DEFAULTS,
        *filters.RESULTS,
        *filters.HANDICAPS,
        *(name for table in tables for name in table),
    }
    assert not [word for word in sorted(words) if f"`{word}`" not in PAGE]


def test_the_example_is_a_recipe(data: Path, tmp_path: Path) -> None:
    example = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0]
    assert tomllib.loads(example)["base"] == "go9-sgf"
    recipe = tmp_path / "mine.toml"
    recipe.write_text(example)
    flags = dict.fromkeys(
        ("games", "seed", "codec", "shards", "shard_size", "teacher", "reannotate", "theme", "size")
    )
    flags |= {"sgf": (), "videoworld_tars": (), "randomise": None, "settings": ()}
    _, config = chosen(str(recipe), flags)
    assert (config.episodes, config.options["size"]) == (5000, 128)
