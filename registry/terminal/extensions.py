"""Commands that other installed distributions add by entry points, as the sandbox does."""

from importlib.metadata import entry_points

from registry.terminal.lazy_group import LazyCommand


def find_commands(group: str) -> dict[str, LazyCommand]:
    """Find the commands of this group of entry points, by name; nothing of them is imported."""
    return {point.name: LazyCommand(point.value, "") for point in entry_points(group=group)}
