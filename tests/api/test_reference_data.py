"""GET …/refData/…: what types, senders and templates are called, cached by whoever wants to."""

import pytest
from sqlalchemy import delete, insert

from registry.sandbox.personas import AGENCY, REFERENCE
from registry.sandbox.seeds.reference import FINANCE
from registry.store import reference

CACHED = "public, no-transform, proxy-revalidate, max-age=86400"
# Each list, the id member of its items, and the id of one of them.
LISTS = {
    "messageTypes": ("messageTypeId", "tax-assessment"),
    "senderApplications": ("applicationId", "my-minfin"),
    "senderOrganizations": ("organizationId", FINANCE),
    "messageTemplates": ("messageTemplateId", "tax-reminder"),
}
IMAGES = {
    "senderApplications": "/refData/senderApplications/my-minfin/images/logo/content",
    "senderOrganizations": f"/refData/senderOrganizations/{FINANCE}/images/logo/content",
}
EVERYTHING = [
    *(f"/refData/{name}" for name in LISTS),
    *(f"/refData/{name}/{one}" for name, (_, one) in LISTS.items()),
    *IMAGES.values(),
]
PATH_NAMES = {
    "messageTypes": "messageTypeId",
    "senderApplications": "senderApplicationId",
    "senderOrganizations": "senderOrganizationId",
    "messageTemplates": "messageTemplateId",
}


@pytest.fixture
def plain(owner):
    """Entries with nothing but what is required, gone after the test."""
    rows = {
        reference.message_types: {
            "message_type_id": "a-plain-type",
            "name": {"fr": "Nu"},
            "validity_number": 1,
            "validity_unit": "month",
        },
        reference.sender_applications: {"application_id": "a-plain-app", "name": {"nl": "Kaal"}},
        reference.sender_organizations: {
            "organization_id": "0000000097",
            "short_name": {"de": "Kahl"},
        },
        reference.message_templates: {"message_template_id": "a-plain-one", "name": {"en": "Bare"}},
    }
    folded = {f"folded_{language}": "" for language in ("nl", "fr", "de")}
    with owner.begin() as connection:
        for table, row in rows.items():
            more = {} if table is reference.message_templates else folded
            connection.execute(insert(table).values(**row, **more))
    yield
    with owner.begin() as connection:
        for table, row in rows.items():
            key, value = next(iter(row.items()))
            connection.execute(delete(table).where(table.c[key] == value))


def test_a_message_type_is_shown_with_who_sends_it(consumer):
    assert consumer.get("/refData/messageTypes/tax-assessment").json == {
        "messageTypeId": "tax-assessment",
        "messageTypeName": {
            "nl": "Aanslagbiljet",
            "fr": "Avertissement-extrait de rôle",
            "de": "Steuerbescheid",
        },
        "messageTypeDescription": {
            "nl": "De berekening van uw belasting",
            "fr": "Le calcul de votre impôt",
            "de": "Die Berechnung Ihrer Steuer",
        },
        "validityPeriod": {"validityPeriodNumber": 2, "validityPeriodUnit": "year"},
        "senderOrganizationIds": sorted([FINANCE, AGENCY.digits]),
        "senderApplicationIds": ["my-minfin", "sandbox-sender"],
    }


def test_a_sender_application_is_shown_with_what_it_sends_for_whom(consumer):
    shown = consumer.get("/refData/senderApplications/my-minfin").json

    (logo,) = shown.pop("applicationLogos")
    assert shown == {
        "applicationId": "my-minfin",
        "applicationName": {"nl": "MyMinfin", "fr": "MyMinfin", "de": "MyMinfin"},
        "applicationDescription": {
            "nl": "Uw fiscaal dossier bij Financiën",
            "fr": "Votre dossier fiscal auprès des Finances",
            "de": "Ihre Steuerakte bei den Finanzen",
        },
        "senderOrganizationIds": [FINANCE],
        "messageTypeIds": ["information-letter", "tax-assessment"],
    }
    assert logo["imageId"] == "logo"


def test_a_sender_organization_is_shown_with_what_it_sends_through_what(consumer):
    shown = consumer.get(f"/refData/senderOrganizations/{FINANCE}").json

    (logo,) = shown.pop("organizationLogos")
    assert shown == {
        "organizationId": FINANCE,
        "organizationShortName": {
            "nl": "FOD Financiën",
            "fr": "SPF Finances",
            "de": "FÖD Finanzen",
        },
        "organizationLongName": {
            "nl": "Federale Overheidsdienst Financiën",
            "fr": "Service public fédéral Finances",
            "de": "Föderaler Öffentlicher Dienst Finanzen",
        },
        "organizationUrl": {
            "nl": "https://financien.belgium.be/nl",
            "fr": "https://finances.belgium.be/fr",
            "de": "https://finanzen.belgium.be/de",
        },
        "senderApplicationIds": ["my-minfin"],
        "messageTypeIds": ["information-letter", "tax-assessment"],
        "contactBusiness": "https://sandbox.example/contact",
    }
    assert logo["mediaType"] == "image/png"


