"""The Document Sender's client: a publication is tried until its fate is certain."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson
import requests
from urllib3.exceptions import NewConnectionError

from registry.http_client.client import NETWORK, Bearer, read_body
from registry.http_client.deadlines import Redirected, harden_session
from registry.http_client.retry_after import parse_retry_after
from registry.sender.multipart_body import Body
from registry.sender.token import NoToken

PATIENCE: Final = 300  # seconds: the longest Retry-After that is waited for
_LONGEST: Final = 1024 * 1024  # bytes of an answer
_STEEPEST: Final = 30  # seconds between two tries, when the server asks for none
_PASSING: Final = (408, 425, 429)  # with all 5xx but these two
_FINAL: Final = (501, 505)


@dataclass(frozen=True)
class Reply:
    """The result of one try: a status with the members of a JSON object, or None and a `trouble`.

    `wait` is the Retry-After in seconds. `is_harmless`: nothing can have been published.
    """

    status: int | None
    members: Mapping[str, Any] = field(default_factory=dict)
    trouble: str = ""
    wait: float | None = None
    is_harmless: bool = False

    @property
    def is_published(self) -> bool:
        """True when it names the message that now exists (200: the official examples expect it)."""
        return self.status in (200, 201) and isinstance(self.members.get("messageId"), str)

    @property
    def is_passing(self) -> bool:
        """True when another try may fare better."""
        if self.status is None:
            return True
        is_temporary = self.status >= 500 and self.status not in _FINAL
        is_final = self.members.get("code") == "NOT_IMPLEMENTED"
        return (is_temporary or self.status in _PASSING) and not is_final


@dataclass(frozen=True)
class Outcome:
    """The last reply and how many tries it took; `is_duplicate`: an earlier try had succeeded."""

    reply: Reply
    tries: int
    is_duplicate: bool = False

    @property
    def is_published(self) -> bool:
        """True when the message is in the recipient's e-Box, once."""
        return self.is_duplicate or self.reply.is_published


@dataclass(frozen=True)
class Client:
    """Publishes to one registry; `pause` in seconds doubles with every try.

    `bearer` gives the token and raises `NoToken`; `tell` hears why and how soon a try is repeated.
    """

    base: str
    bearer: Callable[[], str] = field(repr=False)
    retries: int
    pause: float
    timeout: float
    ca_bundle: Path | None = None
    tell: Callable[[str], None] = lambda _: None

    def publish(self, body: Body, key: str, on_behalf_of: str | None = None) -> Outcome:
        """Send until it is published or refused, or the retries are used up.

        Every try carries the same `Idempotency-Key`, so that it cannot publish twice (contract
        4.11). Raises `Unreadable`, and `NoToken` for a refusal.
        """
        headers = {
            "Accept": "application/json, application/problem+json",
            "Content-Type": body.content_type,
            "Idempotency-Key": f'"{key}"',
        }
        if on_behalf_of is not None:
            headers["On-Behalf-Of-Enterprise-Number"] = on_behalf_of
        may_exist, tries = False, 0
        while True:
            reply, tries = self._try_once(body, headers), tries + 1
            # The key is in use, and by ourselves: a try succeeded whose answer never came.
            if reply.status == 409 and may_exist:
                return Outcome(reply, tries, is_duplicate=True)
            if not reply.is_passing or tries > self.retries:
                return Outcome(reply, tries)
            may_exist = may_exist or not reply.is_harmless
            if not self._wait(reply, tries):
                return Outcome(reply, tries)

    def _wait(self, reply: Reply, tries: int) -> bool:
        """Wait before the next try; False when the server asks for more than our patience."""
        growing = min(self.pause * 2 ** (tries - 1), _STEEPEST)
        # spread, so that senders cut off together do not come back together
        wait = reply.wait if reply.wait is not None else growing * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        if wait > PATIENCE:
            return False
        reason = reply.trouble or f"status {reply.status}"
        self.tell(f"{reason}: trying again in {wait:.1f} s ({tries} of {self.retries})")
        time.sleep(wait)
        return True

    def _try_once(self, body: Body, headers: Mapping[str, str]) -> Reply:
        try:
            token = self.bearer()
        except NoToken as error:
            if not error.is_outage:
                raise
            return Reply(None, trouble=str(error), is_harmless=True)
        try:
            # A session a try: a connection that broke is not used again.
            with requests.Session() as session:
                harden_session(session, connections=1)
                response = session.post(
                    f"{self.base}/ebox/messages",
                    data=body,
                    headers=headers,
                    auth=Bearer(token),
                    timeout=self.timeout,
                    verify=str(self.ca_bundle) if self.ca_bundle else True,
                    stream=True,
                    allow_redirects=False,
                )
                return _parse_reply(response)
        except NETWORK as error:
            return _describe_trouble(error)


def _parse_reply(response: requests.Response) -> Reply:
    body = read_body(response, _LONGEST)
    try:
        members = orjson.loads(body)
    except ValueError:
        members = None
    status = response.status_code
    return Reply(
        status,
        members if isinstance(members, dict) else {},
        wait=parse_retry_after(response.headers.get("Retry-After"), datetime.now(UTC)),
        is_harmless=status == 429,  # a quota is enforced before anything happens
    )


def _describe_trouble(error: Exception) -> Reply:
    """Describe an error in our words: those of the libraries quote URLs and addresses."""
    if isinstance(error, Redirected):
        return Reply(300)  # any redirect: to the sender they mean one thing, a wrong address
    if isinstance(error, requests.exceptions.SSLError):
        return Reply(None, trouble="the connection is not secure", is_harmless=True)
    if isinstance(error, requests.exceptions.ConnectTimeout) or _is_without_connection(error):
        return Reply(None, trouble="no connection", is_harmless=True)
    if isinstance(error, requests.Timeout):
        return Reply(None, trouble="no answer in time")
    return Reply(None, trouble="the connection broke")


def _is_without_connection(error: Exception) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)
