"""Commands that are loaded when they are called: nobody waits for what he does not use."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem


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
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._help(ctx, name)) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a command's name, or an option; imports as little as help does."""
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        items = [CompletionItem(name, help=self._help(ctx, name)) for name in names]
        # Past the group itself, which would import each command for its short help.
        return items + click.Command.shell_complete(self, ctx, incomplete)

    def _help(self, ctx: click.Context, name: str) -> str:
        if name in self._lazy:
            return self._lazy[name].short_help
        command = self.get_command(ctx, name)
        return command.get_short_help_str(100) if command else ""

    def _find_extensions(self) -> Mapping[str, LazyCommand]:
        """Find the commands that other distributions add; only some calls need to know."""
        if self._extensions is None:
            return {}
        # By name: reading what is installed takes as long as all the rest of `--version`.
        extensions = import_module("registry.terminal.extensions")
        commands: Mapping[str, LazyCommand] = extensions.find_commands(self._extensions)
        return commands
