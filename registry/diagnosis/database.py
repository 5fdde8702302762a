"""The database, by each of our roles: reached, shaped for this program, and safe to serve from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from registry.diagnosis.clocks import TOLERANCE, compare_clocks, describe_clock
from registry.diagnosis.connections import diagnose_connection
from registry.diagnosis.database_words import CONNECTION_ERRORS, describe_pooler, explain_refusal
from registry.diagnosis.network_words import Place
from registry.domain.diagnoses import Cause, Diagnosis, Severity
from registry.domain.errors import RegistryError
from registry.store.bounded_connection import find_pooler_fault
from registry.store.clock import read_clock
from registry.store.roles import find_application_fault, find_worker_fault
from registry.store.schema import REVISION
from registry.store.server_log import find_telling_settings
from registry.store.shape import OLDEST_SERVER, Shape, read_shape

_PORT: Final = 5432
_ROLES: Final = {"application": find_application_fault, "worker": find_worker_fault}
_MIGRATE: Final = "Run `registry database migrate` with REGISTRY_DATABASE_OWNER_URL set."


@dataclass(frozen=True)
class DatabaseInspection:
    """Looks at a database by the role that `variable`, a URL, connects as; closes the engine.

    `rehearse` does what calls need of it, once all else is right; it raises `RegistryError`.
    """

    engine: Engine
    role: str
    variable: str
    url: str
    seconds: float
    rehearse: Callable[[], None] | None = None

    @property
    def name(self) -> str:
        """The database, by the role."""
        return f"database ({self.role})"

    def look(self) -> Iterator[Diagnosis]:
        """Say what is wrong with it."""
        faults = list(self._look_at_hosts())
        yield from faults
        if any(fault.severity is Severity.FAULT for fault in faults):
            return
        try:
            with self.engine.connect() as connection:
                faults = list(self._look_inside(connection))
            yield from faults
            if self.rehearse and not any(each.severity is Severity.FAULT for each in faults):
                yield from self._rehearse(self.rehearse)
        except (*CONNECTION_ERRORS, SQLAlchemyError) as error:
            yield explain_refusal(error, self.name, self.variable)
        finally:
            self.engine.dispose()

    def _rehearse(self, rehearse: Callable[[], None]) -> Iterator[Diagnosis]:
        try:
            rehearse()
        except RegistryError as error:
            is_denied = "permission denied" in error.detail
            cause = Cause.RIGHT_DENIED if is_denied else Cause.NOT_FIT
            reason = "No entry of the audit trail can be written, so that no call is answered."
            remedy = "Run `registry database migrate` again, which grants what the roles need."
            yield self._blame(f"{error.detail.rstrip('.')}.", cause, reason, remedy)

    def _look_at_hosts(self) -> Iterator[Diagnosis]:
        """Say which hosts cannot be reached; a warning where another one can."""
        faults, hosts = [], _list_hosts(self.url)
        for host, port in hosts:
            place = Place(self.variable)
            fault = diagnose_connection(self.name, host, port, place, self.seconds)
            if fault:
                faults.append(fault)
        is_lost = len(faults) == len(hosts)
        for fault in faults:
            severity = Severity.FAULT if is_lost else Severity.WARNING
            yield Diagnosis(
                fault.settings,
                fault.observation,
                fault.cause,
                fault.reason,
                fault.remedy,
                severity,
            )

    def _look_inside(self, connection: Connection) -> Iterator[Diagnosis]:
        if find_pooler_fault(connection):
            yield describe_pooler(self.name, self.variable)
        yield from self._judge_clock(connection)
        if find_fault := _ROLES.get(self.role):
            if fault := find_fault(connection):
                yield self._judge_role(fault)
            if names := find_telling_settings(connection):
                yield self._judge_log(", ".join(names))
        yield from self._judge_shape(read_shape(connection))

    def _judge_clock(self, connection: Connection) -> Iterator[Diagnosis]:
        before = datetime.now(UTC).timestamp()
        there = read_clock(connection).timestamp()
        ahead = compare_clocks(there, before, datetime.now(UTC).timestamp())
        if abs(ahead) > TOLERANCE:
            remedy = "Have both clocks kept; the worker does nothing while they differ."
            yield describe_clock((self.variable,), ahead, "of the database", remedy)

    def _judge_role(self, fault: str) -> Diagnosis:
        reason = "Row-level security would not hold for it, or hide from it what it is to do."
        remedy = f"Write in {self.variable} the role that deploy/database/roles.sql makes for it."
        return self._blame(fault, Cause.ROLE_UNSAFE, reason, remedy)

    def _judge_log(self, names: str) -> Diagnosis:
        reason = "A statement that PostgreSQL logs would have personal numbers beside it."
        remedy = "Set it to 0, as deploy/runbooks/database.md says."
        return self._blame(
            f"In the {self.name} {names}.", Cause.NOT_FIT, reason, remedy, Severity.WARNING
        )

    def _judge_shape(self, shape: Shape) -> Iterator[Diagnosis]:
        if shape.server_version < OLDEST_SERVER:
            sight = f"The {self.name} is PostgreSQL {shape.server_version // 10_000}."
            reason = f"The registry needs {OLDEST_SERVER // 10_000} or newer."
            yield self._blame(sight, Cause.NOT_FIT, reason, "Have the server upgraded.")
        if shape.only_reads:
            sight = f"The {self.name} can only be read."
            remedy = f"Name the primary in {self.variable}, or target_session_attrs=read-write."
            yield self._blame(sight, Cause.NOT_FIT, "It is a replica, or set so.", remedy)
        if not shape.has_revision:
            sight, reason = f"The {self.name} is empty.", "It was never migrated."
            yield self._blame(sight, Cause.SCHEMA_MISSING, reason, _MIGRATE)
        elif not shape.is_open or shape.revision is None or shape.revision < REVISION:
            revision = shape.revision or "one that this role may not see"
            sight = f"The {self.name} is at revision {revision}, not at {REVISION}."
            reason = "It was migrated last by an older version of this program."
            yield self._blame(sight, Cause.SCHEMA_OLD, reason, _MIGRATE)
        elif shape.revision > REVISION:
            sight = f"The {self.name} is at revision {shape.revision}, and we know {REVISION}."
            reason = "A newer version of this program migrated it."
            remedy = "Install that version here, unless an upgrade is under way."
            yield self._blame(sight, Cause.SCHEMA_NEWER, reason, remedy, Severity.WARNING)

    def _blame(
        self,
        observation: str,
        cause: Cause,
        reason: str,
        remedy: str,
        severity: Severity = Severity.FAULT,
    ) -> Diagnosis:
        return Diagnosis((self.variable,), observation, cause, reason, remedy, severity)


def _list_hosts(url: str) -> list[tuple[str, int]]:
    """List the hosts of a URL with their ports; none for a socket of this machine."""
    parts = make_url(url)
    value = parts.query.get("host", ())
    texts = [value] if isinstance(value, str) else list(value)
    hosts = [(parts.host, parts.port or _PORT)] if parts.host else []
    for text in texts:
        host, _, port = text.rpartition(":")
        hosts.append((host, int(port)) if host and port.isdecimal() else (text, _PORT))
    return [(host, port) for host, port in hosts if not host.startswith("/")]
