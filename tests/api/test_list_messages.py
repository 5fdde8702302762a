"""GET …/ebox/messages: what a listing shows, and to whom."""

from datetime import UTC, datetime, timedelta


def test_a_fresh_ebox_is_empty(consumer):
    answer = consumer.get("/ebox/messages")

    assert answer.status_code == 200, answer.json
    assert answer.json == {"items": [], "totalItems": 0}


def test_messages_come_newest_first(consumer, deliver):
    now = datetime.now(UTC)
    older = deliver(consumer.ebox, received_at=now - timedelta(hours=2))
    newer = deliver(consumer.ebox, received_at=now - timedelta(hours=1))

    items = consumer.get("/ebox/messages").json["items"]

    assert [item["messageId"] for item in items] == [str(newer), str(older)]
