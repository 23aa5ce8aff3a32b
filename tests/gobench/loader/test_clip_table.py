import numpy as np
import pytest

from gobench.errors import UsageError
from gobench.loader.table import clip_table
from gobench.loader.view import Order, View


def starts(frames: int, view: View) -> list[int]:
    """The slow way: every start whose last frame exists."""
    return [s for s in range(0, frames, view.step) if s + view.span <= frames]


@pytest.mark.parametrize(
    "view",
    [View(4), View(1), View(4, stride=3), View(4, hop=1), View(3, stride=2, hop=5), View(7, hop=20)],
)
def test_every_clip_is_found_where_counting_by_hand_finds_it(view: View) -> None:
    frames = np.arange(1, 41)
    table = clip_table(frames, view)
    expected = [(row, s) for row, n in enumerate(frames.tolist()) for s in starts(n, view)]
    assert table.clips == len(expected)
    assert [table.locate(i) for i in range(table.clips)] == expected
    assert table.skipped == sum(n < view.span for n in frames.tolist())
    assert table.padded == 0


def test_short_episodes_are_counted_and_left_out_or_padded() -> None:
    skip = clip_table([3, 10, 2], View(5))
    assert (skip.clips, skip.skipped, skip.padded) == (2, 2, 0)
    pad = clip_table([3, 10, 2], View(5, short="pad"))
    assert (pad.clips, pad.skipped, pad.padded) == (4, 0, 2)
    assert [pad.locate(i) for i in range(4)] == [(0, 0), (1, 0), (1, 5), (2, 0)]


def test_a_million_episodes_take_two_arrays_and_locate_is_exact() -> None:
    frames = np.full(1_000_000, 64)
    table = clip_table(frames, View(16, hop=1))
    assert table.clips == 49_000_000
    assert table.locate(table.clips - 1) == (999_999, 48)
    assert table.counts.nbytes + table.offsets.nbytes < 17_000_000


@pytest.mark.parametrize("number", [-1, 2])
def test_a_number_without_a_clip_is_an_index_error(number: int) -> None:
    with pytest.raises(IndexError, match=r"0\.\.1"):
        clip_table([8], View(4)).locate(number)


def test_a_clip_longer_than_every_episode_says_how_long_they_are() -> None:
    with pytest.raises(UsageError, match=r"spans 31 frames.*longest of 2 episodes has 20.*length <= 10"):
        clip_table([20, 7], View(16, stride=2))
    with pytest.raises(UsageError, match="no episodes"):
        clip_table([], View(1))


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ({"length": 0}, "length"),
        ({"stride": 0}, "stride"),
        ({"stride": 1.5}, "stride"),
        ({"hop": 0}, "hop"),
        ({"short": "stretch"}, "Known: pad, skip"),
        ({"form": "bgr"}, "Known: rgb, yuv"),
        ({"resize": "cubic"}, "Known: area, nearest"),
        ({"symmetry": "dihedra"}, "Did you mean 'dihedral'"),
        ({"size": 0}, "size"),
        ({"size": 63, "form": "yuv"}, "try 64"),
        ({"size": (64, 32), "symmetry": "dihedral"}, "not square"),
    ],
)
def test_a_view_that_cannot_be_says_why(bad: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        View(**bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad",
    [{"rank": 0}, {"world": 2}, {"rank": 2, "world": 2}, {"rank": 0, "world": 0}, {"remainder": "wrap"}],
)
def test_an_order_that_cannot_be_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Order(**bad)  # type: ignore[arg-type]


def test_an_order_without_a_place_is_alone() -> None:
    assert Order().place() == (0, 1)
    assert Order(rank=1, world=3).place() == (1, 3)
