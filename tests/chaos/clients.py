"""The clients of the run, with their tokens: reader, publisher, human, newcomer and prober."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from registry.sandbox.personas import AGENCY, BAKERY, CLUB, GARAGE
from tests.chaos.operations import LISTING, Operation, get, publish
from tests.chaos.stack import ChaosService
from tests.service import BASE, PublicationRequest

DOCUMENT: Final = b"%PDF-1.7\n".ljust(400_000, b"x")  # more than fits into one answer of S3
_LETTER: Final = b"%PDF-1.7\n".ljust(100_000, b"y")
_LARGE: Final = b"%PDF-1.7\n".ljust(8 << 20, b"z")
_MANY: Final = 20_000  # messages of the agency
_NEWCOMERS: Final = 250  # tokens: more than ask in one cell

# The worker's: what it does is no answer. A run of its job may have just begun when one is put.
EVENT: Final = Operation("event", 2, lambda: b"", budget=5, floor=1500)


class Clients:
    """Whoever calls the registry; made once it serves and the garage has its document."""

    def __init__(self, service: ChaosService) -> None:
        self._service = service
        self.sender = service.token_of("sender")
        self.reader = service.token_of("other-enterprise")
        self.human = service.token_of("portal-user")
        self._newcomers: deque[str] = deque()
        self._letter = _address(PublicationRequest(_LETTER), CLUB.digits)
        self.message = self._file(DOCUMENT)

    def large_message(self) -> str:
        """The path of a message whose document nobody reads in a second."""
        return self._file(_LARGE)

    def fill(self) -> None:
        """Give the searchers something to look through."""
        self._service.fill_for_search(AGENCY.digits, _MANY)

    def _file(self, document: bytes) -> str:
        """Have the agency send the garage a document; gives the path of its message."""
        request = PublicationRequest(document)
        request.body = _address(request, GARAGE.digits)
        status, members = request.send(self._service.port, self.sender)
        if status != 201:
            raise SystemExit(f"The garage's document was answered {status}: {members}")
        return f"{BASE}/ebox/messages/{members['messageId']}"

    def prepare(self) -> None:
        """Get enough tokens for those who were never here, past the proxies."""
        missing = range(_NEWCOMERS - len(self._newcomers))
        with ThreadPoolExecutor(4) as threads:
            tokens = threads.map(lambda _: self._service.token_of("other-enterprise"), missing)
            self._newcomers.extend(tokens)

    def operations(self) -> Sequence[Operation]:
        """All that they do over HTTP, at their own pace."""
        content = f"{self.message}/attachments/1/content"
        return (
            Operation("list", 5, lambda: get(LISTING, self.reader)),
            Operation("detail", 3, lambda: get(self.message, self.reader)),
            Operation("download", 4, lambda: get(content, self.reader)),
            Operation("publish", 3, lambda: publish(self.sender, self._letter)),
            Operation("human", 3, lambda: get(LISTING, self.human)),
            Operation("newcomer", 2, lambda: get(LISTING, self._newcomers.popleft())),
            Operation("live", 3, lambda: get(f"{BASE}/health/live")),
            Operation("ready", 3, lambda: get(f"{BASE}/health/ready"), waits=False),
        )


def _address(request: PublicationRequest, enterprise: str) -> bytes:
    """The body of a publication to this enterprise, in place of the bakery."""
    return request.body.replace(BAKERY.digits.encode(), enterprise.encode())
