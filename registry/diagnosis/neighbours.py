"""Neighbours that are called over HTTP, and diagnoses of how they answer."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from registry.diagnosis.clocks import ClockReadings
from registry.diagnosis.network_words import Place, diagnose_failure
from registry.domain.diagnoses import Cause, Diagnosis
from registry.http_client.probe import Probe, ProbeFailure, ProbeReply

_HTML: Final = ("text/html", "application/xhtml+xml")


@dataclass(frozen=True)
class Neighbour:
    """A service at `url`, whose settings `place` has; its clock is noted when it answers."""

    name: str
    url: str
    place: Place
    probe: Probe
    readings: ClockReadings

    def call(
        self, method: str, path: str = "", token: str | None = None, **content: Any
    ) -> ProbeReply:
        """Call once; raises `ProbeFailure`."""
        before = time.time()
        reply = self.probe.call(method, self.url + path, token, **content)
        if (date := reply.date) is not None:
            self.readings.add(self.name, self.place.variable, date, before, time.time())
        return reply

    def reach(self) -> Iterator[Diagnosis]:
        """Say why it cannot be reached, whatever it would answer."""
        try:
            self.call("GET")
        except ProbeFailure as error:
            yield self.diagnose(error)

    def diagnose(self, error: ProbeFailure) -> Diagnosis:
        """Say why there was no answer."""
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = f"{parts.hostname}:{port}"
        return diagnose_failure(error.failure, self.name, host, self.place, self.probe.timeout)

    def judge(self, reply: ProbeReply) -> Diagnosis | None:
        """Say what is wrong with an answer as such; None for one to which its reader may listen."""
        media_type = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if reply.status == 429 or reply.status >= 500:
            remedy = "Ask whoever runs it, and check again when it is well."
            return self.blame(reply, Cause.SERVICE_ILL, "It is ill, or overcharged.", remedy)
        if reply.status in (404, 405, 410) or (reply.status < 400 and media_type in _HTML):
            reason = "Another service, or another of its resources, is at this address."
            remedy = f"Correct {self.place.variable}, the path in it above all."
            return self.blame(reply, Cause.ANOTHER_SERVICE, reason, remedy)
        return None

    def blame(
        self, reply: ProbeReply, cause: Cause, reason: str, remedy: str, *variables: str
    ) -> Diagnosis:
        """Make a diagnosis of an answer."""
        observation = f"The {self.name} at {self.url} answers with status {reply.status}."
        return Diagnosis((self.place.variable, *variables), observation, cause, reason, remedy)
