"""GET …/v2/referenceData/…: who sends what, under the old path."""

import pytest

from registry.sandbox.personas import CONSUMER, PORTAL, REFERENCE
from registry.sandbox.seeds.reference import FINANCE
from tests.api.v2.visiting import in_version_2, told
from tests.conformance.bases import V2

LISTS = {
    "messageTypes": ("messageTypeId", "tax-assessment"),
    "senderApplications": ("applicationId", "my-minfin"),
    "senderOrganizations": ("organizationId", FINANCE),
}
LOGOS = ["senderApplications/my-minfin/images/logo", f"senderOrganizations/{FINANCE}/images/logo"]


@pytest.mark.parametrize("collection", LISTS)
def test_a_list_holds_what_version_3_has_but_for_where_logos_are(consumer, consumer_2, collection):
    new = consumer.get(f"/refData/{collection}").text

    old = consumer_2.get(f"/referenceData/{collection}")

    assert old.status_code == 200
    assert old.text == new.replace("/v3/refData/", "/v2/referenceData/")


@pytest.mark.parametrize("collection", LISTS)
def test_an_entry_is_shown_and_cached(consumer_2, collection):
    name, identifier = LISTS[collection]

    answer = consumer_2.get(f"/referenceData/{collection}/{identifier}")
    etag = answer.headers["ETag"]
    again = consumer_2.get(
        f"/referenceData/{collection}/{identifier}", headers={"If-None-Match": etag}
    )

    other = consumer_2.get(
        f"/referenceData/{collection}/{identifier}", headers={"If-Match": '"zzz"'}
    )

    assert other.status_code == 412
    assert answer.json[name] == identifier
    assert "max-age=86400" in answer.headers["Cache-Control"]
    assert again.status_code == 304


@pytest.mark.parametrize("identifier", ["nobody", "0000000000", "%00", "x" * 300, "a b"])
@pytest.mark.parametrize("collection", LISTS)
def test_an_entry_that_is_not_there_is_not_found(consumer_2, collection, identifier):
    answer = consumer_2.get(f"/referenceData/{collection}/{identifier}")

    assert told(answer, 404) == ("RESOURCE_NOT_FOUND", "The requested resource does not exist.")


@pytest.mark.parametrize("logo", LOGOS)
def test_a_logo_is_bytes_whatever_it_is(consumer, consumer_2, logo):
    answer = consumer_2.get(f"/referenceData/{logo}/content")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.data == consumer.get(f"/refData/{logo}/content").data


@pytest.mark.parametrize("logo", LOGOS)
def test_a_logo_is_found_where_its_owner_says(consumer_2, logo):
    owner = consumer_2.get(f"/referenceData/{logo.partition('/images/')[0]}").json
    (logos,) = [value for name, value in owner.items() if name.endswith("Logos")]

    base = f"http://localhost{V2[consumer_2.ebox.kind]}"
    assert f"{base}/referenceData/{logo}/content" in [each["contentHref"] for each in logos]


def test_a_logo_that_is_not_there_is_not_found(consumer_2):
    answer = consumer_2.get("/referenceData/senderApplications/my-minfin/images/%00/content")

    assert told(answer, 404)[0] == "RESOURCE_NOT_FOUND"


def test_a_page_beyond_the_last_is_empty(consumer_2):
    page = consumer_2.get("/referenceData/messageTypes?page=99&sort=x").json

    assert page["items"] == []
    assert page["totalItems"] > 0


def test_templates_are_for_version_3_only(consumer_2):
    assert told(consumer_2.get("/referenceData/messageTemplates"), 404)[0] == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize(("scope", "status"), [(REFERENCE, 200), (CONSUMER, 200), (PORTAL, 403)])
def test_a_scope_for_reference_data_is_needed(visitor, scope, status):
    answer = in_version_2(visitor(scope)).get("/referenceData/messageTypes")

    assert answer.status_code == status


def test_citizens_have_the_same(citizen_2):
    assert citizen_2.get("/referenceData/messageTypes").json["totalItems"] > 0
