"""GET …/attachments and …/attachments/{attachmentId}: what is known of documents."""

import re

from registry.domain.attachments import MEDIA_TYPES
from tests.factories import a_file, an_ebox


def test_all_attachments_are_listed_in_the_order_they_were_published(consumer, deliver):
    files = [a_file(attachment_id=id_) for id_ in ("b", "a", "10", "9")]
    message = deliver(consumer.ebox, *files)

    answer = consumer.get(f"/ebox/messages/{message}/attachments")

    assert [item["attachmentId"] for item in answer.json["items"]] == ["b", "a", "10", "9"]
    assert answer.json["totalItems"] == 4


def test_a_message_without_documents_has_an_empty_list(consumer, deliver):
    message = deliver(consumer.ebox)

    answer = consumer.get(f"/ebox/messages/{message}/attachments")

    assert answer.json == {"items": [], "totalItems": 0}


def test_an_attachment_is_shown_as_in_its_message(consumer, deliver):
    message = deliver(consumer.ebox, a_file(), a_file(attachment_id="2", is_main=False))

    in_list = consumer.get(f"/ebox/messages/{message}/attachments").json["items"]
    alone = [consumer.get(f"/ebox/messages/{message}/attachments/{id_}").json for id_ in "12"]
    in_message = consumer.get(f"/ebox/messages/{message}").json["attachments"]["items"]

    assert in_list == alone == in_message
    assert [file["isMainContent"] for file in alone] == [True, False]


def test_an_attachment_tells_where_its_content_is(consumer, deliver, main_file):
    message = deliver(consumer.ebox, main_file)

    shown = consumer.get(f"/ebox/messages/{message}/attachments/1").json

    path = shown["contentHref"].removeprefix(f"http://localhost{consumer.base}")
    assert consumer.get(path).status_code == 200


def test_every_media_type_of_the_contract_is_shown_as_it_was_stored(consumer, deliver):
    files = [a_file(attachment_id=str(n), media_type=mt) for n, mt in enumerate(MEDIA_TYPES)]
    message = deliver(consumer.ebox, *files)

    items = consumer.get(f"/ebox/messages/{message}/attachments").json["items"]

    assert [item["mediaType"] for item in items] == list(MEDIA_TYPES)


def test_a_digest_is_base64url_of_sha_256(consumer, deliver, main_file):
    message = deliver(consumer.ebox, main_file)

    digest = consumer.get(f"/ebox/messages/{message}/attachments/1").json["digest"]

    assert digest["digestMethod"] == "sha_256"
    assert digest["digestValue"] == main_file["digest"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}=", digest["digestValue"])


def test_where_a_document_is_stored_is_nobodys_business(consumer, deliver, main_file):
    message = deliver(consumer.ebox, main_file)

    answers = [
        consumer.get(path).text
        for path in (
            "/ebox/messages",
            f"/ebox/messages/{message}",
            f"/ebox/messages/{message}/attachments",
            f"/ebox/messages/{message}/attachments/1",
        )
    ]

    assert [main_file["blob_key"] in text for text in answers] == [False] * 4


def test_an_unknown_attachment_of_ones_own_message_is_named_in_the_problem(consumer, deliver):
    message = deliver(consumer.ebox, a_file())

    for path in ("/attachments/2", "/attachments/2/content"):
        answer = consumer.get(f"/ebox/messages/{message}{path}")

        assert answer.status_code == 404
        (issue,) = answer.json["issues"]
        assert (issue["in"], issue["name"], issue["value"]) == ("path", "attachmentId", "2")


def test_looking_at_attachments_does_not_mark_the_message_read(
    consumer, deliver, main_file, is_read, told
):
    message = deliver(consumer.ebox, main_file)

    consumer.get(f"/ebox/messages/{message}/attachments")
    consumer.get(f"/ebox/messages/{message}/attachments/1")

    assert not is_read(consumer, message)
    assert told(consumer.ebox) == []


def test_the_sender_sees_the_attachments_of_what_he_sent(consumer, deliver, main_file):
    message = deliver(an_ebox(), main_file, sender=consumer.ebox.number, sent_from="GENERAL")

    answer = consumer.get(f"/ebox/messages/{message}/attachments/1")

    assert answer.status_code == 200
    assert answer.json["fileName"] == main_file["file_name"]
