"""What is counted: requests by route, looks at tokens, documents that were not there."""

from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from tests.conftest import V3
from tests.factories import a_file


@pytest.fixture
def counted():
    """How much a figure grew since the test began to ask for it."""
    before = {}

    def grown(name, **labels):
        key = (name, *sorted(labels.items()))
        value = REGISTRY.get_sample_value(name, labels) or 0
        return value - before.setdefault(key, value)

    return grown


def all_labels():
    return {
        value
        for metric in REGISTRY.collect()
        if metric.name.startswith("registry_")
        for sample in metric.samples
        for value in sample.labels.values()
    }


def test_a_request_is_counted_under_its_route(consumer, counted):
    route = f"{consumer.base}/ebox/messages/<message_id>"
    labels = {"route": route, "method": "GET", "status": "404"}
    counted("registry_request_seconds_count", **labels)

    message_id = uuid4()
    consumer.get(f"/ebox/messages/{message_id}")

    assert counted("registry_request_seconds_count", **labels) == 1
    assert not {label for label in all_labels() if str(message_id) in label}


def test_what_has_no_route_is_counted_as_unknown(consumer, counted):
    labels = {"route": "unknown", "method": "GET", "status": "404"}
    counted("registry_request_seconds_count", **labels)

    for _ in range(3):
        consumer.get(f"/nowhere/{uuid4()}")

    assert counted("registry_request_seconds_count", **labels) == 3


def test_methods_that_somebody_made_up_are_counted_together(consumer):
    consumer.ask("MADE-UP", "/ebox/messages")
    before = all_labels()

    for number in range(3):
        consumer.ask(f"MADE-UP-{number}", "/ebox/messages")

    assert all_labels() == before


def test_labels_name_no_person_token_or_ebox(citizen, deliver):
    message_id = deliver(citizen.ebox, a_file())
    citizen.get(f"/ebox/messages/{message_id}/attachments/1/content")
    citizen.get(f"/ebox/messages?q={citizen.ebox.number}&qlang=nl")

    text = " ".join(all_labels())

    assert citizen.ebox.number not in text
    assert citizen.token not in text
    assert str(message_id) not in text


def test_a_look_at_a_token_is_counted_by_what_came_of_it(app, counted):
    def looks():
        return sum(
            sample.value
            for metric in REGISTRY.collect()
            if metric.name == "registry_introspection_seconds"
            for sample in metric.samples
            if sample.name.endswith("_count")
        )

    before = looks()

    base = next(iter(V3.values()))
    headers = {"Authorization": f"Bearer {uuid4()}"}
    answer = app.test_client().get(f"{base}/ebox/messages", headers=headers)

    assert answer.status_code == 401
    assert looks() == before + 1


def test_a_document_that_was_promised_and_is_gone_is_counted(consumer, deliver, blobs, counted):
    file = a_file()
    message_id = deliver(consumer.ebox, file)
    blobs.erase(file["blob_key"])
    counted("registry_documents_unavailable_total")

    answer = consumer.get(f"/ebox/messages/{message_id}/attachments/1/content")

    assert answer.status_code == 502
    assert counted("registry_documents_unavailable_total") == 1


def test_a_document_that_is_there_is_not_counted_as_gone(consumer, deliver, counted):
    message_id = deliver(consumer.ebox, a_file())
    counted("registry_documents_unavailable_total")

    answer = consumer.get(f"/ebox/messages/{message_id}/attachments/1/content")

    assert answer.status_code == 200
    assert counted("registry_documents_unavailable_total") == 0
