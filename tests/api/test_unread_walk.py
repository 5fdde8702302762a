"""A walk through what is unread, reading it: the first page again and again misses nothing."""

import pytest

from registry.api.docs import load_contract
from tests.api.v2.visiting import in_version_2
from tests.factories import a_file


@pytest.fixture(params=["consumer", "citizen"])
def reader(request):
    """A reader of each family."""
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize(
    ("in_version", "unread"),
    [(lambda visitor: visitor, "isRead=false"), (in_version_2, "readStatus=false")],
)
def test_who_asks_for_the_first_page_until_it_is_empty_reads_everything(
    reader, deliver, in_version, unread
):
    messages = {str(deliver(reader.ebox, a_file())) for _ in range(8)}
    walker, seen = in_version(reader), []

    while page := walker.get(f"/ebox/messages?{unread}&pageSize=3").json["items"]:
        for message in page:
            path = f"/ebox/messages/{message['messageId']}/attachments/1/content"
            assert walker.get(path).status_code == 200
            seen.append(message["messageId"])

    assert sorted(seen) == sorted(messages)


@pytest.mark.parametrize("version", ["3", "2.1"])
def test_the_description_of_the_list_says_so(version):
    document = load_contract(f"messageregistry-{version}.yaml")

    description = document["paths"]["/ebox/messages"]["get"]["description"]

    assert "repeats page 1 until it is empty" in description
