"""Metadata of documents: what HTTP headers can carry, and S3 accepts."""

import base64
from uuid import uuid4

import pytest

from registry.domain.attachments import MEDIA_TYPES
from registry.domain.document_metadata import make_metadata
from registry.domain.filenames import LONGEST

S3_LIMIT = 2048  # bytes of all names and values
DIGEST = base64.urlsafe_b64encode(bytes(32)).decode()


@pytest.mark.parametrize("character", ["a", "\u00e9", "\u20ac", "\U0001f9fe"])
def test_the_longest_file_name_fits_and_can_be_read_again(character):
    name = LONGEST * character

    metadata = make_metadata(uuid4(), max(MEDIA_TYPES, key=len), name, DIGEST)

    assert sum(len(f"{name}{value}".encode()) for name, value in metadata.items()) < S3_LIMIT
    assert all(value.isascii() and value.isprintable() for value in metadata.values())
    assert base64.urlsafe_b64decode(metadata["file-name"]).decode() == name


def test_it_names_message_type_and_digest():
    message_id = uuid4()

    assert make_metadata(message_id, "text/csv", "a", DIGEST) == {
        "message-id": str(message_id),
        "media-type": "text/csv",
        "file-name": "YQ==",
        "sha-256": DIGEST,
    }


def test_what_is_not_known_is_left_out():
    assert set(make_metadata(uuid4(), "text/csv", None, None)) == {"message-id", "media-type"}
