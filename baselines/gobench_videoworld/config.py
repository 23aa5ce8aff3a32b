"""Every size and choice of the baseline as plain tables: frozen, checked when made, to and from JSON.

A ``VideoWorldConfig`` is the whole of what a ``model.pt`` says beside its weights; nothing in it names a machine, a
folder or a date.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, TypeVar, cast

from gobench.errors import DataError, UsageError, unknown
from gobench.types import Json, Record

ENCODERS = ("local", "scene", "conv", "paper")
PATCHWISE = ("local", "scene")  # encoders that see one patch each
LATENTS = ("located", "generic", "pixel")
INPUTS = ("state", "video", "video+ldm")
TARGETS = ("codes+video", "codes", "video")
SCHEMES = ("aligned", "plain")
RENDERERS = ("transformer", "latent")

T = TypeVar("T")


def one_of(name: str, value: object, known: Iterable[str]) -> None:
    """UsageError unless ``value`` is one of the known words, which it lists as their table does: sizes by size."""
    if value not in (names := tuple(known)):
        raise unknown(name, str(value), names, ordered=True)


def at_least(name: str, value: object, least: int) -> None:
    """UsageError unless ``value`` is a whole number of at least ``least``."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UsageError(f"{name} must be a whole number >= {least}, not {value!r}.")


def checked_offsets(name: str, offsets: Sequence[int]) -> tuple[int, ...]:
    """Frames ahead that have a code each; UsageError unless they rise from 1."""
    if list(offsets[:1]) != [1] or list(offsets) != sorted(set(offsets)):
        raise UsageError(f"{name} must be rising whole numbers from 1, not {_commas(offsets)}: try 1,3,5.")
    return tuple(offsets)


def _check_levels(levels: tuple[int, ...]) -> None:
    if not levels:
        raise UsageError("levels are whole numbers from 2, as in 8,5,5: give one at least.")
    for level in levels:
        at_least("levels", level, 2)


def _commas(values: Iterable[object]) -> str:
    return ",".join(map(str, values)) or "none"


