"""One call to a service, whatever comes of it: its answer in full, or why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import orjson
import requests

from registry.domain.diagnoses import Cause
from registry.http_client.client import LIMIT, NETWORK, Bearer, read_body
from registry.http_client.deadlines import Deadline, Redirected, harden_session
from registry.http_client.failures import Failure, explain_failure
from registry.http_client.handshakes import hear_refusal


class ProbeFailure(Exception):
    """There is no answer, for the cause that `failure` has."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.cause)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class ProbeReply:
    """An answer: its body as far as 64 KiB; `date` is what the server's clock says, in seconds."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def date(self) -> float | None:
        """Read the header Date as seconds since 1970; None where there is none that can be read."""
        try:
            return parsedate_to_datetime(self.headers["Date"]).timestamp()
        except (KeyError, ValueError, TypeError):
            return None

    def read_json(self) -> Any:
        """Read the body as JSON; None when it is none."""
        try:
            return orjson.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Probe:
    """A way to call a service: within `timeout` seconds, trusting the authorities of a PEM file.

    `ca_bundle` None trusts whom this machine does. `certificate` is a PEM file with ours, and key.
    """

    timeout: float
    ca_bundle: Path | None = None
    certificate: Path | None = None

    def call(self, method: str, url: str, token: str | None = None, **content: Any) -> ProbeReply:
        """Call once; raises `ProbeFailure`. A redirect is not followed: our token is not for it."""
        try:
            with requests.Session() as session:
                session.headers["Accept"] = "application/json"
                harden_session(session, connections=1)
                response = session.request(
                    method,
                    url,
                    auth=Bearer(token),
                    timeout=Deadline.after(self.timeout).as_timeout(),  # type: ignore[arg-type]  # the stubs know floats
                    verify=str(self.ca_bundle) if self.ca_bundle else True,
                    cert=str(self.certificate) if self.certificate else None,
                    stream=True,
                    allow_redirects=False,
                    **content,
                )
                return ProbeReply(
                    response.status_code, response.headers, read_body(response, LIMIT)
                )
        except Redirected:
            failure = Failure(Cause.ANOTHER_SERVICE, "it sends us elsewhere")
        except NETWORK as error:
            failure = explain_failure(error)
        if failure.cause is Cause.CONNECTION_CUT and url.startswith("https:"):
            failure = hear_refusal(url, self.timeout, self.ca_bundle, self.certificate)
        # outside the `except` block, so that no traceback leads to the token
        raise ProbeFailure(failure)
