"""Commands that use a running sandbox: tokens, and programs with its settings."""

import os
import subprocess
import sys
from pathlib import Path

import click

from registry.sandbox.commands import options


@click.command()
@options.directory
@click.argument("persona")
@click.option("--scope", "scopes", multiple=True, help="Ask for this scope only; repeatable.")
def token(directory: Path, persona: str, scopes: tuple[str, ...]) -> None:
    """Print a bearer token of PERSONA, got the real way: with a signed assertion.

    Example: registry sandbox token portal-user
    """
    from registry.sandbox import tokens
    from registry.sandbox.personas import PERSONAS

    layout, document = options.running(directory)
    if persona not in PERSONAS:
        raise click.UsageError(f"There is no persona {persona!r}; there are {', '.join(PERSONAS)}.")
    try:
        text = tokens.fetch(document["tokenUrl"], PERSONAS[persona], layout.keys, scopes=scopes)
    except tokens.TokenRefused as error:
        raise click.ClickException(f"The authorization server gave no token: {error}") from None
    click.echo(text)


@click.command(
    "exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@options.directory
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(directory: Path, command: tuple[str, ...]) -> None:
    """Run COMMAND with this sandbox's settings in its environment; its exit code is ours.

    Example: registry sandbox exec -- registry database check
    """
    layout, document = options.running(directory)
    try:
        result = subprocess.run(
            command, env=layout.merge_environment(document, os.environ), check=False
        )
    except OSError as error:
        click.echo(f"{command[0]} cannot be run: {error.strerror}", err=True)
        sys.exit(127)
    code = result.returncode
    sys.exit(code if code >= 0 else 128 - code)  # as shells tell of a signal
