"""GET …/health: whether the service is well, told to anyone in one word."""

import time
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, event, make_url, text

from registry.api.state import get_state
from registry.domain.errors import Unavailable
from registry.sandbox.servers.postgres import APPLICATION_ROLE, SUPERUSER
from registry.sandbox.servers.processes import LOOPBACK
from registry.store.schema import REVISION
from tests.conftest import V3
from tests.databases import migrated_database
from tests.factories import an_ebox
from tests.trail_entries import read_trail

BASES = list(V3.values())
NOBODY = f"http://{LOOPBACK}:9"
NO_DATABASE = {"database_url": SecretStr("postgresql://application@127.0.0.1:9/registry")}
DOWN = {
    "no database": (NO_DATABASE, "Connection refused"),
    "no such bucket": ({"s3_bucket": "no-such-bucket"}, "no such bucket"),
    "a key that is refused": ({"s3_access_key": "stranger"}, "refuses our key"),
    "another key": ({"s3_secret_key": SecretStr("wrong")}, "refuses our key"),
    "nobody to look at tokens": ({"oauth_introspect_url": NOBODY}, "authorization server"),
    "nobody to give us a token": ({"oauth_token_url": NOBODY}, "authorization server"),
    "no right to look at tokens": ({"oauth_client_id": "stranger"}, "authorization server"),
}
DEGRADED = {"no document store": {"s3_endpoint": NOBODY, "s3_timeout": 1}}


@pytest.fixture
def superuser(cluster, database):
    """An engine that may do anything."""
    url = cluster.url(SUPERUSER, database.owner.rpartition("/")[2])
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@pytest.fixture
def tell(superuser):
    """Have PostgreSQL do something, in words of SQL."""

    def run(*statements):
        with superuser.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    return run


