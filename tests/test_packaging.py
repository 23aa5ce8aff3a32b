"""The built wheel works outside the checkout: sdist -> wheel -> every room imports, the console script answers."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(c) for c in command], cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """sdist first, and the wheel from it, as a release would be made."""
    pytest.importorskip("build")
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel, seeing this one's third-party packages behind it (no download)."""
    env = tmp_path_factory.mktemp("env")
    run(sys.executable, "-m", "venv", "--without-pip", env, cwd=env)
    python = env / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", wheel, cwd=env)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=env).strip())
    (site / "zz_dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return env


def test_the_wheel_holds_the_rooms_and_nothing_generic(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {"gobench", "gobench_go", "gobench_floor", "gobench_videoworld"} <= tops
    assert not tops & {"generators", "baselines", "leaderboard", "tests", "benchmarks", "cards"}
    assert {"gobench/py.typed", "gobench_go/py.typed", "gobench_go/recipes.toml"} <= set(names)
    assert {
        "gobench/cards/go.md.j2",
        "gobench/cards/model.md.j2",
        "gobench/cards/benchmark.md.j2",
        "gobench/cards/floors.json",
        "gobench/cards/result.schema.json",
        "gobench/compare/page.css",
        "gobench/preview/page.js",
        "gobench/report/page.html",
        "gobench/zeroshot/wordings.toml",
        "gobench_go/arena/play/page.html",
        "gobench_go/arena/play/vendor/LICENSES.txt",
        "gobench_go/arena/play/vendor/shudan.js",
        "gobench_go/judged/data/go5-lite.jsonl.gz",
        "gobench_go/judged/data/go7-lite.jsonl.gz",
        "gobench_go/judged/data/go9-lite.jsonl.gz",
        "gobench_go/video/data/videoworld_256.png",
    } <= set(names)


IMPORT_ALL = """
import importlib, pkgutil, sys
import gobench, gobench_floor, gobench_go, gobench_videoworld
for package in (gobench, gobench_floor, gobench_go, gobench_videoworld):
    assert sys.prefix in package.__file__, package.__file__
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
            print(module.name)
"""


def test_every_module_imports_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    seen = run(installed / "bin" / "python", "-c", IMPORT_ALL, cwd=tmp_path).split()
    assert "gobench.loader" in seen and "gobench_go.domain" in seen


def test_the_console_script_answers(installed: Path, tmp_path: Path) -> None:
    gobench = installed / "bin" / "gobench"
    assert "build-dataset" in run(gobench, "--help", cwd=tmp_path)
    assert "go9-tiny" in run(gobench, "recipes", cwd=tmp_path)
    assert "perft" in run(gobench, "go", "--help", cwd=tmp_path)
    assert "videoworld" in run(gobench, "train", "--help", cwd=tmp_path)
    run(gobench, "go", "render", "--moves", "E5", "board.png", cwd=tmp_path)
    assert (tmp_path / "board.png").read_bytes()[:4] == b"\x89PNG"


def test_a_model_is_scored_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    words = ("evaluate", "copy-frame", "--suite", "go5-lite", "--limit", "40", "--out", "result")
    assert "no-change 40" in run(installed / "bin" / "gobench", *words, cwd=tmp_path)
    assert (tmp_path / "result" / "report.html").read_text().startswith("<!doctype html>")
