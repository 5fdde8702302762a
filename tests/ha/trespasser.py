"""`python -m tests.ha.trespasser SECONDS`: try to write and read at a PostgreSQL on this host.

Run on the host of a primary that was cut off: does it take what nobody else will ever see? Tells
each attempt as a line of JSON. `DATABASE` is a connection string; `LISTING` a URL of a registry on
this host whose PostgreSQL is the same, and `TOKEN` what it wants to see.
"""

import json
import os
import sys
import threading
import time
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg

_PATIENCE: Final = 3.0  # seconds for a commit
_PAUSE: Final = 0.5


def main() -> None:
    """Try for as long as was asked."""
    end = time.monotonic() + float(sys.argv[1])
    reading = threading.Thread(target=_read_until, args=[end])
    reading.start()
    number = time.time_ns()
    while time.monotonic() < end:
        number, began = number + 1, time.monotonic()
        _tell("write", _try_to_write(number), began, number)
        time.sleep(_PAUSE)
    reading.join()


def _try_to_write(number: int) -> str:
    """Insert a row and commit; gives `acknowledged`, `waits` for no answer, or why not."""
    try:
        connection = psycopg.connect(os.environ["DATABASE"], autocommit=True, connect_timeout=2)
    except psycopg.Error:
        return "no connection"
    outcomes = ["waits"]
    thread = threading.Thread(target=_insert, args=[connection, number, outcomes], daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    return outcomes[-1]


def _insert(connection: psycopg.Connection[object], number: int, outcomes: list[str]) -> None:
    # Nothing is cancelled: a commit that waits for its standby would count as done.
    try:
        connection.execute("INSERT INTO attempts VALUES (%s)", [number])
        outcomes.append("acknowledged")
    except psycopg.errors.ReadOnlySqlTransaction:
        outcomes.append("read-only")
    except psycopg.Error:
        outcomes.append("cut")


def _read_until(end: float) -> None:
    while time.monotonic() < end:
        began = time.monotonic()
        _tell("read", _try_to_read(), began)
        time.sleep(_PAUSE)


def _try_to_read() -> str:
    """List messages by the registry of this host; gives the status, or the error's name."""
    request = Request(os.environ["LISTING"])  # noqa: S310 - our own
    request.add_header("Authorization", f"Bearer {os.environ['TOKEN']}")
    try:
        with urlopen(request, timeout=30) as answer:  # noqa: S310 - our own
            answer.read()
            return str(answer.status)
    except HTTPError as error:
        return str(error.code)
    except (OSError, HTTPException) as error:
        return type(error).__name__


def _tell(kind: str, outcome: str, began: float, number: int = 0) -> None:
    line = {"kind": kind, "outcome": outcome, "number": number, "began": began}
    print(json.dumps(line), flush=True)  # noqa: T201 - read by the journey


if __name__ == "__main__":
    main()
