"""A message is read for the first time once, whoever hurries."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from registry.store.consultation import messages
from registry.store.transactions import name_ebox
from tests.factories import an_ebox

NOW = datetime.now(UTC)


def is_waiting(owner):
    """Whether somebody in the database waits for a lock."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with owner.connect() as connection:
        return connection.scalar(waiting) > 0


@pytest.fixture
def rivals(application, superuser):
    """Mark a message in one transaction and, before it ends, in another."""

    def race(ebox, message_id, *, first_commits):
        def mark_second():
            with application.begin() as connection:
                name_ebox(connection, ebox)
                return messages.mark_read(connection, ebox, message_id, NOW)

        with ThreadPoolExecutor(1) as pool, application.connect() as connection:
            name_ebox(connection, ebox)
            first = messages.mark_read(connection, ebox, message_id, NOW)
            second = pool.submit(mark_second)
            while not is_waiting(superuser) and not second.done():
                pass
            if first_commits:
                connection.commit()
            else:
                connection.rollback()
            return first, second.result(timeout=10)

    return race


def test_of_two_readers_at_once_exactly_one_is_the_first(deliver, rivals):
    ebox = an_ebox()
    message_id = deliver(ebox)

    first, second = rivals(ebox, message_id, first_commits=True)

    assert (first, second) == (True, False)


def test_a_reader_that_breaks_off_leaves_the_first_time_to_the_next(deliver, rivals):
    ebox = an_ebox()
    message_id = deliver(ebox)

    first, second = rivals(ebox, message_id, first_commits=False)

    assert (first, second) == (True, True)


def test_the_first_reading_is_the_one_that_is_kept(application, deliver):
    ebox = an_ebox()
    message_id = deliver(ebox)

    with application.begin() as connection:
        name_ebox(connection, ebox)
        marked = [
            messages.mark_read(connection, ebox, message_id, NOW),
            messages.mark_read(connection, ebox, message_id, NOW + timedelta(hours=1)),
        ]
        found = messages.find(connection, ebox, message_id, NOW)

    assert marked == [True, False]
    assert found.message.read_at == NOW


def test_nobody_reads_what_is_not_in_his_ebox(application, deliver):
    message_id = deliver(an_ebox())
    ebox = an_ebox()

    with application.begin() as connection:
        name_ebox(connection, ebox)

        assert not messages.mark_read(connection, ebox, message_id, NOW)
        assert not messages.mark_read(connection, ebox, uuid4(), NOW)
