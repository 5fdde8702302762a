"""PostgreSQL falls silent under a request: it is answered in time, and all is well afterwards."""

import time

import pytest
from pydantic import SecretStr

from registry.sandbox.servers.processes import LOOPBACK
from tests.api.v2.visiting import in_version_2
from tests.roads import Road

pytestmark = pytest.mark.process  # waits by the clock

BUDGET = 10.0  # seconds


@pytest.fixture
def road(cluster):
    """A road to the cluster."""
    with Road((LOOPBACK, cluster.port)) as leading:
        yield leading


@pytest.fixture
def app_on(road, cluster, settings, app_with):
    """An application whose database is at the end of the road."""
    url = settings.database_url.get_secret_value().replace(f":{cluster.port}/", f":{road.port}/")
    return app_with(database_url=SecretStr(url))


@pytest.mark.parametrize("version", [3, 2])
@pytest.mark.parametrize("happens", ["silence", "refuse"])
def test_a_reader_hears_in_time_that_he_should_come_back(
    app_on, elsewhere, consumer, road, happens, version
):
    reader = elsewhere(consumer, app_on)
    reader = reader if version == 3 else in_version_2(reader)
    assert reader.get("/ebox/messages").status_code == 200
    getattr(road, happens)()
    began = time.monotonic()

    answer = reader.get("/ebox/messages")

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json["code"] == "SERVICE_UNAVAILABLE"
    assert time.monotonic() - began < BUDGET
    road.heal()
    healed = time.monotonic()
    while reader.get("/ebox/messages").status_code != 200:
        assert time.monotonic() - healed < 5
        time.sleep(0.1)
