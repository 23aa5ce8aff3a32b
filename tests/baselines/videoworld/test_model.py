"""VideoWorld as the benchmark meets it: prompts, seeds, what is fed back, sizes, files, and what it refuses."""

from __future__ import annotations

import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from gobench.errors import DataError, UsageError
from gobench.models import load, save
from gobench.registry import domain
from gobench.testing import check_model
from gobench.types import Array
from gobench_videoworld.answers import Draws, StateAnswers, VideoAnswers, enlarged
from gobench_videoworld.config import (
    LatentConfig,
    SamplerConfig,
    TokenizerConfig,
    TransformerConfig,
    VideoWorldConfig,
)
from gobench_videoworld.model import VideoWorld, prompt
from gobench_videoworld.networks import networks
from gobench_videoworld.transformer.dynamics import Drawn

SIZE, CPU = 64, torch.device("cpu")
OPTIONS = domain("go").configure({"rows": 5, "cols": 5, "size": SIZE, "theme": "videoworld"})
SMALL = VideoWorldConfig(
    theme="videoworld",
    frame_size=(SIZE, SIZE),
    board=(5, 5),
    tokenizer=TokenizerConfig(grid=(5, 5), patch=8, width=16),
    transformer=TransformerConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2,
                                  intermediate_size=48, history=2),
    options=OPTIONS,
)  # fmt: skip
FORMS: dict[str, VideoWorldConfig] = {
    "video+ldm": SMALL,
    "video": replace(SMALL, input="video"),
    "state": replace(SMALL, input="state"),
    "codes": replace(SMALL, target="codes"),
    "paper-faithful": replace(SMALL, transformer=SMALL.transformer.paper_faithful()),
    "latent renderer": replace(SMALL, sampler=SamplerConfig(renderer="latent")),
    "generic": replace(SMALL, latent=LatentConfig("generic", levels=(8, 8, 8), width=16, blocks=1)),
    "conv": replace(SMALL, tokenizer=TokenizerConfig("conv", (5, 5), 8, width=16), input="video"),
}


class Greys(nn.Module):
    """A tokenizer stand-in: a token is the grey of its patch, 0 to 255; draws it without loss."""

    def __init__(self) -> None:
        super().__init__()
        self.encoded = 0

    def encode(self, frames: Tensor) -> Tensor:
        self.encoded += len(frames)
        return frames.unflatten(1, (5, 8)).unflatten(3, (5, 8))[:, :, 4, :, 4, 0].flatten(1).long()

    def decode(self, tokens: Tensor) -> Tensor:
        rows = tokens.view(-1, 5, 1, 5, 1).expand(-1, 5, 8, 5, 8).reshape(-1, 40, 40)
        return rows[..., None].expand(-1, -1, -1, 3).to(torch.uint8).contiguous()


class Counting(nn.Module):
    """A transformer stand-in: the next frame is the last one plus what the frame before differs, and a draw at site 0."""

    def __init__(self) -> None:
        super().__init__()
        self.histories: list[Tensor] = []

    def sample(
        self,
        history: Tensor,
        uniforms: Tensor,
        sampler: SamplerConfig,
        imagine: Any = None,
        force: Any = None,
    ) -> Drawn:
        self.histories.append(history)
        tokens = (2 * history[:, -1] - history[:, 0]) % 256
        tokens[:, 0] = (uniforms[:, 0] * 256).long()
        return Drawn(torch.zeros(len(history), 0, 2, dtype=torch.int64), tokens)


class Networks:
    """The stand-ins as networks."""

    def __init__(self) -> None:
        self.tokenizer, self.transformer = Greys(), Counting()

    def imagine(self, shown: Tensor, code: Tensor) -> Tensor:
        raise AssertionError("a model without codes imagines nothing")


@pytest.fixture
def counting() -> VideoAnswers:
    made: Any = Networks()
    return VideoAnswers(replace(SMALL, input="video"), made, CPU)


def greys(*values: int) -> Array:
    """One clip of flat grey frames, uint8 [1, T, SIZE, SIZE, 3]."""
    flat = np.array(values, np.uint8)[None, :, None, None, None]
    return np.broadcast_to(flat, (1, len(values), SIZE, SIZE, 3)).copy()


