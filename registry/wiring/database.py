"""Assembly of PostgreSQL: one engine for each of our roles, with an end to every wait."""

from typing import Any, Final, Literal

import orjson
from sqlalchemy import Engine, create_engine, event

from registry.domain.errors import SettingsError
from registry.http_client.breaker import Breaker
from registry.settings import Settings
from registry.store.bounded_connection import Connector
from registry.wiring.readings import show_breaker, show_connections

_APPLICATION: Final = "ebox-message-registry"  # how PostgreSQL's views name our connections

_CONNECTION_FAILURES: Final = 3  # in a row, after which a database is left alone
_CONNECTION_PAUSE: Final = 1.0  # seconds until one connection may try again
_SLACK: Final = 1.0  # seconds that the server has to end a statement itself
_LONGEST_IDLE: Final = 60  # seconds of a transaction between two statements

# The worker joins a batch of keys to tables: always by index. The planner, which does not foresee
# that all hash partitions but one are passed over, would read the whole of them.
_BY_KEY: Final = {"enable_hashjoin": "off", "enable_mergejoin": "off", "enable_seqscan": "off"}

Role = Literal["application", "owner", "worker"]


def make_engine(settings: Settings, role: Role = "application") -> Engine:
    """Make the engine for one of our roles; all but the owner's are for `Transactions`.

    Raises `SettingsError` when no setting says how that role connects.
    """
    url = {
        "application": settings.database_url,
        "owner": settings.database_owner_url,
        "worker": settings.database_worker_url,
    }[role]
    if url is None:
        raise SettingsError([f"REGISTRY_DATABASE_{role.upper()}_URL: is needed here and not set"])
    engine = create_engine(
        url.get_secret_value(),
        # `Transactions` says BEGIN itself, in one round trip with the naming of the e-Box.
        isolation_level=None if role == "owner" else "AUTOCOMMIT",
        pool_size=settings.database_pool_size,
        max_overflow=0,  # who runs PostgreSQL counts on the size of the pool
        pool_timeout=settings.database_pool_timeout,
        connect_args=_make_connection_parameters(settings, role),
        json_deserializer=orjson.loads,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        hide_parameters=True,  # an error's text must not carry an SSIN or a text searched for
    )
    event.listen(engine, "do_connect", _make_connector(settings, role))
    return show_connections(engine)


def _make_connection_parameters(settings: Settings, role: Role) -> dict[str, Any]:
    """Make what libpq is told. A server that is gone without a word is noticed by the kernel.

    Only the name and `options` go to the server: poolers do not mind the rest.
    """
    silence = settings.database_silence
    parameters: dict[str, Any] = {
        "connect_timeout": settings.database_connect_timeout,
        "tcp_user_timeout": silence * 1000,  # of what was sent and not acknowledged
        "keepalives_idle": max(1, silence // 2),  # while we wait, or the pool does
        "keepalives_interval": 1,
        "keepalives_count": max(1, silence // 2),
        "application_name": _APPLICATION,
    }
    if settings.database_pooler:
        return {**parameters, "prepare_threshold": None}
    options = [f"-c {name}={value}" for name, value in _make_server_limits(settings, role).items()]
    return {**parameters, "options": " ".join(options)}


def _make_server_limits(settings: Settings, role: Role) -> dict[str, str]:
    """Make the parameters of the server for a role; migrations take the time they need."""
    if role == "owner":
        return {}
    limits = {
        "statement_timeout": f"{int(settings.database_statement_timeout * 1000)}",
        "lock_timeout": f"{int(settings.database_lock_timeout * 1000)}",
        "idle_in_transaction_session_timeout": f"{_LONGEST_IDLE * 1000}",
        # Statements of milliseconds over 16 hash partitions look dear enough to compile.
        "jit": "off",
    }
    return {**limits, **(_BY_KEY if role == "worker" else {})}


def _make_connector(settings: Settings, role: Role) -> Connector:
    """Make what opens the connections of a role.

    A pooler in transaction mode refuses parameters of the server when one connects, and hands each
    transaction to another connection: there they travel with every BEGIN.
    """
    timeout = settings.database_statement_timeout
    return Connector(
        show_breaker(Breaker(_CONNECTION_FAILURES, _CONNECTION_PAUSE), "database"),
        limit=timeout + _SLACK if timeout and role != "owner" else None,
        begin_limit=settings.database_connect_timeout,
        is_pooled=settings.database_pooler,
        settings=_make_server_limits(settings, role) if settings.database_pooler else {},
    )
