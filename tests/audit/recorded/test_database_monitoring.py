"""PostgreSQL's own statistics and its log name nobody, whatever is asked and whoever asks."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from uuid import uuid4

import psycopg
import pytest
from pydantic import SecretStr

from registry.api.state import get_state
from registry.app import create_app
from registry.domain.identifiers import Ebox, EboxKind
from registry.sandbox.personas import AGENCY
from registry.sandbox.servers.postgres import SUPERUSER, Cluster
from registry.wiring.database import make_engine
from registry.wiring.storage import make_document_store
from registry.wiring.worker import assemble_worker
from registry.worker.jobs import JOBS, JobContext
from tests.audit.recorded.table import RECIPIENT, SECRET, TABLE
from tests.audit.recorded.test_recorded import CALLS
from tests.databases import drop_pattern, migrated_database
from tests.factories import a_file

pytestmark = pytest.mark.process

# All that PostgreSQL can be asked to keep, and the one setting that deploy/runbooks/database.md
# asks for: no parameters.
AT_THE_START = {
    "shared_preload_libraries": "pg_stat_statements",
    "track_activity_query_size": "16384",
}
WATCHFUL = {
    "pg_stat_statements.track": "all",
    "log_statement": "all",
    "log_duration": "on",
    "log_min_duration_statement": "0",
    "log_lock_waits": "on",
    "log_parameter_max_length": "0",
}
AN_EBOX = re.compile(r"(citizen|enterprise):[0-9]")


@pytest.fixture(scope="module")
def watching(settings, objects):
    """A registry on a PostgreSQL that keeps all it can of what is asked: settings and views."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # for the server, which root hands to another user
        cluster = Cluster(Path(folder))
        with cluster:
            _ask(cluster, *_settings(AT_THE_START))
        with cluster, migrated_database(cluster, "watched") as urls:
            _ask(cluster, "CREATE EXTENSION pg_stat_statements", *_settings(WATCHFUL))
            _ask(cluster, "SELECT pg_reload_conf()")
            yield SimpleNamespace(
                settings=_move(settings, urls, objects),
                texts=lambda: _list_texts(cluster),
                log=cluster.directory / "postgres.log",
            )
            drop_pattern(cluster)


def _settings(values):
    return [f"ALTER SYSTEM SET {name} = '{value}'" for name, value in values.items()]


def _ask(cluster, *statements):
    with psycopg.connect(cluster.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _list_texts(cluster):
    with psycopg.connect(cluster.url(SUPERUSER, "postgres")) as connection:
        statistics = connection.execute("SELECT query FROM pg_stat_statements").fetchall()
        activities = connection.execute("SELECT query FROM pg_stat_activity").fetchall()
    return [text for (text,) in statistics + activities]


def _move(settings, urls, objects):
    bucket = f"watched-{uuid4().hex[:12]}"
    objects.create_bucket(bucket)
    objects.create_bucket(f"{bucket}-seals", has_object_lock=True)
    return settings.model_copy(
        update={
            "database_url": SecretStr(urls.application),
            "database_owner_url": SecretStr(urls.owner),
            "database_worker_url": SecretStr(urls.worker),
            "s3_bucket": bucket,
            "audit_bucket": f"{bucket}-seals",
        }
    )


@pytest.fixture(scope="module")
def app(watching):
    app = create_app(watching.settings)
    yield app
    get_state(app).registry.dispose()


@pytest.fixture(scope="module")
def owner(watching):
    engine = make_engine(watching.settings, "owner")
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def blobs(watching):
    store = make_document_store(watching.settings)
    yield store
    store.client.close()


@pytest.fixture(scope="module")
def worker_services(watching):
    assembled = assemble_worker(watching.settings)
    yield assembled
    assembled.dispose()


def test_what_postgresql_keeps_of_all_calls_and_jobs_names_nobody(
    watching, scene, portal_user, deliver, worker_services
):
    names = {SECRET, AGENCY.digits, RECIPIENT.number, portal_user.ebox.number}
    for version, kind, method, path in CALLS:
        case, around = TABLE[version, method, path], scene(version, kind)
        answer = case.ask(getattr(around, case.whose), around, around.path(path))
        assert answer.status_code == case.status, answer.text
        names |= {around.reader.ebox.number, around.webhook.ebox.number}
    deliver(portal_user.ebox, a_file(file_name=f"{SECRET}.pdf"))
    assert portal_user.get(f"/ebox/messages?q={SECRET}&qlang=fr").status_code == 200
    citizen = Ebox(EboxKind.CITIZEN, next(name for name in names if len(name) == 11))
    hold = worker_services.legal_holds.set(citizen, None, SECRET)
    worker_services.legal_holds.lift(hold, SECRET)
    for job in JOBS:
        list(job.work(JobContext(worker_services, lambda: False)))

    texts, log = watching.texts(), watching.log.read_text()

    for kept in ("\n".join(texts), log):
        assert "set_config" in kept
        assert "INSERT INTO audit_entries" in kept
        assert "FROM outbox" in kept
        assert AN_EBOX.findall(kept) == []
        assert {name for name in names if name in kept} == set()
