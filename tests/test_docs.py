"""The README says what is there: its tree is the real tree, and every command stands in it with help and examples."""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gobench.cli import cli

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def tree_lines() -> list[str]:
    block = re.search(r"<!-- tree -->\n```\n(.*?)```", README, re.DOTALL)
    assert block, "README has no tree between `<!-- tree -->` and its code block"
    return block.group(1).splitlines()


def tree_paths() -> list[str]:
    """Paths of the README's tree: two spaces of indent a level, a name, two spaces or more, a description."""
    stack: list[str] = []
    paths = []
    for line in tree_lines():
        indent = len(line) - len(line.lstrip())
        name, *text = re.split(r"\s{2,}", line.strip(), maxsplit=1)
        assert text, f"no description: {line!r}"
        stack = [*stack[: indent // 2], name.rstrip("/")]
        paths.append("/".join(stack))
    return paths


def tracked() -> set[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return {line for line in listed.stdout.splitlines() if (ROOT / line).exists()}


def test_everything_in_the_tree_exists() -> None:
    assert not [p for p in tree_paths() if not (ROOT / p).exists()]


def test_every_module_of_the_house_stands_in_the_tree() -> None:
    paths = set(tree_paths())
    houses = ("gobench/", "generators/gobench_", "baselines/gobench_", "leaderboard/gobench_", "benchmarks/")
    for name in sorted(tracked()):
        if name.startswith(houses) and name.endswith(".py") and not name.endswith("__init__.py"):
            parents = {str(p) for p in Path(name).parents}
            assert name in paths or any(leaf(p, paths) for p in parents & paths), (
                f"{name} is missing in the README's tree"
            )
    tops = {name.split("/")[0] for name in tracked() if not name.startswith(".")}
    assert tops <= {p.split("/")[0] for p in paths}, tops - paths


def leaf(folder: str, paths: set[str]) -> bool:
    """A folder that the tree describes as one line, without its files."""
    return not any(p.startswith(folder + "/") for p in paths)


def test_every_link_leads_somewhere() -> None:
    for name in sorted(tracked()):
        if name.endswith(".md"):
            for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", (ROOT / name).read_text()):
                assert ((ROOT / name).parent / target).exists(), f"{name} links to {target}"


def test_every_recipe_of_the_makefile_stands_in_the_readme() -> None:
    for target in ("quickstart", "reproduce-small", "test", "bench"):
        assert f"make {target}" in README


@pytest.mark.parametrize(
    ("words", "model", "compared"),
    [
        ([], "runs/go9-tiny-model", "runs/go9-tiny-compared"),
        (["MINUTES=4"], "runs/go9-tiny-model", "runs/go9-tiny-compared"),
        (["MINUTES=10"], "runs/go9-tiny-model-10min", "runs/go9-tiny-compared-10min"),
        (["MINUTES=10", "MODEL=runs/a", "COMPARED=runs/b"], "runs/a", "runs/b"),
    ],
)
def test_models_of_other_minutes_have_folders_of_their_own(
    words: list[str], model: str, compared: str
) -> None:
    if shutil.which("make") is None:
        pytest.skip("no make")
    line = ["make", "-n", "quickstart", "reproduce-small", *words]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert f"--out {model}/model.pt --minutes" in done.stdout, done.stdout + done.stderr
    assert f"--out {compared}\n" in done.stdout


@pytest.mark.parametrize("page", ["README.md", "docs/baseline.md", "docs/analyses.md", "docs/matches.md"])
def test_models_in_commands_are_made_before(page: str) -> None:
    """By the quickstart, or by a line above."""
    made = {"runs/go9-tiny-model/model.pt"}
    blocks = re.findall(r"^```\n(.*?)^```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
    for line in "".join(blocks).splitlines():
        if line.startswith("make reproduce-small"):
            made.add("runs/go9-tiny-compared/input/video/seed-0/model.pt")
        for place in re.findall(r"(?<!--out )\bruns/[^\s?\"]+\.pt\b", line):
            assert fnmatch.filter(made, place), f"{page}: nothing makes {place}: {line}"
        made |= set(re.findall(r"--out (runs/\S+\.pt)\b", line))


def commands(group: click.Group, path: str = "gobench") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


@pytest.mark.parametrize(
    ("path", "command"), list(commands(cli)), ids=lambda v: v if isinstance(v, str) else ""
)
def test_every_command_has_help_with_an_example_and_stands_in_the_readme(
    path: str, command: click.Command
) -> None:
    assert f"`{path}" in README or f"\n{path}" in README, f"{path} is not in the README"
    shown = CliRunner().invoke(cli, [*path.split()[1:], "--help"])
    assert shown.exit_code == 0
    assert "Example" in shown.output and path in shown.output, f"{path} --help shows no example"
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{path} {option.opts[0]} has no help"


def test_help_is_light() -> None:
    code = (
        "import sys; from gobench.cli import cli; cli(['--help'], standalone_mode=False); "
        "print(sorted({'torch','numba','datasets','webdataset','pandas','pyarrow','av'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr


def test_no_file_holds_a_path_of_this_machine() -> None:
    places = [place for place in (str(ROOT), str(Path.home())) if len(place) > 3]
    for name in sorted(tracked()):
        if (ROOT / name).suffix in {".py", ".md", ".toml", ".txt", ".cff", ".json", ".j2", ".html", ""}:
            text = (ROOT / name).read_text(errors="replace")
            assert not [place for place in places if place in text], name
