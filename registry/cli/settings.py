"""The settings: what there is, and whether what is set can work."""

from typing import Final

import click

from registry.terminal.lazy_group import LazyCommand, LazyGroup

_COMMANDS: Final = {
    "check": LazyCommand(
        "registry.cli.settings_check:check",
        "Say everything that is wrong with the settings at once, and what to do about it.",
    ),
    "list": LazyCommand("registry.cli.settings:list_", "List every setting with its default."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def settings() -> None:
    """List and check the settings."""


@click.command("list")
def list_() -> None:
    """List every setting with its default."""
    from pydantic_core import PydanticUndefined
    from rich.table import Table

    from registry.settings import Settings
    from registry.settings.fault import PREFIX
    from registry.terminal.screen import make_console

    table = Table("variable", "default", box=None)
    for name, field in Settings.model_fields.items():
        is_required = field.default is PydanticUndefined
        default = "required" if is_required else _shorten(field.default)
        table.add_row(PREFIX + name.upper(), default)
    make_console().print(table)


def _shorten(default: object) -> str:
    # None and empty texts show nothing, but 0 is a default like any other.
    text = str(default) if default or default == 0 else ""
    return text if len(text) <= 60 else f"{text[:57]}…"
