"""What the sweep deletes: what this life of the database has noted, and no message has claimed."""

import subprocess
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import func, literal_column

from registry.blobs import Retention
from registry.blobs.memory import MemoryBlobs
from registry.domain.document_keys import make_key, make_record_key
from registry.domain.errors import Invalid, UploadNotKept
from registry.sandbox.servers.binaries import Binaries
from registry.services.publication.sweep import Sweep
from registry.services.publication.uploads import Uploads
from registry.store.publication import sent_messages, upload_notes
from registry.store.publication.sent_messages import SentMessage
from registry.store.publication.upload_notes import UploadNote
from registry.store.roles import find_worker_fault
from registry.store.transactions import Transactions
from registry.wiring.database import make_engine
from tests.factories import PDF, a_file, an_ebox

AT_ONCE = timedelta(0)
DAY = timedelta(days=1)
LETTER = ("part", "letter.pdf", "application/pdf")


@pytest.fixture
def memory():
    return MemoryBlobs()


@pytest.fixture
def sweep(alone, memory):
    return Sweep(alone.worker, memory)


@pytest.fixture
def begin(alone, memory):
    """Begin an upload of so many letters."""

    def make(count=1, blobs=memory):
        upload = Uploads(alone.application, blobs, None).begin(an_ebox())
        for _ in range(count):
            upload.stage(*LETTER, [PDF])
        return upload

    return make


def claim(transactions, upload):
    """As the message does that the upload is for."""
    message = SentMessage(message_id=upload.message_id, recipient=an_ebox(), has_upload=True)
    with transactions(upload.ebox) as connection:
        assert sent_messages.add(connection, upload.ebox, message) is None


def keys(upload):
    return {file.blob_key for file in upload.files}


def stored(memory):
    return {key for key, versions in memory.versions.items() if versions}


def test_an_upload_is_noted_before_its_first_byte_goes_out(alone, begin):
    upload, notes = begin(0), []

    def chunks():
        notes.extend(alone.rows("upload_notes"))
        yield PDF

    before = alone.rows("upload_notes")
    upload.stage(*LETTER, chunks())

    assert before == []
    assert [(note.ebox, note.message_id) for note in notes] == [(upload.ebox, upload.message_id)]


def test_all_files_of_a_message_are_one_note(alone, begin):
    upload = begin(3)

    assert len(keys(upload)) == 3
    assert len(alone.rows("upload_notes")) == 1


def test_what_is_refused_before_it_is_stored_is_not_noted(alone, begin):
    upload = begin(0)

    with pytest.raises(Invalid):
        upload.stage("part", "letter.exe", "application/x-msdownload", [b"MZ"])

    assert alone.rows("upload_notes") == []


def test_a_note_goes_away_with_its_discarded_files(alone, begin, memory):
    upload = begin(2)

    upload.discard()

    assert (alone.rows("upload_notes"), stored(memory)) == ([], set())


def test_a_note_stays_for_what_may_be_left_of_a_file_that_broke_off(alone, begin):
    upload = begin(1)
    with pytest.raises(Invalid):
        upload.stage(*LETTER, [b"no PDF at all"])

    upload.discard()

    assert len(alone.rows("upload_notes")) == 1


def test_a_note_goes_away_when_its_files_are_claimed(alone, begin, sweep, memory):
    upload = begin()

    claim(alone.application, upload)

    assert alone.rows("upload_notes") == []
    assert list(sweep.sweep(AT_ONCE)) == []
    assert stored(memory) == keys(upload)


def test_what_is_noted_old_and_unclaimed_is_deleted_with_its_note(alone, begin, sweep, memory):
    uploads = [begin(2), begin(1)]
    expected = {key for upload in uploads for key in keys(upload)}

    early = list(sweep.sweep(DAY))
    listed = set(sweep.preview(AT_ONCE))
    before = stored(memory)
    swept = set(sweep.sweep(AT_ONCE))

    assert early == []
    assert listed == before == swept == expected
    assert (stored(memory), alone.rows("upload_notes")) == (set(), [])


