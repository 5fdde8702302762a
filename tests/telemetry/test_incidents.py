"""Incidents on the real service, and the figures that tell of them."""

import time
from contextlib import suppress
from uuid import uuid4

import pytest
from pydantic import SecretStr

from registry.api.state import get_state
from registry.domain.errors import Unavailable
from registry.sandbox.personas import PORTAL
from registry.sandbox.servers.processes import LOOPBACK
from tests.conftest import Visitor
from tests.factories import a_file, a_person
from tests.fake_s3 import a_fake_s3, fail
from tests.roads import Road

pytestmark = pytest.mark.process  # some wait by the clock

CALLS = "registry_neighbour_seconds_count"
OPERATION = "registry_operation_seconds_count"
BREAKER = "registry_breaker_open"


def test_an_answer_is_counted_by_its_operation_and_by_whose_doing_it_is(consumer, growth):
    labels = {"operation": "list_messages", "version": "v3"}
    growth(OPERATION, **labels, outcome="ok")
    growth(OPERATION, **labels, outcome="refused")

    consumer.get("/ebox/messages")
    consumer.get("/ebox/messages?pageSize=none")

    assert growth(OPERATION, **labels, outcome="ok") == 1
    assert growth(OPERATION, **labels, outcome="refused") == 1


def test_a_silent_authorization_server_opens_its_breaker(
    app_with, elsewhere, consumer, faults, figure, growth
):
    app = app_with(token_cache_doubts=0, breaker_failures=2, oauth_timeout=1)
    calls = {"neighbour": "introspection", "operation": "introspect", "outcome": "unavailable"}
    failures = {"operation": "list_messages", "version": "v3", "outcome": "failed"}
    growth(CALLS, **calls)
    growth(OPERATION, **failures)
    growth("registry_introspection_seconds_count", outcome="unavailable")
    closed = figure(BREAKER, neighbour="introspection")
    faults(introspect="reset")

    for _ in range(3):
        Visitor(app.test_client(), str(uuid4()), consumer.ebox).get("/ebox/messages")

    assert growth(CALLS, **calls) == 2  # the third was not made
    assert growth("registry_introspection_seconds_count", outcome="unavailable") == 3
    assert growth(OPERATION, **failures) == 3
    assert figure(BREAKER, neighbour="introspection") == closed + 1


def test_an_ill_partition_service_is_seen_by_its_operation(
    app_with, visitor, grant, faults, growth
):
    person = a_person()
    reader = visitor(PORTAL, person=person)
    grant(reader.ebox.number, ["GENERAL"], {person: ["GENERAL"]})
    calls = {"neighbour": "partition service", "operation": "rights"}
    growth(CALLS, **calls, outcome="unavailable")
    growth(CALLS, **calls, outcome="ok")
    faults(partitions="reset")
    reader.get("/ebox/messages")

    assert growth(CALLS, **calls, outcome="unavailable") == 1

    faults()
    reader.get("/ebox/messages")

    assert growth(CALLS, **calls, outcome="ok") == 1


def test_an_ill_store_opens_its_breaker(app_with, elsewhere, consumer, deliver, figure, growth):
    message_id = deliver(consumer.ebox, a_file())
    calls = {"neighbour": "storage", "operation": "GetObject", "outcome": "unavailable"}
    growth(CALLS, **calls)
    with a_fake_s3() as s3:
        s3.answer = fail(500)
        reader = elsewhere(consumer, app_with(s3_endpoint=s3.endpoint, s3_timeout=1))
        closed = figure(BREAKER, neighbour="storage")

        for _ in range(4):
            reader.get(f"/ebox/messages/{message_id}/attachments/1/content")

    assert growth(CALLS, **calls) >= 3
    assert figure(BREAKER, neighbour="storage") == closed + 1


def test_a_document_that_storage_lacks_is_a_refusal_and_no_illness(
    consumer, deliver, blobs, growth
):
    file = a_file()
    message_id = deliver(consumer.ebox, file)
    blobs.erase(file["blob_key"])
    calls = {"neighbour": "storage", "operation": "GetObject"}
    growth(CALLS, **calls, outcome="refused")
    growth(CALLS, **calls, outcome="unavailable")

    consumer.get(f"/ebox/messages/{message_id}/attachments/1/content")

    assert growth(CALLS, **calls, outcome="refused") == 1
    assert growth(CALLS, **calls, outcome="unavailable") == 0


def test_a_database_that_refuses_opens_its_breaker(  # noqa: PLR0913, PLR0917 - of pytest
    app_with, elsewhere, consumer, cluster, settings, figure, growth
):
    calls = {"neighbour": "database", "operation": "connection", "outcome": "failed"}
    growth(CALLS, **calls)
    with Road((LOOPBACK, cluster.port)) as road:
        url = settings.database_url.get_secret_value()
        url = url.replace(f":{cluster.port}/", f":{road.port}/")
        reader = elsewhere(consumer, app_with(database_url=SecretStr(url)))
        closed = figure(BREAKER, neighbour="database")
        road.refuse()

        for _ in range(5):
            reader.get("/ebox/messages")

    assert growth(CALLS, **calls) >= 3
    assert figure(BREAKER, neighbour="database") == closed + 1


def test_connections_in_use_are_seen_and_who_waits_for_one_in_vain(app_with, figure, growth):
    app = app_with(database_pool_size=1, database_pool_timeout=0.2)
    transactions = get_state(app).registry.consultation.transactions
    before = figure("registry_database_connections", state="in use")
    calls = {"neighbour": "database", "operation": "connection", "outcome": "failed"}
    growth(CALLS, **calls)

    with transactions():
        taken = figure("registry_database_connections", state="in use")
        began = time.monotonic()
        with suppress(Unavailable), transactions():
            pass

    assert taken == before + 1
    assert time.monotonic() - began < 5
    assert growth(CALLS, **calls) == 1


def test_a_transaction_is_measured_by_what_became_of_it(consumer, app, growth):
    calls = {"neighbour": "database", "operation": "transaction"}
    growth(CALLS, **calls, outcome="ok")

    consumer.get("/ebox/messages")
    growth(CALLS, **calls, outcome="rolled back")
    with suppress(KeyError), get_state(app).registry.consultation.transactions():
        raise KeyError

    assert growth(CALLS, **calls, outcome="ok") >= 1
    assert growth(CALLS, **calls, outcome="rolled back") == 1


def test_a_download_that_its_reader_leaves_is_counted(consumer, deliver, growth):
    cut = {"what": "download", "by": "client"}
    growth("registry_transfers_cut_total", **cut)
    content = bytes(3 << 20)
    message_id = deliver(consumer.ebox, a_file(content), content=content)

    answer = consumer.get(f"/ebox/messages/{message_id}/attachments/1/content", buffered=False)
    next(iter(answer.response))
    answer.close()

    assert growth("registry_transfers_cut_total", **cut) == 1