@dataclass(frozen=True, slots=True)
class TokenizerConfig:
    """Frames <-> tokens.

    A frame is worked on at ``grid * patch`` pixels: it comes as stored and is resized by area, and goes back bicubically.
    """

    encoder: str = "local"
    grid: tuple[int, int] = (9, 9)  # tokens of a frame: rows, columns
    patch: int = 12  # pixels of a token's side, each way
    levels: tuple[int, ...] = (8, 5, 5)  # of the finite scalar quantization
    width: int = 64  # channels
    blocks: int = 2  # residual blocks on either side

    def __post_init__(self) -> None:
        one_of("encoder", self.encoder, ENCODERS)
        at_least("patch", self.patch, 2)
        at_least("width", self.width, 1)
        at_least("blocks", self.blocks, 0)
        if len(self.grid) != 2:
            raise UsageError(f"grid is rows,columns of tokens, as in 9,9, not {_commas(self.grid)}.")
        for side in self.grid:
            at_least("grid", side, 1)
        _check_levels(self.levels)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels at which the tokenizer works."""
        return self.grid[0] * self.patch, self.grid[1] * self.patch

    @property
    def sites(self) -> int:
        """S, tokens of a frame."""
        return self.grid[0] * self.grid[1]

    @property
    def vocabulary(self) -> int:
        """V, how many tokens there are."""
        return math.prod(self.levels)


@dataclass(frozen=True, slots=True)
class LatentConfig:
    """What changes between frames as a few discrete codes.

    ``offsets`` are the frames ahead that have a code each: (1, 3, 5) are own moves only (FACTS: "codes in Go"), (1, 2, 3)
    every ply. A code is one or more digits, each a token of the transformer's: (place, content) for "located", one for
    the others.
    """

    form: str = "located"
    offsets: tuple[int, ...] = (1, 3, 5)
    levels: tuple[int, ...] = (5,)  # located: of the content; else of the whole code
    places: int = 1  # located: places a code has; several for robots
    width: int = 32
    blocks: int = 2  # of the decoder

    def __post_init__(self) -> None:
        one_of("form", self.form, LATENTS)
        checked_offsets("offsets", self.offsets)
        _check_levels(self.levels)
        for name in ("places", "width", "blocks"):
            at_least(name, getattr(self, name), 1)

    def digits(self, sites: int) -> tuple[int, ...]:
        """How many values each digit of a code has."""
        content = math.prod(self.levels)
        return (*(sites,) * self.places, content) if self.form == "located" else (content,)


@dataclass(frozen=True, slots=True)
class TransformerConfig:
    """A Llama with the names of Hugging Face's ``LlamaConfig``, and what this model adds.

    ``paper_faithful()`` switches all additions off.
    """

    hidden_size: int = 64
    num_hidden_layers: int = 3
    num_attention_heads: int = 4
    num_key_value_heads: int = 4
    intermediate_size: int = 172
    rms_norm_eps: float = 1e-6
    rope_theta: float = 10000.0
    history: int = 4  # frames of the prompt: after a pass, the last two alone do not show whose turn it is
    scheme: str = (
        "aligned"  # of inputs and heads: transformer/aligned.py, or "plain": one vocabulary, one softmax
    )
    bidirectional: bool = True  # the prompt's tokens see each other in both directions
    pointer: bool = True  # aligned: a place digit's logits are dot products with the prompt's site features
    imagined: bool = (
        True  # aligned: the latent decoder's picture of the code is shown where the next frame is predicted
    )

    def __post_init__(self) -> None:
        one_of("scheme", self.scheme, SCHEMES)
        for name in (
            "hidden_size",
            "num_hidden_layers",
            "num_attention_heads",
            "num_key_value_heads",
            "intermediate_size",
            "history",
        ):
            at_least(name, getattr(self, name), 1)
        if self.hidden_size % self.num_attention_heads or (self.hidden_size // self.num_attention_heads) % 2:
            raise UsageError(
                f"hidden_size {self.hidden_size} must be an even multiple of num_attention_heads {self.num_attention_heads}."
            )
        if self.num_attention_heads % self.num_key_value_heads:
            raise UsageError(
                f"num_attention_heads {self.num_attention_heads} must be a multiple of num_key_value_heads "
                f"{self.num_key_value_heads}."
            )

    def paper_faithful(self) -> TransformerConfig:
        """Codes as tokens, an ordinary softmax, causal, two frames one after the other (each costs all its tokens)."""
        return replace(self, scheme="plain", bidirectional=False, pointer=False, imagined=False, history=2)


@dataclass(frozen=True, slots=True)
class SamplerConfig:
    """How an answer is drawn: the code at ``temperature``, the frame at ``frame_temperature`` (0: greedily)."""

    temperature: float = 1.0
    frame_temperature: float = 0.0
    renderer: str = "transformer"  # or "latent": the latent model's own decoder draws the code

    def __post_init__(self) -> None:
        one_of("renderer", self.renderer, RENDERERS)
        for name in ("temperature", "frame_temperature"):
            if not 0 <= getattr(self, name) < math.inf:
                raise UsageError(f"{name} is a number >= 0, not {getattr(self, name)!r}.")


@dataclass(frozen=True, slots=True, eq=True)
class VideoWorldConfig:
    """The whole model.

    For ``input`` "state" frames become the symbols that the domain's reader sees, codes become the labelled actions
    (cell, symbol), and no next frame is predicted: ``tokenizer`` and ``latent`` are not used but for ``grid``.
    """

    domain: str = "go"
    theme: str = "videoworld"
    frame_size: tuple[int, int] = (
        256,
        256,
    )  # pixels of the dataset's frames: the model's answer has them too
    board: tuple[int, int] = (9, 9)  # the domain's own grid
    input: str = "video+ldm"
    target: str = "codes+video"
    symbols: int = 3  # input "state": how many symbols a cell may have
    tokenizer: TokenizerConfig = field(default_factory=TokenizerConfig)
    latent: LatentConfig = field(default_factory=LatentConfig)
    transformer: TransformerConfig = field(default_factory=TransformerConfig)
    sampler: SamplerConfig = field(default_factory=SamplerConfig)
    # the dataset's recipe options, with which a domain is asked to read and to act (input "state")
    options: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        one_of("input", self.input, INPUTS)
        one_of("target", self.target, TARGETS)
        if self.input == "state" and not self.codes:
            raise UsageError('a state model predicts codes alone: target "video" is not for it.')
        if self.sampler.renderer == "latent" and (self.input == "state" or not self.codes):
            raise UsageError(
                'renderer "latent" draws codes of a latent model, which this model does not have: take "transformer".'
            )

    @property
    def sites(self) -> int:
        """S, tokens of a frame, or cells of a state."""
        return self.board[0] * self.board[1] if self.input == "state" else self.tokenizer.sites

    @property
    def vocabulary(self) -> int:
        """V, tokens, or symbols of a state."""
        return self.symbols if self.input == "state" else self.tokenizer.vocabulary

    @property
    def codes(self) -> int:
        """K, codes before the next frame."""
        return 0 if self.input == "video" or self.target == "video" else len(self.latent.offsets)

    @property
    def digits(self) -> tuple[int, ...]:
        """Values of each digit of a code; a state's action is (cell, or "none" behind the last; symbol)."""
        if self.input == "state":
            return (self.sites + 1, self.symbols)
        return self.latent.digits(self.tokenizer.sites)

    @property
    def pointers(self) -> int:
        """How many leading digits of a code name a site."""
        if self.input == "state":
            return 1
        return self.latent.places if self.latent.form == "located" else 0

    @property
    def frames(self) -> bool:
        """Whether the transformer predicts the next frame's tokens."""
        return self.input == "video" or (self.input == "video+ldm" and self.target != "codes")

    @property
    def imagines(self) -> bool:
        """Whether the transformer is shown the latent decoder's picture of the first code."""
        wanted = self.transformer.scheme == "aligned" and self.transformer.imagined
        return wanted and self.frames and self.codes > 0 and self.latent.form != "pixel"

    def to_json(self) -> Record:
        """Plain data; ``from_json`` is its inverse."""
        return cast(Record, _plain(asdict(self)))


