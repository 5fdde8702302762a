"""A database to oneself, for what looks across e-Boxes, and a clock that is set by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from pydantic import SecretStr
from sqlalchemy import Engine, create_engine, delete, select

from registry.domain.events import Event, EventType
from registry.domain.identifiers import Ebox, EboxKind
from registry.settings import Settings
from registry.store.consultation import messages
from registry.store.events import outbox
from registry.store.publication import sent_messages
from registry.store.publication.sent_messages import SentMessage
from registry.store.roles import find_worker_fault
from registry.store.schema import metadata
from registry.store.transactions import Transactions
from registry.wiring.database import make_engine
from tests.databases import migrated_database
from tests.factories import NOON, a_message
from tests.trail_entries import read_trail

# What messages leave behind; the rest goes with them.
_EMPTIED = (
    "messages",
    "outbox",
    "sent_messages",
    "legal_holds",
    "deletions",
    "doomed_documents",
    "turns",
    "upload_notes",
    "document_rounds",
)


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: datetime = NOON

    def __call__(self):
        return self.now

    def go_on(self, **time):
        """Let this much time pass: `go_on(days=1)`."""
        self.now += timedelta(**time)


@dataclass(frozen=True)
class Alone:
    """A database that no other module of tests sees, through each of its roles."""

    settings: Settings
    owner: Engine
    application: Transactions
    worker: Transactions

    def clear(self):
        """Let no message, no event, no hold and no proof be left of the test before."""
        with self.owner.begin() as connection:
            for name in _EMPTIED:
                connection.execute(delete(metadata.tables[name]))

    def put(self, ebox, *files, sent_from=None, **changes):
        """A message in an e-Box, of noon and for ninety days unless it says otherwise; its id."""
        times = {"received_at": NOON, "expires_at": NOON + timedelta(days=90)}
        message = a_message(ebox, **{**times, **changes})
        with self.owner.begin() as connection:
            messages.add(connection, ebox, message, files)
            if sent_from:
                noted = SentMessage(message_id=message["message_id"], recipient=ebox, **sent_from)
                sent_messages.add(connection, Ebox(EboxKind.ENTERPRISE, message["sender"]), noted)
        return message["message_id"]

    def change(self, message_id, **columns):
        """As if its owner, or time, had changed the message."""
        kept = messages.messages
        with self.owner.begin() as connection:
            changed = kept.update().where(kept.c.message_id == message_id).values(**columns)
            assert connection.execute(changed).rowcount

    def happen(self, kind, ebox, message_id=None, due_at=NOON, *, is_bulk=False):
        """An event that waits in the outbox, of a message that need not be there."""
        event = Event(EventType(kind), ebox, message_id or uuid4())
        with self.owner.begin() as connection:
            if is_bulk:
                outbox.add_bulk(connection, [event], due_at=due_at)
            else:
                outbox.add(connection, event, due_at=due_at)
        return event

    def rows(self, table, **where):
        """The rows of a table that have these values; of the trail all, unpacked."""
        if table == "audit_entries":
            with self.owner.connect() as connection:
                return read_trail(connection)
        kept = metadata.tables[table]
        criteria = [kept.c[name] == value for name, value in where.items()]
        with self.owner.connect() as connection:
            return connection.execute(select(kept).where(*criteria)).all()

    def states(self, **where):
        """Type and state of events, in the order that they became due."""
        events = sorted(self.rows("outbox", **where), key=lambda row: row.due_at)
        return [(row.type, row.state) for row in events]


@contextmanager
def a_database(cluster, settings, **changes: Any) -> Iterator[Alone]:
    """A migrated database with reference data, dropped in the end."""
    with migrated_database(cluster, "alone") as urls:
        of_role = {
            "database_url": urls.application,
            "database_owner_url": urls.owner,
            "database_worker_url": urls.worker,
        }
        secrets = {setting: SecretStr(url) for setting, url in of_role.items()}
        ours = settings.model_copy(update={**secrets, **changes})
        owner = create_engine(urls.owner)
        alone = Alone(
            ours,
            owner,
            Transactions(make_engine(ours)),
            Transactions(make_engine(ours, "worker"), find_worker_fault),
        )
        yield alone
        for engine in (owner, alone.application.engine, alone.worker.engine):
            engine.dispose()