def test_a_message_template_is_shown_with_its_text(consumer):
    assert consumer.get("/refData/messageTemplates/tax-reminder").json == {
        "messageTemplateId": "tax-reminder",
        "messageTypeId": "tax-assessment",
        "templateName": {"nl": "Herinnering", "fr": "Rappel", "de": "Erinnerung"},
        "templateBody": {
            "nl": "U hebt nog niet betaald.",
            "fr": "Vous n'avez pas encore payé.",
            "de": "Noch nicht bezahlt.",
        },
    }


@pytest.mark.usefixtures("plain")
def test_entries_leave_out_what_they_lack_and_fill_the_languages(consumer):
    none = {"senderApplicationIds": [], "messageTypeIds": []}
    app = {"senderOrganizationIds": [], "messageTypeIds": []}

    assert consumer.get("/refData/messageTypes/a-plain-type").json == {
        "messageTypeId": "a-plain-type",
        "messageTypeName": {"nl": "Nu", "fr": "Nu", "de": "Nu"},
        "validityPeriod": {"validityPeriodNumber": 1, "validityPeriodUnit": "month"},
        "senderOrganizationIds": [],
        "senderApplicationIds": [],
    }
    assert consumer.get("/refData/senderApplications/a-plain-app").json == {
        "applicationId": "a-plain-app",
        "applicationName": {"nl": "Kaal", "fr": "Kaal", "de": "Kaal"},
        "applicationLogos": [],
        **app,
    }
    assert consumer.get("/refData/senderOrganizations/0000000097").json == {
        "organizationId": "0000000097",
        "organizationShortName": {"nl": "Kahl", "fr": "Kahl", "de": "Kahl"},
        "organizationLogos": [],
        **none,
    }
    assert consumer.get("/refData/messageTemplates/a-plain-one").json == {
        "messageTemplateId": "a-plain-one",
        "templateName": {"nl": "Bare", "fr": "Bare", "de": "Bare"},
    }


@pytest.mark.parametrize("name", LISTS)
def test_a_list_holds_the_same_entries_in_the_order_of_their_ids(consumer, name):
    member, _ = LISTS[name]

    answer = consumer.get(f"/refData/{name}").json

    ids = [item[member] for item in answer["items"]]
    assert ids == sorted(ids)
    assert answer["totalItems"] == len(ids) > 0
    assert [consumer.get(f"/refData/{name}/{id_}").json for id_ in ids] == answer["items"]


@pytest.mark.parametrize("name", ["messageTypes", "senderApplications", "senderOrganizations"])
def test_a_list_is_walked_page_by_page(consumer, name):
    whole = consumer.get(f"/refData/{name}").json

    pages = [consumer.get(f"/refData/{name}?pageSize=3&page={page}").json for page in (1, 2, 3)]

    assert [item for page in pages for item in page["items"]] == whole["items"]
    assert [len(page["items"]) for page in pages] == [3, 1, 0]
    assert [page["totalItems"] for page in pages] == [whole["totalItems"]] * 3


@pytest.mark.parametrize("name", LISTS)
def test_an_unknown_entry_is_named_in_the_problem(consumer, name):
    unknown = "0000000000"

    answer = consumer.get(f"/refData/{name}/{unknown}")

    assert answer.status_code == 404
    (issue,) = answer.json["issues"]
    found = issue["in"], issue["name"], issue["value"]
    assert found == ("path", PATH_NAMES[name], unknown)


@pytest.mark.parametrize("path", EVERYTHING)
def test_reference_data_may_be_cached_by_anyone_for_a_day(consumer, path):
    assert consumer.get(path).headers["Cache-Control"] == CACHED


@pytest.mark.parametrize("path", EVERYTHING)
def test_what_a_client_has_is_not_sent_again(consumer, path):
    tag = consumer.get(path).headers["ETag"]

    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        answer = consumer.get(path, headers={"If-None-Match": known})

        assert (answer.status_code, answer.data) == (304, b"")
        assert answer.headers["ETag"] == tag
        assert answer.headers["Cache-Control"] == CACHED


@pytest.mark.parametrize("path", EVERYTHING)
def test_what_is_not_as_the_client_means_is_not_sent(consumer, path):
    whole = consumer.get(path)

    answers = [
        consumer.get(path, headers={"If-Match": tags}) for tags in ('"zzz"', whole.headers["ETag"])
    ]

    assert [answer.status_code for answer in answers] == [412, 200]
    assert answers[0].headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", EVERYTHING)
