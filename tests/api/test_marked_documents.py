"""Documents that are marked as lost: readers are told so at once, operators which one it is."""

import json
from uuid import uuid4

import pytest
from sqlalchemy import text

from tests.api.v2.visiting import in_version_2
from tests.factories import PDF, a_file

LARGE = PDF.ljust(300_000, b"%")


@pytest.fixture(params=["consumer", "citizen"])
def reader(request):
    """A reader of each family."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=[lambda visitor: visitor, in_version_2], ids=["v3", "v2"])
def in_version(request):
    """The same visitor in one version or the other."""
    return request.param


@pytest.fixture
def marked(owner, deliver, reader):
    """A message whose document storage has, though it is marked; its id and the key."""

    def put(content=PDF):
        file = a_file(content, blob_key=f"documents/{uuid4()}", file_name="secret.pdf")
        message_id = deliver(reader.ebox, file, content=content)
        with owner.begin() as connection:
            connection.execute(
                text("UPDATE attachments SET fault = 'missing' WHERE blob_key = :key"),
                {"key": file["blob_key"]},
            )
        return message_id, file["blob_key"]

    return put


@pytest.mark.parametrize(
    ("content", "headers"),
    [(PDF, {}), (LARGE, {}), (PDF, {"Range": "bytes=0-3"})],
    ids=["small", "large", "range"],
)
def test_a_marked_document_is_a_problem_and_its_message_stays_unread(
    reader, in_version, marked, logged, content, headers
):
    message_id, key = marked(content)
    path = f"/ebox/messages/{message_id}/attachments/1/content"
    logged()

    answer = in_version(reader).get(path, headers=headers)

    assert (answer.status_code, answer.json["code"]) == (502, "DOCUMENT_UNAVAILABLE")
    [line] = [line for line in logged().splitlines() if "document unavailable" in line]
    members = json.loads(line)
    assert (members["message_id"], members["key"]) == (str(message_id), key)
    assert "secret" not in line
    assert reader.ebox.number not in line
    assert not reader.get(f"/ebox/messages/{message_id}").json["isRead"]


def test_all_else_of_the_message_is_as_it_was(reader, marked):
    message_id, _ = marked()
    path = f"/ebox/messages/{message_id}"

    message = reader.get(path)
    head = reader.ask("HEAD", f"{path}/attachments/1/content")

    assert message.status_code == 200
    assert "fault" not in message.text
    assert (head.status_code, head.content_length) == (200, len(PDF))