def seeds(*values: int) -> Any:
    return np.array(values, np.uint64)


def boards(*moves: int) -> Array:
    """A clip of 5x5 boards after each of the moves, one a colour in turn: uint8 [1, 1 + len(moves), SIZE, SIZE, 3]."""
    from gobench_go.video.render import frames
    from gobench_go.video.themes import look

    shown = np.zeros((len(moves) + 1, 5, 5), np.uint8)
    for i, move in enumerate(moves):
        shown[i + 1 :].reshape(-1, 25)[:, move] = 1 + i % 2
    return frames(look("videoworld", SIZE, 5, 5), shown)[None]


def test_a_short_prompt_repeats_its_first_frame_and_a_long_one_its_last_ones() -> None:
    clip = np.arange(3)[None, :, None]
    for history, want in ((1, [2]), (2, [1, 2]), (3, [0, 1, 2]), (5, [0, 0, 0, 1, 2])):
        assert prompt(clip, history)[0, :, 0].tolist() == want


def test_what_is_generated_goes_on_as_tokens(counting: VideoAnswers) -> None:
    answer = counting.continued(greys(10, 13), 4, seeds(1))
    assert answer.shape == (1, 4, SIZE, SIZE, 3) and answer.dtype == np.uint8
    assert answer[0, :, -4, -4, 0].tolist() == [16, 19, 22, 25]
    tools: Any = counting.networks
    assert tools.tokenizer.encoded == 2  # the prompt alone
    assert [h[0, :, -1].tolist() for h in tools.transformer.histories[:2]] == [[10, 13], [13, 16]]


def test_a_row_does_not_depend_on_its_neighbours(counting: VideoAnswers) -> None:
    both = np.concatenate([greys(10, 13), greys(50, 40)])
    together = counting.continued(both, 3, seeds(5, 6))
    for row in (0, 1):
        assert np.array_equal(counting.continued(both[row : row + 1], 3, seeds(5 + row))[0], together[row])
    assert not np.array_equal(counting.continued(both, 3, seeds(5, 7))[1], together[1])
    assert counting.continued(both, 0, seeds(5, 6)).shape == (2, 0, SIZE, SIZE, 3)


def test_draws_are_one_stream_a_row() -> None:
    whole, parts = Draws(seeds(3, 2**64 - 1), CPU)(5), Draws(seeds(2**64 - 1), CPU)
    assert whole.dtype == torch.float64 and ((whole >= 0) & (whole < 1)).all()
    assert torch.equal(torch.cat([parts(2), parts(3)], 1)[0], whole[1])


def test_frames_are_enlarged_one_by_one_and_bicubically() -> None:
    small = np.random.default_rng(0).integers(0, 256, (2, 3, 10, 12, 3), np.uint8)
    large = enlarged(small, (30, 48))
    one = Image.fromarray(small[1, 2]).resize((48, 30), Image.Resampling.BICUBIC)
    assert large.shape == (2, 3, 30, 48, 3) and np.array_equal(large[1, 2], np.asarray(one))
    assert enlarged(small, (10, 12)) is small


class Saying(nn.Module):
    """A transformer stand-in for states: says the next of given actions, and looks at nothing."""

    def __init__(self, *actions: tuple[int, int]) -> None:
        super().__init__()
        self.actions = list(actions)
        self.seen: list[Tensor] = []

    def sample(self, history: Tensor, uniforms: Tensor, sampler: SamplerConfig) -> Drawn:
        self.seen.append(history)
        later = torch.zeros(len(history), 3, 2, dtype=torch.int64)
        later[:, 0] = torch.tensor(self.actions.pop(0))
        return Drawn(later, None)


def test_a_state_model_reads_chooses_and_lets_the_domain_draw() -> None:
    tools: Any = Networks()
    tools.transformer = Saying((7, 1), (25, 0), (7, 2))
    answers = StateAnswers(replace(SMALL, input="state"), tools, CPU)
    answer = answers.continued(prompt(boards(12, 3), 2), 3, seeds(1))
    read = domain("go").states(OPTIONS, answer[0])  # type: ignore[attr-defined]
    assert read[0, [12, 3, 7]].tolist() == [1, 2, 1] and (read == read[0]).all()
    seen = tools.transformer.seen[1][0]
    assert seen.shape == (2, 25) and seen[0].nonzero().flatten().tolist() == [3, 12] and seen[1, 7] == 1


