"""Until no older program runs, entries are written as that one reads them."""

import pytest
from sqlalchemy import event, text

from registry.audit.store import entries
from registry.audit.store.packing_switch import MEMORY, begin_packing, is_packing
from tests.audit.conftest import an_entry

EBOX = "2b097cd1:" + "1" * 64
# What the program before revision 0019 reads and writes, in its own words.
FORMER_READ = text("""
SELECT entry_number, entry, ebox, person FROM audit_entries ORDER BY xid, entry_number
""")
FORMER_WRITE = text("INSERT INTO audit_entries (ebox, person, entry) VALUES (:ebox, NULL, '{}')")
SWITCH_OFF = text("""
CREATE OR REPLACE FUNCTION audit_entries_are_packed() RETURNS boolean LANGUAGE sql STABLE
  AS $$ SELECT false $$
""")


@pytest.fixture
def unpacked(alone):
    """The database as it is after an upgrade, while the older program goes on."""

    def do(act):
        with alone.owner.begin() as connection:
            act(connection)

    do(lambda connection: connection.execute(SWITCH_OFF))
    alone.application.engine.dispose()  # connections that have seen it on
    yield alone
    do(begin_packing)


def write(alone):
    with alone.application() as connection:
        entries.add_entry(connection, an_entry(1))
        entries.add_entries(connection, [an_entry(2, ebox=None), an_entry(3, person="key:1")])


def read_packed(alone):
    query = text("SELECT packed IS NOT NULL FROM audit_entries ORDER BY xid, entry_number")
    with alone.owner.connect() as connection:
        return connection.execute(query).scalars().all()


def test_the_older_program_reads_what_is_written_until_entries_are_packed(
    unpacked, written, sealer
):
    write(unpacked)
    with unpacked.owner.connect() as connection:
        rows = connection.execute(FORMER_READ).all()
    assert [(row.ebox, row.person) for row in rows] == [
        *((EBOX, None), (None, None), (EBOX, "key:1")),
    ]
    assert all(f"/ebox/messages/{at}" in row.entry for at, row in enumerate(rows, 1))
    assert read_packed(unpacked) == [False] * 3

    with unpacked.owner.begin() as connection:
        begin_packing(connection)
    unpacked.application.engine.dispose()  # so that nobody remembers what it was
    write(unpacked)
    with unpacked.application() as connection:  # the older program, were it there still
        connection.execute(FORMER_WRITE, {"ebox": EBOX})

    assert read_packed(unpacked) == [False] * 3 + [True] * 3 + [False]
    assert sealer.seal() == 7
    assert written.findings() == []
    assert [record.ebox for record in written.entries()] == [EBOX, None, EBOX] * 2 + [EBOX]


def test_a_connection_asks_again_after_a_minute_and_no_more_once_entries_are_packed(unpacked):
    asked = []
    event.listen(
        unpacked.application.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: asked.append(statement),
    )

    def ask(*, is_due=False):
        asked.clear()
        with unpacked.application() as connection:
            if is_due:
                connection.info[MEMORY] = (connection.info[MEMORY][0], 0.0)
            is_on = is_packing(connection)
        return is_on, sum("are_packed" in statement for statement in asked)

    before = [ask(), ask(), ask(is_due=True)]
    with unpacked.owner.begin() as connection:
        begin_packing(connection)
    after = [ask(), ask(is_due=True), ask(is_due=True)]

    assert before == [(False, 1), (False, 0), (False, 1)]
    assert after == [(False, 0), (True, 1), (True, 0)]
