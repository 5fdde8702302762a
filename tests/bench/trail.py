"""A trail of any length, as a portal makes it: sessions, some at once, each with its token.

Of one e-Box in fifty the list is asked for by a consumer, again and again; the others are Zipf's.
"""

import hashlib
import os
import random
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import islice
from uuid import UUID

import psycopg

from registry.audit.details import describe_document, describe_list, describe_message_id
from registry.audit.log import write_timestamp
from registry.audit.store.entries import pack_entry
from registry.audit.trail.entry import Entry
from registry.domain.identifiers import Ebox, EboxKind
from registry.domain.pseudonyms import Pseudonyms

_PATH = "/REST/ebox/enterprise/messageRegistry/v3"
_CHUNK = 50_000  # entries that one process writes at once
_AT_ONCE = 60  # sessions whose entries are mixed
_MONTHS = 11  # before this one
_REFERENCE = (
    "/referenceData/messageTypes/information-letter",
    "/referenceData/senders/0308357159",
    "/referenceData/senderApplications/my-minfin",
)


class _Document:
    attachment_id = "main"

    def __init__(self, key):
        self.blob_key = key


def find_ebox(number):
    """The e-Box of this number, an enterprise."""
    return Ebox(EboxKind.ENTERPRISE, f"{number:08d}{97 - number % 97:02d}")


@cache
def find_messages(number):
    """The ids of the messages that the e-Box of this number shows: 25 at most, 11 on average."""
    generator = random.Random(number)
    size = min(25, int(3 * generator.paretovariate(0.8)))
    return tuple(UUID(int=generator.getrandbits(128), version=4) for _ in range(size))


def find_token(number, session):
    """The hash of the token of a session."""
    return hashlib.sha256(f"{number}/{session}".encode()).hexdigest()


class _Message:
    def __init__(self, message_id):
        self.message_id = message_id


def _list_session(number, session, pseudonyms, generator):
    """What the entries of a session say: a list, three of reference data, documents and details.

    As members of an `Entry`, whose time is that of its call.
    """
    common = {
        "token_hash": find_token(number, session),
        "client_id": "portal:mya-ebox",
        "method": "GET",
        "status": 200,
    }
    ids = find_messages(number)
    one = generator.choice(ids)
    calls = [("/ebox/messages?page=1&pageSize=25", describe_list(map(_Message, ids)), True)]
    calls += [(path, {}, False) for path in _REFERENCE]
    if generator.random() < 0.3:
        key = f"2026/11/27/{generator.getrandbits(128):032x}"
        details = describe_document(one, _Document(key))
        calls.append((f"/ebox/messages/{one}/attachments/main/content", details, True))
    if generator.random() < 0.05:
        calls.append((f"/ebox/messages/{one}", describe_message_id(one), True))
    ebox = pseudonyms.hash_ebox(find_ebox(number))
    for path, details, is_of_ebox in calls:
        trace = {"trace": f"{generator.getrandbits(128):032x}"}
        yield {
            **common,
            "url": _PATH + path,
            "details": {**details, **trace},
            "ebox": ebox if is_of_ebox else None,
        }


def _write_chunk(first, count, total, key):
    """Entries `first` to before `first + count`, as rows of their table."""
    generator = random.Random(first)
    pseudonyms = Pseudonyms(key)
    now = datetime.now(UTC)
    begin = (now - timedelta(days=30 * _MONTHS)).replace(day=1)
    written = 0
    session = 0
    while written < count:
        batch = []
        for _ in range(_AT_ONCE):
            share = generator.random()
            number = int(total / 40 * share**3) if share > 0.02 else 1
            session += 1
            batch += _list_session(number + 1, first + session, pseudonyms, generator)
        generator.shuffle(batch)
        for members in islice(batch, count - written):
            at = begin + (now - begin) * ((first + written) / total)
            # Each in a transaction of its own, of which there are more than enough.
            entry = Entry(timestamp=write_timestamp(at), **members)
            yield str(first + written + 1), at, pack_entry(entry)
            written += 1


def _copy_chunk(url, total, key, first):
    count = min(_CHUNK, total - first)
    with (
        psycopg.connect(url, autocommit=True) as connection,
        connection.cursor() as cursor,
        cursor.copy("COPY audit_entries (xid, recorded_at, packed) FROM STDIN") as copy,
    ):
        for row in _write_chunk(first, count, total, key):
            copy.write_row(row)
    return count


def fill(url, total, key):
    """Write so many entries as the owner, over the last year; yields how many there are."""
    with psycopg.connect(url, autocommit=True) as owner:
        # Transactions are counted on from behind all that are written here, as by `audit resume`.
        owner.execute(_COUNT_ON.format(total=2 * total + 1_000_000))
        owner.execute(_SET_DEFAULT.format(total=2 * total + 1_000_000))
        owner.execute(_MAKE_MONTHS)
    copied = 0
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        for count in processes.map(partial(_copy_chunk, url, total, key), range(0, total, _CHUNK)):
            copied += count
            yield copied


_COUNT_ON = """
CREATE OR REPLACE FUNCTION audit_xid_offset() RETURNS bigint LANGUAGE sql STABLE
  AS $$ SELECT CAST({total} AS bigint) $$
"""
_SET_DEFAULT = """
ALTER TABLE audit_entries ALTER COLUMN xid SET DEFAULT
  CAST(CAST(CAST(CAST(pg_current_xact_id() AS text) AS bigint) + {total} AS text) AS xid8)
"""
_MAKE_MONTHS = f"""
DO $$ DECLARE month timestamptz; BEGIN
  FOR month IN SELECT date_trunc('month', now()) - make_interval(months => i)
    FROM generate_series(1, {_MONTHS + 1}) AS i
  LOOP
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF audit_entries'
      ' FOR VALUES FROM (%L) TO (%L)',
      to_char(month, '"audit_entries_"YYYY_MM'), month, month + interval '1 month');
  END LOOP;
  PERFORM prepare_sheaf_years();
END $$
"""
