"""Helpers of the registry beside its stores: clamd, and the store of shared counts."""

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from registry.diagnosis.network_words import Place, diagnose_failure
from registry.domain.diagnoses import Cause, Diagnosis
from registry.http_client.failures import explain_failure

_PATIENCE: Final = 3.0  # seconds for a connection, and for an answer
_PING: Final = (
    b"nPING\n"  # with the end of a line, at which other services see that it is not theirs
)
_LONGEST: Final = 64  # bytes of an answer


@dataclass(frozen=True, slots=True)
class ScannerInspection:
    """Asks clamd whether it is there."""

    host: str
    port: int

    def look(self) -> Iterator[Diagnosis]:
        """Say why no document could be scanned."""
        place, address = Place("REGISTRY_CLAMD_ADDRESS"), f"{self.host}:{self.port}"
        try:
            with closing(socket.create_connection((self.host, self.port), _PATIENCE)) as connection:
                connection.sendall(_PING)
                answer = connection.recv(_LONGEST)
        except OSError as error:
            failure = explain_failure(error)
            yield diagnose_failure(failure, "malware scanner", address, place, _PATIENCE)
            return
        if not answer.startswith(b"PONG"):
            yield Diagnosis(
                (place.variable,),
                f"What listens at {address} does not answer PING as clamd does.",
                Cause.ANOTHER_SERVICE,
                "It is another service.",
                f"Correct {place.variable}: host and port of clamd's TCPSocket.",
            )


@dataclass(frozen=True, slots=True)
class CountsInspection:
    """Asks the Valkey or Redis of a URL whether it is there, and lets us in."""

    url: str

    def look(self) -> Iterator[Diagnosis]:
        """Say why requests could not be counted there."""
        parts = urlsplit(self.url)
        address = f"{parts.hostname}:{parts.port or 6379}"
        place = Place("REGISTRY_RATE_LIMIT_URL")
        observation = f"The store of shared counts at {address} does not let us in."
        client = redis.Redis.from_url(
            self.url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE
        )
        try:
            client.ping()
        except AuthenticationError:
            reason, remedy = "Name or password is not right.", f"Correct them in {place.variable}."
            yield Diagnosis(
                (place.variable,), observation, Cause.CREDENTIALS_REFUSED, reason, remedy
            )
        except ResponseError as error:
            reason = f"The right to PING is denied, or it is not ready: {type(error).__name__}."
            remedy = f"Give the user in {place.variable} the right to PING and INCR."
            yield Diagnosis((place.variable,), observation, Cause.RIGHT_DENIED, reason, remedy)
        except RedisError as error:
            failure = explain_failure(error)
            yield diagnose_failure(failure, "store of shared counts", address, place, _PATIENCE)
        finally:
            client.close()
