"""The address that everybody calls: is there TLS with a right certificate, and this registry?"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from registry.diagnosis.neighbours import Neighbour
from registry.domain.diagnoses import Cause, Diagnosis, Severity
from registry.http_client.probe import ProbeFailure, ProbeReply

_VARIABLE: Final = "REGISTRY_PUBLIC_URL"
_HEADER: Final = "Registry-Instance"
_NOT_YET: Final = (502, 503, 504)  # what a proxy says while nobody is behind it
# Whoever checks the settings before the first start, or behind the proxy, sees no more than this.
_MILD_CAUSES: Final = (Cause.CONNECTION_REFUSED, Cause.TIME_OUT, Cause.UNREACHABLE)


@dataclass(frozen=True)
class PublicAddressInspection:
    """Asks for liveness at the public address; `instance` is what this registry says of itself."""

    neighbour: Neighbour
    path: str
    instance: str

    def look(self) -> Iterator[Diagnosis]:
        """Say what keeps clients from finding this registry there."""
        try:
            reply = self.neighbour.call("GET", self.path)
        except ProbeFailure as error:
            diagnosis = self.neighbour.diagnose(error)
            is_mild = diagnosis.cause in _MILD_CAUSES
            severity = Severity.WARNING if is_mild else Severity.FAULT
            yield replace(diagnosis, severity=severity)
            return
        fault = self._judge(reply)
        if fault is not None:
            yield fault

    def _judge(self, reply: ProbeReply) -> Diagnosis | None:
        instance = reply.headers.get(_HEADER)
        if instance == self.instance:
            return None
        if instance is not None:
            reason = (
                "Another registry is there: environment, public URL, OAuth client or bucket are"
                " others than here."
            )
            remedy = f"Correct {_VARIABLE}, or give both the same settings and start it again."
            return self.neighbour.blame(reply, Cause.ANOTHER_SERVICE, reason, remedy)
        if reply.status in _NOT_YET:
            reason = "The proxy is there, and no registry behind it."
            remedy = "Start the registry, or correct where the proxy looks for it."
            diagnosis = self.neighbour.blame(reply, Cause.SERVICE_ILL, reason, remedy)
            return replace(diagnosis, severity=Severity.WARNING)
        reason = f"Another service is there, or an older registry: no {_HEADER} at {self.path}."
        remedy = f"Correct {_VARIABLE} and the base paths, or have the proxy pass them on."
        return self.neighbour.blame(reply, Cause.ANOTHER_SERVICE, reason, remedy)
