"""Entries are found by message, token and e-Box, wherever filing is; and by what is asked alone."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from registry.audit.filing import TrailFiling
from registry.audit.store import entries, sheaves
from registry.audit.store.search import EntryQuery, search_entries
from registry.audit.terms import compute_term
from tests.audit.conftest import an_entry
from tests.audit.test_cost_of_new_entries import count_pages, explain, recorded

EBOX = "2b097cd1:" + "e" * 64
TOKEN = "cd" * 32
MESSAGE = uuid4()
QUERIES = {
    "message": EntryQuery(text=str(MESSAGE), terms=[compute_term(str(MESSAGE))]),
    "token": EntryQuery(text=f'"subject_token_hashed":"{TOKEN}"', terms=[compute_term(TOKEN)]),
    "e-Box": EntryQuery(eboxes=["key:other", EBOX], terms=[1, compute_term(EBOX)]),
}
NAMING = {
    "message": [
        an_entry(details={"messageIds": [str(uuid4()), str(MESSAGE)]}),
        an_entry(url=f"/ebox/messages/{str(MESSAGE).upper()}/content", details={}),
    ],
    "token": [an_entry(token_hash=TOKEN), an_entry(token_hash=TOKEN, ebox=None)],
    "e-Box": [an_entry(ebox=EBOX), an_entry(ebox=EBOX, details={})],
}


@pytest.fixture
def filing(alone):
    return TrailFiling(alone.worker)


def write(alone, *batch):
    with alone.application() as connection:
        entries.add_entries(connection, batch)


def search(alone, query):
    with alone.worker() as connection:
        return search_entries(connection, query)


@pytest.mark.parametrize("kind", QUERIES)
def test_the_same_is_found_whether_entries_wait_are_sealed_or_filed(alone, sealer, filing, kind):
    query = QUERIES[kind]
    numbers = []
    for act in (sealer.seal, filing.file, sealer.seal, filing.file, filing.file):
        write(alone, *(an_entry() for _ in range(40)), *NAMING[kind], an_entry())
        act()
        numbers.append([row.record.number for row in search(alone, query)])
        assert search(alone, replace(query, terms=())) == search(alone, query)

    assert list(map(len, numbers)) == [2, 4, 6, 8, 10]
    assert numbers[-1] == sorted(numbers[-1])
    assert len(alone.rows("audit_sheaves")) >= 3


def test_a_trail_that_is_older_than_its_sheaves_is_filed_from_the_first_entry_on(
    alone, sealer, filing
):
    for _ in range(3):
        write(alone, *(an_entry() for _ in range(20)), *NAMING["e-Box"])
        sealer.seal()

    filed = filing.file()

    assert filed == 66
    assert len(search(alone, QUERIES["e-Box"])) == 6


def test_sheaves_cover_transactions_without_a_gap_and_divide_none(alone, sealer, filing):
    for size in (1, 30, 5, 5, 7, 1):
        write(alone, *(an_entry() for _ in range(size)))
    sealer.seal()
    filing.file()
    write(alone, an_entry())
    sealer.seal()
    filing.file()

    rows = sorted(alone.rows("audit_sheaves"), key=lambda row: row.first_xid)
    with alone.worker() as connection:
        filed_until = sheaves.read_filed_until(connection)

    assert rows[0].first_xid == 0
    assert [row.first_xid for row in rows[1:]] == [row.until_xid for row in rows[:-1]]
    assert rows[-1].until_xid == filed_until
    assert len(rows) == 4  # of 31, 17 and 1, and of the one that came later


def test_what_lies_under_no_stored_seal_is_not_filed(alone, sealer, filing):
    write(alone, an_entry())
    sealer.prepare()

    assert filing.file() == 0

    sealer.store_prepared()
    assert [filing.file(), filing.file()] == [1, 0]


def test_while_one_files_another_does_nothing(alone, sealer, filing):
    write(alone, an_entry())
    sealer.seal()

    with alone.worker() as connection:
        assert sheaves.lock_filing(connection)
        assert filing.file() == 0

    assert filing.file() == 1


def test_an_id_that_begins_in_the_last_group_of_another_is_found_too(alone, sealer, filing):
    hidden = f"{str(MESSAGE)[:-8]}{'0' * 8}"
    write(alone, an_entry(url=f"/{uuid4()}"[:-8] + str(MESSAGE)), an_entry(url=f"/{hidden}"))
    sealer.seal()
    filing.file()

    assert len(search(alone, QUERIES["message"])) == 1


def test_what_is_filed_while_somebody_searches_is_found_once(alone, sealer, filing):
    for _ in range(2):
        write(alone, *NAMING["message"])
        sealer.seal()
        filing.file()
    write(alone, *NAMING["message"])
    sealer.seal()
    pending = [filing.file]

    def file_first(_, __, statement, *___):
        if "terms &&" in statement:
            pending.pop()()

    with alone.worker() as connection:
        event.listen(connection, "before_cursor_execute", file_first)
        rows = search_entries(connection, QUERIES["message"])

    assert pending == []
    assert len(rows) == 6


def test_where_transactions_are_counted_anew_sheaves_hide_nothing(alone, sealer, filing):
    write(alone, *NAMING["message"])
    sealer.seal()
    filing.file()
    # As in a database that was dumped and restored into a server that is younger.
    with alone.owner.begin() as connection:
        connection.execute(text("UPDATE audit_sheaves SET until_xid = '4611686018427387904'"))
    write(alone, *NAMING["message"])

    assert len(search(alone, QUERIES["message"])) == 4


def test_another_text_with_the_same_term_is_not_found(alone, sealer, filing):
    write(alone, *NAMING["message"])
    sealer.seal()
    filing.file()
    other = EntryQuery(text=str(uuid4()), terms=QUERIES["message"].terms)

    assert search(alone, other) == []


@pytest.mark.parametrize("kind", QUERIES)
def test_a_search_reads_no_more_of_a_longer_trail(alone, sealer, filing, kind):
    def fill(count):
        for at in range(0, count, 2_000):
            write(alone, *(an_entry(at, ebox=f"key:{at + n}") for n in range(2_000)))
        write(alone, *NAMING[kind])
        replace(sealer, most=10 * count).seal()
        while filing.file():
            pass

    def count_read():
        with recorded(alone.worker.engine) as transactions:
            assert search(alone, QUERIES[kind])
        return sum(map(count_pages, explain(alone.worker.engine, transactions).values()))

    fill(2_000)
    before = count_read()
    fill(20_000)
    after = count_read()

    assert after < 3 * before + 200  # twice as many are found


def test_sheaves_go_with_the_month_of_their_entries(alone, sealer, filing):
    write(alone, an_entry())
    with alone.owner.begin() as connection:
        connection.execute(
            text("INSERT INTO audit_entries (recorded_at, entry) VALUES ('2013-11-05', '{}')")
        )
    sealer.seal()
    filing.file()
    with alone.owner.begin() as connection:
        connection.execute(
            text("UPDATE audit_sheaves SET newest = '2013-11-06' WHERE newest < '2013-12-01'")
        )
        connection.execute(
            text(
                "INSERT INTO audit_sheaves"
                " VALUES ('2013-11-07', '2013-11-07', CAST('0' AS xid8), CAST('0' AS xid8), '{}')"
            )
        )

    with pytest.raises(DBAPIError, match="is kept until"), alone.worker() as connection:
        connection.execute(text("SELECT drop_sheaf_month(current_date)"))
    assert sealer.drop_expired(sealer.now()) == 1
    assert [row for row in alone.rows("audit_sheaves") if row.newest.year == 2013] == []
    assert len(alone.rows("audit_sheaves")) == 1


def test_a_year_of_sheaves_goes_with_its_last_month(alone, sealer):
    december = "INSERT INTO audit_entries (recorded_at, entry) VALUES ('2013-12-05', '{}')"
    year = (
        "CREATE TABLE audit_sheaves_2013 PARTITION OF audit_sheaves"
        " FOR VALUES FROM ('2013-01-01Z') TO ('2014-01-01Z')"
    )
    with alone.owner.begin() as connection:
        connection.execute(text(year))
        connection.execute(text(december.replace("12-05", "11-05")))
    sealer.seal()
    left = []
    for statement in ("SELECT", december):
        with alone.owner.begin() as connection:
            connection.execute(text(statement))
        sealer.seal()
        sealer.drop_expired(sealer.now())
        with alone.owner.connect() as connection:
            left.append(connection.scalar(text("SELECT to_regclass('audit_sheaves_2013')")))

    assert left == ["audit_sheaves_2013", None]


def test_sheaves_have_years_from_the_first_month_of_entries_on(alone, sealer):
    sealer.prepare_months()

    with alone.owner.connect() as connection:
        names = connection.scalars(
            text(
                "SELECT CAST(inhrelid AS regclass)::text FROM pg_inherits"
                " WHERE inhparent = CAST('audit_sheaves' AS regclass) ORDER BY 1"
            )
        ).all()
    year = datetime.now(UTC).year
    assert names == [f"audit_sheaves_{year}", f"audit_sheaves_{year + 1}", "audit_sheaves_default"]
