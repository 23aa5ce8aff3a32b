"""A model that is asked with care: a deadline, checked answers, errors that name it and what it did."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from gobench.errors import ChildError, GobenchError
from gobench.models.answers import checked, checked_actions, checked_free
from gobench.models.deadline import Caller, LateError, LostError
from gobench.models.describe import ModelInfo
from gobench.types import Array, Json, VideoModel

HERE = Path(__file__).parent
CLOSING = 10.0  # seconds a model gets to close
PATIENCE = "With --timeout SECONDS it gets longer, with a smaller --batch it is asked for less at once."


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A model with its description; ``ask`` is ``VideoModel.generate`` with every promise checked."""

    model: VideoModel
    info: ModelInfo
    timeout: float = 600.0  # seconds that one answer may take
    _caller: Caller = field(default_factory=Caller, repr=False)

    @property
    def who(self) -> str:
        """How errors name the model."""
        return f"model {self.info.text!r}"

    @property
    def lost(self) -> bool:
        """Whether it hung or died, so that nothing more can be asked."""
        return self._caller.lost or bool(getattr(self.model, "lost", False))

    def ask(
        self,
        frames: Array,
        n: int,
        seeds: npt.NDArray[np.uint64],
        context: Sequence[Mapping[str, Json]] | None = None,
    ) -> Array:
        """Continue B clips.

        Args:
            frames: uint8 [B, T, H, W, 3], T <= info.max_frames; handed over as it is, and a model may write to it.
            n: frames to add; 0: as many as the model likes, where ``info.any_length``, else one.
            seeds: uint64 [B].
            context: everything that is known of each clip; the model gets the keys it declares, or None.

        Returns:
            uint8 [B, n, H, W, 3]. Where ``info.any_length``, a list of B arrays: uint8 [n, H, W, 3], or [m, H', W', 3]
            for n = 0; an empty one says that there is no answer.

        Raises:
            ChildError: no answer in time, an exception, or anything but such an array.
        """
        count = n if n or self.info.any_length else 1
        what = _question(frames.shape, count)
        known = self._context(context)
        answer = self._call(what, lambda: self.model.generate(frames, count, seeds, known))
        batch, prompt, height, width, _ = frames.shape
        shape = (batch, count, height, width, 3)
        if self.info.any_length and not isinstance(answer, np.ndarray):
            return cast(Array, checked_free(answer, shape, self.who))
        return checked(answer, shape, prompt, self.who)

    @property
    def acts(self) -> bool:
        """Whether it answers with actions where a task takes them."""
        return callable(getattr(self.model, "generate_actions", None))

    def act(
        self,
        frames: Array,
        n: int,
        seeds: npt.NDArray[np.uint64],
        context: Sequence[Mapping[str, Json]] | None = None,
    ) -> npt.NDArray[np.float64]:
        """The next ``n`` actions after each of B clips, float64 [B, n, A]; the arguments are those of ``ask``.

        Raises:
            ChildError: no answer in time, an exception, or anything but such an array of finite numbers.
        """
        known = self._context(context)
        asked: Any = self.model
        what = _question(frames.shape, n).replace("frame", "action", 1)
        answer = self._call(what, lambda: asked.generate_actions(frames, n, seeds, known))
        return checked_actions(answer, len(frames), n, self.who)

    def begin(self, public: Mapping[str, Json]) -> None:
        """Tell the model a task's public settings, if it listens."""
        begin = getattr(self.model, "begin", None)
        if begin is not None:
            self._call(f"begin() with the settings of {public.get('task', 'a task')}", lambda: begin(public))

    def close(self) -> None:
        """Let the model go; a model that hangs or fails now is left alone."""
        close = getattr(self.model, "close", None)
        if close is not None:
            with contextlib.suppress(Exception):
                self._run(close, CLOSING)

    def _context(self, context: Sequence[Mapping[str, Json]] | None) -> list[dict[str, Json]] | None:
        if not self.info.context_keys or context is None:
            return None
        return [{key: row[key] for key in self.info.context_keys if key in row} for row in context]

    def _run(self, job: Callable[[], Any], seconds: float) -> Any:
        if getattr(self.model, "own_deadline", False):
            return job()
        return self._caller.call(job, seconds)

    def _call(self, what: str, job: Callable[[], Any]) -> Any:
        try:
            return self._run(job, self.timeout)
        except LateError:
            raise ChildError(
                f"{self.who} did not answer within {self.timeout:g} s. It was asked for {what}. {PATIENCE}"
            ) from None
        except LostError:
            raise ChildError(
                f"{self.who} did not answer earlier and is asked nothing more. {PATIENCE}"
            ) from None
        except (GobenchError, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise ChildError(f"{self.who} failed: {last_words(error)}. It was asked for {what}.") from error


def last_words(error: BaseException) -> str:
    """ "ValueError: no such size (my_model.py:17, in generate)": what a traceback says at its end."""
    text = " ".join("".join(traceback.format_exception_only(error)).split())
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith("<frozen")]
    own = [f for f in frames if Path(f.filename).parent != HERE]
    if not own:
        return text[:500]
    place = next((f for f in reversed(own) if "site-packages" not in f.filename), own[-1])
    return f"{text[:500]} ({place.filename}:{place.lineno}, in {place.name})"


def _question(shape: Sequence[int], n: int) -> str:
    batch, prompt, height, width = shape[:4]
    clips = f"{batch} clip{'s' * (batch != 1)} of {prompt} frame{'s' * (prompt != 1)} ({height}x{width})"
    return f"{n} frame{'s' * (n != 1)} after each of {clips}" if n else f"frames after each of {clips}"
