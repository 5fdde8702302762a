"""Reference data: who sends what, the same for every caller."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from registry.audit.details import NOTHING
from registry.audit.log import AuditLog
from registry.domain.calls import Call
from registry.domain.errors import NotFound
from registry.domain.queries import Page
from registry.domain.reference import Catalogue, CatalogueEntry, ImageContent
from registry.store import reference
from registry.store.transactions import Transactions

Record = Callable[[Call], None]


@dataclass(frozen=True)
class ReferenceData:
    """The lists of message types, senders and templates, for every caller.

    An answer comes with a function that records the call, to be used before the transaction is
    over: only the API knows if its answer is that nothing has changed.
    """

    transactions: Transactions
    audit_log: AuditLog

    @contextmanager
    def page(
        self, catalogue: Catalogue, page: Page
    ) -> Iterator[tuple[Sequence[CatalogueEntry], int, Record]]:
        """Read a page of a catalogue, and how many entries it has in all."""
        with self.transactions() as connection:
            entries, total = reference.read_page(connection, catalogue, page)
            yield entries, total, self._recorder(connection)

    @contextmanager
    def entry(
        self, catalogue: Catalogue, identifier: str
    ) -> Iterator[tuple[CatalogueEntry, Record]]:
        """Read one entry; raises `NotFound`."""
        with self.transactions() as connection:
            entry = reference.find_entry(connection, catalogue, identifier)
            if entry is None:
                raise NotFound(catalogue, identifier)
            yield entry, self._recorder(connection)

    @contextmanager
    def image(
        self, kind: str, owner_id: str, image_id: str
    ) -> Iterator[tuple[ImageContent, Record]]:
        """Read a logo; raises `NotFound`."""
        with self.transactions() as connection:
            image = reference.find_image(connection, kind, owner_id, image_id)
            if image is None:
                raise NotFound("image_id", image_id)
            yield image, self._recorder(connection)

    def _recorder(self, connection: Connection) -> Record:
        return lambda call: self.audit_log.record(connection, call, None, NOTHING)
