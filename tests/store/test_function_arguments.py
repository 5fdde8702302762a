"""Functions that have the owner's rights do nothing for whoever calls them with nonsense."""

from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from registry.store.publication import sent_messages
from registry.store.publication.sent_messages import SentMessage
from registry.store.transactions import name_ebox
from tests.factories import an_ebox

HOSTILE_MONTHS = [
    "2026-11-01 BC",  # its name is that of the live month
    "0001-01-01",
    "1999-12-31",
    "12026-11-01",
    "9999-12-31",
    "infinity",
    "-infinity",
    None,
]
LINK = (
    "SELECT * FROM link_message(:message, CAST(:recipients AS text[]),"
    " CAST(:partitions AS text[]), CAST(:pending AS boolean[]), CAST(:events AS uuid[]),"
    " CAST(:at AS timestamptz))"
)
RECORD = (
    "SELECT * FROM record_broadcast(:message, CAST(:asked AS text[]), CAST(:refused AS text[]),"
    " CAST(:digest AS bytea), NULL, CAST(:at AS timestamptz))"
)


@pytest.fixture(scope="module")
def worker(database):
    engine = create_engine(database.worker)
    yield engine
    engine.dispose()


def months(owner):
    with owner.connect() as connection:
        return connection.scalars(
            text(
                "SELECT CAST(inhrelid AS regclass)::text FROM pg_inherits"
                " WHERE inhparent = CAST('audit_entries' AS regclass) ORDER BY 1"
            )
        ).all()


@pytest.mark.parametrize("function", ["drop_audit_month", "drop_sheaf_month"])
@pytest.mark.parametrize("month", HOSTILE_MONTHS)
def test_no_month_can_be_dropped_under_another_name(owner, worker, month, function):
    """Every month of the trail that is there now is one that a date of another age names too."""
    before = months(owner)

    with worker.connect() as connection, pytest.raises(DBAPIError, match="no such month"):
        connection.execute(text(f"SELECT {function}(CAST(:month AS date))"), {"month": month})

    assert months(owner) == before


def test_every_month_that_is_kept_is_refused_before_christ(owner, worker):
    names = [name for name in months(owner) if not name.endswith("default")]

    assert names
    for name in names:
        year, month = name.split("_")[-2:]
        with worker.connect() as connection, pytest.raises(DBAPIError, match="no such month"):
            connection.execute(text(f"SELECT drop_audit_month('{year}-{month}-01 BC')"))
    assert [name for name in months(owner) if not name.endswith("default")] == names


@pytest.mark.parametrize("ahead", [None, -1, 37, 2_147_483_647])
def test_months_are_prepared_for_three_years_at_most(owner, worker, ahead):
    before = months(owner)

    with worker.connect() as connection, pytest.raises(DBAPIError, match="months can be prepared"):
        connection.execute(text("SELECT prepare_audit_months(:ahead)"), {"ahead": ahead})

    assert months(owner) == before


@pytest.mark.parametrize("language", [None, "en", "nl OR true", '"nl"', ""])
def test_search_knows_three_languages(application, language):
    with application.begin() as connection:
        name_ebox(connection, an_ebox())
        with pytest.raises(DBAPIError, match="no texts are kept"):
            connection.execute(
                text("SELECT * FROM search_messages(:language, '%')"), {"language": language}
            )


@pytest.mark.parametrize(
    "arguments",
    [
        {"recipients": "{enterprise:0999910048}", "partitions": "{}"},
        {"recipients": "{enterprise:0999910048}", "pending": "{f,f}"},
        {"recipients": "{enterprise:0999910048}", "events": "{}"},
        {"recipients": "{NULL}"},
        {"recipients": "{nobody}"},
        {"recipients": "{citizen:0999910048}"},
        {"recipients": "{enterprise:0999910048}", "at": "infinity"},
        {"recipients": "{enterprise:0999910048}", "at": "-infinity"},
        {"recipients": "{enterprise:0999910048}", "message": None},
    ],
    ids=str,
)
def test_a_message_is_linked_to_eboxes_and_nothing_else(application, arguments):
    sender, message = an_ebox(), uuid4()
    usual = {
        "message": message,
        "partitions": "{GENERAL}",
        "pending": "{f}",
        "events": f"{{{uuid4()}}}",
        "at": "2026-11-20 12:00+00",
    }
    with application.begin() as connection:
        name_ebox(connection, sender)
        sent = SentMessage(message_id=message, recipient=an_ebox())
        sent_messages.add(connection, sender, sent)
        with pytest.raises(DBAPIError, match="no recipients"):
            connection.execute(text(LINK), usual | arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"message": None},
        {"asked": None},
        {"asked": "{NULL}"},
        {"asked": "{nobody}"},
        {"asked": "{citizen:0999910048}"},
        {"refused": None},
        {"digest": None},
        {"at": None},
        {"at": "infinity"},
    ],
    ids=str,
)
def test_a_broadcast_is_recorded_for_eboxes_and_nothing_else(application, arguments):
    usual = {
        "message": uuid4(),
        "asked": "{enterprise:0999910048}",
        "refused": "{}",
        "digest": b"",
        "at": "2026-11-20 12:00+00",
    }
    with application.begin() as connection:
        name_ebox(connection, an_ebox())
        with pytest.raises(DBAPIError, match="no recipients"):
            connection.execute(text(RECORD), usual | arguments)


@pytest.mark.parametrize(
    ("message", "eboxes", "at"),
    [
        (None, [], "2026-11-27"),
        (uuid4(), None, "2026-11-27"),
        (uuid4(), [], None),
        (uuid4(), [], "infinity"),
        (uuid4(), ["enterprise:0206731645"] * 100_001, "2026-11-27"),
    ],
)
def test_what_are_no_copies_of_a_message_is_withdrawn_from_nowhere(worker, message, eboxes, at):
    statement = text(
        "SELECT withdraw_copies(:message, CAST(:eboxes AS text[]), CAST(:at AS timestamptz))"
    )
    values = {"message": message, "eboxes": eboxes, "at": at}

    with worker.connect() as connection, pytest.raises(DBAPIError, match="no copies"):
        connection.execute(statement, values)
