"""GET …/v2/…/attachments and …/attachments/{attachmentId}: documents without their content."""

import pytest

from tests.api.v2.visiting import MESSAGES, told
from tests.factories import a_file


@pytest.fixture
def message(consumer_2, deliver):
    """A message with a main document and an annex."""
    annex = a_file(attachment_id="2", is_main=False, file_name="bijlage.csv", media_type="text/csv")
    return f"{MESSAGES}/{deliver(consumer_2.ebox, a_file(), annex)}"


def test_all_attachments_are_listed_in_their_order(consumer_2, message):
    listed = consumer_2.get(f"{message}/attachments").json

    assert listed["totalItems"] == 2
    assert [(item["attachmentId"], item["mainContent"]) for item in listed["items"]] == [
        ("1", True),
        ("2", False),
    ]


def test_a_message_without_attachments_has_an_empty_list(consumer_2, deliver):
    bare = f"{MESSAGES}/{deliver(consumer_2.ebox)}"

    answer = consumer_2.get(f"{bare}/attachments")

    assert (answer.status_code, answer.json) == (200, {"items": [], "totalItems": 0})


def test_one_attachment_is_shown_as_in_the_list(consumer_2, message):
    listed = consumer_2.get(f"{message}/attachments").json["items"]

    assert consumer_2.get(f"{message}/attachments/2").json == listed[1]


@pytest.mark.parametrize("attachment", ["3", "a b", "%00", "x" * 200])
def test_an_attachment_that_is_not_there_is_not_found(consumer_2, message, attachment):
    answer = consumer_2.get(f"{message}/attachments/{attachment}")

    assert told(answer, 404) == ("RESOURCE_NOT_FOUND", "The requested resource does not exist.")
