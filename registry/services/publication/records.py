"""Records of publications: beside the documents in storage, what was asked for with them.

Should the database lose a message that its sender was promised, its record can be filed again
(ADR 030). Without a record nobody takes documents for those of a message.
"""

import hmac
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from registry.blobs import BlobStore
from registry.domain.document_keys import make_record_key
from registry.domain.errors import DocumentUnavailable
from registry.domain.pseudonyms import Pseudonyms
from registry.services.publication.message_rows import NewMessage

_FORM: Final = b"publication 1"  # the first line; the second is the seal, the rest JSON
_LARGEST: Final = 16 << 20  # bytes: a description may have 1 MiB as its sender wrote it
_messages: Final = TypeAdapter(NewMessage)


class RecordUnusable(ValueError):
    """The record is not there, not whole, or not one that this registry wrote."""


@dataclass(frozen=True)
class PublicationRecords:
    """Stores records, and reads them; each is sealed under the hash key of the registry.

    Whoever may write to the bucket could else put messages into e-Boxes by way of it.
    """

    blobs: BlobStore
    pseudonyms: Pseudonyms

    def store(self, message: NewMessage) -> None:
        """Store the record of a publication; raises as `BlobStore.put` does."""
        content = _messages.dump_json(message)
        seal = self.pseudonyms.seal_content(content).encode()
        lines = b"\n".join((_FORM, seal, content))
        self.blobs.put(make_record_key(message.message_id), [lines])

    def read(self, message_id: UUID, size: int) -> NewMessage:
        """Read the record of a message, of `size` bytes; raises `RecordUnusable`, `Unavailable`."""
        if size > _LARGEST:
            raise RecordUnusable("the record is too large")
        try:
            blob = self.blobs.open(make_record_key(message_id), 0, size - 1, size=size)
        except DocumentUnavailable:
            raise RecordUnusable("the record is gone") from None
        try:
            content = b"".join(blob)
        finally:
            blob.close()
        message = self._open(content)
        if message.message_id != message_id:
            raise RecordUnusable("the record is of another message")
        return message

    def _open(self, lines: bytes) -> NewMessage:
        form, _, rest = lines.partition(b"\n")
        seal, _, content = rest.partition(b"\n")
        if form != _FORM:
            raise RecordUnusable("the record is none, or of a later version")
        if not hmac.compare_digest(seal, self.pseudonyms.seal_content(content).encode()):
            raise RecordUnusable("the record has no seal of this hash key")
        try:
            return _messages.validate_json(content)
        except ValidationError:
            raise RecordUnusable("the record is of another version") from None