def test_what_has_no_note_is_never_deleted(begin, sweep, memory):
    strangers = {f"documents/{uuid4()}", make_key(uuid4(), 1), "elsewhere"}
    for key in strangers:
        memory.put(key, [PDF])
    swept = begin()

    assert set(sweep.sweep(AT_ONCE)) == keys(swept)
    assert stored(memory) == strangers


def test_a_document_that_somebody_has_after_all_is_left(alone, begin, sweep, memory):
    upload = begin()
    [key] = keys(upload)
    alone.put(an_ebox(), a_file(blob_key=key))

    assert list(sweep.sweep(AT_ONCE)) == []
    assert (stored(memory), alone.rows("upload_notes")) == ({key}, [])


def put_record(memory, upload):
    key = make_record_key(upload.message_id)
    memory.put(key, [b"a record"])
    return key


def test_the_record_goes_with_what_is_swept(begin, sweep, memory):
    upload = begin()
    put_record(memory, upload)

    swept = set(sweep.sweep(AT_ONCE))

    assert (swept, stored(memory)) == (keys(upload), set())


def test_the_record_stays_of_what_somebody_has_after_all(alone, begin, sweep, memory):
    upload = begin()
    record_key, (file,) = put_record(memory, upload), upload.files
    alone.put(an_ebox(), a_file(blob_key=file.blob_key))

    assert list(sweep.sweep(AT_ONCE)) == []

    assert stored(memory) == {file.blob_key, record_key}


def test_the_record_goes_with_what_is_discarded(alone, begin, memory):
    upload = begin()
    put_record(memory, upload)

    upload.discard()

    assert stored(memory) == set()
    assert alone.rows("upload_notes") == []


def test_a_record_that_storage_must_keep_keeps_its_note(alone, begin, clock):
    locked = MemoryBlobs(retention=Retention("COMPLIANCE", days=1), now=clock)
    upload = begin(blobs=locked)
    put_record(locked, upload)

    first = list(Sweep(alone.worker, locked).sweep(AT_ONCE))
    notes = alone.rows("upload_notes")
    clock.go_on(days=2)
    second = set(Sweep(alone.worker, locked).sweep(AT_ONCE))

    assert (first, len(notes)) == ([], 1)
    assert (second, stored(locked)) == (keys(upload), set())
    assert alone.rows("upload_notes") == []


def test_what_storage_must_keep_is_swept_when_its_time_has_come(alone, begin, clock):
    locked = MemoryBlobs(retention=Retention("COMPLIANCE", 1), now=clock)
    upload, sweep = begin(blobs=locked), Sweep(alone.worker, locked)

    early = list(sweep.sweep(AT_ONCE))
    clock.go_on(days=2)
    later = set(sweep.sweep(AT_ONCE))

    assert (early, later) == ([], keys(upload))
    assert alone.rows("upload_notes") == []


def test_nobody_claims_what_the_sweep_has_taken(alone, begin, sweep):
    swept, condemned = begin(), begin()
    list(sweep.sweep(AT_ONCE))
    with alone.owner.begin() as connection:
        row = {"ebox": condemned.ebox, "message_id": condemned.message_id}
        condemnation = {"condemned_at": datetime.now(UTC)}
        connection.execute(upload_notes.upload_notes.insert().values(**row, **condemnation))

    for upload in (swept, condemned):
        with pytest.raises(UploadNotKept, match="took too long"):
            claim(alone.application, upload)
    assert alone.rows("sent_messages") == []


def test_a_publication_with_a_used_key_is_told_so_though_its_files_are_swept(alone, begin, sweep):
    first, second = begin(), begin()
    claimed, again = (
        SentMessage(message_id=each.message_id, recipient=an_ebox(), key="k", has_upload=True)
        for each in (first, second)
    )
    with alone.application(first.ebox) as connection:
        sent_messages.add(connection, first.ebox, claimed)
    list(sweep.sweep(AT_ONCE))

    with alone.application(first.ebox) as connection:
        first_id = sent_messages.add(connection, first.ebox, again)

    assert first_id == first.message_id


