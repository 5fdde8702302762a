"""Reference data: who sends what, the same for every caller."""

from collections.abc import Sequence
from dataclasses import dataclass

from registry.domain.errors import NotFound
from registry.domain.queries import Page
from registry.domain.reference import Catalogue
from registry.store import reference
from registry.store.base import AnyRow, Transactions


@dataclass(frozen=True)
class Cataloguing:
    """Reading the lists of message types, senders and templates."""

    transactions: Transactions

    def page(self, catalogue: Catalogue, page: Page) -> tuple[Sequence[AnyRow], int]:
        """A page of a catalogue, and how many entries it has in all."""
        with self.transactions() as connection:
            return reference.page_of(connection, catalogue, page)

    def entry(self, catalogue: Catalogue, identifier: str) -> AnyRow:
        """One entry; raises `NotFound`."""
        with self.transactions() as connection:
            entry = reference.find(connection, catalogue, identifier)
        if entry is None:
            raise NotFound(catalogue, identifier)
        return entry

    def image(self, kind: str, owner_id: str, image_id: str) -> AnyRow:
        """A logo's `media_type` and `content`; raises `NotFound`."""
        with self.transactions() as connection:
            image = reference.find_image(connection, kind, owner_id, image_id)
        if image is None:
            raise NotFound("image_id", image_id)
        return image
