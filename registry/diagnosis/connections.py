"""Plain connections to a host and port, for neighbours that are not called over HTTP."""

import socket

from registry.diagnosis.network_words import Place, diagnose_failure
from registry.domain.diagnoses import Diagnosis
from registry.http_client.failures import explain_failure


def diagnose_connection(
    name: str, host: str, port: int, place: Place, seconds: float
) -> Diagnosis | None:
    """Connect and hang up; say why that cannot be done, if so."""
    try:
        socket.create_connection((host, port), seconds).close()
    except OSError as error:
        failure = explain_failure(error)
        return diagnose_failure(failure, name, f"{host}:{port}", place, seconds)
    return None
