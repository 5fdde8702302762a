"""What a call imports before it comes to its work: CPU differs by machine, and modules do not.

SQLAlchemy alone takes 0.2 s, boto3 as much, pydantic and what signs and encrypts 0.1 s each.
"""

import subprocess
import sys

import click
import pytest

from registry.cli import registry
from registry.sandbox.servers.processes import LOOPBACK, free_port
from tests.cli.operators.test_command_line import commands
from tests.cli.operators.test_least_settings import LEAST, OAUTH, WORKER, arguments

pytestmark = pytest.mark.process

LEAVES = [path for path, command in commands(registry) if not isinstance(command, click.Group)]
SETTINGS, SQL, STORE = {"pydantic"}, {"sqlalchemy", "psycopg"}, {"boto3"}
KEYS, CALLS, TOKENS = {"cryptography"}, {"requests"}, {"authlib", "joserfc"}
OTHERS = {"rich", "alembic", "structlog", "flask", "marshmallow"}
HEAVY = SETTINGS | SQL | STORE | KEYS | CALLS | TOKENS | OTHERS

ASKS_DATABASE = [
    words
    for words, needs in LEAST.items()
    if needs & {WORKER, "DATABASE_URL", "DATABASE_OWNER_URL"}
]


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_help_and_words_that_are_wrong_are_answered_before_anything_is_imported(path):
    calls = [[*path, "--help"]]
    if path != ("sandbox", "exec"):  # to which all words are another program's
        calls.append([*path, "--nonsense"])

    assert list_imports(*calls) == [set()] * len(calls)


@pytest.mark.parametrize("words", [words for words, needs in LEAST.items() if needs])
def test_a_setting_that_is_missing_is_told_before_anything_is_imported(tmp_path, words):
    (imports,) = list_imports(arguments(words, tmp_path))

    assert imports <= SETTINGS


@pytest.mark.parametrize("words", ASKS_DATABASE)
def test_only_what_a_command_uses_is_imported_before_its_first_query(tmp_path, secluded, words):
    url = f"postgresql://someone:word@{LOOPBACK}:{free_port()}/registry"
    urls = {f"REGISTRY_DATABASE{role}_URL": url for role in ("", "_OWNER", "_WORKER")}

    (imports,) = list_imports(arguments(words, tmp_path), **secluded.environment | urls)

    assert imports <= list_uses(words)


def list_uses(words):
    """What a command may import by what has to be set for it."""
    uses, needs = SETTINGS | SQL | {"rich"}, LEAST[words]  # bars are drawn before the first answer
    # A hold is on documents too, wherever it is only listed.
    if needs & {"S3_BUCKET", "AUDIT_BUCKET"} or words.startswith("hold"):
        uses |= STORE | KEYS | CALLS
    if needs & OAUTH:
        uses |= KEYS | CALLS | TOKENS
    if words.startswith("database"):
        uses |= {"alembic"}
    return HEAVY - {"flask", "marshmallow"} if words.startswith("worker") else uses


def list_imports(*calls, **environment):
    """The heavy modules that a fresh Python has after each of these calls, one after the other."""
    program = (
        "import sys\n"
        "from registry.cli import main\n"
        f"for words in {[list(words) for words in calls]!r}:\n"
        "    sys.argv = ['registry', *words]\n"
        "    try: main()\n"
        "    except SystemExit: pass\n"
        f"    print('IMPORTS', *(set({sorted(HEAVY)!r}) & sys.modules.keys()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": "", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("IMPORTS")]
    return [set(names[1:]) for names in lines]
