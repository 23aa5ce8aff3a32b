"""Every benchmark in turn, as one table: `make bench`, or `python benchmarks/run.py pictures codecs`."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

from harness import table  # noqa: E402

BENCHES = (
    "pictures",
    "go_engine",
    "codecs",
    "build",
    "loader",
    "evaluation",
    "videoworld_training",
    "videoworld_generation",
    "robot_rendering",
)


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all; print a table and write it as JSON beside this file."""
    if strange := sorted(set(names) - set(BENCHES)):
        sys.exit(
            f"there is no benchmark {strange[0]!r}. Known: {', '.join(BENCHES)}; without a name all are run."
        )
    rows = []
    for name in names or BENCHES:
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"bench_{name}").rows()
    (HERE / "results.json").write_text(json.dumps(rows, indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
