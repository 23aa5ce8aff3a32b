"""Drawing boards and reading pictures: ``gobench go render`` and ``gobench go read``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gobench.errors import DataError
    from gobench.types import Array
    from gobench_go.game.position import Position
    from gobench_go.game.sgf import SgfGame
    from gobench_go.video.read import Seen
    from gobench_go.video.render import Marks


@click.command()
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--theme", default="videoworld", show_default=True, metavar="NAME", help="How it looks.")
@click.option(
    "--size", default=256, show_default=True, metavar="PIXELS", help="Side of the picture, 36 to 1024."
)
@click.option("--board", "board_size", metavar="RxC", help="Lines of the board, with --moves [default: 9x9].")
@click.option(
    "--moves", metavar="TEXT", help='Moves from Black on, as in "E5 C3 pass G7"; empty: the empty board.'
)
@click.option(
    "--sgf", metavar="PATH", type=click.Path(path_type=Path), help="Draw a game of an SGF file or archive."
)
@click.option(
    "--game",
    type=click.IntRange(0),
    metavar="N",
    help="Which game of --sgf, from 0 on [default: 0].",
)
@click.option("--coordinates", is_flag=True, help="Letters and numbers around the board.")
@click.option("--last-move", is_flag=True, help="Mark the last stone.")
@click.option("--variation", type=click.IntRange(min=0), metavar="N", help="Seed of a random appearance.")
@click.option(
    "--fps", default=4, show_default=True, type=click.IntRange(1, 60), help="Moves a second (GIF, MP4)."
)
def render(
    out: Path,
    theme: str,
    size: int,
    board_size: str | None,
    moves: str | None,
    sgf: Path | None,
    game: int | None,
    coordinates: bool,
    last_move: bool,
    variation: int | None,
    fps: int,
) -> None:
    """Draw a position or a game into OUT: give --moves or --sgf.

    A .png or .jpg holds the last position, a .gif or .mp4 the whole game.

    \b
    Examples:
      gobench go render --moves "E5 C3 G7" out.png
      gobench go render --theme wood --size 512 --coordinates --last-move --sgf game.sgf game.mp4
      gobench go render --sgf games.zip --game 12 game.gif
      gobench go render --theme paper --board 19x19 --moves "" empty.png
    """
    from gobench_go.video import files
    from gobench_go.video.render import GoClip
    from gobench_go.video.themes import look

    _check_origin(moves, board_size, sgf, game)
    line = _of_sgf(sgf, game or 0) if sgf is not None else _of_moves(moves or "", board_size or "9x9")
    rules = line[0].rules
    drawn = look(theme, size, rules.rows, rules.cols, coordinates, last_move, variation)
    boards, last = _shown(line)
    files.write(out, GoClip(drawn, boards, last, fps))
    click.echo(
        f"{out}: {rules.rows}x{rules.cols}, {len(line) - 1} moves, theme {theme}, {size} pixels", err=True
    )


def _check_origin(moves: str | None, board_size: str | None, sgf: Path | None, game: int | None) -> None:
    """UsageError unless the options name one game and nothing that would be ignored."""
    from gobench.errors import UsageError

    if moves is None and sgf is None:
        raise UsageError('nothing to draw: give --moves (as in --moves "E5 C3"; "" is no move) or --sgf.')
    if moves is not None and sgf is not None:
        raise UsageError("--moves and --sgf were both given: choose one.")
    if sgf is None and game is not None:
        raise UsageError("--game picks a game of --sgf: leave it out with --moves.")
    if sgf is not None and board_size is not None:
        raise UsageError("--board goes with --moves: leave it out with --sgf, whose games say their size.")


def _of_moves(text: str, board_size: str) -> list[Position]:
    """Every position of a line of moves; UsageError names the illegal one."""
    from gobench_go.game import coords
    from gobench_go.game.position import Position
    from gobench_go.game.rules import named

    rows, cols = coords.size(board_size)
    game = [Position.start(named("benchmark", rows, cols))]
    for word in text.replace(",", " ").split():
        game.append(game[-1].play(coords.index_of_gtp(word, rows, cols)))
    return game


def _of_sgf(path: Path, game_number: int) -> list[Position]:
    """Every position of a game of an SGF file, folder or archive, by the loosest rules; DataError for a bad one."""
    from gobench.errors import DataError, UsageError

    number = -1
    for number, (origin, found) in enumerate(_games(path)):
        if number == game_number:
            return _replayed(found, origin)
    if number < 0:
        raise DataError(f"{path} holds no games: give an SGF file, or a folder or archive of SGF files.")
    raise UsageError(f"{path} holds {number + 1} games: --game goes from 0 to {number}, not {game_number}.")


def _games(path: Path) -> Iterator[tuple[str, SgfGame | DataError]]:
    """Every game at a path and the file that it is in; a file that cannot be read counts as one game."""
    from gobench_go.game import sgf
    from gobench_go.sources.archives import MemberError
    from gobench_go.sources.members import list_members
    from gobench_go.sources.sgf_files import MAX_BYTES, SUFFIXES

    listing = list_members([str(path)], SUFFIXES, "sgf")
    for number in range(len(listing)):
        container, member = listing.find(number)
        try:
            data = container.read(member, MAX_BYTES)
        except MemberError as error:
            if error.reason != "not-wanted":
                yield container.origin(member), error
            continue
        for game in sgf.read(data):
            yield container.origin(member), game


def _replayed(found: SgfGame | DataError, origin: str) -> list[Position]:
    from gobench.errors import DataError, UsageError
    from gobench_go.game.position import Position
    from gobench_go.game.rules import Rules

    if isinstance(found, DataError):
        raise DataError(f"{origin}: {found}")
    rules = Rules(found.rows, found.cols, ko="simple", suicide=True)
    try:
        game = [Position.of_text(rules, found.setup or "." * rules.points)]
        for move, color in zip(found.moves, found.colors, strict=True):
            game.append(game[-1].play(move, color))
    except UsageError as error:
        raise DataError(f"{origin}: {error}") from error
    return game


def _shown(game: list[Position]) -> tuple[Array, Marks]:
    """Boards uint8 [T, R, C] and the point to mark in each, int [T]."""
    import numpy as np

    return np.stack([position.board for position in game]), np.array([position.last for position in game])


@click.command()
@click.argument("picture", metavar="PICTURE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--theme", metavar="NAME", help="How it was drawn; without it all themes are tried.")
@click.option(
    "--board", "board_size", metavar="RxC", help="Lines of the board; without it squares are tried."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def read(picture: Path, theme: str | None, board_size: str | None, as_json: bool) -> None:
    """Print the board that PICTURE shows: . empty, X black, O white.

    Square boards of 2 to 19 lines are found; other boards want --board. A picture that is not like the board read
    off it is refused. Of an animation (GIF) the last frame is read.

    \b
    Examples:
      gobench go read out.png
      gobench go read --theme wood --board 19x19 frame.jpg --json
    """
    from gobench.errors import unknown
    from gobench_go.game import coords
    from gobench_go.video import files
    from gobench_go.video.read import SQUARES, detect
    from gobench_go.video.themes import THEMES

    if theme is not None and theme not in THEMES:
        raise unknown("theme", theme, THEMES)
    sizes = [coords.size(board_size)] if board_size else SQUARES
    pixels, frames = files.read_last(picture)
    if frames > 1:
        click.echo(f"{picture} holds {frames} frames: this is the last one.", err=True)
    seen = detect(pixels, [theme] if theme else list(THEMES), sizes)
    found = seen.look
    click.echo(f"theme {found.theme}, {found.rows}x{found.cols}, likeness {seen.likeness:.2f}", err=True)
    click.echo(json.dumps(_as_json(seen)) if as_json else "\n".join(_rows(seen)))


def _rows(seen: Seen) -> list[str]:
    from gobench_go.game.position import LETTERS

    return ["".join(LETTERS[point] for point in row) for row in seen.points.tolist()]


def _as_json(seen: Seen) -> dict[str, object]:
    return {
        "theme": seen.look.theme,
        "coordinates": seen.look.coordinates,
        "rows": seen.look.rows,
        "cols": seen.look.cols,
        "board": _rows(seen),
        "confidence": round(float(seen.confidence.min()), 4),
        "mean_confidence": round(float(seen.confidence.mean()), 4),
        "error": round(seen.error, 4),
        "likeness": round(seen.likeness, 4),
    }
