"""Questions that a listing is asked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

_FAR: Final = 1000  # messages before a page that costs as much as a search


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of a list: `number` counts from 1, `size` is the most it holds."""

    number: int = 1
    size: int = 25

    @property
    def offset(self) -> int:
        """Number of items before this page."""
        return (self.number - 1) * self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A text to find, folded, and the language to find it in."""

    text: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageQuery:
    """The filters of a listing, all of which must hold; None or empty does not filter."""

    page: Page = Page()
    received_before: datetime | None = None
    received_after: datetime | None = None
    expired_before: datetime | None = None
    expired_after: datetime | None = None
    is_read: bool | None = None
    is_visible: bool | None = None
    is_registered: bool | None = None
    is_action_required: bool | None = None
    partitions: frozenset[str] = frozenset()
    message_type_id: str | None = None
    sender_organization_id: str | None = None
    sender_application_id: str | None = None
    search: Search | None = None

    @property
    def is_costly(self) -> bool:
        """Tell if the database reads much more than the page for it."""
        return self.search is not None or self.page.offset >= _FAR
