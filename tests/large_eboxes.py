"""Many messages at once, for e-Boxes that are large."""

from sqlalchemy import text

from tests.factories import NOON


def file_messages(connection, ebox, count):
    """File messages, a second apart, each with a text of its own."""
    connection.execute(
        text(
            "WITH made AS (INSERT INTO messages (ebox, message_id, received_at, expires_at,"
            " is_registered, is_reply_authorized, partition, message_type_id, sender, subject)"
            " SELECT :ebox, gen_random_uuid(), noon - make_interval(secs => i),"
            " noon + interval '1 year', false, false, 'GENERAL', 'summons',"
            " '0308357159', '{}' FROM generate_series(1, :count) AS i,"
            " CAST(:noon AS timestamptz) AS noon"
            " RETURNING message_id, received_at)"
            " INSERT INTO search_texts (ebox, message_id, nl, fr, de)"
            " SELECT :ebox, message_id, t, t, t FROM (SELECT message_id, 'brief nummer '"
            " || row_number() OVER (ORDER BY received_at) || ' ' AS t FROM made) AS m"
        ),
        {"ebox": ebox.key, "noon": NOON, "count": count},
    )
