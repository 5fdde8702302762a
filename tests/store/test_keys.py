"""The e-Box comes first in every key, so that one e-Box's rows lie together and apart."""

import pytest
from sqlalchemy import UniqueConstraint, text

from registry.store.schema import BY_EBOX as BY_HASH
from registry.store.schema import metadata
from tests.store.tables import BY_EBOX, REFERENCE, WORKERS


def first_column(key):
    return next(iter(key.columns)).name


def test_reference_data_alone_is_the_same_for_every_ebox():
    assert REFERENCE
    assert not {name for name in REFERENCE | WORKERS if "ebox" in metadata.tables[name].c}
    assert {table.name for table in BY_EBOX if "ebox" not in table.c} == set()


# The worker's role alone asks across e-Boxes: what is due or to be forgotten, whether anybody has a
# document, and what an operator looks for by an id, a digest, the hash of a subject, or a time.
FOR_THE_WORKER = {
    "ix_attachments_digest_piece",
    "ix_attachments_key_piece",
    "ix_broadcasts_unfinished",
    "ix_messages_expires_at",
    "ix_messages_id_piece",
    "ix_messages_received_at",
    "ix_messages_subject_pieces",
    "ix_messages_to_alert",
    "ix_messages_to_remind",
    "ix_outbox_correlation_id",
    "ix_outbox_dead",
    "ix_outbox_message_id",
    "ix_outbox_told",
    "ix_outbox_waiting",
    "ix_upload_notes_message_id",
    "ix_upload_notes_noted_at",
}


@pytest.mark.parametrize("table", BY_EBOX, ids=str)
def test_the_ebox_comes_first_in_every_key(table):
    unique = [key for key in table.constraints if isinstance(key, UniqueConstraint)]
    keys = [table.primary_key, *unique, *table.indexes]
    keys = [key for key in keys if key.name not in FOR_THE_WORKER]

    assert [first_column(key) for key in keys] == ["ebox"] * len(keys)


# Of the few large e-Boxes alone.
OF_FEW = {"large_eboxes", "message_count_changes", "message_counts"}


@pytest.mark.parametrize("table", [each for each in BY_EBOX if each.name not in OF_FEW], ids=str)
def test_a_table_that_grows_with_the_eboxes_is_partitioned_by_them(table):
    assert table.dialect_options["postgresql"]["partition_by"] == BY_HASH


@pytest.mark.parametrize("table", BY_EBOX, ids=str)
def test_no_row_refers_to_a_row_of_another_ebox(table):
    outward = {
        key.referred_table.name
        for key in table.foreign_key_constraints
        if key.column_keys[0] != "ebox"
    }

    assert outward <= REFERENCE


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=str)
def test_a_row_refers_to_rows_of_its_own_ebox_or_to_reference_data(table):
    """As what is distributed by e-Box asks for: both sides lie on the same server (ADR 046)."""
    for key in table.foreign_key_constraints:
        if key.referred_table.name not in REFERENCE:
            assert key.column_keys[0] == key.elements[0].column.name == "ebox"


# What whoever distributes the tables has to look at one by one (ADR 046).
TRIGGERS = {
    ("broadcasts", "refuse_suspended"),
    ("sent_messages", "refuse_suspended"),
    ("messages", "count_added"),
    ("messages", "count_changed"),
    ("messages", "count_removed"),
    ("messages", "mark_large"),
    ("search_texts", "mark_large"),
}


def test_triggers_on_what_is_kept_by_ebox_are_few_and_known(owner):
    query = text(
        "SELECT t.tgrelid::regclass::text, t.tgname FROM pg_trigger t"
        " JOIN pg_partitioned_table p ON p.partrelid = t.tgrelid WHERE NOT t.tgisinternal"
    )
    with owner.connect() as connection:
        triggers = set(connection.execute(query).all())

    assert {pair for pair in triggers if pair[0] in {each.name for each in BY_EBOX}} == TRIGGERS