def from_json(table: Mapping[str, Any]) -> VideoWorldConfig:
    """Raises DataError for keys that are unknown or missing, or values that cannot be."""
    parts: dict[str, type] = {
        "tokenizer": TokenizerConfig,
        "latent": LatentConfig,
        "transformer": TransformerConfig,
        "sampler": SamplerConfig,
    }
    try:
        made: dict[str, Any] = {name: _made(kind, table[name]) for name, kind in parts.items()}
        return _made(VideoWorldConfig, {**table, **made})
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise DataError(f"this is not the configuration of a VideoWorld model: {error}") from error


SIZES: Mapping[str, Mapping[str, int]] = {
    "tiny": {"hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 172},
    "small": {"hidden_size": 256, "num_hidden_layers": 6, "num_attention_heads": 8, "intermediate_size": 688},
    "base": {"hidden_size": 512, "num_hidden_layers": 12, "num_attention_heads": 8, "intermediate_size": 1376},
    "300m": {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 2752},
    "50m-paper": {"hidden_size": 512, "num_hidden_layers": 16, "num_attention_heads": 8, "intermediate_size": 1376},
    "150m-paper": {"hidden_size": 1024, "num_hidden_layers": 12, "num_attention_heads": 16, "intermediate_size": 2752},
    "300m-paper": {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 2752},
}  # fmt: skip
"""Transformer sizes; parameters without embeddings: 0.15M, 4.7M, 38M, 303M, 50M, 152M, 303M."""

PAPER_TOKENIZER = TokenizerConfig("paper", (4, 4), 64, (8, 8, 8, 5, 5, 5), width=128, blocks=2)
PAPER_LATENT = LatentConfig("pixel", (1, 3, 5), (8, 8, 8, 5, 5, 5), width=128, blocks=2)


def transformer_of(size: str) -> TransformerConfig:
    """The transformer of a named size; those named "-paper" are paper-faithful. Raises UsageError."""
    if size not in SIZES:
        raise unknown("size", size, SIZES, ordered=True)
    row: dict[str, Any] = {**SIZES[size]}
    made = TransformerConfig(**row, num_key_value_heads=row["num_attention_heads"])
    return made.paper_faithful() if size.endswith("-paper") else made


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def _made(kind: type[T], table: Mapping[str, Any]) -> T:
    known = {f.name for f in fields(cast(Any, kind))}
    if strange := sorted(set(table) - known):
        raise ValueError(f"unknown key {strange[0]!r} of {kind.__name__}")
    if missing := sorted(known - set(table)):
        raise ValueError(f"{kind.__name__} has no {missing[0]!r}")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in table.items()})
