"""What runs by the clock, on a database of each module's own and a clock that is set by hand."""

import pytest

from registry.audit.log import AuditLog
from registry.blobs.memory import MemoryBlobs
from registry.domain.pseudonyms import Pseudonyms
from registry.services.retention.legal_holds import LegalHolds
from tests.alone import Clock, a_database

PSEUDONYMS = Pseudonyms("a key of the tests, long enough to count")


@pytest.fixture(scope="module")
def database_alone(cluster, settings):
    """A database of the module's own."""
    with a_database(cluster, settings) as alone:
        yield alone


@pytest.fixture
def alone(database_alone):
    """The same without a message; whoever looks across e-Boxes sees what this test puts there."""
    database_alone.clear()
    return database_alone


@pytest.fixture
def clock():
    """Noon, until it is moved."""
    return Clock()


@pytest.fixture
def hold(alone, clock):
    """Hold a message, or an e-Box with all that is in it; gives what lifts it."""

    def put(ebox, message_id=None):
        legal_holds = LegalHolds(alone.worker, MemoryBlobs(), AuditLog(PSEUDONYMS, clock), clock)
        hold_id = legal_holds.set(ebox, message_id, "a lawsuit")
        return lambda: legal_holds.lift(hold_id, "settled")

    return put
