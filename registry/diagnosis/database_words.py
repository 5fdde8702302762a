"""Words for what PostgreSQL says to whoever wants to connect."""

from typing import Final, NamedTuple

import psycopg

from registry.domain.diagnoses import Cause, Diagnosis
from registry.store.bounded_connection import PoolerMet
from registry.store.driver_words import read_driver_words


class _Refusal(NamedTuple):
    """`sign` is a part of what libpq or the server says; neither gives a code for it."""

    sign: str
    cause: Cause
    reason: str
    remedy: str


_TRUST: Final = "Correct sslrootcert in {variable}: a file with the authority of its certificate."
_REFUSALS: Final = (
    _Refusal(
        "password authentication failed",
        Cause.CREDENTIALS_REFUSED,
        "Role or password is not right.",
        "Correct them in {variable}.",
    ),
    _Refusal(
        "no password supplied",
        Cause.CREDENTIALS_REFUSED,
        "It asks for a password, and {variable} has none.",
        "Write it in {variable}, or name a passfile there.",
    ),
    _Refusal(
        "no pg_hba.conf entry",
        Cause.RIGHT_DENIED,
        "The right to connect from this machine is denied to that role, or without TLS.",
        "Have pg_hba.conf let the role in from here; or write sslmode=verify-full in {variable}.",
    ),
    _Refusal(
        "permission denied for database",
        Cause.RIGHT_DENIED,
        "The right CONNECT on that database is denied to that role.",
        "GRANT CONNECT, as deploy/database/roles.sql does.",
    ),
    _Refusal(
        "server does not support SSL",
        Cause.TLS_MISSING,
        "It speaks no TLS, which {variable} asks for.",
        "Have TLS switched on there; a loopback connection can do with sslmode=prefer.",
    ),
    _Refusal(
        "root certificate file",
        Cause.SETTING_WRONG,
        "The file with the authority of its certificate is not there.",
        _TRUST,
    ),
    _Refusal(
        "certificate verify failed",
        Cause.CERTIFICATE_UNKNOWN,
        "Its certificate is unknown to the authority in {variable} (sslrootcert), or expired.",
        _TRUST,
    ),
    _Refusal(
        "does not match host name",
        Cause.CERTIFICATE_OF_ANOTHER,
        "Its certificate is of another name than the host's.",
        "Write in {variable} a name that the certificate has.",
    ),
    _Refusal(
        "connection slots",
        Cause.SERVICE_ILL,
        "It has no connection left.",
        "Lower REGISTRY_DATABASE_POOL_SIZE or the number of processes, or raise max_connections.",
    ),
    _Refusal(
        "session is",
        Cause.NOT_FIT,
        "It is no server of the kind that target_session_attrs in {variable} asks for.",
        "Name in {variable} the hosts of which one can be written to.",
    ),
)
_NO_ROLE: Final = _Refusal(
    "role",
    Cause.CREDENTIALS_REFUSED,
    "There is no such role.",
    "Have deploy/database/roles.sql run, or correct the role in {variable}.",
)
_NO_DATABASE: Final = _Refusal(
    "database",
    Cause.NOT_THERE,
    "There is no such database.",
    "Have deploy/database/roles.sql run, or correct the database in {variable}.",
)


def explain_refusal(error: Exception, name: str, variable: str) -> Diagnosis:
    """Say why PostgreSQL lets nobody in; words that are not known are repeated, in one line.

    libpq's words have no password in them.
    """
    if isinstance(error, PoolerMet):
        return describe_pooler(name, variable)
    words = read_driver_words(error)
    refusal = next((each for each in _list_refusals(words) if each.sign in words), None)
    if refusal is None:
        reason = f"It says: {words.rpartition('failed: ')[2]}"
        refusal = _Refusal("", Cause.CALL_FAILED, reason, "Correct {variable}.")
    return Diagnosis(
        (variable,),
        f"The {name} cannot be connected to.",
        refusal.cause,
        refusal.reason.replace("{variable}", variable),
        refusal.remedy.replace("{variable}", variable),
    )


def _list_refusals(words: str) -> tuple[_Refusal, ...]:
    if words.endswith("does not exist"):
        return (*_REFUSALS, _NO_ROLE if ' role "' in words else _NO_DATABASE)
    return _REFUSALS


def describe_pooler(name: str, variable: str) -> Diagnosis:
    """Say that a pooler was met."""
    return Diagnosis(
        ("REGISTRY_DATABASE_POOLER", variable),
        f"A pooler stands before the {name}.",
        Cause.POOLER_MET,
        "Our limits of time might not be in force behind it, and prepared statements are others'.",
        "Set REGISTRY_DATABASE_POOLER=true, and give the owner a URL that leads past it.",
    )


CONNECTION_ERRORS: Final = (psycopg.Error, PoolerMet)
