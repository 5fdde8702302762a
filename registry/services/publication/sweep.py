"""The sweep: uploads that no message has claimed are deleted, if this database noted them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from registry.blobs import BlobStore
from registry.domain.document_keys import make_prefix, make_record_key
from registry.store.clock import read_clock
from registry.store.consultation import messages
from registry.store.publication import upload_notes
from registry.store.publication.upload_notes import UploadNote
from registry.store.transactions import Transactions

_BATCH: Final = 100  # uploads that are condemned in one transaction
_ANY_TIME: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Sweep:
    """Deletes what uploads have left that had their time; looks for it nowhere else (ADR 026).

    An upload is condemned before anything of it is deleted, so that no message claims it meanwhile.
    """

    transactions: Transactions
    blobs: BlobStore

    def preview(self, older_than: timedelta) -> Iterator[str]:
        """Find all that `sweep` would delete; gives the keys."""
        with self.transactions() as connection:
            notes = upload_notes.find_unclaimed(connection, older_than)
        for note in notes:
            prefix = make_prefix(note.message_id)
            yield from self._filter_unclaimed(list(self.blobs.keys(prefix, _ANY_TIME)))
            yield from self.blobs.list_unfinished(prefix, _ANY_TIME)

    def sweep(self, older_than: timedelta) -> Iterator[str]:
        """Delete unclaimed files and uploads that were never finished; gives the keys.

        A file that storage must keep, because of Object Lock, is left for another day.
        """
        with self.transactions() as connection:
            began = read_clock(connection)
        while notes := self._condemn(older_than, began):
            for note in notes:
                yield from self._delete(note)

    def count_restored(self, older_than: timedelta) -> int:
        """Count the uploads that had their time, and that a backup has brought back.

        Messages may have claimed them since, which this database has not got: they are not swept.
        """
        with self.transactions() as connection:
            return upload_notes.count_restored(connection, older_than)

    def _condemn(self, older_than: timedelta, began: datetime) -> list[UploadNote]:
        with self.transactions() as connection:
            return list(upload_notes.condemn(connection, older_than, before=began, limit=_BATCH))

    def _delete(self, note: UploadNote) -> Iterator[str]:
        prefix = make_prefix(note.message_id)
        keys = list(self.blobs.keys(prefix, _ANY_TIME))
        unclaimed_keys = self._filter_unclaimed(keys)
        # First, so that nobody takes what is left for the documents of a message that was lost.
        is_claimed = len(unclaimed_keys) < len(keys)
        is_over = is_claimed or self.blobs.erase(make_record_key(note.message_id))
        for key in unclaimed_keys:
            if self.blobs.erase(key):
                yield key
            else:
                is_over = False
        yield from self.blobs.abort_uploads(prefix, _ANY_TIME)
        if is_over:
            with self.transactions() as connection:
                upload_notes.remove(connection, note)

    def _filter_unclaimed(self, keys: list[str]) -> list[str]:
        """Keep what nobody has; a document that somebody has after all is left."""
        if not keys:
            return []
        with self.transactions() as connection:
            return list(messages.filter_unclaimed(connection, keys))