def test_a_sweep_that_was_cut_off_is_finished_by_the_next(alone, begin, sweep, memory):
    expected = keys(begin(3))

    first = next(iter(sweep.sweep(AT_ONCE)))
    rest = list(sweep.sweep(AT_ONCE))

    assert {first, *rest} == expected
    assert (stored(memory), alone.rows("upload_notes")) == (set(), [])


def test_a_note_can_be_added_twice(alone):
    note = UploadNote(an_ebox(), uuid4())

    upload_notes.add(alone.application, note)
    upload_notes.add(alone.application, note)

    assert len(alone.rows("upload_notes")) == 1


@pytest.fixture
def restored(cluster, alone):
    """Restore a dump beside what is there, as operators do: `restored(dump)`, its worker."""
    made = []

    def run(program, *arguments, **options):
        command = [Binaries.find().directory / program, *arguments]
        return subprocess.run(command, check=True, capture_output=True, **options).stdout

    def url(database):
        return cluster.url("postgres", database)

    def restore(dump):
        name = f"restored_{uuid4().hex[:12]}"
        cluster.create_database(name)
        run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", url(name), input=dump)
        changes = {"database_worker_url": SecretStr(cluster.url("worker", name))}
        engine = make_engine(alone.settings.model_copy(update=changes), "worker")
        made.append((name, engine))
        return Transactions(engine, find_worker_fault)

    database = alone.owner.url.database
    restore.dump = lambda: run("pg_dump", "-d", url(database))
    yield restore
    for name, engine in made:
        engine.dispose()
        cluster.drop_database(name)


def test_a_restored_database_deletes_nothing_of_what_was_published_since(
    alone, begin, memory, restored
):
    """Senders had their 201 for all of these, and the backup is of the moment between."""
    before, under_way = begin(), begin(2)
    claim(alone.application, before)
    dump = restored.dump()
    claim(alone.application, under_way)
    after = begin()
    claim(alone.application, after)
    published = stored(memory)

    sweep = Sweep(restored(dump), memory)

    assert (list(sweep.preview(AT_ONCE)), list(sweep.sweep(AT_ONCE))) == ([], [])
    assert stored(memory) == published == keys(before) | keys(under_way) | keys(after)
    assert sweep.count_restored(AT_ONCE) == 1


def test_a_restored_database_sweeps_what_is_noted_from_then_on(alone, begin, memory, restored):
    begin()
    worker = restored(restored.dump())
    upload = Uploads(worker, memory, None).begin(an_ebox())
    upload.stage(*LETTER, [PDF])

    assert set(Sweep(worker, memory).sweep(AT_ONCE)) == keys(upload)


CLUSTER, TIMELINE = ("split_part(written_in, '/', 1)", "split_part(written_in, '/', 2)")


@pytest.mark.parametrize(
    ("cluster_name", "timeline", "is_spared"),
    [(CLUSTER, TIMELINE, False), ("'1'", TIMELINE, True), (CLUSTER, "'000000FF'", True)],
    ids=["the same", "another cluster", "another timeline"],
)
def test_what_was_noted_in_another_life_is_spared(
    alone, begin, sweep, cluster_name, timeline, is_spared
):
    """As after a recovery to a point in time, or on a standby that took over."""
    upload = begin()
    writer = literal_column("pg_current_xact_id()::xid::text")
    life = func.concat_ws("/", literal_column(cluster_name), literal_column(timeline), writer)
    with alone.owner.begin() as connection:
        connection.execute(upload_notes.upload_notes.update().values(written_in=life))

    assert set(sweep.sweep(AT_ONCE)) == (set() if is_spared else keys(upload))
    assert sweep.count_restored(AT_ONCE) == is_spared


def test_a_database_of_long_ago_spares_what_it_never_knew(alone, begin, sweep, memory):
    """As if it were restored to before all of it: no row, no note."""
    claim(alone.application, begin())
    alone.clear()

    assert list(sweep.sweep(AT_ONCE)) == []
    assert len(stored(memory)) == 1