@pytest.fixture
def role(tell, database):
    """A role that may do what the application may: its name, and `url`."""
    name = f"role_{uuid4().hex[:8]}"
    tell(f"CREATE ROLE {name} LOGIN PASSWORD 'secret' IN ROLE {APPLICATION_ROLE}")
    url = make_url(database.application).set(username=name, password="secret")
    yield name, SecretStr(url.render_as_string(hide_password=False))
    tell(f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def health_of(app, path="/health"):
    answer = app.test_client().get(BASES[0] + path)
    return answer.status_code, answer.json


def wait_for(app, status, *, within):
    """Until the health is this; probes ask all the time."""
    deadline = time.monotonic() + within
    while health_of(app)[1] != {"status": status}:
        assert time.monotonic() < deadline, f"not {status} in time"
        time.sleep(0.05)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("path", ["/health", "/health/ready", "/health/live"])
def test_a_well_service_says_so_and_no_more_to_anyone(app, base, path):
    answer = app.test_client().get(base + path)

    assert answer.status_code == 200
    assert answer.json == {"status": "UP"}
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("what", DOWN)
def test_a_service_that_cannot_answer_calls_is_down_and_says_why_to_operators(
    app_with, logged, what
):
    changes, reason = DOWN[what]
    app = app_with(**changes)

    assert health_of(app) == (503, {"status": "DOWN"})
    assert health_of(app, "/health/ready") == (503, {"status": "DOWN"})
    assert reason in logged()
    with pytest.raises(Unavailable, match=reason):
        get_state(app).registry.readiness.check()


@pytest.mark.parametrize("what", DEGRADED)
def test_a_service_that_answers_most_calls_stays_and_says_so(app_with, what):
    assert health_of(app_with(**DEGRADED[what])) == (200, {"status": "DEGRADED"})


def test_a_process_without_its_stores_is_still_alive(app_with):
    assert health_of(app_with(**NO_DATABASE), "/health/live") == (200, {"status": "UP"})


def test_a_role_that_row_level_security_does_not_bind_is_no_service(app_with, database):
    app = app_with(database_url=SecretStr(database.owner))

    assert health_of(app) == (503, {"status": "DOWN"})


def test_a_database_that_was_never_migrated_is_no_service(app_with, cluster, logged):
    name = f"empty_{uuid4().hex[:12]}"
    cluster.create_database(name)
    app = app_with(database_url=SecretStr(cluster.url("application", name)))

    assert health_of(app) == (503, {"status": "DOWN"})
    assert "never migrated" in logged()
    get_state(app).registry.dispose()
    cluster.drop_database(name)


@pytest.mark.parametrize(
    ("revision", "status"), [("0001", "DOWN"), (REVISION, "UP"), ("9999", "UP")]
)
def test_a_database_of_an_older_shape_is_no_service(app_with, cluster, revision, status):
    with migrated_database(cluster, "revision") as urls:
        owner = create_engine(urls.owner)
        with owner.begin() as connection:
            connection.execute(
                text("UPDATE alembic_version SET version_num = :it"), {"it": revision}
            )
        owner.dispose()
        app = app_with(database_url=SecretStr(urls.application))

        assert health_of(app)[1] == {"status": status}
        get_state(app).registry.dispose()


def test_a_replica_is_no_service(app_with, tell, role, logged):
    name, url = role
    tell(f"ALTER ROLE {name} SET default_transaction_read_only = on")

    assert health_of(app_with(database_url=url)) == (503, {"status": "DOWN"})
    assert "can only be read" in logged()


def test_a_role_that_may_not_write_the_trail_is_no_service(app_with, tell, role, logged):
    name, url = role
    tell(
        f"REVOKE {APPLICATION_ROLE} FROM {name}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}",
    )

    assert health_of(app_with(database_url=url)) == (503, {"status": "DOWN"})
    assert "permission denied" in logged()


def test_a_full_disk_is_no_service_until_there_is_room_again(app_with, tell, role, logged):
    name, url = role
    app = app_with(database_url=url)
    assert health_of(app) == (200, {"status": "UP"})

    tell(
        f"CREATE FUNCTION {name}_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'could not extend file: No space left on device'"
        " USING ERRCODE = 'disk_full'; END $$",
        f"CREATE TRIGGER {name}_full BEFORE INSERT ON audit_entries FOR EACH ROW"
        f" WHEN (session_user = '{name}') EXECUTE FUNCTION {name}_full()",
    )
    try:
        wait_for(app, "DOWN", within=8)
        assert "No space left on device" in logged()
    finally:
        tell(
            f"DROP TRIGGER {name}_full ON audit_entries",
            f"DROP FUNCTION {name}_full",
        )

    wait_for(app, "UP", within=4)


def test_health_leaves_no_entry_in_the_trail(app, owner):
    def count():
        with owner.connect() as connection:
            return len(read_trail(connection, "urn:registry:health"))

    get_state(app).registry.readiness.check()

    assert count() == 0


def test_calls_that_use_all_connections_are_no_fault(app_with):
    app = app_with(database_pool_size=1, database_pool_timeout=0.5)

    with get_state(app).registry.consultation.transactions(an_ebox()):
        get_state(app).registry.readiness.check()


@pytest.mark.long
def test_callers_who_are_remembered_are_served_while_nobody_looks_at_tokens(app_with, faults):
    app = app_with(token_cache_reads=30)
    assert health_of(app) == (200, {"status": "UP"})

    faults(introspect="error")

    wait_for(app, "DEGRADED", within=40)  # while nobody calls, it is asked every 20 seconds
    faults()
    wait_for(app, "UP", within=8)


def test_health_is_no_way_to_keep_the_stores_busy(app_with):
    app = app_with()
    health_of(app)
    engine = get_state(app).registry.consultation.transactions.engine
    statements = []
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given))

    for _ in range(100):
        health_of(app)

    assert len(statements) < 50


def test_head_of_health_has_no_content(app):
    answer = app.test_client().head(f"{BASES[0]}/health")

    assert (answer.status_code, answer.data) == (200, b"")


def test_health_asks_for_no_token_and_cares_for_none(app):
    headers = {"Authorization": "Bearer nonsense"}

    assert app.test_client().get(f"{BASES[0]}/health", headers=headers).status_code == 200
