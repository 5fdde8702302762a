"""Commands that are loaded when they are called: nobody waits for what he does not use."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click


class LazyCommand(NamedTuple):
    """The place of a command, as `module:name`, and its short help, so that help loads nothing."""

    place: str
    short_help: str

    def load(self) -> click.Command:
        """Import the command."""
        module, _, name = self.place.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


class LazyGroup(click.Group):
    """A group over commands by name, and over those of the entry points named `extensions`."""

    def __init__(
        self,
        *args: Any,
        lazy: Mapping[str, LazyCommand],
        extensions: str | None = None,
        **attributes: Any,
    ) -> None:
        super().__init__(*args, **attributes)
        self._lazy, self._extensions = lazy, extensions

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the names of all commands, in order."""
        del ctx
        return sorted({*self._lazy, *self._find_extensions()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of this name; None when there is none."""
        del ctx
        command = self._lazy.get(cmd_name) or self._find_extensions().get(cmd_name)
        return command.load() if command else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their short help; only those of extensions are imported."""
        rows = []
        for name in self.list_commands(ctx):
            lazy = self._lazy.get(name)
            command = None if lazy else self.get_command(ctx, name)
            text = lazy.short_help if lazy else command.get_short_help_str(100) if command else ""
            rows.append((name, text))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def _find_extensions(self) -> Mapping[str, LazyCommand]:
        """Find the commands that other distributions add; only some calls need to know."""
        if self._extensions is None:
            return {}
        # By name: reading what is installed takes as long as all the rest of `--version`.
        extensions = import_module("registry.terminal.extensions")
        commands: Mapping[str, LazyCommand] = extensions.find_commands(self._extensions)
        return commands