def test_what_a_client_has_not_is_sent(consumer, path):
    whole = consumer.get(path)

    for other in ('"other"', "nonsense", ""):
        answer = consumer.get(path, headers={"If-None-Match": other})

        assert (answer.status_code, answer.data) == (200, whole.data)


def test_different_content_has_different_tags(consumer):
    tags = [consumer.get(path).headers["ETag"] for path in EVERYTHING]
    pages = [
        consumer.get(f"/refData/messageTypes?pageSize=1&page={page}").headers["ETag"]
        for page in (1, 2, 3, 4)
    ]

    assert len(set(tags)) == len(tags)
    assert len(set(pages)) == len(pages)


@pytest.mark.usefixtures("plain")
def test_a_change_of_the_data_changes_the_tag(consumer, owner):
    path = "/refData/messageTypes/a-plain-type"
    tag = consumer.get(path).headers["ETag"]
    table = reference.message_types
    with owner.begin() as connection:
        connection.execute(
            table.update()
            .where(table.c.message_type_id == "a-plain-type")
            .values(name={"fr": "Habillé"})
        )

    answer = consumer.get(path, headers={"If-None-Match": tag})

    assert answer.status_code == 200
    assert answer.json["messageTypeName"]["nl"] == "Habillé"


@pytest.mark.parametrize(("name", "path"), IMAGES.items())
def test_a_logo_is_where_its_owner_says_and_is_what_it_says(consumer, name, path):
    owner = consumer.get(path.rpartition("/images/")[0]).json
    (logo,) = owner.get("applicationLogos") or owner["organizationLogos"]

    answer = consumer.get(logo["contentHref"].removeprefix(f"http://localhost{consumer.base}"))

    assert logo["contentHref"] == f"http://localhost{consumer.base}{path}"
    assert name in path
    assert answer.headers["Content-Type"] == logo["mediaType"] == "image/png"
    assert answer.data.startswith(b"\x89PNG\r\n")
    assert len(answer.data) == logo["size"] * 1024
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", IMAGES.values())
def test_an_unknown_logo_is_named_in_the_problem(consumer, path):
    answer = consumer.get(path.replace("logo", "other"))

    assert answer.status_code == 404
    assert answer.json["issues"][0]["name"] == "imageId"


def test_a_logo_of_one_kind_of_owner_is_not_one_of_another(consumer):
    answer = consumer.get("/refData/senderApplications/0308357159/images/logo/content")

    assert answer.status_code == 404


@pytest.mark.parametrize("accept", ["application/json", "image/*", "application/octet-stream"])
def test_a_picture_is_refused_to_no_client_for_its_type(consumer, accept):
    answer = consumer.get(IMAGES["senderApplications"], headers={"Accept": accept})

    assert answer.status_code == 200


def test_everything_a_message_refers_to_is_there(consumer, deliver):
    message = deliver(consumer.ebox, message_template_id="tax-reminder")
    shown = consumer.get(f"/ebox/messages/{message}").json

    referred = [
        f"messageTypes/{shown['messageTypeId']}",
        f"senderApplications/{shown['senderApplicationId']}",
        f"senderOrganizations/{shown['sender']['enterpriseNumber']}",
        f"messageTemplates/{shown['messageTemplateId']}",
    ]

    assert [consumer.get(f"/refData/{path}").status_code for path in referred] == [200] * 4


def test_the_crossed_references_of_the_lists_agree(consumer):
    types, applications, organizations = (
        consumer.get(f"/refData/{name}").json["items"]
        for name in ("messageTypes", "senderApplications", "senderOrganizations")
    )

    by_type = {
        (type_["messageTypeId"], number)
        for type_ in types
        for number in type_["senderOrganizationIds"]
    }
    by_organization = {
        (type_, organization["organizationId"])
        for organization in organizations
        for type_ in organization["messageTypeIds"]
    }
    by_application = {
        (application["applicationId"], number)
        for application in applications
        for number in application["senderOrganizationIds"]
    }
    of_applications = {
        (application, organization["organizationId"])
        for organization in organizations
        for application in organization["senderApplicationIds"]
    }

    assert by_type == by_organization != set()
    assert by_application == of_applications != set()


def test_the_scope_for_reference_data_is_enough_and_opens_nothing_else(visitor):
    reader = visitor(REFERENCE)

    assert [reader.get(path).status_code for path in EVERYTHING] == [200] * len(EVERYTHING)
    assert reader.get("/ebox/messages").status_code == 403


def test_citizens_read_the_same_data_below_their_own_base_path(citizen, consumer):
    path = "/refData/senderOrganizations/0308357159"

    theirs, ours = citizen.get(path).json, consumer.get(path).json

    (logo,) = theirs.pop("organizationLogos")
    del ours["organizationLogos"]
    assert theirs == ours
    assert logo["contentHref"].startswith(f"http://localhost{citizen.base}/refData/")
