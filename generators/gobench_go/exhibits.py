"""Samples of the Go tasks drawn for people: the prompt, what was generated, the right answer, what the judge thinks.

The judge's view is a *heat map*: the board, with a square on every legal point. Its colour says what the move costs
(blue nothing, red much), its number how much: win rate in points of 100, or on boards where the win rate saturates the
score in points. The best move has a ring, the move that was read from the generated frame a frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from gobench.tasks import Exhibit, Task, View
from gobench.types import Array, Record
from gobench_go.game import coords
from gobench_go.game.position import board_of
from gobench_go.tasks import reading
from gobench_go.video import render
from gobench_go.video.themes import Look, look

if TYPE_CHECKING:
    from gobench_go.judged import Judged
    from gobench_go.tasks.next_move import NextMove
    from gobench_go.tasks.rollout import Rollout

SIDE = 256  # pixels of every picture that is drawn here
NAMES = ("", "Black", "White")
STRIP = 6  # how many frames of a rollout are shown
COLD, EVEN, HOT = (33, 102, 172), (247, 247, 247), (178, 24, 43)  # no loss, some, much; safe for colour-blind
MUCH = {"winrate": 0.5, "lead": 10.0}  # the loss at which the colour is full
HEAT = "what each move costs in {}; ring: best, frame: played"
UNITS = {"winrate": "points of 100 of win rate", "lead": "points of score"}
TRIES = 4  # different answers of a sample that are shown at most
WHY = {
    "no-frames": "the video has no frames",
    "not-the-picture": "neither its first nor its last frame shows the prompt",
    "never-still": "it never stands still, so no frame is the answer",
}  # why a video could not be read
BEST, PLAYED = (255, 225, 0), (204, 0, 170)  # the ring of the best move, the frame of the one that was played


def next_move(task: NextMove, sample: str, row: Record | None, frames: Mapping[str, Array]) -> Exhibit:
    """A sample of a next-move task.

    Args:
        row: its evidence, None where there is none yet.
        frames: the frames of it that were kept, name -> uint8 [H, W, 3]; what is missing is drawn from the boards
            that were read, and its caption says so.

    Raises:
        DataError: an unknown sample, or a row that the task cannot have written.
    """
    game, ply = task.position(sample)
    judged, board, who = game.positions[ply], game.boards[ply], NAMES[game.colors[ply]]
    shape = (task.judged.rules.rows, task.judged.rules.cols)
    drawn, scale = look(task.theme, SIDE, *shape), "lead" if task.headline == "score_loss" else "winrate"
    facts = {"sample": sample, "to move": who, "best move": _move_facts(judged, judged.best, shape)}
    move = -1
    if row is not None:
        facts |= _answer_facts(task, sample, row, judged, shape)
        move = played(task, sample, row["tries"][scored(task, sample, row)])
    pictures = [
        (f"prompt, {who} to move", _draw(drawn, board)),
        *_answers(drawn, row, frames, shape),
        (f"truth: {coords.gtp(judged.best, *shape)}", task.truth(sample, View(SIDE, SIDE, 1))[0]),
        (HEAT.format(UNITS[scale]), heat_map(drawn, judged, board, move, scale)),
    ]
    return Exhibit(f"{sample}: {who} to move", pictures, facts)


def rollout(task: Rollout, sample: str, row: Record | None, frames: Mapping[str, Array]) -> Exhibit:
    """A sample of a rollout task: where it began, its last frames, and why it stopped.

    Args and errors as of :func:`next_move`.
    """
    game, ply = task.position(sample)
    who, shape = NAMES[game.colors[ply]], (task.judged.rules.rows, task.judged.rules.cols)
    drawn, truth = look(task.theme, SIDE, *shape), task.truth(sample, View(SIDE, SIDE, 1))
    pictures = [(f"prompt, {who} to move", _draw(drawn, game.boards[ply]))]
    facts = {"sample": sample, "first to move": who}
    if row is not None:
        pictures += _strip(drawn, row["plies"], frames, shape)
        facts |= _audit(task, row) | _numbers(task, row)
    if len(truth):
        pictures.append((f"the judged game {len(truth)} plies later", np.asarray(truth[-1])))
    return Exhibit(f"{sample}: continued alone from ply {ply}", pictures, facts)


def heat_map(
    drawn: Look, judged: Judged, board: npt.NDArray[np.uint8], move: int = -1, scale: str = "winrate"
) -> Array:
    """What every legal move costs, over the picture of the board: uint8 [H, W, 3].

    Args:
        board: uint8 [R, C], the board before the move.
        move: the move that was played, -1 for none.
        scale: "winrate" (numbers are points of 100) or "lead" (points of score).
    """
    from PIL import Image, ImageDraw

    picture = Image.fromarray(_draw(drawn, board))
    pen = ImageDraw.Draw(picture)
    half = max(2.0, drawn.grid.pitch * 0.42)
    for point, loss in _losses(judged, scale):
        if point < board.size:
            _square(pen, drawn, point, half, loss, scale)
    for point, ink, outline in (
        (judged.best, BEST, pen.ellipse),
        (move, PLAYED, pen.rectangle),
    ):
        if 0 <= point < board.size:
            outline(_box(drawn, point, half + 1), outline=ink, width=3)
    return np.asarray(picture)


def scored(task: NextMove, sample: str, row: Record) -> int:
    """Which answer of a row the metrics are of: its place among the tries."""
    tries = row["tries"]
    last = len(tries) - 1
    legal_counts = task.settings["scored_try"] == "first-legal"
    return last if legal_counts and task.judge(sample, tries[last])[0] else 0


def played(task: NextMove, sample: str, answer: Record) -> int:
    """The move that an answer shows, -1 where none can be told."""
    place = task.places[sample]
    answers = reading.parse([answer], task.judged.rules.points, [sample])
    board, color = task.boards[place : place + 1], task.colors[place : place + 1]
    return int(reading.changes(task.judged.rules, board, answers, color).moves[0])


def colour(share: float) -> tuple[int, int, int]:
    """0 blue, 0.5 white, 1 red, evenly between."""
    share = min(max(share, 0.0), 1.0)
    start, end, at = (COLD, EVEN, 2 * share) if share < 0.5 else (EVEN, HOT, 2 * share - 1)
    return tuple(round(a + (b - a) * at) for a, b in zip(start, end, strict=True))  # type: ignore[return-value]


def _square(pen: Any, drawn: Look, point: int, half: float, loss: float, scale: str) -> None:
    from PIL import ImageFont

    share = (loss / MUCH[scale]) ** 0.5  # small losses are the ones to tell apart
    fill = colour(share)
    pen.rectangle(_box(drawn, point, half), fill=fill)
    text = f"{loss * 100:.0f}" if scale == "winrate" else f"{loss:.1f}" if loss < 9.95 else f"{loss:.0f}"
    ink = (255, 255, 255) if sum(fill) < 400 else (0, 0, 0)
    y, x = _centre(drawn, point)
    pen.text((x, y), text, fill=ink, anchor="mm", font=ImageFont.load_default(min(12, int(half * 0.95))))


def _box(drawn: Look, point: int, half: float) -> tuple[float, float, float, float]:
    y, x = _centre(drawn, point)
    most = drawn.size - 1
    return max(0, x - half), max(0, y - half), min(most, x + half), min(most, y + half)


def _centre(drawn: Look, point: int) -> tuple[float, float]:
    return float(drawn.grid.ys[point // drawn.cols]), float(drawn.grid.xs[point % drawn.cols])


def _losses(judged: Judged, scale: str) -> Iterator[tuple[int, float]]:
    worth = judged.value if scale == "winrate" else judged.lead
    for point in np.flatnonzero(judged.legal).tolist():
        if np.isfinite(worth[point]):
            yield point, max(0.0, float(worth[judged.best] - worth[point]))


def _answers(
    drawn: Look, row: Record | None, frames: Mapping[str, Array], shape: tuple[int, ...]
) -> Iterator[tuple[str, Array]]:
    """The generated frames in order: as kept, else drawn again from what was read of them."""
    tries = (row or {}).get("tries", [])
    shown = list(_different(tries))[:TRIES]
    for first, last in shown:
        caption = _which(first, last, len(tries))
        kept = next((frames[name] for name in (f"try{first}", f"raw{first}") if name in frames), None)
        if kept is not None:
            yield f"{caption}, as generated", kept
        elif "board" in tries[first]:
            yield (
                f"{caption}, drawn again from what was read",
                _draw(drawn, board_of(tries[first]["board"], *shape)),
            )


def _strip(
    drawn: Look, plies: Sequence[Record], frames: Mapping[str, Array], shape: tuple[int, int]
) -> Iterator[tuple[str, Array]]:
    """The last frames of a rollout, as kept or drawn again."""
    for number in range(max(0, len(plies) - STRIP), len(plies)):
        answer, caption = plies[number], f"frame {number + 1} of {len(plies)}"
        kept = frames.get(f"ply{number:02d}")
        if kept is not None:
            yield f"{caption}, as generated", kept
        elif "board" in answer:
            yield (
                f"{caption}, drawn again from what was read",
                _draw(drawn, board_of(answer["board"], *shape)),
            )


def _numbers(task: Task, row: Record) -> dict[str, str]:
    """The metrics of one sample."""
    columns = task.table([row]).columns.items()
    return {name.replace("_", " "): f"{values[0]:g}" for name, values in columns if np.isfinite(values[0])}


def _different(tries: Sequence[Record]) -> Iterator[tuple[int, int]]:
    """(first, last) of each run of equal answers."""
    start = 0
    for i in range(1, len(tries) + 1):
        if i == len(tries) or tries[i] != tries[start]:
            yield start, i - 1
            start = i


def _which(first: int, last: int, count: int) -> str:
    if count == 1:
        return "answer"
    return f"try {first + 1}" if first == last else f"tries {first + 1} to {last + 1}, all alike"


def _answer_facts(
    task: NextMove, sample: str, row: Record, judged: Judged, shape: tuple[int, int]
) -> dict[str, str]:
    """What was read of the answer that counts, and what it costs."""
    tries, at = row["tries"], scored(task, sample, row)
    answer, move = tries[at], played(task, sample, tries[at])
    facts = _audit(task, row)
    if len(tries) > 1:
        facts["tries"] = f"{len(tries)}; try {at + 1} counts"
    if "confidence" in answer:
        facts["least confidence"] = f"{answer['confidence']:.2f}"
    facts |= _video_facts(answer)
    legal = move >= 0 and bool(judged.legal[move])
    illegal = "none" if move < 0 else f"{coords.gtp(move, *shape)} (illegal)"
    facts["move played"] = _move_facts(judged, move, shape) if legal else illegal
    columns = task.table([row]).columns
    facts["it costs" if legal else "counted as the worst legal move, it costs"] = (
        f"{100 * columns['winrate_loss'][0]:.1f} points of 100 of win rate, {columns['score_loss'][0]:.1f} points of score"
    )
    return facts


def _video_facts(answer: Record) -> dict[str, str]:
    """What there was of an answer that is a video, or why there is nothing to read."""
    if answer.get("missing"):
        return {"no answer": "nothing was given for this sample"}
    facts = {}
    if "frames" in answer:
        settled = answer.get("settled", -1)
        which = f"frame {settled + 1} is the answer" if settled >= 0 else "none of them is the answer"
        facts["frames"] = f"{answer['frames']}; {which}"
    if "unreadable" in answer:
        why = str(answer["unreadable"])
        facts["unreadable"] = f"{why}: {WHY[why]}" if why in WHY else why
    return facts


def _move_facts(judged: Judged, move: int, shape: tuple[int, int]) -> str:
    return (
        f"{coords.gtp(move, *shape)} (policy {judged.policy[move]:.1%}, win rate {judged.value[move]:.1%}, "
        f"lead {judged.lead[move]:+.1f})"
    )


def _audit(task: Task, row: Record) -> dict[str, str]:
    """What the decode audit says of a row, in the task's words."""
    kind = task.table([row]).kinds[0]
    return {"read as": f"{kind}: {task.kinds[kind]}" if kind in task.kinds else kind}


def _draw(drawn: Look, board: npt.NDArray[np.uint8]) -> Array:
    frames: Array = render.frames(drawn, board[None])
    return np.asarray(frames[0], np.uint8)
