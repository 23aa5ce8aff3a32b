"""A small run of a model that makes every kind of mistake, shared by the report's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

MODEL = '''
"""Right, random, unchanged, two stones at once, and a smudge, by turns."""
import numpy as np
from gobench_go import floors


class Clumsy:
    name = "clumsy <b>model</b>"
    context_keys = ("to_move", "id", "task")

    def __init__(self):
        self.right, self.random = floors.oracle(""), floors.random_legal("")
        self.context_keys = tuple({*self.right.context_keys, *self.random.context_keys})

    def begin(self, public):
        self.right.begin(public)
        self.random.begin(public)

    def generate(self, frames, n, seeds, context=None):
        answer = self.right.generate(frames, n, seeds, context).copy()
        other = self.random.generate(frames, n, seeds, context)
        for i, seed in enumerate(seeds):
            turn = int(seed) % 5
            if turn == 1:
                answer[i] = other[i]
            elif turn == 2:
                answer[i] = frames[i, -1:]
            elif turn == 3:
                answer[i] = np.minimum(answer[i], other[i])
            elif turn == 4:
                answer[i, :, 12:50, 12:50] = np.random.default_rng(int(seed)).integers(0, 255, (38, 38, 3))
        return answer
'''


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run over 80 next moves and as many rollouts of go9-lite."""
    from gobench.evaluate import evaluate

    place = tmp_path_factory.mktemp("clumsy")
    (place / "clumsy.py").write_text(MODEL)
    return evaluate(f"{place / 'clumsy.py'}:Clumsy", suite="go9-lite", out=place / "run", limit=80)
