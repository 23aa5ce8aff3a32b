"""A model.pt becomes a folder that transformers opens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from gobench.errors import DataError, UsageError
from gobench.models import save
from gobench_videoworld.analysis.loading import opened
from gobench_videoworld.export import export

Models = dict[str, Path]


@pytest.mark.parametrize(
    ("form", "architecture"), [("video+ldm", "LlamaModel"), ("generic", "LlamaForCausalLM")]
)
def test_a_model_is_written_as_what_it_is(
    untrained: Models, form: str, architecture: str, tmp_path: Path
) -> None:
    assert export(untrained[form], tmp_path / "llama") == architecture
    config = json.loads((tmp_path / "llama" / "config.json").read_text())
    dynamics = opened(str(untrained[form])).answers.networks.transformer
    assert config["architectures"] == [architecture]
    assert config["max_position_embeddings"] == dynamics.positions
    tensors = load_file(tmp_path / "llama" / "model.safetensors")
    prefix = "model." if architecture == "LlamaForCausalLM" else ""
    assert all(
        torch.equal(tensors[prefix + name], value) for name, value in dynamics.model.state_dict().items()
    )


@pytest.mark.parametrize("form", ["video+ldm", "generic"])
def test_transformers_opens_it(untrained: Models, form: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    export(untrained[form], tmp_path / "llama")
    theirs = transformers.LlamaModel.from_pretrained(tmp_path / "llama")
    dynamics = opened(str(untrained[form])).answers.networks.transformer
    x = torch.randn(2, 20, dynamics.config.transformer.hidden_size)
    with torch.no_grad():
        wanted = theirs(inputs_embeds=x).last_hidden_state
        torch.testing.assert_close(dynamics.model(x), wanted, atol=2e-5, rtol=1e-5)


def test_what_cannot_be_written_is_refused(untrained: Models, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        export(untrained["video"], tmp_path)
    with pytest.raises(UsageError, match="is not empty"):
        export(untrained["video"], tmp_path / "kept")
    with pytest.raises(DataError, match="there is no model"):
        export(tmp_path / "absent.pt", tmp_path / "new")
    save(tmp_path / "other.pt", "another", {}, {"a": torch.zeros(1)})
    with pytest.raises(UsageError, match="is for the model 'another'"):
        export(tmp_path / "other.pt", tmp_path / "new")
    assert not (tmp_path / "new").exists()
