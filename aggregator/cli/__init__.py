"""The commands. Each stands in a module that is imported when the command is called, so that `--help` costs nothing.

Exit codes: 0 done, 1 failed, 2 usage, 3 config, 4 some feeds failed, 5 some deliveries failed, 6 another daemon holds
the database, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from aggregator import __version__
from aggregator.errors import AggregatorError, ConfigError
from aggregator.text import escape


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of `aggregator --help`; `aggregator.cli.<name>` holds the command."""

    panel: str
    help: str


_FIRST, _WORK, _LOOK, _CARE = "First steps", "Work", "Look", "Care"

COMMANDS: dict[str, Entry] = {
    "demo": Entry(
        panel=_FIRST, help="Watch it work: a small newsroom on this machine, no configuration, half a minute."
    ),
    "init": Entry(panel=_FIRST, help="Write a first feeds.yaml to edit."),
    "config": Entry(panel=_FIRST, help="Check feeds.yaml, and show what it comes to."),
    "run": Entry(panel=_WORK, help="Watch the feeds and send alerts until stopped: the daemon."),
    "fetch": Entry(panel=_WORK, help="Do one round of the same work: read feeds and articles, send alerts."),
    "status": Entry(panel=_LOOK, help="How the whole is doing: feeds, alerts, deliveries, the daemon."),
    "alerts": Entry(panel=_LOOK, help="What was found, and who was told."),
    "items": Entry(panel=_LOOK, help="What the feeds brought."),
    "search": Entry(panel=_LOOK, help="Find items by their words, in any spelling."),
    "feeds": Entry(panel=_CARE, help="List feeds with their state, add, import and export them."),
    "watch": Entry(panel=_CARE, help="Try watchlists on a text or on the archive, and ask them why."),
    "channel": Entry(panel=_CARE, help="Send a test alert, to see that it arrives."),
    "parse": Entry(panel=_CARE, help="Read feed documents from files."),
    "db": Entry(panel=_CARE, help="Back up, check and migrate the database."),
}


def load(name: str) -> TyperCommand | TyperGroup:
    """The command or group called `name`, imported."""
    command = typer.main.get_command(import_module(f"{__name__}.{name}").app)
    command.name = name
    return command  # type: ignore[return-value]  # typer makes nothing else


class Commands(TyperGroup):
    """Knows of each command its line of help, and imports the one that is called."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        self.commands = {
            name: TyperCommand(name, help=entry.help, rich_help_panel=entry.panel) for name, entry in COMMANDS.items()
        }

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Let `--version` stand anywhere."""
        options = args[: args.index("--")] if "--" in args else args
        return super().parse_args(ctx, ["--version"] if "--version" in options else args)

    def resolve_command(
        self, ctx: Any, args: list[str]
    ) -> tuple[str | None, TyperCommand | TyperGroup | None, list[str]]:
        """The real command in place of its line of help."""
        name, line, rest = super().resolve_command(ctx, args)
        command = load(name) if name and line else None
        if command:
            _hide_flag_types(command, ctx)
        return name, command, rest

    def get_params(self, ctx: Any) -> list[Any]:
        """The options, their flags without a type."""
        return _without_flag_types(super().get_params(ctx))

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what goes wrong in a foreseen way is told in plain lines, and the exit code says what it was."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:  # `aggregator items list | head`: the reader has what it wanted
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # so that the interpreter's last flush finds a reader
            raise typer.Exit from None
        except AggregatorError as error:
            _tell(error.problems if isinstance(error, ConfigError) else (f"error: {error}",))
            raise typer.Exit(error.exit_code) from None
        except OSError as error:
            _tell((f"error: {error.filename or 'input or output'}: {error.strerror or error}",))
            raise typer.Exit(1) from None
        return result


def _hide_flag_types(command: TyperCommand | TyperGroup, ctx: Any) -> None:
    """Let help show `--json` and not `--json <bool>`."""
    _without_flag_types(command.get_params(ctx))
    for inner in command.commands.values() if isinstance(command, TyperGroup) else ():
        _hide_flag_types(inner, ctx)  # type: ignore[arg-type]  # typer makes nothing else


def _without_flag_types(params: list[Any]) -> list[Any]:
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
    return params


def _tell(lines: tuple[str, ...]) -> None:
    for line in lines:
        typer.echo(escape.terminal(line), err=True)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"aggregator {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="aggregator",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def aggregator(
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="PATH", help="The feeds.yaml to use. Stands before or after a command."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Watch news feeds and tell people when a story they wait for appears.

    New here? `aggregator demo` shows it at work; `aggregator init` writes a first feeds.yaml; `aggregator run` watches.
    Lists take --json, --limit, --feed and --since. Each command has its own --help.
    """


def main() -> None:
    """The entry point."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal of another character set loses no command
    typer.main.get_command(app).main(prog_name="aggregator")
