"""The operators' commands, with settings in their environment."""

from types import SimpleNamespace
from uuid import uuid4

import pytest
from click.testing import CliRunner
from pydantic import SecretStr
from sqlalchemy import create_engine

from registry.cli import registry
from registry.settings.fault import PREFIX
from tests.databases import migrated_database
from tests.forked import run_registry

PASSWORD = "correct-horse-battery"


@pytest.fixture(scope="session")
def environment(settings):
    """The settings of the test run as variables."""
    values = {name: getattr(settings, name) for name in settings.model_fields_set}
    return {
        PREFIX + name.upper(): value.get_secret_value()
        if isinstance(value, SecretStr)
        else str(value)
        for name, value in values.items()
    }


@pytest.fixture
def fresh(cluster, environment):
    """The environment with a database that has no tables yet."""
    name = f"cli_{uuid4().hex[:12]}"
    cluster.create_database(name)
    yield environment | {
        "REGISTRY_DATABASE_URL": cluster.url("application", name),
        "REGISTRY_DATABASE_OWNER_URL": cluster.url("owner", name),
    }
    cluster.drop_database(name)


@pytest.fixture(scope="module")
def secluded(cluster, environment):
    """A registry with a database of its own: its environment and its owner's engine."""
    with migrated_database(cluster, "cli") as urls:
        owner = create_engine(urls.owner)
        variables = {
            "REGISTRY_DATABASE_URL": urls.application,
            "REGISTRY_DATABASE_OWNER_URL": urls.owner,
            "REGISTRY_DATABASE_WORKER_URL": urls.worker,
        }
        yield SimpleNamespace(environment=environment | variables, owner=owner)
        owner.dispose()


@pytest.fixture
def alone(secluded):
    """The same, with nothing in it yet."""
    with secluded.owner.begin() as connection:
        connection.exec_driver_sql(
            "TRUNCATE messages, outbox, legal_holds, deletions, doomed_documents, upload_notes,"
            " document_rounds CASCADE"
        )
    return secluded


@pytest.fixture
def run():
    """Type a command in this process; gives exit code and all that was said."""

    def typed(*command, env=None, answer=None):
        unsized = {"COLUMNS": None}  # as where nobody looks at a terminal
        done = CliRunner().invoke(registry, command, env={**unsized, **(env or {})}, input=answer)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return SimpleNamespace(
            code=done.exit_code, said=done.output, out=done.stdout, err=done.stderr
        )

    return typed


@pytest.fixture
def start(tmp_path):
    """Type a command in a process of its own, with nothing else in its environment."""
    return lambda *command, env=None: run_registry(command, env or {}, tmp_path)
