"""One prompt of a suite as files, in the formats that video tools read.

frames   TASK/ID/000.png ...  the frames, oldest first    TASK/ID/prompt.mp4  the same as a video, exact
vbvr     TASK/00000/first_frame.png  prompt.txt  and the right answer: final_frame.png  ground_truth.mp4
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gobench.tasks import Ask, Task, View
from gobench.types import Array

FPS = 16  # of the videos
HOLD = 8  # frames that a reply shows the prompt for, and then the answer: a second in all


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """One sample, ready to be written."""

    task: Task
    sample: str
    number: str  # five digits: its place in the task's ids
    view: View
    question: Ask
    instruction: str

    @property
    def folder(self) -> str:
        """The folder of the task: its name with "-" for "/"."""
        return self.task.name.replace("/", "-")

    @property
    def picture(self) -> Array:
        """What the model is shown last, uint8 [H, W, 3]."""
        return np.asarray(self.question.frames[-1])


def frames(prompt: Prompt) -> dict[str, bytes]:
    """Format "frames": every frame, and all of them as an exact video."""
    shown = prompt.question.frames
    files = {f"{t:03d}.png": png(frame) for t, frame in enumerate(shown)}
    return {**files, "prompt.mp4": exact(shown), "prompt.txt": _text(prompt)}


def vbvr(prompt: Prompt) -> dict[str, bytes]:
    """Format "vbvr": the folder of a sample as runners of image-to-video models read it."""
    truth = prompt.task.truth(prompt.sample, prompt.view)
    return {
        "first_frame.png": png(prompt.picture),
        "final_frame.png": png(truth[-1]),
        "ground_truth.mp4": video(reply(prompt.picture, truth)),
        "prompt.txt": _text(prompt),
    }


def _text(prompt: Prompt) -> bytes:
    return prompt.instruction.encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write prompts."""

    about: str
    files: Callable[[Prompt], dict[str, bytes]]
    name: Callable[[Prompt], str]  # of the sample's folder, and of the answer to it
    reference: str  # the file that shows what the model is to go on from


FORMATS: Mapping[str, Format] = {
    "frames": Format(
        "PNG frames and an exact MP4 a sample, loadable with the library datasets",
        frames, lambda p: p.sample, "{last:03d}.png",
    ),
    "vbvr": Format(
        "first_frame.png, final_frame.png, ground_truth.mp4 and prompt.txt a sample, by number",
        vbvr, lambda p: p.number, "first_frame.png",
    ),
}  # fmt: skip


def reply(picture: Array, answer: Array) -> Array:
    """A video as a model would reply: the prompt's picture, then the answer's frames, each held still."""
    parts = [picture[None].repeat(HOLD, 0), *(frame[None].repeat(HOLD, 0) for frame in answer)]
    return np.concatenate(parts)


def png(picture: Array) -> bytes:
    """uint8 [H, W, 3] -> PNG with three channels: some tools take no palette."""
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(data, "PNG")
    return data.getvalue()


def video(shown: Array) -> bytes:
    """uint8 [T, H, W, 3] -> MP4 as players take it (H.264, 4:2:0); exact where the size is odd."""
    from gobench.clips import ArrayClip
    from gobench.codec import codec

    even = shown.shape[1] % 2 == 0 and shown.shape[2] % 2 == 0
    name = "h264" if even else "lossless"
    return codec(name).members(ArrayClip(np.ascontiguousarray(shown), FPS))["mp4"]


def exact(shown: Array) -> bytes:
    """uint8 [T, H, W, 3] -> MP4 that gives back the very frames (H.264, RGB)."""
    from gobench.clips import ArrayClip
    from gobench.codec import codec

    return codec("lossless").members(ArrayClip(np.ascontiguousarray(shown), FPS))["mp4"]
