"""The settings: what there is, and whether what is set can work."""

from typing import Final

import click

from registry.cli.options import in_json
from registry.terminal.lazy_group import LazyCommand, LazyGroup

_MEMBERS: Final = ("variable", "default", "meaning")
_COMMANDS: Final = {
    "check": LazyCommand(
        "registry.cli.settings_check:check",
        "Say everything that is wrong with the settings at once, and what to do about it.",
    ),
    "list": LazyCommand(
        "registry.cli.settings:list_", "List every setting with its meaning and its default."
    ),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def settings() -> None:
    """List and check the settings."""


@click.command("list")
@in_json
def list_(*, is_json: bool) -> None:
    """List every setting with its meaning and its default.

    A secret need not stand in the environment: REGISTRY_X_FILE names a file that has the value of
    REGISTRY_X.

    Example: registry settings list --json
    """
    from registry.cli.output import print_json, print_table
    from registry.settings import Settings
    from registry.settings.fault import PREFIX

    rows = [
        (
            PREFIX + name.upper(),
            "required"
            if field.is_required()
            else _shorten(field.get_default(call_default_factory=True)),
            field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]
    if is_json:
        print_json([dict(zip(_MEMBERS, row, strict=True)) for row in rows])
    else:
        print_table(_MEMBERS, rows)


def _shorten(default: object) -> str:
    # None and empty texts show nothing, but 0 is a default like any other.
    text = str(default) if default or default == 0 else ""
    return text if len(text) <= 60 else f"{text[:57]}…"
