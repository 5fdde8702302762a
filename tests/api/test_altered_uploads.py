"""A bit flips between the registry and its store: nobody is told that the message was published."""

import pytest
from prometheus_client import REGISTRY

from registry.blobs.s3 import PART_SIZE
from registry.domain.identifiers import EboxKind
from tests.api import publication
from tests.api.publication import OWN, Document, at
from tests.api.v2 import visiting
from tests.factories import an_ebox
from tests.flipping_proxy import MARK, a_flipping_proxy, marked

SIZES = [1000, PART_SIZE + 1000]


def count():
    return REGISTRY.get_sample_value("registry_documents_not_stored_total")


@pytest.fixture
def proxy(objects):
    with a_flipping_proxy(objects.endpoint) as server:
        yield server


@pytest.fixture
def sender_there(a_sender, publishing_with, proxy):
    """A sender at a registry whose store is behind that proxy."""
    return at(a_sender(), publishing_with(s3_endpoint=proxy.endpoint), publication.Sender)


def in_version_3(sender, recipient, content):
    return sender.publish(recipient, Document(content=content))


def in_version_2(sender, recipient, content):
    return visiting.publish(sender, recipient, Document(part="upfile1", content=content))


@pytest.fixture(params=EboxKind)
def recipient(request):
    """An e-Box of each family."""
    return an_ebox(request.param)


@pytest.mark.parametrize("publish", [in_version_3, in_version_2])
@pytest.mark.parametrize("size", SIZES)
def test_it_is_refused_and_may_be_sent_again(  # noqa: PLR0913, PLR0917 - of pytest
    sender_there, proxy, recipient, publish, size, stored_keys, logged
):
    before, kept = count(), stored_keys()
    proxy.flip("there")

    answer = publish(sender_there, recipient, marked(size))

    assert answer.status_code == 502, answer.text
    assert answer.json["code"] == "DOCUMENT_NOT_STORED"
    assert int(answer.headers["Retry-After"]) > 0
    if publish is in_version_3:
        assert answer.json["type"] == f"{OWN}documentNotStored"
    assert count() == before + 1
    assert stored_keys() == kept
    assert "document not stored" in logged()
    assert publish(sender_there, recipient, marked(size)).status_code == 201


def test_a_reply_is_refused_too(sender_there, proxy, a_sender):
    other = a_sender()
    message = other.published(sender_there.ebox, isReplyAuthorized=True)
    proxy.flip("there")

    answer = sender_there.reply(message, Document(content=marked(1000)))

    assert answer.status_code == 502, answer.text
    assert answer.json["code"] == "DOCUMENT_NOT_STORED"


@pytest.fixture
def stored_keys(blobs):
    """The keys of all stored documents."""

    def read():
        pages = blobs.client.get_paginator("list_objects_v2").paginate(Bucket=blobs.bucket)
        return {entry["Key"] for page in pages for entry in page.get("Contents", ())}

    return read


def test_a_publication_without_its_record_is_not_acknowledged(
    sender_there, proxy, recipient, stored_keys
):
    before = stored_keys()
    proxy.flip("there")

    # The one thing in storage that has the subject, and the mark in it, is the record.
    answer = sender_there.publish(recipient, subject={"nl": MARK.decode()})

    assert (answer.status_code, proxy.flips) == (502, 0), answer.text
    assert answer.json["code"] == "DOCUMENT_NOT_STORED"
    assert stored_keys() == before
