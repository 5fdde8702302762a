"""Every stored document is read once in a while, whoever asks for it or nobody."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from registry.blobs.memory import MemoryBlobs
from registry.domain.errors import DocumentUnavailable, Unavailable
from registry.services.retention import document_check
from registry.services.retention.document_check import DocumentCheck
from registry.services.retention.reading_pace import ReadingPace
from tests.factories import PDF, a_file, an_ebox

FAST = 1 << 50  # bytes a second
MONTH = timedelta(days=30)


class Store(MemoryBlobs):
    """A store in memory that remembers what was read, and may be ill."""

    def __init__(self):
        super().__init__()
        object.__setattr__(self, "read", [])
        object.__setattr__(self, "ill", set())  # keys that it does not give; all with "*"

    def open(self, key, first, last, *, size=None):
        self.read.append(key)
        if self.ill & {key, "*"}:
            raise Unavailable
        return super().open(key, first, last, size=size)

    def check(self):
        if "*" in self.ill:
            raise Unavailable


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def check(alone, store):
    return DocumentCheck(alone.worker, store, days=30, rate=FAST)


@pytest.fixture
def put(alone, store):
    """Put a message with a document into an e-Box; gives key and message."""

    def place(key, content=PDF, **file):
        store.put(key, [content])
        return key, alone.put(an_ebox(), a_file(content, blob_key=key, **file))

    return place


def read_on(check, period=MONTH, stop_after=None):
    """Read until the round is over, or so many looks; gives all reports."""
    looks = iter(range(10**6))
    pace = ReadingPace(FAST, lambda: stop_after is not None and next(looks) >= stop_after)
    return list(check.check_all(pace, period))


def faults(reports):
    return [fault for report in reports for fault in report.faults]


def rounds(alone):
    return alone.rows("document_rounds")


def go_on(alone, days):
    """As if so much time had passed."""
    with alone.owner.begin() as connection:
        connection.execute(
            text("UPDATE document_rounds SET started_at = started_at - :age"),
            {"age": timedelta(days=days)},
        )


def test_every_document_is_read_once_in_a_round(alone, store, check, put):
    keys = [put(f"documents/{number:03}")[0] for number in range(120)]

    reports = read_on(check)

    assert store.read == keys
    assert sum(report.documents for report in reports) == 120
    assert sum(report.size for report in reports) == 120 * len(PDF)
    assert faults(reports) == []
    (finished,) = rounds(alone)
    assert (finished.documents, finished.size, finished.faults) == (120, 120 * len(PDF), 0)
    assert finished.finished_at is not None
    assert check.find_last_start() == finished.started_at


def test_a_document_of_many_messages_is_read_once(alone, store, check):
    store.put("documents/shared", [PDF])
    for _ in range(20):
        alone.put(an_ebox(), a_file(blob_key="documents/shared"))

    read_on(check)

    assert store.read == ["documents/shared"]


def test_nothing_is_read_again_before_its_time(alone, store, check, put):
    put("documents/1")
    read_on(check)

    assert read_on(check) == []
    go_on(alone, days=29)
    assert read_on(check) == []
    go_on(alone, days=2)
    assert len(read_on(check)) == 1
    assert store.read == ["documents/1"] * 2


def test_by_hand_it_is_read_when_somebody_says_so(store, check, put):
    put("documents/1")
    read_on(check)

    read_on(check, timedelta())

    assert store.read == ["documents/1"] * 2


def test_a_worker_without_days_reads_nothing(alone, store, put):
    put("documents/1")
    off = DocumentCheck(alone.worker, store, days=0, rate=FAST)

    assert list(off.check_due(lambda: False)) == []
    assert store.read == []


def altered(content):
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize(
    ("now_there", "is_altered"),
    [(altered(PDF), True), (PDF + b"x", True), (PDF[:-1], False), (None, False)],
    ids=["a bit", "longer", "shorter", "gone"],
)
def test_what_is_not_as_it_was_filed_is_told_by_key_and_message(
    alone, store, check, put, now_there, is_altered
):
    put("documents/1")
    key, message = put("documents/2")
    put("documents/3")
    store.erase(key)
    if now_there is not None:
        store.put(key, [now_there])

    reports = read_on(check)

    assert faults(reports) == [(key, message, is_altered)]
    assert [report.documents for report in reports] == [3]
    assert rounds(alone)[0].faults == 1


def test_an_empty_document_is_read_too(check, put):
    put("documents/1", b"")

    assert faults(read_on(check)) == []


def test_a_document_that_the_purge_took_meanwhile_is_no_fault(alone, put, delete):
    _, message = put("documents/1")

    class Purged(Store):
        def open(self, key, *_, **__):
            delete(message)
            raise DocumentUnavailable

    purged = DocumentCheck(alone.worker, Purged(), days=30, rate=FAST)

    reports = read_on(purged)

    assert [(report.documents, report.faults) for report in reports] == [(1, [])]


@pytest.fixture
def delete(alone):
    """Take a message away."""

    def take(message_id):
        with alone.owner.begin() as connection:
            connection.execute(
                text("DELETE FROM messages WHERE message_id = :id"), {"id": message_id}
            )

    return take


@pytest.mark.parametrize("looks", [0, 1, 5, 40])
def test_a_round_that_is_stopped_goes_on_where_it_was(alone, store, check, put, looks):
    keys = [put(f"documents/{number:03}")[0] for number in range(20)]

    stopped = read_on(check, stop_after=looks)
    rest = read_on(check)

    assert sum(report.documents for report in [*stopped, *rest]) == 20
    assert sorted(set(store.read)) == keys
    assert len(store.read) <= 21  # one that was stopped in its middle is read again
    assert [(each.documents, each.faults) for each in rounds(alone)] == [(20, 0)]


def test_a_store_that_is_away_is_an_error_and_no_fault(alone, store, check, put):
    keys = [put(f"documents/{number}")[0] for number in range(3)]
    store.ill.add("*")
    for _ in range(10):
        with pytest.raises(Unavailable):
            read_on(check)
    store.ill.clear()

    reports = read_on(check)

    assert faults(reports) == []
    assert store.read[-3:] == keys


def test_a_document_that_the_store_never_gives_holds_up_no_other(alone, store, check, put):
    put("documents/1")
    key, message = put("documents/2")
    put("documents/3")
    store.ill.add(key)
    seen = []
    pace = ReadingPace(FAST, lambda: False)
    for _ in range(4):
        with pytest.raises(Unavailable):
            seen.extend(check.check_all(pace, MONTH))
    assert store.read.count("documents/3") == 0

    reports = read_on(check)

    assert faults(reports) == [(key, message, False)]
    assert store.read.count("documents/3") == 1
    assert rounds(alone)[0].documents == 3


def test_faults_that_came_before_an_outage_are_told(store, check, put):
    key, message = put("documents/1")
    other, _ = put("documents/2")
    store.put(key, [altered(PDF)])
    store.ill.add(other)
    reports = check.check_all(ReadingPace(FAST, lambda: False), MONTH)

    assert next(reports).faults == [(key, message, True)]
    with pytest.raises(Unavailable):
        next(reports)


def test_of_two_processes_one_reads(alone, store, check, put):
    for number in range(3):
        put(f"documents/{number}")
    seen = []

    class Twice(Store):
        def open(self, key, first, last, *, size=None):
            if not seen:
                seen.append("asked")
                assert check.is_under_way()
                assert read_on(check) == []
            return store.open(key, first, last, size=size)

    read_on(DocumentCheck(alone.worker, Twice(), days=30, rate=FAST))

    assert len(store.read) == 3
    assert not check.is_under_way()


def test_a_round_that_its_process_left_behind_is_anothers(alone, store, check, put):
    put("documents/1")

    class Killed(Store):
        def open(self, *_, **__):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_on(DocumentCheck(alone.worker, Killed(), days=30, rate=FAST))

    assert len(read_on(check)) == 1


def test_a_batch_is_not_larger_than_a_moment(check, put):
    for number in range(5):
        put(f"documents/{number}", bytes(document_check._BATCH_SIZE // 2))

    assert [report.documents for report in read_on(check)] == [2, 2, 1]
