"""Types of the decorators that give a command its options."""

from collections.abc import Callable
from typing import Any

Command = Callable[..., Any]  # click calls it with what was typed, which no type check can see
Option = Callable[[Command], Command]
