"""What both benchmarks of the transformer share: the same Llama as ours and as ``transformers`` builds it.

The model is the paper's form: one vocabulary, causal, a head of its own. Weights travel by the export that users have.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from gobench_videoworld.config import TransformerConfig, transformer_of
from gobench_videoworld.transformer.huggingface import export_llama
from gobench_videoworld.transformer.llama import Llama, spread

VOCABULARY = 200


class Causal(nn.Module):
    """Tokens int64 [B, L] -> the mean loss of predicting each from those before it, ``start`` tokens left out."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.model = Llama(config)
        self.embed_tokens = nn.Embedding(VOCABULARY, config.hidden_size)
        self.lm_head = nn.Linear(config.hidden_size, VOCABULARY, bias=False)
        for part in (self.embed_tokens, self.lm_head):
            nn.init.normal_(part.weight, std=spread(config.hidden_size))

    def forward(self, tokens: Tensor, start: int = 0) -> Tensor:
        hidden = self.model(self.embed_tokens(tokens[:, :-1]))[:, start:]
        return functional.cross_entropy(self.lm_head(hidden).flatten(0, 1), tokens[:, 1 + start :].flatten())


def ours(size: str) -> Causal:
    """A new model of a named size."""
    torch.manual_seed(0)
    return Causal(transformer_of(size).paper_faithful())


def theirs(model: Causal, attention: str = "sdpa") -> Any:
    """The same weights in ``transformers``."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from transformers import LlamaForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder:
        export_llama(model.model, model.embed_tokens.weight, model.lm_head.weight, Path(folder))
        return LlamaForCausalLM.from_pretrained(folder, attn_implementation=attention)
