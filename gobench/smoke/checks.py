"""What is looked at, one function a check: a table from name to function."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from gobench.errors import ChildError, DataError
from gobench.seeds import seed64
from gobench.smoke.bench import Bench
from gobench.smoke.questions import SYNTHETIC, Question, bunches
from gobench.smoke.report import Finding
from gobench.tasks import ALWAYS_ASKED, CONTEXT_KEYS
from gobench.types import Array

ROUNDING = 2  # levels of 255 by which frames may differ when only the order of sums does


def examine(bench: Bench, progress: Callable[[str], None]) -> Iterator[Finding]:
    """All findings. After a wrong first answer nothing else is worth asking."""
    for name, probe in CHECKS.items():
        if getattr(bench.loaded.model, "ready_made", False) and name not in READY_MADE:
            continue
        progress(name)
        try:
            yield from probe(bench)
        except (ChildError, DataError) as error:  # DataError: answers made beforehand that cannot be read
            yield Finding("wrong", name, str(error), FIXES.get(name, ""))
            if name == "answers" or bench.loaded.lost:
                return


def _answers(bench: Bench) -> Iterator[Finding]:
    for case in bench.cases:
        bench.loaded.begin(case.public)
        for bunch in bunches(case.questions):
            bench.answers += zip(bunch, bench.ask(bunch), strict=True)
    height, width = bench.loaded.info.frame_size
    tasks = ", ".join(case.name for case in bench.cases)
    given = [answer for _, answer in bench.answers if len(answer)]
    missing = len(bench.answers) - len(given)
    if given:
        size = f"{height}x{width}, 3 colours" if bench.cases[0].questions[0].ask.n else "any size"
        yield Finding("ok", "answers", f"{len(given)} answers as asked: uint8, {size} ({tasks})")
    if missing:
        fix = (
            "Each counts as missing, which scores 0."
            if given
            else "Is this the right folder, and are names right?"
        )
        yield Finding("note", "answers", f"{missing} of {len(bench.answers)} answers are missing", fix)
    bench.loaded.begin(bench.cases[0].public)


def _values(bench: Bench) -> Iterator[Finding]:
    """Odd pictures: black, one colour, scaled to 0..1, never changed, always the same."""
    pairs = [(q.ask.frames, answer) for q, answer in bench.answers if len(answer)]
    if not pairs:
        return
    low = min(int(answer.min()) for _, answer in pairs)
    high = max(int(answer.max()) for _, answer in pairs)
    same = [np.array_equal(answer[-1], frames[-1]) for frames, answer in pairs]
    if high == 0:
        yield Finding("note", "values", "every frame is black", "Is the output scaled and decoded?")
    elif high == 1:
        yield Finding(
            "wrong", "values", "all values are 0 or 1", "Multiply by 255 before the conversion to uint8."
        )
    elif low == high:
        yield Finding("note", "values", f"every frame has one colour ({high}) only")
    else:
        yield Finding("ok", "values", f"values from {low} to {high}")
    if all(same):
        text = "every answer is its prompt's last frame, unchanged: no move is made"
        yield Finding("note", "values", text, "Expected of copy-frame alone.")
    elif len(pairs) > 2 and all(np.array_equal(pairs[0][1], answer) for _, answer in pairs):
        yield Finding(
            "note", "values", "the answer is the same to every prompt", "Does the model see its prompt?"
        )


def _speed(bench: Bench) -> Iterator[Finding]:
    start = time.perf_counter()
    frames = sum(len(answer) for answer in bench.ask(bench.main))
    bench.seconds = (time.perf_counter() - start) / max(1, frames)
    total = sum(case.total for case in bench.cases)
    text = f"{_seconds(bench.seconds)} a frame, {len(bench.main)} at once"
    if total:
        text += f"; the whole suite asks for up to {total:,} frames, second tries aside: {_seconds(total * bench.seconds)}"
    yield Finding("ok", "speed", text)


def _repeat(bench: Bench) -> Iterator[Finding]:
    first, second = bench.ask(bench.main), bench.ask(bench.main)
    different, most = _difference(first, second)
    if different:
        text = f"asked the same twice with the same seeds, {different} of {len(first)} answers differ (by up to {most})"
        yield Finding("wrong", "repeat", text, FIXES["repeat"])
    else:
        yield Finding("ok", "repeat", "asked the same twice with the same seeds, all answers are equal")


def _seeds(bench: Bench) -> Iterator[Finding]:
    others = [Question(q.ask, seed64(1, str(q.seed))) for q in bench.main]
    different, _ = _difference(bench.ask(bench.main), bench.ask(others))
    if different:
        yield Finding("ok", "seeds", f"with other seeds {different} of {len(others)} answers differ")
    else:
        yield Finding("note", "seeds", "other seeds change nothing: second tries will repeat the first")


def _neighbours(bench: Bench) -> Iterator[Finding]:
    """The same questions in other company: reversed, so that each has another place in the batch."""
    straight, turned = bench.ask(bench.main), bench.ask(bench.main[::-1])[::-1]
    different, most = _difference(straight, turned)
    if not different:
        yield Finding("ok", "neighbours", "no answer depends on its place in the batch")
        return
    text = (
        f"{different} of {len(straight)} answers depend on their place in the batch (by up to {most} of 255)"
    )
    yield Finding("note" if most <= ROUNDING else "wrong", "neighbours", text, FIXES["neighbours"])


def _batch(bench: Bench) -> Iterator[Finding]:
    together = bench.ask(bench.main)
    alone = [bench.ask([question])[0] for question in bench.main]
    different, most = _difference(together, alone)
    if different:
        text = f"alone, {different} of {len(alone)} answers differ from those in a batch of {len(alone)} (by up to {most})"
        yield Finding(
            "note", "batch", text, "Compare results of one batch size only; evaluate counts this too."
        )
    else:
        yield Finding("ok", "batch", f"alone and in a batch of {len(alone)} all answers are equal")


def _early(bench: Bench) -> Iterator[Finding]:
    """Early in an episode there are fewer frames than the model takes at most."""
    question = bench.main[0]
    most = bench.loaded.info.max_frames
    film = np.resize(question.ask.frames, (most, *question.ask.frames.shape[1:]))
    for length in range(1, most + 1):
        bench.ask([Question(question.ask._replace(frames=film[-length:]), question.seed)])
    lengths = f"1 to {most} frames" if most > 1 else "1 frame"
    yield Finding("ok", "early", f"prompts of {lengths} are answered")


def _longer(bench: Bench) -> Iterator[Finding]:
    bench.ask(bench.main[:1], n=2)
    yield Finding("ok", "longer", "2 frames at once are answered")


def _context(bench: Bench) -> Iterator[Finding]:
    declared = bench.loaded.info.context_keys
    asks = [q.ask.context for case in bench.cases for q in case.questions]
    offered = set(ALWAYS_ASKED).union(*asks)
    if absent := [key for key in declared if key not in offered]:
        near = [n for key in absent for n in difflib.get_close_matches(key, offered, n=1)]
        guess = f"Did you mean {', '.join(near)}? " if near else ""
        text = f"no question of this suite has the context {', '.join(absent)}"
        typo = set(absent) - set(CONTEXT_KEYS) and any(case.name != SYNTHETIC for case in bench.cases)
        fix = f"{guess}Offered here: {', '.join(sorted(offered))}."
        yield Finding("wrong" if typo else "note", "context", text, fix)
    else:
        what = f"beside frames it reads {', '.join(declared)}" if declared else "it reads nothing but frames"
        yield Finding("ok", "context", what)


def _prompts(bench: Bench) -> Iterator[Finding]:
    if bench.written:
        text = f"in {bench.written} calls the model wrote into its prompt"
        yield Finding("note", "prompts", text, "Copy frames before changing them.")


CHECKS: Mapping[str, Callable[[Bench], Iterator[Finding]]] = {
    "answers": _answers,
    "values": _values,
    "speed": _speed,
    "repeat": _repeat,
    "seeds": _seeds,
    "neighbours": _neighbours,
    "batch": _batch,
    "early": _early,
    "longer": _longer,
    "context": _context,
    "prompts": _prompts,
}
READY_MADE = ("answers", "values", "context")  # what can be asked of answers that lie there already
FIXES = {
    "answers": "generate() takes uint8 [B, T, H, W, 3] and returns uint8 [B, n, H, W, 3].",
    "repeat": "Draw all randomness from the seeds given, and switch dropout off (net.eval()).",
    "neighbours": "Make one generator a sample from its own seed, not one a batch.",
    "early": "Early in a game there are fewer frames than max_frames: pad the prompt inside of generate().",
    "longer": "generate() returns n new frames, whatever n is: feed its own frames back for the later ones.",
}


def _difference(one: Sequence[Array], other: Sequence[Array]) -> tuple[int, int]:
    """(how many answers differ, by how many levels of 255 at most)."""
    gaps = [
        int(np.abs(a.astype(np.int16) - b).max(initial=0)) if a.shape == b.shape else 255
        for a, b in zip(one, other, strict=True)
    ]
    return sum(gap > 0 for gap in gaps), max(gaps)


def _seconds(value: float) -> str:
    if value < 1:
        return f"{value * 1000:.3g} ms"
    return (
        f"{value:.3g} s"
        if value < 120
        else f"{value / 60:.3g} min"
        if value < 7200
        else f"{value / 3600:.3g} h"
    )
