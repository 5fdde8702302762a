"""The command line as a whole: help, version, exit codes."""

import click
import pytest

from registry import __version__
from registry.cli import registry
from tests.cli.operators.conftest import PASSWORD


def commands(group, path=()):
    """Every command there is, the groups included, as it is typed."""
    yield path, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


ALL = list(commands(registry))


@pytest.mark.parametrize(
    ("path", "command"), ALL, ids=[" ".join(path) or "registry" for path, _ in ALL]
)
def test_every_command_explains_itself(run, path, command):
    done = run(*path, "--help", env={"COLUMNS": "200"})

    assert done.code == 0
    assert done.said.startswith(f"Usage: registry {' '.join(path)}".rstrip())
    assert " ".join(command.help.split()[:3]) in " ".join(done.said.split())


@pytest.mark.parametrize(
    "option",
    [
        pytest.param(parameter, id=f"{' '.join(path)} {parameter.name}")
        for path, command in ALL
        for parameter in command.params
        if isinstance(parameter, click.Option)
    ],
)
def test_every_option_explains_itself(option):
    assert option.help


def test_the_commands_are_those_an_operator_needs():
    assert {path for path, _ in ALL} >= {
        ("database", "migrate"),
        ("database", "downgrade"),
        ("database", "check"),
        ("settings", "list"),
        ("settings", "check"),
    }


@pytest.mark.parametrize("command", [("nonsense",), ("database", "nonsense"), ("--nonsense",)])
def test_what_is_misspelt_ends_with_code_two_and_a_hint(run, command):
    done = run(*command)

    assert done.code == 2
    assert "nonsense" in done.said


def test_the_program_tells_its_version(start):
    done = start("--version")

    assert done.returncode == 0
    assert done.stdout == f"registry, version {__version__}\n"


def test_help_needs_no_settings(start):
    done = start("database", "migrate", "--help")

    assert done.returncode == 0
    assert "REGISTRY_DATABASE_OWNER_URL" in done.stdout


def test_without_settings_every_missing_one_is_told(start):
    done = start("database", "migrate")

    assert done.returncode == 2
    assert "REGISTRY_DATABASE_URL: Field required" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_is_migrated_by_a_process_of_its_own(start, fresh):
    done = start("database", "migrate", env=fresh)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("The database is at revision ")
    assert PASSWORD not in done.stdout
