"""Imports only go down: the house has floors, and a room never looks into another room."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    "types": 0, "tasks": 0, "errors": 0, "seeds": 0, "atomic": 0, "canonical": 0, "aside": 0, "workers": 0,
    "clips": 1, "codec": 1, "shards": 1, "registry": 1, "children": 1,
    "statistics": 1, "results": 1, "evidence": 1, "sketch": 1, "pages": 1,
    "models": 2, "evaluate": 2, "compare": 2, "report": 2, "zeroshot": 2, "smoke": 2,
    "build": 2, "dataset": 2, "verify": 2, "loader": 2,
    "testing": 2, "card": 2, "croissant": 2, "hub": 2, "preview": 2, "doctor": 2,
    "cli": 4, "__main__": 4,
}  # fmt: skip
ROOM_FLOOR = 3
ROOMS = sorted(
    p for home in ("generators", "baselines", "leaderboard") for p in (ROOT / home).glob("gobench_*")
)


def imports(path: Path) -> set[str]:
    """Absolute module names that a file imports, anywhere in it."""
    tree = ast.parse(path.read_text())
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            module = node.module or ""
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 1, (
                f"{path}: an import from above its own folder hides the floor; write the whole name"
            )
    return found


def floor(module: str) -> int | None:
    """The floor of a module of ours, None for others."""
    parts = module.split(".")
    if parts[0] == "gobench":
        return FLOORS.get(parts[1]) if len(parts) > 1 else None
    return ROOM_FLOOR if parts[0].startswith("gobench_") else None


def core_files() -> list[Path]:
    return [p for p in sorted((ROOT / "gobench").rglob("*.py")) if p != ROOT / "gobench" / "__init__.py"]


def place(path: Path) -> str:
    return path.relative_to(ROOT / "gobench").parts[0].removesuffix(".py")


def test_every_core_file_has_a_floor() -> None:
    assert {place(p) for p in core_files()} <= set(FLOORS)


def test_the_table_names_nothing_that_is_gone() -> None:
    assert set(FLOORS) <= {place(p) for p in core_files()}


@pytest.mark.parametrize("path", core_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_core_imports_only_go_down(path: Path) -> None:
    own = FLOORS[place(path)]
    for module in imports(path):
        other = floor(module)
        assert other is None or other <= own, f"{path.name} (floor {own}) imports {module} (floor {other})"


@pytest.mark.parametrize("room", ROOMS, ids=lambda p: p.name)
def test_rooms_import_the_core_and_themselves_only(room: Path) -> None:
    for path in sorted(room.rglob("*.py")):
        for module in imports(path):
            top = module.split(".")[0]
            assert not top.startswith("gobench_") or top == room.name, f"{path}: looks into {top}"
            other = floor(module)
            assert other is None or other <= ROOM_FLOOR, f"{path}: {module} is above a room"


def test_the_core_names_no_room() -> None:
    for path in core_files():
        assert not [m for m in imports(path) if m.startswith("gobench_")], path


HEAVY = {
    "torch",
    "numba",
    "datasets",
    "webdataset",
    "pandas",
    "pyarrow",
    "av",
    "mujoco",
    "ray",
    "matplotlib",
    "sgfmill",
}
EVERY_FILE = [
    p
    for home in ("gobench", "generators", "baselines", "leaderboard")
    for p in sorted((ROOT / home).rglob("*.py"))
]


def at_import(path: Path) -> set[str]:
    """Third-party packages that a file imports when it is imported, not inside its functions."""
    body = [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.Import | ast.ImportFrom)]
    names = {a.name for n in body if isinstance(n, ast.Import) for a in n.names}
    return {
        name.split(".")[0] for name in names | {n.module or "" for n in body if isinstance(n, ast.ImportFrom)}
    }


TORCH = {
    "gobench/loader": "top",
    "gobench/models": "inside",
    "baselines/gobench_videoworld": "top",
    "generators/gobench_robot/idm": "top",
}
"""Folder -> whether its files may import torch when they are imported, or inside their functions; nobody else may."""
WITHOUT_TORCH = {
    f"baselines/gobench_videoworld/{name}"
    for name in ("__init__.py", "config.py", "options.py", "configure.py", "model.py", "commands")
} | {
    f"generators/gobench_robot/idm/{name}"
    for name in ("__init__.py", "artifact.py", "config.py", "policy.py")
}
"""What of those folders is imported before anything is trained or asked: not when imported, and ``model`` inside alone."""


def torch_rule(path: Path) -> str:
    """ "top", "inside" or "never"."""
    name = path.relative_to(ROOT).as_posix()
    rule = next((rule for folder, rule in TORCH.items() if name.startswith(f"{folder}/")), "never")
    light = any(name == place or name.startswith(f"{place}/") for place in WITHOUT_TORCH)
    return "inside" if light and rule == "top" else rule


def test_torch_stands_where_the_table_says() -> None:
    for path in EVERY_FILE:
        rule = torch_rule(path)
        uses = any(m.split(".")[0] == "torch" for m in imports(path))
        assert not uses or rule != "never", f"{path} imports torch"
        early = "torch" in {m.split(".")[0] for m in at_import(path)}
        assert not early or rule == "top", f"{path} imports torch at its top"


def test_the_table_of_torch_names_what_there_is() -> None:
    assert all((ROOT / place).exists() for place in {*TORCH, *WITHOUT_TORCH})


@pytest.mark.parametrize("place", sorted(WITHOUT_TORCH))
def test_what_is_to_be_light_brings_no_torch_with_it(place: str) -> None:
    parts = place.split("/", 1)[1].removesuffix(".py").removesuffix("/__init__").split("/")
    code = f"import sys, {'.'.join(parts)}; sys.exit('torch' in sys.modules)"
    assert not subprocess.run([sys.executable, "-c", code], timeout=60).returncode, f"{place} imports torch"


def test_the_command_line_and_the_rooms_commands_import_nothing_heavy() -> None:
    light = [p for p in EVERY_FILE if "cli" in p.parts or "commands" in p.parts]
    light += [ROOT / "gobench" / f"{name}.py" for name in ("types", "errors", "registry", "__main__")]
    for path in light:
        assert not at_import(path) & HEAVY, path


def test_only_the_command_line_prints() -> None:
    for path in EVERY_FILE:
        if "cli" in path.parts or "commands" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                assert name not in ("print", "click.echo", "sys.stdout.write"), f"{path}:{node.lineno} prints"
