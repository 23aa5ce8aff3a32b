"""Run a function in several processes that are connected as torchrun connects them.

``run_ranks("module:function", folder)`` calls ``function(parallel, folder)`` in every rank; modules beside this file are found.
As a program: python ranks.py MODULE:FUNCTION FOLDER [shared], with torchrun's variables in the environment.
"""

from __future__ import annotations

import importlib
import os
import socket
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def run_ranks(
    function: str, folder: Path, world: int = 2, shared: bool = False, timeout: float = 300
) -> None:
    """Raises AssertionError with what a rank wrote on stderr if it does not end well."""
    facts = {
        "WORLD_SIZE": str(world),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(_free_port()),
        "OMP_NUM_THREADS": "1",
    }
    argv = [sys.executable, str(HERE / "ranks.py"), function, str(folder), *(["shared"] if shared else [])]
    ranks = [
        subprocess.Popen(
            argv,
            env={**os.environ, **facts, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(world)
    ]
    try:
        said = [rank.communicate(timeout=timeout)[1] for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    assert [rank.returncode for rank in ranks] == [0] * world, "\n".join(said)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def main(function: str, folder: Path, shared: bool) -> None:
    import torch

    from gobench_videoworld.train.parallel import started

    torch.set_num_threads(1)
    module, _, name = function.partition(":")
    with started("cpu", shared) as parallel:
        getattr(importlib.import_module(module), name)(parallel, folder)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), "shared" in sys.argv[3:])
