"""The command line: options, progress, exit codes. The only code that prints.

A command group is imported when it is used, so that ``gobench --help`` answers at once. Rooms add commands by entry
point: a list of them under a name of their own (``go``), or one to a group of the core (``train.videoworld``).
"""

from __future__ import annotations

import importlib
import sys

import click

from gobench import __version__
from gobench.errors import GobenchError, UsageError, unknown
from gobench.registry import installed, load

COMMANDS = {
    "build-dataset": ("gobench.cli.build", "build_dataset", "Make a sharded video dataset from a recipe."),
    "verify": ("gobench.cli.inspect", "verify", "Check a dataset: hashes, counts, pictures."),
    "info": ("gobench.cli.inspect", "info", "Say what a dataset or a model holds."),
    "preview": (
        "gobench.cli.show",
        "preview",
        "Draw a contact sheet, a GIF and a page with playable episodes.",
    ),
    "card": ("gobench.cli.show", "card", "Print or write the card of a dataset or a model."),
    "publish": ("gobench.cli.show", "publish", "Upload a dataset to the Hugging Face Hub."),
    "recipes": ("gobench.cli.build", "recipes", "List the recipes that are installed."),
    "evaluate": (
        "gobench.cli.evaluate",
        "evaluate",
        "Score a video model on a suite; writes result, evidence and report.",
    ),
    "score": ("gobench.cli.evaluate", "score", "Derive a result again from its evidence, without the model."),
    "compare": ("gobench.cli.compare", "compare", "Compare two results, sample by sample."),
    "report": ("gobench.cli.report", "report", "Draw a result as one page to look at."),
    "smoke": ("gobench.cli.models", "smoke", "Try a model in seconds and say what is wrong with it."),
    "models": ("gobench.cli.models", "models", "List the models that are installed, and how to name others."),
    "suites": ("gobench.cli.evaluate", "suites", "List suites, tasks, metrics and protocols."),
    "export-prompts": (
        "gobench.cli.prompts",
        "export_prompts",
        "Write a suite's prompts for any video tool.",
    ),
    "schema": ("gobench.cli.evaluate", "schema", "Print the JSON Schema of a result."),
    "power": ("gobench.cli.compare", "power", "Say how many samples it takes to see a difference."),
    "doctor": ("gobench.cli.doctor", "doctor", "Say what is installed, what works and how to mend the rest."),
}

SHARED = {
    "train": "Train a model on a dataset.",
    "analyze": "Look into trained models: plots, and their numbers as tables.",
}
"""Groups of the core that rooms fill: the entry point ``train.NAME`` is the command ``gobench train NAME``."""


class Group(click.Group):
    """A group that guesses which command was meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise unknown(f"{ctx.command_path} command", args[0], known)
        return super().resolve_command(ctx, args)


class LazyGroup(Group):
    """Knows its commands' names and one-line helps; imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *SHARED, *rooms()]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in COMMANDS:
            module, attribute, _ = COMMANDS[name]
            command: click.Command = getattr(importlib.import_module(module), attribute)
            return command
        if name in SHARED:
            return SharedGroup(name, help=SHARED[name], no_args_is_help=True)
        return room(name) if name in rooms() else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, text) for name, (_, _, text) in COMMANDS.items()]
        rows += SHARED.items()
        rows += [(name, f"Commands of the {name} room.") for name in rooms()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class SharedGroup(Group):
    """A group of ``SHARED``: its commands are those that rooms publish under ``GROUP.NAME``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        head = f"{self.name}."
        return [name.removeprefix(head) for name in installed("commands") if name.startswith(head)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(ctx):
            return None
        command: click.Command = load("commands", f"{self.name}.{name}")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, self._about(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows or [("(none)", "No installed room adds one.")])

    def _about(self, ctx: click.Context, name: str) -> str:
        """A command's first line; for one that does not import, why, so that the others can still be used."""
        try:
            command = self.get_command(ctx, name)
        except UsageError as error:
            return f"(broken) {error}"
        return command.get_short_help_str(80) if command else ""


def rooms() -> list[str]:
    """The names under which rooms have a group of their own."""
    return [name for name in installed("commands") if "." not in name and name not in {**COMMANDS, **SHARED}]


def room(name: str) -> click.Group:
    """The command group of a room: ``gobench go ...``."""
    commands: list[click.Command] = load("commands", name)
    return Group(name, commands=commands, help=f"Commands of the {name} room.")


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Start with:  gobench build-dataset go9-tiny --out runs/go9-tiny",
)
@click.version_option(__version__, prog_name="gobench")
def cli() -> None:
    """Video-GoBench: what can be learnt by watching alone?"""


def main() -> None:
    """Run the command line; user errors become one line on stderr and the class's exit code."""
    try:
        sys.exit(cli.main(standalone_mode=False) or 0)
    except GobenchError as error:
        click.echo(f"gobench: {error}", err=True)
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        click.echo("gobench: interrupted. Run the same command again to go on.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        click.echo(f"gobench: {error}", err=True)
        sys.exit(1)
