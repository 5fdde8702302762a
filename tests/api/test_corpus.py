"""Real files of many programs are published, listed and downloaded byte for byte (contract 4.8)."""

import base64
import hashlib
from pathlib import Path

import pytest

from registry.sender.message import MEDIA_TYPES
from tests.api.publication import MESSAGES, Document
from tests.api.v2 import visiting

CORPUS = Path(__file__).parents[1] / "corpus"
FILES = sorted(path for path in CORPUS.iterdir() if path.suffix in MEDIA_TYPES)


def a_document(path):
    return Document(
        content=path.read_bytes(), file_name=path.name, media_type=MEDIA_TYPES[path.suffix]
    )


def digest(content):
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


def test_there_are_many_files_of_every_media_type_that_programs_here_can_make():
    assert len(FILES) >= 60
    assert {MEDIA_TYPES[path.suffix] for path in FILES} == set(MEDIA_TYPES.values())


@pytest.mark.long
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_real_file_arrives_as_it_was_sent(sender, reader, path):
    recipient, document = reader(), a_document(path)

    message_id = sender.published(recipient.ebox, document)

    (attachment,) = recipient.get(f"{MESSAGES}/{message_id}/attachments").json["items"]
    content = recipient.get(f"{MESSAGES}/{message_id}/attachments/1/content")
    assert attachment["fileName"] == path.name
    assert attachment["mediaType"] == document.media_type
    assert attachment["digest"]["digestValue"].rstrip("=") == digest(document.content)
    assert content.data == document.content


@pytest.mark.long
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_real_file_may_come_in_version_2(sender, reader, path):
    recipient = visiting.in_version_2(reader())

    answer = visiting.publish(sender, recipient.ebox, a_document(path))

    assert answer.status_code == 201, answer.text
    message = f"{visiting.MESSAGES}/{answer.json['messageId']}"
    assert recipient.get(f"{message}/attachments/1/content").data == path.read_bytes()
