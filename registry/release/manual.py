"""Man pages and completion scripts, made of what the commands say of themselves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
from click.shell_completion import get_completion_class

from registry.cli import registry
from registry.terminal.extensions import find_commands

_PROGRAM: Final = "registry"
_COMPLETIONS: Final = {
    "bash": Path("bash-completion", "completions", _PROGRAM),
    "zsh": Path("zsh", "site-functions", f"_{_PROGRAM}"),
    "fish": Path("fish", "vendor_completions.d", f"{_PROGRAM}.fish"),
}


def write_share(folder: Path, version: str, day: str) -> None:
    """Write a man page for each command, and the completion of each shell, as below share/."""
    pages = folder / "man" / "man1"
    pages.mkdir(parents=True)
    for context in walk_commands(click.Context(registry, info_name=_PROGRAM)):
        name = context.command_path.replace(" ", "-")
        (pages / f"{name}.1").write_text(make_page(context, version, day), encoding="utf-8")
    for shell, path in _COMPLETIONS.items():
        completion = get_completion_class(shell)
        if completion is None:
            raise LookupError(f"click completes nothing in {shell}")
        script = folder / path
        script.parent.mkdir(parents=True)
        script.write_text(completion(registry, {}, _PROGRAM, "_REGISTRY_COMPLETE").source())


def walk_commands(context: click.Context) -> Iterator[click.Context]:
    """Walk through a command and all below it; those of other distributions are left out."""
    yield context
    command = context.command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and name not in find_commands("registry.commands"):
                yield from walk_commands(click.Context(child, info_name=name, parent=context))


def make_page(context: click.Context, version: str, day: str) -> str:
    """Make the man page of a command (man(7))."""
    command, path = context.command, context.command_path
    name = path.replace(" ", "-")
    short, _, rest = (command.help or "").replace("\r", "").partition("\n\n")
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [
        f'.TH "{name.upper()}" "1" "{day}" "registry {version}" "e-Box MessageRegistry"',
        ".SH NAME",
        f"{_escape(name)} \\- {_escape(_flatten(short).rstrip('.'))}",
        ".SH SYNOPSIS",
        f".B {_escape(path)}",
        _escape(usage),
        *_write_description(rest),
        *_write_list("OPTIONS", _list_options(context)),
        *_write_list("COMMANDS", _list_commands(context)),
        *_write_neighbours(context),
    ]
    return "\n".join(lines) + "\n"


def _write_description(text: str) -> Iterator[str]:
    """Write paragraphs; one that begins with click's mark keeps its lines."""
    if not text.strip():
        return
    yield ".SH DESCRIPTION"
    for number, paragraph in enumerate(text.split("\n\n")):
        if number:
            yield ".PP"
        if paragraph.lstrip().startswith("\b"):
            lines = paragraph.lstrip().removeprefix("\b").strip("\n").splitlines()
            yield from (".nf", *(_escape(line) for line in lines), ".fi")
        else:
            yield _escape(_flatten(paragraph))


def _list_options(context: click.Context) -> Iterator[tuple[str, str]]:
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            yield record


def _list_commands(context: click.Context) -> Iterator[tuple[str, str]]:
    for child in walk_commands(context):
        if child.parent is context:
            yield child.command_path, _flatten((child.command.help or "").split("\n\n")[0])


def _write_list(title: str, records: Iterator[tuple[str, str]]) -> Iterator[str]:
    for number, (term, text) in enumerate(records):
        if not number:
            yield f".SH {title}"
        yield from (".TP", f".B {_escape(term)}", _escape(_flatten(text)))


def _write_neighbours(context: click.Context) -> Iterator[str]:
    if context.parent is not None:
        parent = _escape(context.parent.command_path.replace(" ", "-"))
        yield from (".SH SEE ALSO", f".BR {parent} (1)")


def _flatten(text: str) -> str:
    return " ".join(text.split())


def _escape(text: str) -> str:
    r"""Escape a line for roff: \ and - mean something, and so does a point at its beginning."""
    plain = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{plain}" if plain.startswith((".", "'")) else plain