@pytest.fixture(scope="module")
def made() -> Callable[[str], VideoWorld]:
    """Models of each form with random weights, once each."""
    table: dict[str, VideoWorld] = {}

    def make(form: str) -> VideoWorld:
        if form not in table:
            torch.manual_seed(0)
            config = FORMS[form]
            table[form] = VideoWorld.from_checkpoint(config.to_json(), networks(config).tensors())
        return table[form]

    return make


@pytest.mark.parametrize("form", list(FORMS))
def test_every_form_answers_alike_for_equal_seeds(made: Callable[[str], VideoWorld], form: str) -> None:
    model = made(form)
    clips = np.concatenate([boards(12, 3), boards(7, 8)])
    answer = model.generate(clips, 2, seeds(1, 2))
    assert answer.shape == (2, 2, SIZE, SIZE, 3) and answer.dtype == np.uint8
    assert np.array_equal(model.generate(clips, 2, seeds(1, 2)), answer)
    assert np.array_equal(
        model.generate(clips[:, -1:].repeat(2, 1), 1, seeds(1, 2)),
        model.generate(clips[:, -1:], 1, seeds(1, 2)),
    )
    assert model.kind == ("state" if form == "state" else "video") and model.video_only == (form != "state")


@pytest.mark.parametrize("form", ["video+ldm", "state"])
def test_a_file_is_the_same_model(made: Callable[[str], VideoWorld], tmp_path: Path, form: str) -> None:
    model, path = made(form), tmp_path / "model.pt"
    sha = save(
        path, "videoworld", model.config.to_json(), model.answers.networks.tensors(), {"frames_watched": 9}
    )
    loaded = load(str(path))
    assert loaded.info.weights_sha256 == sha and loaded.info.provenance == {"frames_watched": 9}
    assert (loaded.info.frame_size, loaded.info.max_frames, loaded.info.kind) == ((SIZE, SIZE), 2, model.kind)
    assert loaded.info.parameters == model.parameters > 1000
    clip = boards(12, 3)
    assert np.array_equal(loaded.ask(clip, 1, seeds(4)), model.generate(clip, 1, seeds(4)))
    report = check_model(str(path), suite="go5-lite")
    assert report.well


def test_the_sampler_can_be_set_in_the_name(made: Callable[[str], VideoWorld], tmp_path: Path) -> None:
    model, path = made("video+ldm"), tmp_path / "model.pt"
    sha = save(path, "videoworld", model.config.to_json(), model.answers.networks.tensors())
    cold = load(f"videoworld:{path}?temperature=0&renderer=latent")
    sampler: SamplerConfig = cold.model.config.sampler  # type: ignore[attr-defined]
    assert (sampler.temperature, sampler.renderer, sampler.frame_temperature) == (0, "latent", 0)
    assert (
        cold.info.weights_sha256 not in (None, sha) and load(f"videoworld:{path}").info.weights_sha256 == sha
    )
    assert cold.info.name == "model?temperature=0&renderer=latent"
    clip = boards(12, 3)
    assert np.array_equal(cold.ask(clip, 1, seeds(1)), cold.ask(clip, 1, seeds(2)))


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        ("videoworld", UsageError, "is a trained model: name its file"),
        ("videoworld:absent.pt", DataError, "there is no model absent.pt"),
        ("videoworld:{path}?temprature=1", UsageError, "Did you mean 'temperature'"),
        ("videoworld:{path}?temperature=hot", UsageError, "give a number, not 'hot'"),
    ],
)
def test_names_that_are_no_model(
    made: Callable[[str], VideoWorld], tmp_path: Path, text: str, error: type[Exception], match: str
) -> None:
    model, path = made("video"), tmp_path / "model.pt"
    save(path, "videoworld", model.config.to_json(), model.answers.networks.tensors())
    with pytest.raises(error, match=match):
        load(text.format(path=path))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"rows": 9, "cols": 9}, "watched the board 5x5 and cannot answer the board 9x9 of go5/next-move"),
        ({"theme": "wood"}, "watched the theme videoworld and cannot answer the theme wood"),
    ],
)
def test_another_world_is_refused(
    made: Callable[[str], VideoWorld], change: dict[str, Any], match: str
) -> None:
    public = {"task": "go5/next-move", "suite": "go5-lite", "rows": 5, "cols": 5, "theme": "videoworld"}
    made("video").begin(public)
    made("video").begin({})
    with pytest.raises(UsageError, match=match):
        made("video").begin(public | change)


