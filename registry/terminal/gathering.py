"""Options that belong together, handed to a command as one value."""

from dataclasses import fields
from functools import wraps
from typing import Any

from registry.terminal.options import Command, Option


def gather_options(name: str, kind: type[Any], *options: Option) -> Option:
    """Give a command these options as one argument `name`: the dataclass `kind` of their values."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def gather(*args: Any, **values: Any) -> Any:
            own = {field.name: values.pop(field.name) for field in fields(kind)}
            return command(*args, **{name: kind(**own)}, **values)

        # Help lists options in the order in which they stand above a command: the last one first.
        command_with_options: Command = gather
        for option in reversed(options):
            command_with_options = option(command_with_options)
        return command_with_options

    return decorate
