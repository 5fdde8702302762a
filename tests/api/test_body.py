"""GET …/body: the text of a message, and being read."""

import pytest

from tests.factories import a_file, an_ebox

TEXT = {"nl": "Tekst", "fr": "Texte"}


def at(message_id):
    return f"/ebox/messages/{message_id}/body"


def test_a_body_is_shown_in_three_languages(consumer, deliver):
    message = deliver(consumer.ebox, body=TEXT, is_body_main=False)

    answer = consumer.get(at(message))

    assert answer.status_code == 200
    assert answer.json == {"nl": "Tekst", "fr": "Texte", "de": "Tekst"}
    assert answer.headers["Cache-Control"] == "no-store"


def test_reading_a_body_that_is_the_main_content_marks_the_message_once(
    consumer, deliver, is_read, told
):
    message = deliver(consumer.ebox, body=TEXT, is_body_main=True)
    assert not is_read(consumer, message)

    consumer.get(at(message))
    consumer.get(at(message))

    assert is_read(consumer, message)
    assert told(consumer.ebox) == [("readDocument", message)]


def test_a_body_beside_a_main_document_marks_nothing(consumer, deliver, is_read, told):
    message = deliver(consumer.ebox, a_file(), body=TEXT, is_body_main=False)

    consumer.get(at(message))

    assert not is_read(consumer, message)
    assert told(consumer.ebox) == []


def test_head_reads_nothing(consumer, deliver, is_read, told):
    message = deliver(consumer.ebox, body=TEXT, is_body_main=True)

    answer = consumer.ask("HEAD", at(message))

    assert (answer.status_code, answer.data) == (200, b"")
    assert not is_read(consumer, message)
    assert told(consumer.ebox) == []


@pytest.mark.parametrize("accept", ["application/pdf", "text/html"])
def test_a_client_that_takes_no_json_reads_nothing(consumer, deliver, is_read, accept):
    message = deliver(consumer.ebox, body=TEXT, is_body_main=True)

    answer = consumer.get(at(message), headers={"Accept": accept})

    assert answer.status_code == 406
    assert not is_read(consumer, message)


def test_a_message_without_body_has_none_to_show(consumer, deliver):
    message = deliver(consumer.ebox)

    answer = consumer.get(at(message))

    assert answer.status_code == 404
    assert answer.json["type"] == "urn:problem-type:belgif:resourceNotFound"


def test_the_senders_own_look_marks_nothing(consumer, deliver, told):
    recipient = an_ebox()
    message = deliver(
        recipient,
        body=TEXT,
        is_body_main=True,
        sender=consumer.ebox.number,
        sent_from="GENERAL",
    )

    answer = consumer.get(at(message))

    assert answer.status_code == 200
    assert told(recipient) == told(consumer.ebox) == []
    assert consumer.get(f"/ebox/messages/{message}").json["isRead"] is False
