"""Records of publications: read as they were written, and only if this registry wrote them."""

import re
from uuid import UUID, uuid4

import pytest

from registry.blobs.memory import MemoryBlobs
from registry.domain.document_keys import make_record_key
from registry.domain.drafts import AnnouncedFile, Draft, NewAttachment
from registry.domain.identifiers import EboxKind, EnterpriseNumber
from registry.domain.pseudonyms import Pseudonyms
from registry.services.publication.message_rows import NewMessage, PublicationRequest
from registry.services.publication.records import PublicationRecords, RecordUnusable
from tests.factories import NOON, PAYMENT, a_file, an_ebox, an_enterprise

KEY = "a key of the tests, long enough to count"


@pytest.fixture
def records():
    return PublicationRecords(MemoryBlobs(), Pseudonyms(KEY))


def a_new_message(**changes):
    """A publication in which everything is there, and hard to write."""
    sender = an_enterprise()
    draft = Draft(
        subject={"nl": 'Rekening \u20ac \U0001f9fe "quoted" \u0001', "fr": "Facture"},
        recipient=an_ebox(EboxKind.CITIZEN),
        sender=EnterpriseNumber(sender),
        sender_partition="answers",
        application_id="my-minfin",
        message_type_id="tax-assessment",
        body={"nl": "<p>a</p>\n"},
        is_body_main=False,
        attention={"name": "An"},
        business_data=[{"name": "n", "values": [{"nl": "v"}]}],
        payment_data=PAYMENT,
        structured_data={"a": [1, 2.5, None, True, {"b": "c"}]},
        is_reply_authorized=True,
        is_registered=True,
        action_id="pay",
        action_label={"nl": "Betaal"},
        message_template_id="t",
        original_message_id=uuid4(),
        announced_files=(AnnouncedFile(part="p", is_main=True, title={"nl": "t"}, digest="d"),),
    )
    file = NewAttachment(**a_file(file_name=255 * "\U0001f9fe", title={"nl": "t"}))
    request = PublicationRequest(
        owner=an_ebox(),
        draft=draft,
        attachments=[file],
        is_reply=True,
        reply_partition="elsewhere",
    )
    members = {"message_id": uuid4(), "received_at": NOON, "key": "k", "request": request}
    return NewMessage(**{**members, **changes})


def read(records, message_id):
    versions = records.blobs.versions.get(make_record_key(message_id))
    size = len(versions[-1].content) if versions else 7
    return records.read(message_id, size)


def overwrite(records, message_id, content):
    records.blobs.put(make_record_key(message_id), [content])


def test_a_record_is_read_as_it_was_written(records):
    message = a_new_message()

    records.store(message)

    assert read(records, message.message_id) == message


def test_a_message_of_which_little_is_said_too(records):
    draft = Draft(subject={"fr": "a"}, recipient=an_ebox())
    request = PublicationRequest(owner=an_ebox(), draft=draft, attachments=[])
    message = a_new_message(key=None, request=request)

    records.store(message)

    assert read(records, message.message_id) == message


def test_neither_the_key_of_a_record_nor_its_metadata_name_anybody(records):
    message = a_new_message()

    records.store(message)

    ((key, (version,)),) = records.blobs.versions.items()
    assert UUID(key.removeprefix("records/")) == message.message_id
    assert version.metadata == {}


@pytest.mark.parametrize("edit", [b"tax-assessment", b"citizen", b'"size":'])
def test_a_record_that_somebody_changed_is_none(records, edit):
    message = a_new_message()
    records.store(message)
    ((_, (version,)),) = records.blobs.versions.items()
    assert edit in version.content
    overwrite(records, message.message_id, version.content.replace(edit, edit.upper()))

    with pytest.raises(RecordUnusable, match="no seal of this hash key"):
        read(records, message.message_id)


def test_a_record_of_another_registry_is_none(records):
    message = a_new_message()
    PublicationRecords(records.blobs, Pseudonyms(KEY + "!")).store(message)

    with pytest.raises(RecordUnusable, match="no seal of this hash key"):
        read(records, message.message_id)


def test_a_record_under_the_id_of_another_message_is_none(records):
    message, other_id = a_new_message(), uuid4()
    records.store(message)
    overwrite(
        records, other_id, records.blobs.versions[make_record_key(message.message_id)][-1].content
    )

    with pytest.raises(RecordUnusable, match="of another message"):
        read(records, other_id)


@pytest.mark.parametrize(
    "garbage", [b"", b"\n", b"\n\n", b"\xff\xfe\x00", b"{}", b"publication 2\n\n{}", b"%PDF-1.4"]
)
def test_garbage_is_no_record(records, garbage):
    message_id = uuid4()
    overwrite(records, message_id, garbage)

    with pytest.raises(RecordUnusable, match="is none, or of a later version"):
        read(records, message_id)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\xff", b'{"message_id":1}'])
def test_garbage_under_our_own_seal_is_no_record(records, content):
    message_id = uuid4()
    seal = records.pseudonyms.seal_content(content).encode()
    overwrite(records, message_id, b"\n".join((b"publication 1", seal, content)))

    with pytest.raises(RecordUnusable, match="of another version"):
        read(records, message_id)


def test_what_is_far_too_large_is_not_read(records):
    with pytest.raises(RecordUnusable, match="too large"):
        records.read(uuid4(), (16 << 20) + 1)


def test_a_record_that_is_not_there_is_none(records):
    with pytest.raises(RecordUnusable, match="is gone"):
        read(records, uuid4())


def test_no_error_quotes_what_the_record_says(records):
    message = a_new_message()
    content = b'{"message_id":"secret","received_at":"secret"}'
    seal = records.pseudonyms.seal_content(content).encode()
    overwrite(records, message.message_id, b"\n".join((b"publication 1", seal, content)))

    with pytest.raises(RecordUnusable) as raised:
        read(records, message.message_id)

    assert not re.search("secret", str(raised.value))
    assert raised.value.__suppress_context__


def test_members_of_a_later_program_are_left_out(records):
    message = a_new_message()
    records.store(message)
    ((_, (version,)),) = records.blobs.versions.items()
    content = version.content.split(b"\n", 2)[2].replace(b'{"kind"', b'{"later":1,"kind"', 1)
    seal = records.pseudonyms.seal_content(content).encode()
    overwrite(records, message.message_id, b"\n".join((b"publication 1", seal, content)))

    assert read(records, message.message_id) == message
