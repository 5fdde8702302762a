"""An audit trail of each test's own, sealed into a real bucket under a name of its own."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine, text

from registry.audit.log import write_timestamp
from registry.audit.sealer import Sealer
from registry.audit.store import entries as audit
from registry.audit.store import seals
from registry.audit.store.seal_bucket import S3Seals, unpack_seal
from registry.audit.trail import keys
from registry.audit.trail.entry import Entry
from registry.sandbox.servers.processes import LOOPBACK, free_port
from registry.wiring.storage import make_s3_client
from tests.alone import a_database
from tests.unit.audit.trails import check_trail


def an_entry(number=0, at=None, **changes):
    """A call that succeeded."""
    columns = {
        "timestamp": write_timestamp(at or datetime.now(UTC)),
        "token_hash": "0" * 64,
        "client_id": "sandbox-consumer",
        "method": "GET",
        "url": f"/ebox/messages/{number}",
        "status": 200,
        "details": {"messageId": str(uuid4())},
        "ebox": "2b097cd1:" + "1" * 64,
        "person": None,
    }
    return Entry(**{**columns, **changes})


@dataclass
class Clock:
    """The real time, shifted as a test needs it: the bucket and the database have their own."""

    shift: timedelta = timedelta()

    def __call__(self):
        return datetime.now(UTC) + self.shift

    def go_on(self, **time):
        """Let this much time pass: `go_on(days=1)`."""
        self.shift += timedelta(**time)


@dataclass(frozen=True)
class Trail:
    """What was written and sealed, as somebody sees it who may read everything."""

    alone: object
    store: S3Seals
    public_keys: object

    def write(self, count=1, *, after=()):
        """Entries of one transaction of the application's."""
        with self.alone.application() as connection:
            for number in range(count):
                audit.add_entry(connection, an_entry(number))
            for act in after:
                act()

    def change(self, statement, **parameters):
        """As the owner, or somebody who has his password."""
        with self.alone.owner.begin() as connection:
            return connection.execute(text(statement), parameters)

    def seals(self):
        """All that were made, whether they are stored or not."""
        with self.alone.worker() as connection:
            return list(seals.read_seals_from(connection, 1))

    def stored(self):
        """All that the bucket has, as copies by number."""
        return [
            unpack_seal(each.number, versions[0].content)
            for each, versions in self.store.fetch_all(self.store.list_objects())
            if each.number is not None
        ]

    def entries(self, first=0, until=2**62):
        """The records of a range of transactions."""
        with self.alone.worker() as connection:
            return list(audit.stream_records(connection, first, until))

    def findings(self):
        """All that is wrong with the trail."""
        copies = [row.copy for row in self.seals()]

        def records(seal):
            return self.entries(seal.first_xid, seal.until_xid)

        return list(check_trail(self.stored(), copies, records, self.public_keys))


@pytest.fixture(scope="module")
def database_alone(cluster, settings):
    """A database of the module's own."""
    with a_database(cluster, settings) as alone:
        yield alone


@pytest.fixture
def alone(database_alone):
    """The same without entries and seals, and with the months that there are from the start."""
    with database_alone.owner.begin() as connection:
        connection.execute(text("TRUNCATE audit_entries, audit_seals, audit_sheaves, turns"))
    return database_alone


@pytest.fixture
def client(settings):
    """Of the bucket; closed when done."""
    client = make_s3_client(settings)
    yield client
    client.close()


@pytest.fixture
def store(client, settings):
    """The real seal bucket, under a prefix of the test's own."""
    return S3Seals(client, settings.audit_bucket, f"{uuid4().hex}/")


@pytest.fixture
def away(store, settings):
    """The same bucket when nobody serves it."""
    address = f"http://{LOOPBACK}:{free_port()}"
    client = make_s3_client(settings.model_copy(update={"s3_endpoint": address}))
    yield replace(store, client=client)
    client.close()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def private_key():
    return Ed25519PrivateKey.generate()


@pytest.fixture
def sealer(alone, store, private_key, clock):
    return Sealer(alone.worker, store, private_key, clock)


@pytest.fixture
def written(alone, store, private_key):
    """The trail."""
    return Trail(alone, store, keys.make_keyring([private_key.public_key()]))


@pytest.fixture
def application(alone):
    """The application's role, with ordinary transactions."""
    engine = create_engine(alone.settings.database_url.get_secret_value())
    yield engine
    engine.dispose()
