"""The Go domain as the core sees it: options, finished records, clips, mirror images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench.errors import UsageError
from gobench.loader.augment import transform
from gobench.types import Episode
from gobench_go.domain import GoDomain
from gobench_go.drawing import look_of
from gobench_go.video import read

GO = GoDomain()


def options(recipe: str = "go9-random", **changes: Any) -> dict[str, Any]:
    return GO.configure({**GO.recipes()[recipe]["options"], **changes})


def finished(recipe: str = "go9-random", **changes: Any) -> dict[str, Any]:
    chosen = options(recipe, **changes)
    episode = next(iter(GO.source(chosen, 1, 5).unit(0)))
    assert isinstance(episode, Episode)
    record = GO.finish(episode, "go-000000000", chosen, 7).record
    return {**record, "split": "train"}


@pytest.mark.parametrize("recipe", sorted(GO.recipes()))
def test_every_recipe_is_complete(recipe: str) -> None:
    full = options(recipe)
    assert full == GO.configure(full)


def test_a_finished_record_has_the_declared_keys() -> None:
    record = finished()
    assert set(record) == set(GO.features())
    assert GO.clip(record).length == record["frames"] == len(record["moves"]) + 1


def test_numbers_survive_every_reader_of_json() -> None:
    record = finished("go5-tiny", randomise=True)
    assert 0 <= record["seed"] < 2**53 and 0 <= record["variation"] < 2**53


def test_stored_options_hold_no_places(data: Path) -> None:
    given = GO.override(GO.recipes()["go9-tiny"]["options"], {"sgf": [str(data / "go9_katago_sgf.zip")]})
    full = GO.configure(given)
    assert full["sources"][1]["paths"] == [str(data / "go9_katago_sgf.zip")]
    assert full["sources"][1]["rules"] == "benchmark"
    assert full["sources"][0]["teacher"].startswith("mcts@")
    assert "paths" not in str(GO.public_options(full))


def test_the_clip_policy_cuts_both_ends() -> None:
    record = finished(clip={"first_ply": 10, "max_frames": 6, "fps": 8})
    whole = finished()
    clip = GO.clip(record)
    assert (record["first_ply"], record["frames"], clip.length, clip.fps) == (10, 6, 6, 8)  # type: ignore[attr-defined]
    assert np.array_equal(clip.rgb(), GO.clip(whole).rgb(10, 16))


@pytest.mark.parametrize("k", range(8))
def test_a_mirrored_record_draws_mirrored_frames(k: int) -> None:
    record = finished("go5-tiny", size=80)
    boards, _ = read.boards(look_of(record), GO.clip(record).rgb())
    seen, _ = read.boards(look_of(record), GO.clip(GO.transform(record, k)).rgb())
    assert np.array_equal(seen, transform(boards[..., None], k)[..., 0])
    assert np.array_equal(seen, boards) == (k == 0)


def test_set_up_stones_are_mirrored_with_the_moves() -> None:
    record = {**finished(), "setup": "X" + "." * 79 + "O", "moves": [8, 81], "targets": [-1, 72]}
    mirrored = GO.transform(record, 1)
    assert mirrored["setup"] == "." * 8 + "X" + "." * 63 + "O" + "." * 8
    assert (mirrored["moves"], mirrored["targets"]) == ([0, 81], [-1, 80])


def test_a_rectangle_cannot_be_transposed() -> None:
    with pytest.raises(UsageError, match="symmetry 5"):
        GO.transform({"rows": 5, "cols": 7, "moves": [], "targets": [], "setup": ""}, 5)


def test_resize_gives_up_where_the_look_does() -> None:
    record = finished()
    assert GO.resize(record, 128) == {**record, "size": 128}
    assert GO.resize(record, 20) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"them": "wood"}, "theme"),
        ({"theme": "wod"}, "wood"),
        ({"size": 20}, "36"),
        ({"clip": {"fps": 0}}, "clip.fps"),
        ({"clip": {"speed": 3}}, "clip"),
        ({"komi": 6.75}, "0.5"),
        ({"size": "256"}, "size is a whole number"),
        ({"size": 256.5}, "size is a whole number"),
        ({"theme": 3}, "theme is a word"),
        ({"coordinates": "yes"}, "coordinates is true or false"),
        ({"clip": 5}, "clip is a table"),
        ({"clip": {"fps": True}}, "clip.fps"),
    ],
)
def test_bad_options_are_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        options(**changes)


def test_a_teacher_needs_self_play() -> None:
    with pytest.raises(UsageError, match="--reannotate"):
        GO.override(GO.recipes()["go9-sgf"]["options"], {"teacher": "mcts:50"})
