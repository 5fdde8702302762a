"""Each neighbour may have a certificate of a CA of its own, which a setting names."""

from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from registry.domain.errors import Unavailable, UpstreamInvalid
from registry.domain.events import Announcement, EventType, Verdict
from registry.domain.identifiers import EnterpriseNumber
from registry.wiring import federation as wired
from registry.wiring.clock import now
from registry.wiring.storage import make_document_store, make_seal_store
from tests.certificates import Authority
from tests.factories import an_ebox, an_enterprise
from tests.tls import tls_before


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A server's certificate, the CA that made it, and another CA."""
    folder = tmp_path_factory.mktemp("authorities")
    ours, another = Authority(), Authority("Another authority")
    (folder / "server.pem").write_bytes(ours.issue())
    (folder / "ours.pem").write_bytes(ours.pem)
    (folder / "another.pem").write_bytes(another.pem)
    return folder


@pytest.fixture(scope="module")
def secure(files):
    """Put TLS before the server of a URL; gives the URL of what speaks TLS."""
    relays = []

    def put(url):
        parts = urlsplit(url)
        relays.append(tls_before(parts.port, files / "server.pem"))
        return parts._replace(scheme="https", netloc=f"127.0.0.1:{relays[-1].__enter__()}").geturl()

    yield put
    for relay in relays:
        relay.__exit__(None, None, None)


@pytest.fixture(scope="module")
def store_url(secure, objects):
    return secure(objects.endpoint)


def at(settings, **changes):
    return settings.model_copy(update=changes)


def test_documents_are_stored_where_the_authority_is_the_one_that_is_set(
    settings, store_url, files
):
    right = make_document_store(
        at(settings, s3_endpoint=store_url, s3_ca_bundle=files / "ours.pem")
    )
    wrong = make_document_store(
        at(settings, s3_endpoint=store_url, s3_ca_bundle=files / "another.pem")
    )
    key = f"documents/{uuid4()}-1"

    right.put(key, [b"content"])

    assert b"".join(right.open(key, 0, 6)) == b"content"
    with pytest.raises(Unavailable):
        wrong.check()
    for store in (right, wrong):
        store.client.close()


@pytest.mark.parametrize("name", ["s3_ca_bundle", "audit_s3_ca_bundle"])
def test_seals_trust_their_own_authority_or_that_of_documents(settings, store_url, files, name):
    elsewhere = {"audit_s3_endpoint": store_url}
    right = make_seal_store(at(settings, **elsewhere, **{name: files / "ours.pem"}))
    both = {"s3_ca_bundle": files / "ours.pem", "audit_s3_ca_bundle": files / "another.pem"}
    wrong = make_seal_store(at(settings, **elsewhere, **both))

    right.check()

    with pytest.raises(Unavailable):
        wrong.check()
    for store in (right, wrong):
        store.client.close()


def bundles(files, name):
    """The service's own bundle is the right one and that of all others wrong, or there is none."""
    others = {"oauth_ca_bundle": files / "another.pem"}
    return others | {name: files / "ours.pem"}


def test_the_partition_api_has_an_authority_of_its_own(settings, secure, files, grant):
    enterprise = EnterpriseNumber(an_enterprise())
    grant(enterprise.digits, ["GENERAL", "partitionB"])
    url = secure(settings.partition_url)
    right = wired.make_partition_api(
        at(settings, partition_url=url, **bundles(files, "partition_ca_bundle"))
    )
    wrong = wired.make_partition_api(
        at(settings, partition_url=url, partition_ca_bundle=files / "another.pem")
    )

    assert right.partitions(enterprise) == {"GENERAL", "partitionB"}
    with pytest.raises((Unavailable, UpstreamInvalid)):
        wrong.partitions(enterprise)
    for client in (right, wrong):
        client.close()


def test_the_preferences_have_an_authority_of_their_own(settings, federation, secure, files):
    url = secure(federation.federation_url)
    ebox = an_ebox()
    right = wired.make_preferences_client(
        at(settings, federation_url=url, **bundles(files, "federation_ca_bundle"))
    )
    wrong = wired.make_preferences_client(
        at(settings, federation_url=url, federation_ca_bundle=files / "another.pem")
    )

    assert right.is_digital(ebox) is False
    assert wrong.is_digital(ebox) is None
    for client in (right, wrong):
        client.close()


def test_the_event_service_has_an_authority_of_its_own(settings, secure, files):
    url = secure(settings.events_url)
    right = wired.make_event_service(
        at(settings, events_url=url, **bundles(files, "events_ca_bundle"))
    )
    wrong = wired.make_event_service(
        at(settings, events_url=url, events_ca_bundle=files / "another.pem")
    )
    announcement = Announcement(
        type=EventType.NEW_DOCUMENT,
        correlation_id=uuid4(),
        ebox=an_ebox(),
        message_id=uuid4(),
        received_at=now(),
        expires_at=now(),
        is_registered=False,
        message_type_id="summons",
        sender="0308357159",
    )

    assert right.tell([announcement]).verdict is Verdict.SUCCESS
    assert wrong.tell([announcement]).verdict is Verdict.OUTAGE
    for client in (right, wrong):
        client.close()
