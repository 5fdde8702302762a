"""A page of an e-Box: filters narrow it, the newest come first."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from registry.domain.errors import Unavailable
from registry.domain.identifiers import Ebox
from registry.domain.queries import MessageQuery
from registry.store.consultation.known_sizes import KnownSizes
from registry.store.consultation.large_eboxes import ask_for_counts
from registry.store.consultation.list_statements import (
    FILTERS,
    ListShape,
    build_query,
    has_one_plan,
)
from registry.store.consultation.message_records import Message

_COUNTED_AT_LEAST: Final = 10_000  # messages that match, behind the page; further nobody counts
_NEWEST: Final = 1_000  # messages of a large e-Box among which a text is looked for first
_NEWEST_MORE: Final = 4  # for each message before the page
_NEWEST_MOST: Final = 20_000  # by key, a tenth of a second; the index is quicker for what is rare
_AHEAD: Final = 250  # messages with a text that are counted from the page on, if there are so many
_SEARCHED: Final = {"words", "language"}  # the values of a search
_FAR: Final = 1_000  # messages before a page to which the way from the oldest may be shorter


class MessagePage(NamedTuple):
    """A page, and how many messages match in all: at least so many, if that is not exact."""

    messages: Sequence[Message]
    total: int
    is_total_exact: bool = True


def read_page(
    connection: Connection,
    ebox: Ebox,
    query: MessageQuery,
    *,
    partitions: frozenset[str] | None,
    now: datetime,
    known_sizes: KnownSizes,
) -> MessagePage:
    """Read a page of an e-Box, newest first, and count the messages that match in all.

    `partitions` are those to look in, None for all. One statement as a rule; a second where the
    guess about the size of the e-Box is wrong, or a text is not found among its newest messages.
    The total is exact but in a large e-Box, when a text is looked for or `COUNTED_FILTERS` are
    not enough.
    """
    values = dict(_list_filters(query))
    if partitions is not None:
        values["partitions"] = sorted(partitions)
    search = _Listing(connection, ebox, query, values, now)
    for is_large in known_sizes.guess(ebox):
        page = search.read_large() if is_large else search.read_small()
        if page is not None:
            known_sizes.note(ebox, is_large=is_large)
            if not is_large and page.total >= known_sizes.large_from:
                ask_for_counts(connection, ebox)
            return page
    raise Unavailable("The e-Box is just being erased.")


def is_planned_once(query: MessageQuery) -> bool:
    """Tell if the page has one plan for all e-Boxes, which its transaction should ask for."""
    return has_one_plan(dict(_list_filters(query)))


class _Listing(NamedTuple):
    """What is asked of an e-Box; `values` are those of the filters, by name."""

    connection: Connection
    ebox: Ebox
    query: MessageQuery
    values: dict[str, Any]
    now: datetime

    def read_small(self) -> MessagePage | None:
        """Read a page as if the e-Box were small; None if it is not."""
        return self._read(ListShape.SMALL, newest=0)

    def read_large(self) -> MessagePage | None:
        """Read a page of a large e-Box; None if it is not one."""
        page = self.query.page
        if self.query.search is not None:
            return self._search_large()
        if not has_one_plan(self.values):
            return self._limit(self._read(ListShape.LARGE_FILTERED))
        if page.offset < _FAR:
            return self._read(ListShape.LARGE)
        return self._read(ListShape.LARGE_FAR)

    def _search_large(self) -> MessagePage | None:
        """Look for a text among the newest messages, and in all if they do not fill the page."""
        page = self.query.page
        newest = _NEWEST + _NEWEST_MORE * page.offset
        if newest <= _NEWEST_MOST:
            if self.values.keys() == _SEARCHED:
                # One more than the page takes tells that there is more.
                enough = page.offset + max(page.size + 1, _AHEAD)
                listing = self._read(ListShape.LARGE_SEARCH_ALONE, newest=newest, enough=enough)
            else:
                listing = self._read(ListShape.LARGE_SEARCH, newest=newest)
            if listing is None:
                return None
            if listing.total > page.offset + page.size:
                return listing._replace(is_total_exact=False)
        return self._read(ListShape.LARGE_SEARCH_ALL, newest=0)

    def _limit(self, page: MessagePage | None) -> MessagePage | None:
        """Say of a total as high as anybody counts that there may be more."""
        if page is None or page.total < self._find_limit():
            return page
        return page._replace(is_total_exact=False)

    def _find_limit(self) -> int:
        return self.query.page.offset + self.query.page.size + _COUNTED_AT_LEAST

    def _read(self, shape: ListShape, **more: int) -> MessagePage | None:
        values = {
            **self.values,
            **more,
            "ebox": self.ebox.key,
            "now": self.now,
            "size": self.query.page.size,
            "offset": self.query.page.offset,
            "most": self._find_limit(),
        }
        rows = build_query(shape, tuple(self.values)).read(self.connection, values)
        total: int | None = rows[0][0]
        if total is None:
            return None
        # A page behind the last message has one row, which is of no message.
        page = [Message.from_columns(self.ebox, row[1:]) for row in rows if row[1] is not None]
        return MessagePage(page, total)


def _list_filters(query: MessageQuery) -> Iterator[tuple[str, Any]]:
    """List the filters of the query that filter, with their values."""
    for name in FILTERS:
        if name not in ("partitions", "words") and (value := getattr(query, name)) is not None:
            yield name, value
    if query.search is not None:
        yield "words", query.search.text
        yield "language", query.search.language