def test_another_domain_is_refused(made: Callable[[str], VideoWorld]) -> None:
    torch.manual_seed(0)
    config = replace(SMALL, domain="arm", input="video")
    model = VideoWorld.from_checkpoint(config.to_json(), networks(config).tensors())
    with pytest.raises(UsageError, match="watched the domain arm and cannot answer the domain go"):
        model.begin({"task": "go5/next-move", "suite": "go5-lite", "rows": 9})


def test_frames_of_another_size_are_refused(made: Callable[[str], VideoWorld]) -> None:
    with pytest.raises(DataError, match=r"takes clips uint8 \[B, T, 64, 64, 3\], not \[1, 2, 32, 32, 3\]"):
        made("video").generate(np.zeros((1, 2, 32, 32, 3), np.uint8), 1, seeds(1))


@pytest.mark.parametrize(
    ("table", "key", "value", "says"),
    [
        ("transformer", "hidden_size", 1 << 20, "but the config says"),
        ("transformer", "intermediate_size", 1 << 40, "but the config says"),
        ("transformer", "intermediate_size", 1 << 62, "no network has the sizes"),
        ("transformer", "num_hidden_layers", 10**9, "asks for 1,000,000,000 layers, but there are"),
        ("tokenizer", "levels", [1 << 20, 1 << 20], "but the config says"),
        ("tokenizer", "patch", (1 << 31) - 1, "no network has the sizes"),
        ("tokenizer", "blocks", 10**9, "layers"),
        ("latent", "blocks", 10**9, "layers"),
    ],
)
def test_a_config_gets_no_memory_before_it_fits(
    made: Callable[[str], VideoWorld], table: str, key: str, value: Any, says: str
) -> None:
    model = made("video+ldm")
    config, tensors = model.config.to_json(), model.answers.networks.tensors()
    config[table][key] = value
    if key == "patch":
        config[table]["encoder"] = "conv"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError, match=says):
        VideoWorld.from_checkpoint(config, tensors)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000, "in KiB"


@pytest.mark.parametrize("form", list(FORMS))
def test_a_model_that_is_read_draws_no_random_numbers(made: Callable[[str], VideoWorld], form: str) -> None:
    model = made(form)
    before = torch.get_rng_state()
    again = VideoWorld.from_checkpoint(model.config.to_json(), model.answers.networks.tensors())
    assert torch.equal(torch.get_rng_state(), before)
    tensors = again.answers.networks.tensors()
    assert all(torch.equal(tensors[name], value) for name, value in model.answers.networks.tensors().items())


def test_tensors_that_do_not_fit_are_named(made: Callable[[str], VideoWorld]) -> None:
    model = made("video")
    config, tensors = model.config.to_json(), model.answers.networks.tensors()
    first = min(tensors)
    with pytest.raises(DataError, match=f"has no tensor '{first}'"):
        VideoWorld.from_checkpoint(config, {k: v for k, v in tensors.items() if k != first})
    with pytest.raises(DataError, match="a tensor 'more' that its config has no place for"):
        VideoWorld.from_checkpoint(config, {**tensors, "more": torch.zeros(1)})
    with pytest.raises(DataError, match=r"has the shape \[3, 3, 3\], but the config says"):
        VideoWorld.from_checkpoint(config, {**tensors, first: torch.zeros(3, 3, 3)})
    with pytest.raises(DataError, match="not the configuration of a VideoWorld"):
        VideoWorld.from_checkpoint({**config, "more": 1}, tensors)
