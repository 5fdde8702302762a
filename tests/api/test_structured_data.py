"""GET …/structuredData: the sender's own object."""

DATA = {
    "zeta": 1,
    "Alpha": {"nested": [True, False, 1.5, "tekst", [], {}]},
    "snake_case": "é 電 \u2028",
    "nl": "not a translation",
    "": "no name",
}


def test_structured_data_come_back_as_they_were_published(consumer, deliver):
    message = deliver(consumer.ebox, structured_data=DATA)

    answer = consumer.get(f"/ebox/messages/{message}/structuredData")

    assert answer.status_code == 200
    assert answer.json == DATA
    assert answer.headers["Content-Type"] == "application/json"


def test_an_empty_object_is_an_object(consumer, deliver):
    message = deliver(consumer.ebox, structured_data={})

    answer = consumer.get(f"/ebox/messages/{message}/structuredData")

    assert (answer.status_code, answer.json) == (200, {})


def test_structured_data_are_not_repeated_in_the_message(consumer, deliver):
    message = deliver(consumer.ebox, structured_data={"secret": "needle"})

    assert "needle" not in consumer.get(f"/ebox/messages/{message}").text
    assert "needle" not in consumer.get("/ebox/messages").text


def test_a_message_without_structured_data_has_none_to_show(consumer, deliver):
    message = deliver(consumer.ebox)

    answer = consumer.get(f"/ebox/messages/{message}/structuredData")

    assert answer.status_code == 404


def test_looking_at_structured_data_does_not_mark_the_message_read(consumer, deliver, is_read):
    message = deliver(consumer.ebox, structured_data=DATA)

    consumer.get(f"/ebox/messages/{message}/structuredData")

    assert not is_read(consumer, message)
