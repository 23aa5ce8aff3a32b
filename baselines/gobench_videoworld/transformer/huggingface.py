"""A transformer as a folder that Hugging Face's ``transformers`` opens: config.json and model.safetensors.

Parameter names are theirs already. The paper's form (``plain.Plain``) is a ``LlamaForCausalLM``; any backbone is a
``LlamaModel`` that is given ``inputs_embeds``. Neither needs ``transformers`` to be written.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from gobench import atomic
from gobench.errors import UsageError
from gobench.types import Record
from gobench_videoworld.config import TransformerConfig
from gobench_videoworld.transformer.llama import Llama, spread

CAUSAL, BACKBONE = "LlamaForCausalLM", "LlamaModel"


def llama_config(
    config: TransformerConfig, vocabulary: int, positions: int, tied: bool = False, architecture: str = CAUSAL
) -> Record:
    """The keys of Hugging Face's ``LlamaConfig`` (versions 4 and 5), with no token that ends a text."""
    theta = config.rope_theta
    return {
        "architectures": [architecture],
        "model_type": "llama",
        "vocab_size": vocabulary,
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "num_hidden_layers": config.num_hidden_layers,
        "num_attention_heads": config.num_attention_heads,
        "num_key_value_heads": config.num_key_value_heads,
        "head_dim": config.hidden_size // config.num_attention_heads,
        "hidden_act": "silu",
        "rms_norm_eps": config.rms_norm_eps,
        "rope_theta": theta,
        "rope_parameters": {"rope_type": "default", "rope_theta": theta},
        "max_position_embeddings": positions,
        "initializer_range": spread(config.hidden_size),
        "attention_bias": False,
        "attention_dropout": 0.0,
        "mlp_bias": False,
        "tie_word_embeddings": tied,
        "bos_token_id": None,
        "eos_token_id": None,
        "pad_token_id": None,
        "use_cache": True,
        "torch_dtype": "float32",
    }


def export_llama(
    llama: Llama, embed_tokens: Tensor, lm_head: Tensor | None, folder: Path, positions: int = 2048
) -> None:
    """Write a ``LlamaForCausalLM``.

    Args:
        embed_tokens: [V, hidden].
        lm_head: [V, hidden]; None where it is tied to ``embed_tokens``.
        positions: how long a sequence may be.

    Raises:
        UsageError: tables of other shapes, or a backbone whose prompt sees itself in both directions.
        BuildError: the folder cannot be written.
    """
    width = llama.config.hidden_size
    for name, table in (("embed_tokens", embed_tokens), ("lm_head", lm_head)):
        if table is not None and tuple(table.shape) != (len(embed_tokens), width):
            raise UsageError(
                f"{name} is {tuple(table.shape)}, but must be (vocabulary, hidden_size) = ({len(embed_tokens)}, {width})."
            )
    if llama.config.bidirectional:
        raise UsageError(
            "a LlamaForCausalLM is causal, but this model's prompt sees itself in both directions: "
            "export the paper's form (paper_faithful), or the backbone alone."
        )
    tensors = {f"model.{name}": t for name, t in llama.state_dict().items()}
    tensors["model.embed_tokens.weight"] = embed_tokens
    if lm_head is not None:
        tensors["lm_head.weight"] = lm_head
    config = llama_config(llama.config, len(embed_tokens), positions, lm_head is None)
    _write(folder, config, tensors)


def export_backbone(llama: Llama, folder: Path, positions: int = 2048) -> None:
    """Write a ``LlamaModel`` to be given ``inputs_embeds``; its table of embeddings has one row of zeros.

    With a prompt that sees itself in both directions, its user gives the mask, too. Raises BuildError.
    """
    tensors = dict(llama.state_dict())
    tensors["embed_tokens.weight"] = torch.zeros(1, llama.config.hidden_size)
    _write(folder, llama_config(llama.config, 1, positions, architecture=BACKBONE), tensors)


def _write(folder: Path, config: Record, tensors: dict[str, Tensor]) -> None:
    """The config last: where it is, the weights are whole."""
    plain = {name: t.detach().to("cpu", torch.float32).contiguous() for name, t in sorted(tensors.items())}
    atomic.write(folder / "model.safetensors", save(plain, {"format": "pt"}))
    atomic.write(folder / "config.json", (json.dumps(config, indent=2, sort_keys=True) + "\n").encode())
