"""The checks that third parties call pass for our domains, and fail where a contract is broken."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gobench.clips import ArrayClip
from gobench.testing import check_clip, check_domain
from gobench.types import Episode
from gobench_go.domain import GoDomain


def test_the_go_domain_keeps_its_contract() -> None:
    assert check_domain(GoDomain(), {"size": 128}) >= 5


def test_a_small_domain_keeps_its_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parent)
    assert check_domain(importlib.import_module("bouncing").Bouncing())
    assert check_domain(importlib.import_module("bouncing").Asking())


class Forgetful(GoDomain):
    """Leaves a key out of its records."""

    def finish(self, episode: Episode, *rest: Any) -> Episode:
        record = dict(super().finish(episode, *rest).record)
        del record["komi"]
        return replace(episode, record=record)


def test_a_forgotten_key_is_found() -> None:
    with pytest.raises(AssertionError, match="features"):
        check_domain(Forgetful(), {"size": 128})


def test_dishonest_damage_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = ArrayClip(
        np.arange(4, dtype=np.uint8)[:, None, None, None].repeat(32, 1).repeat(32, 2).repeat(3, 3)
    )
    check_clip(clip)
    none = np.zeros((4, 2, 2), bool)
    none[0] = True
    monkeypatch.setattr(ArrayClip, "damage", lambda self: none)
    with pytest.raises(AssertionError, match="unmarked"):
        check_clip(clip)
