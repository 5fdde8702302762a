"""People who look into their e-Box by the portal, each by calls of the portal's pages."""

import random
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from registry.conformance.checks.documents import make_content_path
from registry.conformance.exchange.browser import Browser, Unreachable
from registry.conformance.exchange.exchange import Exchange
from registry.conformance.load.figures import CallKind, LoadFigures
from registry.conformance.requirement import Role

if TYPE_CHECKING:
    from registry.conformance.workbench import Workbench

# Of the messages of a page, how many are looked at and how many are opened (contract 4.19).
_DETAILS: Final = 0.1
_DOCUMENTS: Final = 0.2
_PAUSE: Final = 0.2  # seconds between two visits


class LoadVisitor:
    """Somebody at the portal: what his browser has kept of reference data is not asked again."""

    def __init__(self, bench: "Workbench", figures: LoadFigures, end: float) -> None:
        self._bench, self._figures, self._end = bench, figures, end
        self._headers = {"Authorization": f"Bearer {bench.get_token(Role.READER)}"}
        self._browser = Browser(
            bench.target.base,
            patience=bench.browser.patience,
            end=min(end + bench.browser.patience, bench.browser.end),
            ca_bundle=bench.browser.ca_bundle,
        )
        self._cache: set[str] = set()
        self._random = random.Random()  # noqa: S311 - whom to look at is no secret

    def run(self) -> None:
        """Visit again and again until it is time."""
        while time.monotonic() < self._end:
            self._visit()
            self._browser.journal.forget()
            time.sleep(_PAUSE)
        self._browser.close()

    def _visit(self) -> None:
        answer = self._ask(CallKind.LIST, "/ebox/messages?pageSize=25")
        for message in answer.members()["items"] if answer else ():
            self._look_up(message)
            if self._random.random() < _DETAILS:
                self._ask(CallKind.DETAIL, f"/ebox/messages/{message['messageId']}")
            if self._random.random() < _DOCUMENTS:
                self._open(message)

    def _look_up(self, message: dict[str, Any]) -> None:
        """Ask for what a message's type, application and organization are called."""
        paths = {
            f"messageTypes/{message['messageTypeId']}",
            f"senderOrganizations/{self._bench.dialect.read_sender(message)}",
        }
        if application := message.get("senderApplicationId"):
            paths.add(f"senderApplications/{application}")
        for path in sorted(paths - self._cache):
            self._cache.add(path)
            self._ask(CallKind.REFERENCE, f"{self._bench.dialect.reference}/{path}", {200, 404})

    def _open(self, message: dict[str, Any]) -> None:
        if message[self._bench.dialect.is_read] or self._bench.may_read:
            for attachment in message["attachments"]["items"][:1]:
                self._ask(CallKind.DOCUMENT, make_content_path(message, attachment))

    def _ask(
        self, kind: CallKind, path: str, statuses: frozenset[int] | set[int] = frozenset({200})
    ) -> Exchange | None:
        try:
            answer = self._browser.ask("GET", path, headers=self._headers)
        except Unreachable:
            self._figures.add_failure(f"{kind}: no answer")
            return None
        if answer.status not in statuses:
            self._figures.add_failure(f"{kind}: {answer.status}")
            return None
        self._figures.add(kind, answer.seconds)
        return answer


def run_load(bench: "Workbench") -> LoadFigures:
    """Let all visitors come at once, until the time of the wish is up."""
    figures, wish = LoadFigures(), bench.load
    end = time.monotonic() + wish.seconds
    visitors = [LoadVisitor(bench, figures, end) for _ in range(wish.visitors)]
    threads = [threading.Thread(target=visitor.run, daemon=True) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(wish.seconds + 2 * bench.browser.patience)
    return figures
