"""The registry as checks see it, its callers, and all that was read and published so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

from registry.conformance.callers.access import NoAccess
from registry.conformance.callers.callers import ABOUT, Callers, Party
from registry.conformance.callers.prepared_data import PreparedData
from registry.conformance.contract.dialect import DIALECTS, Dialect
from registry.conformance.contract.response_judge import ResponseJudge
from registry.conformance.exchange.browser import Browser, Journal
from registry.conformance.exchange.exchange import Exchange
from registry.conformance.exchange.request_body import MERGE_PATCH, RequestBody, make_json_body
from registry.conformance.letters.post_office import PostOffice
from registry.conformance.load.figures import LoadFigures, LoadWish
from registry.conformance.requirement import ENTERPRISE, Role, Unmet, Untestable
from registry.conformance.target import Target

LIST: Final = "/ebox/messages"
_MOST_PAGES: Final = 10  # that are read of an e-Box, of a hundred messages each

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ListedPage:
    """A page of messages, as the list gave it."""

    items: list[Message]
    total: int
    exchange: Exchange

    @property
    def ids(self) -> list[str]:
        """Ids of the messages, in their order."""
        return [str(item.get("messageId")) for item in self.items]


class Workbench:
    """The registry that is tested, as checks see it.

    `origin` is a page that may call the registry; `may_read`: unread messages may be opened.
    """

    def __init__(
        self,
        target: Target,
        callers: Callers,
        browser: Browser,
        *,
        origin: str | None = None,
        may_read: bool = False,
        load: LoadWish | None = None,
    ) -> None:
        self.target, self.callers, self.browser = target, callers, browser
        self.origin, self.may_read = origin, may_read
        self.load = load or LoadWish()
        self._figures: LoadFigures | None = None
        self.dialect: Dialect = DIALECTS[target.version]
        self.judge = ResponseJudge(target.version, target.base)
        self.post_office = PostOffice(self)
        self._walks: dict[Role, tuple[list[Message], list[Exchange]]] = {}

    @property
    def stock(self) -> PreparedData:
        """Data that were prepared for the scenarios."""
        return self.callers.stock

    def measure_load(self) -> LoadFigures:
        """Have the portal's calls made, once for all checks."""
        from registry.conformance.load.visitors import run_load  # noqa: PLC0415 - it needs checks

        if self._figures is None:
            self._figures = run_load(self)
        return self._figures

    @property
    def journal(self) -> Journal:
        """The exchanges so far."""
        return self.browser.journal

    def find_party(self, role: Role) -> Party:
        """Find who plays a part; raises `Untestable` when nobody does."""
        party = self.callers.find(role)
        if party is None:
            raise Untestable(f"There is no caller for it: {ABOUT[role]}.")
        return party

    def get_token(self, role: Role) -> str:
        """Get the token of who plays a part; raises `Untestable` without one."""
        try:
            return self.find_party(role).access.get_token()
        except NoAccess as error:
            raise Untestable(str(error)) from None

    def ask(
        self,
        method: str,
        path: str,
        *,
        role: Role | None = Role.READER,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: RequestBody | None = None,
    ) -> Exchange:
        """Ask with the token of who plays this part, or with none."""
        token = {"Authorization": f"Bearer {self.get_token(role)}"} if role else {}
        return self.browser.ask(
            method,
            path,
            headers={**token, **(headers or {})},
            query=query,
            body=body,
            caller=role or "nobody",
        )

    def get(self, path: str, role: Role | None = Role.READER, **query: Any) -> Exchange:
        """GET with a query; a member that is None is left out."""
        return self.ask("GET", path, role=role, query=query)

    def patch_messages(self, items: list[Message], role: Role = Role.READER) -> Exchange:
        """Ask to change messages, as a merge patch."""
        change = {"items": items, "totalItems": len(items)}
        return self.ask("PATCH", LIST, role=role, body=make_json_body(change, MERGE_PATCH))

    def list_messages(self, role: Role = Role.READER, **query: Any) -> ListedPage:
        """Ask for a page of messages that must be given; raises `Unmet`."""
        return read_page(self.get(LIST, role, **query).expect_status(200))

    def walk_messages(self, role: Role = Role.READER) -> list[Message]:
        """Read all messages of the e-Box, once for all checks; raises `Untestable` for too many."""
        if role not in self._walks:
            self._walks[role] = self._walk(role)
        messages, exchanges = self._walks[role]
        for exchange in exchanges:
            self.journal.recall(exchange)
        return messages

    def get_some_messages(self) -> list[Message]:
        """Get the messages of the e-Box; raises `Untestable` when there are none."""
        messages = self.walk_messages()
        if not messages:
            raise Untestable("The e-Box of the reader is empty.")
        return messages

    def forget_messages(self) -> None:
        """Read the e-Box anew the next time, since it has changed."""
        self._walks.clear()

    def read_reader_number(self) -> str:
        """Read the number of the reader's e-Box; raises `Untestable` when nobody tells it."""
        party = self.find_party(Role.READER)
        if party.number:
            return party.number
        name = "enterpriseNumber" if self.target.family == ENTERPRISE else "ssin"
        for message in self.walk_messages():
            if number := message.get("recipient", {}).get(name):
                return str(number)
        raise Untestable("Nothing says whose e-Box the reader has: give its number.")

    @cached_property
    def nobodys_id(self) -> str:
        """An id that no message has."""
        return "00000000-0000-4000-8000-0123456789ab"

    def _walk(self, role: Role) -> tuple[list[Message], list[Exchange]]:
        messages: list[Message] = []
        exchanges = []
        for number in range(1, _MOST_PAGES + 1):
            page = self.list_messages(role, page=number, pageSize=100)
            messages += page.items
            exchanges.append(page.exchange)
            if not page.items or len(messages) >= page.total:
                return messages, exchanges
        raise Untestable(f"The e-Box has more than {100 * _MOST_PAGES} messages.")


def read_page(exchange: Exchange) -> ListedPage:
    """Read `items` and `totalItems`; raises `Unmet` when they are not there."""
    members = exchange.members()
    items, total = members.get("items"), members.get("totalItems")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise Unmet(f"{exchange.place}: items is no list of objects.")
    if not isinstance(total, int) or isinstance(total, bool):
        raise Unmet(f"{exchange.place}: totalItems is no whole number.")
    return ListedPage(items, total, exchange)


def make_path(*segments: str) -> str:
    """Make a path of segments, each escaped."""
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)
