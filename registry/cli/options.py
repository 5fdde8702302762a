"""Options that belong together, handed to a command as one value."""

from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Any

Command = Callable[..., Any]
Option = Callable[[Command], Command]


def gathered(name: str, kind: type[Any], *options: Option) -> Option:
    """Give a command these options as one argument `name`: the dataclass `kind` of their values."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def gather(*args: Any, **values: Any) -> Any:
            own = {field.name: values.pop(field.name) for field in fields(kind)}
            return command(*args, **{name: kind(**own)}, **values)

        decorated: Command = gather
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate
