"""The transformer of a ``model.pt`` for ``transformers``: ``export("runs/model.pt", "runs/llama")``."""

from __future__ import annotations

from pathlib import Path

from gobench.errors import UsageError
from gobench.models.files import read
from gobench_videoworld.config import from_json
from gobench_videoworld.networks import filled
from gobench_videoworld.transformer.huggingface import BACKBONE, CAUSAL, export_backbone, export_llama
from gobench_videoworld.transformer.plain import Plain


def export(model: Path | str, folder: Path | str) -> str:
    """Write config.json and model.safetensors, which ``transformers.LlamaModel.from_pretrained(folder)`` opens.

    The paper's form is written with its vocabulary and its softmax, as a ``LlamaForCausalLM``. Of other forms the backbone
    is written, which takes ``inputs_embeds``: their inputs and heads are none of a Llama's.

    Args:
        model: a ``model.pt``, or a folder with a model.
        folder: a new or empty one.

    Returns:
        "LlamaForCausalLM" or "LlamaModel".

    Raises:
        UsageError: another model's file, or a folder that holds something. DataError: no model, or a broken one.
        BuildError: the folder cannot be written.
    """
    place, target = Path(model), Path(folder)
    head, tensors = read(place)
    if head["model"] != "videoworld":
        raise UsageError(f"{place} is for the model {head['model']!r}: only models of videoworld are Llamas.")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} is not empty: give a new folder.")
    dynamics = filled(from_json(head["config"]), tensors, "cpu", "float32").transformer
    scheme = dynamics.scheme
    if not isinstance(scheme, Plain) or scheme.prefix:
        export_backbone(dynamics.model, target, dynamics.positions)
        return BACKBONE
    export_llama(
        dynamics.model, scheme.embed_tokens.weight, scheme.lm_head.weight, target, dynamics.positions
    )
    return CAUSAL
