"""The command line as a whole: help, version, exit codes."""

import subprocess
import sys

import click
import pytest

from registry import __version__
from registry.cli import registry
from registry.terminal.lazy_group import LazyGroup
from tests.cli.operators.conftest import PASSWORD


def commands(group, path=()):
    """Every command there is, the groups included, as it is typed."""
    yield path, group
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            yield from commands(group.get_command(context, name), (*path, name))


ALL = list(commands(registry))
OURS = set(registry._lazy)  # the sandbox and the drill are of another distribution


@pytest.mark.parametrize(
    ("path", "command"), ALL, ids=[" ".join(path) or "registry" for path, _ in ALL]
)
def test_every_command_explains_itself(run, path, command):
    done = run(*path, "--help", env={"COLUMNS": "200"})

    assert done.code == 0
    assert done.said.startswith(f"Usage: registry {' '.join(path)}".rstrip())
    assert " ".join(command.help.split()[:3]) in " ".join(done.said.split())


@pytest.mark.parametrize(
    "path",
    [path for path, command in ALL if not isinstance(command, click.Group)],
    ids=" ".join,
)
def test_every_command_has_an_example_that_reads_as_it_is_typed(run, path):
    done = run(*path, "--help", env={"COLUMNS": "400"})

    assert f"\n  Example: registry {' '.join(path)}" in done.said
    assert "\\b" not in done.said


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


SHORT_HELPS = [
    (name, group, lazy.short_help)
    for _, group in ALL
    if isinstance(group, LazyGroup)
    for name, lazy in group._lazy.items()
]


@pytest.mark.parametrize(("name", "group", "short_help"), SHORT_HELPS)
def test_a_list_says_of_each_command_what_the_command_says_itself(name, group, short_help):
    command = group.get_command(click.Context(group), name)

    assert " ".join(command.help.split("\n\n")[0].split()) == short_help


HELP = [[*path, "--help"] for path, _ in ALL if not path or path[0] in OURS]
HEAVY = [
    "sqlalchemy",
    "flask",
    "boto3",
    "authlib",
    "pydantic",
    "requests",
    "psycopg",
    "cryptography",
    "alembic",
]
# What a shell asks for when somebody presses Tab behind these words.
TABS = ["registry ", "registry dat", "registry database ", "registry database mi", "registry --v"]


@pytest.mark.parametrize("words", [["--version"], ["sandbox", "--help"], *HELP], ids=" ".join)
def test_nothing_is_imported_that_is_not_needed(words):
    done = import_as_needed("registry(sys.argv[1:])", *words)

    assert done[-1] == "[]"


@pytest.mark.parametrize("words", TABS)
def test_a_shell_is_told_what_may_come_next_and_nothing_is_imported_for_it(words):
    variables = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    action = (
        f"import os; os.environ.update({variables!r}, _REGISTRY_COMPLETE='bash_complete')\n"
        "registry(prog_name='registry', complete_var='_REGISTRY_COMPLETE')"
    )

    done = import_as_needed(action)

    assert done[-1] == "[]"
    last = words.split(" ")[-1]
    names = [line.removeprefix("plain,") for line in done[:-1]]
    assert names
    assert all(name.startswith(last) for name in names)


def import_as_needed(action, *words):
    """The lines that a fresh Python prints, the last of which lists what is heavy and imported."""
    indented = action.replace("\n", "\n    ")
    program = (
        f"import sys; from registry.cli import registry\ntry:\n    {indented}\n"
        f"except SystemExit: print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


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


def test_a_database_is_migrated_by_a_process_of_its_own(start, fresh):
    done = start("database", "migrate", env=fresh)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("The database is at revision ")
    assert PASSWORD not in done.stdout
