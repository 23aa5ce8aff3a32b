"""The contract of models as a test of third parties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gobench.errors import UsageError
from gobench.models import wrap
from gobench.testing import check_model
from gobench.types import Array, VideoModel


class Fade:
    """Keeps the contract."""

    frame_size = (128, 128)

    def generate(self, frames: Array, n: int, seeds: Any, context: Any = None) -> Any:
        return np.repeat(frames[:, -1:] // 2, n, axis=1)


class Floats(Fade):
    def generate(self, *rest: Any) -> Any:
        return super().generate(*rest) / 255


class OneFrame(Fade):
    def generate(self, frames: Array, n: int, *rest: Any) -> Any:
        return super().generate(frames, 1, *rest)


def test_a_model_that_keeps_its_contract() -> None:
    assert isinstance(Fade(), VideoModel)
    report = check_model(Fade())
    assert report.well and report.info.name == "Fade"
    assert check_model("copy-frame").info.kind == "floor"
    assert check_model(wrap(Fade(), "mine:Fade"), suite="go9-lite").info.text == "mine:Fade"


@pytest.mark.parametrize(
    ("model", "match"),
    [(Floats(), "answers: .*multiply by 255"), (OneFrame(), "longer: .*1 frames, and 2 were asked")],
)
def test_models_that_do_not(model: Any, match: str) -> None:
    with pytest.raises(AssertionError, match=match):
        check_model(model)


def test_no_model_at_all() -> None:
    with pytest.raises(UsageError, match="no generate"):
        check_model(object())
