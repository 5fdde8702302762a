"""What storage has of a publication: metadata with each document, and a record beside them."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from registry.blobs.s3 import PART_SIZE
from registry.domain.document_keys import RECORDS, make_key, make_record_key
from registry.domain.identifiers import EboxKind
from registry.services.publication.records import PublicationRecords
from registry.store.consultation.messages import messages
from registry.wiring.pseudonyms import make_pseudonyms
from tests.api.publication import MESSAGES, Document
from tests.factories import PDF, an_ebox

NAME = 240 * "\U0001f9fe" + ".pdf"
LARGE = b"%PDF-1.4\n".ljust(PART_SIZE + 1, b"x")


def digest(content):
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()


@pytest.fixture
def read_record(blobs, settings):
    """Read the record of a message."""
    records = PublicationRecords(blobs, make_pseudonyms(settings))

    def read(message_id):
        head = blobs.client.head_object(Bucket=blobs.bucket, Key=make_record_key(UUID(message_id)))
        return records.read(UUID(message_id), head["ContentLength"])

    return read


@pytest.fixture
def metadata_of(blobs):
    """The metadata of a document, by message and number."""

    def look(message_id, number=1):
        key = make_key(UUID(message_id), number)
        return blobs.client.head_object(Bucket=blobs.bucket, Key=key)["Metadata"]

    return look


@pytest.fixture
def record_keys(blobs):
    return lambda: set(blobs.keys(RECORDS, datetime.now(UTC) + timedelta(days=1)))


def test_each_document_has_its_message_type_name_and_digest_with_it(sender, metadata_of):
    table = Document("b", b"a;b\n", "b.csv", "text/csv", is_main=False)

    message_id = sender.published(an_ebox(EboxKind.CITIZEN), Document(file_name=NAME), table)

    one, other = metadata_of(message_id, 1), metadata_of(message_id, 2)
    assert [each["message-id"] for each in (one, other)] == [message_id] * 2
    assert [each["media-type"] for each in (one, other)] == ["application/pdf", "text/csv"]
    assert base64.urlsafe_b64decode(one["file-name"]).decode() == NAME
    assert [each["sha-256"] for each in (one, other)] == [digest(PDF), digest(table.content)]


def test_of_a_large_document_the_record_alone_has_the_digest(sender, metadata_of, read_record):
    message_id = sender.published(an_ebox(), Document(content=LARGE))

    assert set(metadata_of(message_id)) == {"message-id", "media-type", "file-name"}
    (file,) = read_record(message_id).request.attachments
    assert (file.digest, file.size) == (digest(LARGE), len(LARGE))


def test_metadata_name_no_ebox_and_nothing_of_the_message(sender, metadata_of):
    citizen = an_ebox(EboxKind.CITIZEN)

    message_id = sender.published(citizen, Document(file_name="brief.pdf"))

    said = str(metadata_of(message_id))
    for secret in (citizen.number, sender.ebox.number, "Aanslagbiljet", "information-letter"):
        assert secret not in said


def test_a_record_says_all_that_was_asked_for(sender, read_record, owner):
    recipient = an_ebox()
    key = str(uuid4())

    message_id = sender.publish(recipient, headers={"Idempotency-Key": key}).json["messageId"]

    message = read_record(message_id)
    with owner.connect() as connection:
        found = connection.execute(
            select(messages.c.received_at).where(messages.c.message_id == UUID(message_id))
        ).scalar_one()
    assert (str(message.message_id), message.key) == (message_id, key)
    assert message.received_at == found
    assert (message.request.owner, message.request.draft.recipient) == (sender.ebox, recipient)
    assert message.request.draft.subject == {"nl": "Aanslagbiljet"}
    (file,) = message.request.attachments
    assert file.blob_key == make_key(UUID(message_id), 1)


def test_a_reply_has_a_record_too(sender, reader, read_record, metadata_of):
    recipient = reader()
    message_id = sender.published(recipient.ebox, isReplyAuthorized=True)

    reply_id = recipient.reply(message_id).json["messageId"]

    request = read_record(reply_id).request
    assert (request.is_reply, request.owner) == (True, recipient.ebox)
    assert str(request.draft.original_message_id) == message_id
    assert metadata_of(reply_id)["message-id"] == reply_id


def test_what_is_refused_leaves_no_record(sender, record_keys):
    recipient, headers = an_ebox(), {"Idempotency-Key": str(uuid4())}
    assert sender.publish(recipient, headers=headers).status_code == 201
    before = record_keys()

    again = sender.publish(recipient, headers=headers)
    unknown = sender.publish(recipient, messageTypeId="no-such-type")

    assert (again.status_code, unknown.status_code) == (409, 400)
    assert record_keys() == before


def test_no_reader_sees_metadata(sender, reader):
    recipient = reader()
    message_id = sender.published(recipient.ebox, Document(file_name="secret.pdf"))

    answer = recipient.get(f"{MESSAGES}/{message_id}/attachments/1/content")

    assert answer.data == PDF
    assert not [name for name, _ in answer.headers if name.lower().startswith("x-amz")]


@pytest.fixture
def forgotten(owner, sender):
    """Lose the notes of what this sender uploads, as a crash of PostgreSQL may."""
    lose = f"""
        CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER lose BEFORE INSERT ON upload_notes FOR EACH ROW
        WHEN (NEW.ebox = '{sender.ebox.key}') EXECUTE FUNCTION lose()
    """
    with owner.begin() as connection:
        connection.execute(text(lose))
    yield
    with owner.begin() as connection:
        connection.execute(text("DROP TRIGGER lose ON upload_notes; DROP FUNCTION lose()"))


@pytest.mark.usefixtures("forgotten")
def test_a_publication_whose_note_is_gone_leaves_nothing_to_adopt(
    sender, nothing_stored, record_keys
):
    before = record_keys()

    with nothing_stored():
        answer = sender.publish(an_ebox())

        assert answer.status_code == 503, answer.text
        assert "took too long" in answer.text
    assert record_keys() == before
