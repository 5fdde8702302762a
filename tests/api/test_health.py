"""GET …/health: whether the service is well, told to anyone in one word."""

import pytest
from pydantic import SecretStr
from sqlalchemy import event

from registry.api.state import get_state
from tests.conftest import V3

BASES = list(V3.values())
BROKEN = {
    "no database": {"database_url": "postgresql://application@127.0.0.1:9/registry"},
    "no document store": {"s3_endpoint": "http://127.0.0.1:9", "s3_timeout": 1},
    "no such bucket": {"s3_bucket": "no-such-bucket"},
}


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("path", ["/health", "/health/ready", "/health/live"])
def test_a_well_service_says_so_and_no_more_to_anyone(app, base, path):
    answer = app.test_client().get(base + path)

    assert answer.status_code == 200
    assert answer.json == {"status": "UP"}
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
@pytest.mark.parametrize("what", BROKEN)
def test_a_service_without_its_stores_is_down_and_does_not_say_why(app_with, what, path):
    changes = {
        name: SecretStr(value) if name.endswith("_url") else value
        for name, value in BROKEN[what].items()
    }

    answer = app_with(**changes).test_client().get(BASES[0] + path)

    assert answer.status_code == 503
    assert answer.json == {"status": "DOWN"}
    assert answer.headers["Content-Type"] == "application/json"


def test_a_process_without_its_stores_is_still_alive(app_with):
    app = app_with(database_url=SecretStr("postgresql://application@127.0.0.1:9/registry"))

    answer = app.test_client().get(f"{BASES[0]}/health/live")

    assert (answer.status_code, answer.json) == (200, {"status": "UP"})


def test_a_role_that_row_level_security_does_not_bind_is_no_service(app_with, database):
    app = app_with(database_url=SecretStr(database.owner))

    answer = app.test_client().get(f"{BASES[0]}/health")

    assert (answer.status_code, answer.json) == (503, {"status": "DOWN"})


def test_health_is_no_way_to_keep_the_stores_busy(app_with):
    app = app_with()
    client = app.test_client()
    client.get(f"{BASES[0]}/health")
    engine = get_state(app).registry.consultation.transactions.engine
    asked = []
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given))

    for _ in range(100):
        client.get(f"{BASES[0]}/health")

    assert len(asked) < 50


def test_head_of_health_has_no_content(app):
    answer = app.test_client().head(f"{BASES[0]}/health")

    assert (answer.status_code, answer.data) == (200, b"")


def test_health_asks_for_no_token_and_cares_for_none(app):
    headers = {"Authorization": "Bearer nonsense"}

    assert app.test_client().get(f"{BASES[0]}/health", headers=headers).status_code == 200
