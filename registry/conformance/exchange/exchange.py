"""One request and what came of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry.conformance.requirement import Unmet


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its answer; header names are as sent, and looked up whatever their case.

    `request_note` says in words what body was sent. `body` is the answer's, up to a limit.
    """

    method: str
    url: str
    request_headers: Mapping[str, str]
    request_note: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    is_whole: bool = True
    caller: str = ""

    @property
    def media_type(self) -> str:
        """Media type of the answer, in lower case and without parameters."""
        return self.header("Content-Type").partition(";")[0].strip().lower()

    @property
    def place(self) -> str:
        """Method and path, for texts."""
        path = self.url.partition("://")[2].partition("/")[2].partition("?")[0]
        return f"{self.method} …/{'/'.join(path.split('/')[-5:])}"

    def header(self, name: str) -> str:
        """Look up a header of the answer; empty when it is not there."""
        lower_name = name.lower()
        return next((text for key, text in self.headers.items() if key.lower() == lower_name), "")

    def json(self) -> Any:
        """Read the body as JSON; raises `Unmet`."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise Unmet(
                f"{self.place} answered {self.status} with a body that is no JSON."
            ) from None

    def members(self) -> dict[str, Any]:
        """Read the body as a JSON object; raises `Unmet`."""
        content = self.json()
        if not isinstance(content, dict):
            raise Unmet(f"{self.place} answered {self.status} with JSON that is no object.")
        return content

    def expect_status(self, *statuses: int) -> "Exchange":
        """Give the exchange itself; raises `Unmet` unless the status is one of these."""
        if self.status not in statuses:
            right = " or ".join(map(str, statuses))
            raise Unmet(f"{self.place} answered {self.status}, not {right}.")
        return self
