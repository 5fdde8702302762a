"""A commit that waits for its synchronous standby never counts as done, whatever time limits say.

PostgreSQL commits on its own disk first. Were it told to cancel the wait, it would answer the
COMMIT with a warning alone, and what was acknowledged would be gone with the host.
"""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from registry.domain.errors import Unavailable
from registry.sandbox.servers.postgres import SUPERUSER, Cluster
from registry.settings import Settings
from registry.store.transactions import Transactions
from registry.wiring.database import make_engine
from tests.factories import an_ebox

pytestmark = pytest.mark.process

SHORT = 0.5  # seconds of REGISTRY_DATABASE_STATEMENT_TIMEOUT
WAITERS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@pytest.fixture(scope="module")
def administrator():
    """A superuser of a server whose only synchronous standby is not there."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with Cluster(Path(folder), durable=True) as cluster:
            url = cluster.url(SUPERUSER)
            with psycopg.connect(url, autocommit=True, options="-c synchronous_commit=local") as it:
                it.execute("CREATE TABLE filings (number int)")
                it.execute("GRANT ALL ON filings TO PUBLIC")
                it.execute("ALTER SYSTEM SET synchronous_standby_names = 'absent'")
                it.execute("SELECT pg_reload_conf()")
                it.cluster = cluster
                yield it


@pytest.fixture(params=[False, True], ids=["direct", "limits by transaction"])
def transactions(administrator, settings, request):
    """As services use them, with short limits; also as they are set behind a pooler."""
    values = {name: getattr(settings, name) for name in settings.model_fields_set}
    values |= {
        "database_url": SecretStr(administrator.cluster.url("application")),
        "database_statement_timeout": SHORT,
        "database_pooler": request.param,
    }
    engine = make_engine(Settings(**values))
    yield Transactions(engine)
    engine.dispose()


def insert(transactions, number):
    with transactions(an_ebox()) as connection:
        connection.execute(text("INSERT INTO filings VALUES (:number)"), {"number": number})


def test_the_caller_is_not_told_that_it_is_done(transactions, administrator):
    with pytest.raises(Unavailable):
        insert(transactions, 1)


def test_the_commit_goes_on_waiting(transactions, administrator):
    before = administrator.execute(WAITERS).fetchone()[0]

    with suppress(Unavailable):
        insert(transactions, 2)

    assert administrator.execute(WAITERS).fetchone()[0] == before + 1
    assert administrator.execute("SELECT count(*) FROM filings WHERE number = 2").fetchone() == (0,)


def test_a_statement_that_commits_itself_is_not_done_either(transactions, administrator):
    with pytest.raises(Unavailable):
        transactions.execute_alone(b"INSERT INTO filings VALUES (%s)", [3])
