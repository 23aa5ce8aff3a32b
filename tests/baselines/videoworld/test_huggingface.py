"""What we write, transformers opens; and the arithmetic that a model asks for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from gobench.errors import UsageError
from gobench_videoworld.config import SIZES, TransformerConfig, VideoWorldConfig, transformer_of
from gobench_videoworld.transformer.dynamics import Dynamics
from gobench_videoworld.transformer.flops import (
    backbone_flops,
    backbone_weights,
    mfu,
    peak_flops,
    training_flops,
    visible_pairs,
)
from gobench_videoworld.transformer.huggingface import export_backbone, export_llama
from gobench_videoworld.transformer.llama import Llama

SPEC = TransformerConfig(num_key_value_heads=2).paper_faithful()


def made(config: TransformerConfig = SPEC) -> tuple[Llama, Tensor, Tensor]:
    torch.manual_seed(1)
    model = Llama(config)
    for weight in model.parameters():
        weight.data += torch.randn_like(weight) * 0.1
    return model, torch.randn(50, 64), torch.randn(50, 64)


@pytest.mark.parametrize("tied", [False, True])
def test_the_folder_holds_config_and_weights(tmp_path: Path, tied: bool) -> None:
    model, table, head = made()
    export_llama(model, table, None if tied else head, tmp_path, 99)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["architectures"] == ["LlamaForCausalLM"] and config["tie_word_embeddings"] is tied
    assert (config["vocab_size"], config["max_position_embeddings"], config["num_key_value_heads"]) == (
        50,
        99,
        2,
    )
    tensors = load_file(tmp_path / "model.safetensors")
    assert ("lm_head.weight" in tensors) is not tied
    assert torch.equal(tensors["model.embed_tokens.weight"], table)
    own = model.state_dict()
    assert all(torch.equal(tensors["model." + name], own[name]) for name in own)


def test_what_is_not_a_causal_llama_is_refused(tmp_path: Path) -> None:
    model, table, head = made()
    with pytest.raises(UsageError, match=r"lm_head is \(50, 63\), but must be"):
        export_llama(model, table, head[:, 1:], tmp_path)
    with pytest.raises(UsageError, match="paper_faithful"):
        export_llama(Llama(TransformerConfig()), table, head, tmp_path)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("tied", [False, True])
def test_transformers_computes_the_same_logits(tmp_path: Path, tied: bool) -> None:
    transformers = pytest.importorskip("transformers")
    model, table, head = made()
    export_llama(model, table, None if tied else head, tmp_path)
    theirs = transformers.LlamaForCausalLM.from_pretrained(tmp_path)
    words = torch.randint(0, 50, (3, 40))
    with torch.no_grad():
        wanted = theirs(words).logits
        found = model(table[words]) @ (table if tied else head).t()
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-5)


def test_transformers_computes_the_same_features(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    model, _, _ = made(TransformerConfig())
    export_backbone(model, tmp_path)
    theirs = transformers.LlamaModel.from_pretrained(tmp_path)
    x = torch.randn(2, 20, 64)
    seen = torch.ones(20, 20, dtype=torch.bool).tril()
    seen[:8, :8] = True
    with torch.no_grad():
        causal = theirs(inputs_embeds=x).last_hidden_state
        prefixed = theirs(inputs_embeds=x, attention_mask=seen.expand(2, 1, 20, 20)).last_hidden_state
        torch.testing.assert_close(model(x), causal, atol=2e-5, rtol=1e-5)
        torch.testing.assert_close(model(x, 8), prefixed, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("size", ["tiny", "small"])
def test_weights_are_counted(size: str) -> None:
    config = transformer_of(size)
    own = sum(p.numel() for p in Llama(config).parameters() if p.ndim == 2)
    assert backbone_weights(config) == own


def test_the_table_of_sizes_says_how_many_weights_there_are() -> None:
    millions = {size: round(backbone_weights(transformer_of(size)) / 1e6, 2) for size in SIZES}
    assert millions["tiny"] == 0.15 and millions["small"] == 4.74
    assert 300 < millions["300m"] < 310 and millions["300m"] == millions["300m-paper"]


def test_pairs_are_those_that_see_each_other() -> None:
    assert visible_pairs(5) == 15
    assert visible_pairs(5, 3) == 3 * 3 + 4 + 5
    assert visible_pairs(5, 3, 3) == 4 + 5 and visible_pairs(5, 5) == 25
    spec = transformer_of("tiny")
    whole = backbone_flops(spec, 9, 4)
    assert whole == backbone_flops(spec, 4, 4) + backbone_flops(spec, 9, 4, 4)


def test_a_step_costs_six_operations_a_weight_and_position() -> None:
    model = Dynamics(VideoWorldConfig(transformer=transformer_of("small").paper_faithful()))
    positions, head = model.positions, model.get_parameter("scheme.lm_head.weight").numel()
    spec, slots = model.config.transformer, model.scheme.slots + model.config.sites
    wanted = 6 * (backbone_weights(spec) * positions + head * slots)
    attention = 12 * spec.num_hidden_layers * spec.hidden_size * visible_pairs(positions)
    assert training_flops(model, 8) == pytest.approx(8 * (wanted + attention))
    half = Dynamics(VideoWorldConfig(), frame_every=2)
    assert training_flops(half, 8) < 0.8 * training_flops(Dynamics(VideoWorldConfig()), 8)


def test_a_device_has_a_peak() -> None:
    peak = peak_flops("cpu")
    assert peak > 1e8 and peak == peak_flops(torch.device("cpu"))
    assert mfu(peak / 2, 1.0, peak) == 0.5 and mfu(1.0, 1.0, 0.0) == 0.0
