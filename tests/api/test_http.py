"""HTTP around every operation: methods, negotiation, traces, problems, browsers, quota."""

import re
from copy import copy
from uuid import UUID, uuid4

import orjson
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from registry.sandbox.personas import CONSUMER, REFERENCE
from tests.api.contract import is_open, served
from tests.conformance.bases import V2
from tests.conftest import V3
from tests.factories import PAYMENT, a_file, an_ebox

BASE = V3[an_ebox().kind]
PATHS = [path for method, path, _ in served() if method == "GET"]
GUARDED = [path for path in PATHS if not is_open(path)]
TRACE = "BelGov-Trace-Id"
RELATED = "BelGov-Related-Trace-Id"
OWN = "urn:problem-type:ebox:messageRegistry:"
BELGIF = "urn:problem-type:belgif:"
CAMEL = re.compile(r"[a-z][A-Za-z0-9]*")
FULL = {
    "body": {"nl": "Tekst"},
    "is_body_main": False,
    "payment_data": PAYMENT,
    "structured_data": {"any": "thing"},
    "attention": {"label": "An"},
    "business_data": [{"key": "k", "values": [{"nl": "v"}]}],
    "action_id": "confirm",
    "action_label": {"nl": "Bevestig"},
}


def example(path, message="00000000-0000-0000-0000-000000000000"):
    """A path with its parameters filled in."""
    values = {
        "messageId": message,
        "attachmentId": "1",
        "messageTypeId": "tax-assessment",
        "senderApplicationId": "my-minfin",
        "senderOrganizationId": "0308357159",
        "messageTemplateId": "tax-reminder",
        "imageId": "logo",
    }
    return path.format_map(values)


@pytest.fixture
def full(consumer, deliver):
    """A message that every operation can show something of."""
    return deliver(consumer.ebox, a_file(), **FULL)


def members(value):
    """Every name and value inside a JSON value."""
    if isinstance(value, dict):
        for name, held in value.items():
            yield name, held
            yield from members(held)
    elif isinstance(value, list):
        for held in value:
            yield from members(held)


# Methods and paths


@pytest.mark.parametrize("method", ["DELETE", "PUT", "TRACE", "LINK"])
@pytest.mark.parametrize("path", PATHS)
def test_a_method_that_a_resource_has_not_is_405_with_those_it_has(consumer, method, path):
    answer = consumer.ask(method, example(path))

    assert answer.status_code == 405
    assert answer.json["type"] == f"{OWN}methodNotAllowed"
    assert {"GET", "HEAD", "OPTIONS"} <= set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize("path", PATHS)
def test_options_lists_the_methods_to_anyone(app, path):
    answer = app.test_client().open(BASE + example(path), method="OPTIONS")

    assert answer.status_code == 200
    assert {"GET", "HEAD", "OPTIONS"} <= set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize("path", PATHS)
def test_head_equals_get_without_the_content(consumer, full, path):
    where = example(path, full)

    head, get = consumer.ask("HEAD", where), consumer.get(where)

    assert (head.status_code, head.data) == (get.status_code, b"") == (200, b"")
    assert [pair for pair in head.headers if pair[0] != TRACE] == [
        pair for pair in get.headers if pair[0] != TRACE
    ]


@pytest.mark.parametrize("path", [path for path in PATHS if path != "/ebox/messages"])
def test_a_trailing_slash_is_another_resource_which_is_not_there(consumer, path):
    answer = consumer.get(f"{example(path)}/")

    assert answer.status_code == 404
    assert answer.json["type"] == f"{BELGIF}resourceNotFound"


@pytest.mark.parametrize(
    "path",
    [
        "/nonsense",
        "",
        "/",
        "/ebox",
        "/ebox/Messages",
        "/EBOX/messages",
        "/ebox/messages/x/y",
        "/refData",
        "/referenceData/messageTypes",
        "/doc/openapi.xml",
        "/static/x",
        "/metrics",
        "/ebox/messages/../messages",
    ],
)
def test_a_path_that_leads_nowhere_is_a_problem_without_further_words(consumer, path):
    answer = consumer.get(path)

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["type"] == f"{BELGIF}resourceNotFound"
    assert "issues" not in answer.json


@pytest.mark.parametrize("path", ["/", "/REST", "/REST/ebox/enterprise/messageRegistry/v4/health"])
def test_outside_of_the_base_paths_there_is_nothing(app, path):
    answer = app.test_client().get(path)

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_every_view_but_the_open_ones_says_what_it_needs(app):
    needs = {
        rule.rule: getattr(app.view_functions[rule.endpoint], "operations", None)
        for rule in app.url_map.iter_rules()
    }

    unguarded = {rule for rule, operations in needs.items() if not operations}

    bases = [*V3.values(), *V2.values()]
    # Version 2.1 is not certified any more.
    assert unguarded == {
        base + path
        for base in bases
        for path in PATHS
        if is_open(path) and (base in V3.values() or "certification" not in path)
    } | {base + page for base in bases for page in ("/doc/", "/doc/<digest>/<name>")}


# Negotiation


JSON_PATHS = [path for path in GUARDED if not path.endswith("/content")]


@pytest.mark.parametrize(
    "accept",
    [
        "application/xml",
        "text/html",
        "image/*",
        "application/json;q=0",
        "*/*;q=0",
        "text/*",
    ],
)
@pytest.mark.parametrize("path", JSON_PATHS)
def test_a_client_that_takes_no_json_is_told_in_json(consumer, full, path, accept):
    answer = consumer.get(example(path, full), headers={"Accept": accept})

    assert answer.status_code == 406
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["type"] == f"{OWN}notAcceptable"


@pytest.mark.parametrize("bases", [V3, V2], ids=["3", "2"])
@pytest.mark.parametrize(
    "accept",
    [
        "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",  # the default of old Java
        "nonsense",
        "application/json;q=high",
        "text/html;q=0.9, application/*;q=0.1",
        " ",
    ],
)
def test_a_client_that_takes_json_by_whatever_range_gets_it(consumer, bases, accept):
    there = copy(consumer)
    there.base = bases[consumer.ebox.kind]

    assert there.get("/ebox/messages", headers={"Accept": accept}).status_code == 200


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "application/*",
        "application/json",
        "application/json;q=0.1",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8, */*;q=0",
        "APPLICATION/JSON",
        "text/html,application/xhtml+xml,*/*;q=0.8",
        "",
        None,
    ],
)
def test_a_client_that_takes_json_gets_it(consumer, accept):
    headers = {} if accept is None else {"Accept": accept}

    answer = consumer.get("/ebox/messages", headers=headers)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "language", ["nl-BE", "fr-BE, nl;q=0.5", "en", "xx", "*;q=0", "nonsense;;"]
)
def test_any_language_is_accepted_and_titles_stay_english(consumer, language):
    answer = consumer.get("/ebox/messages?page=0", headers={"Accept-Language": language})

    assert answer.json["title"] == "Bad Request"
    assert answer.headers["Content-Language"] == "en"


# Traces


def every_kind_of_answer(visitor):
    """Answers of all sorts, good and bad."""
    return [
        visitor.get("/ebox/messages"),
        visitor.get("/ebox/messages?page=0"),
        visitor.get("/nonsense"),
        visitor.get(f"/ebox/messages/{uuid4()}"),
        visitor.get("/ebox/messages", headers={"Authorization": "Bearer nonsense"}),
        visitor.get("/ebox/messages", headers={"Accept": "text/html"}),
        visitor.ask("DELETE", "/ebox/messages"),
        visitor.ask("OPTIONS", "/ebox/messages"),
        visitor.ask("HEAD", "/refData/messageTypes"),
        visitor.get("/refData/messageTypes", headers={"If-None-Match": "*"}),
        visitor.get("/health"),
        visitor.get("/doc/openapi.json"),
    ]


def test_every_answer_has_a_trace_id_of_its_own(consumer):
    answers = every_kind_of_answer(consumer) + every_kind_of_answer(consumer)

    ids = [answer.headers.get_all(TRACE) for answer in answers]

    assert all(len(found) == 1 and len(found[0]) <= 36 for found in ids)
    assert len({found[0] for found in ids}) == len(answers)
    assert all(RELATED not in answer.headers for answer in answers)


@pytest.mark.parametrize("given", ["a", "0c7a1f0e-6f0b-4c7f-9b51-5b7f3a2d9f10", "~!@#$%^&*()" * 3])
@pytest.mark.parametrize("path", ["/ebox/messages", "/nonsense", "/health"])
def test_the_clients_trace_id_is_related_and_never_ours(consumer, path, given):
    answer = consumer.get(path, headers={TRACE: given})

    assert answer.headers[RELATED] == given
    assert answer.headers[TRACE] != given


@pytest.mark.parametrize(
    "given", ["", "a" * 37, "a" * 300, "a b", "é", "a\tb", "a\x7f", "\x00", " "]
)
def test_an_odd_trace_id_is_not_repeated(consumer, given):
    answer = consumer.get("/ebox/messages", environ_overrides={"HTTP_BELGOV_TRACE_ID": given})

    assert answer.status_code == 200
    assert RELATED not in answer.headers


# Problems


def problems(visitor):
    """One problem of each kind that can be had by asking."""
    return [
        visitor.get("/ebox/messages?page=0&nosuch=1"),
        visitor.get("/ebox/messages/%20"),
        visitor.get("/ebox/messages", headers={"Authorization": ""}),
        visitor.get("/ebox/messages", headers={"Authorization": "Bearer nonsense"}),
        visitor.get("/nonsense"),
        visitor.get(f"/ebox/messages/{uuid4()}"),
        visitor.get("/refData/messageTypes/unknown"),
        visitor.get("/ebox/messages", headers={"Accept": "text/html"}),
        visitor.ask("DELETE", "/ebox/messages"),
    ]


def test_every_problem_has_what_readers_of_both_kinds_need(consumer):
    for answer in problems(consumer):
        shown = answer.json

        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert shown["status"] == answer.status_code
        assert shown["type"].startswith("urn:problem-type:")
        assert shown.get("href", "https://").startswith("https://")
        assert shown["instance"] == f"urn:uuid:{UUID(shown['id'])}"
        assert shown["id"] == answer.headers[TRACE]
        assert all(shown[name] for name in ("title", "detail", "code", "message"))


def test_the_same_request_twice_is_two_occurrences(consumer):
    one, other = (consumer.get("/nonsense").json["instance"] for _ in range(2))

    assert one != other


def test_every_fault_says_where_and_what_and_has_no_status_of_its_own(consumer):
    issues = [issue for answer in problems(consumer) for issue in answer.json.get("issues", ())]

    assert len(issues) >= 4
    for issue in issues:
        assert issue["in"] in ("path", "query")
        assert issue["name"]
        assert issue["detail"]
        assert not {"status", "instance"} & set(issue)


def test_nothing_shown_is_null_and_every_name_is_lower_camel_case(consumer, full):
    answers = [consumer.get(example(path, full)) for path in PATHS]
    answers = [a.json for a in answers if a.headers["Content-Type"] == "application/json"]
    contract = next(answer for answer in answers if "openapi" in answer)
    answers.remove(contract)
    found = [member for shown in answers for member in members(shown)]
    found += [member for answer in problems(consumer) for member in members(answer.json)]

    assert len(found) > 200
    assert [name for name, value in found if value is None] == []
    assert [name for name, _ in found if not CAMEL.fullmatch(name)] == []
    assert [name for name, value in members(contract) if value is None] == []


def test_every_date_time_has_an_offset(consumer, full):
    shown = [consumer.get(path).json for path in (f"/ebox/messages/{full}", "/ebox/statistics")]

    dates = [value for name, value in members(shown) if name.endswith("Date")]

    assert len(dates) >= 4
    assert [v for v in dates if not re.fullmatch(r"[-\d]{10}T[:\d]{8}([+-]\d\d:\d\d|Z)", v)] == []


@pytest.mark.parametrize(
    "path", ["", "/attachments", "/attachments/1", "/attachments/1/content", "/paymentData"]
)
def test_what_nobody_expected_is_a_problem_that_reveals_nothing(consumer, deliver, owner, path):
    message = deliver(consumer.ebox, a_file(), a_file(attachment_id="2"), **FULL)
    corrupt = {
        "": "UPDATE messages SET subject = '[\"needle\"]' WHERE message_id = :id",
        "/paymentData": "UPDATE messages SET payment_data = '\"needle\"' WHERE message_id = :id",
    }
    damage = corrupt.get(path, "UPDATE attachments SET title = '[7]' WHERE message_id = :id")
    if path == "/attachments/1/content":
        damage = "UPDATE attachments SET media_type = E'a/b\\r\\nc' WHERE message_id = :id"
    with owner.begin() as connection:
        connection.execute(text(damage), {"id": message})

    answer = consumer.get(f"/ebox/messages/{message}{path}")

    assert answer.status_code == 500
    assert answer.json["type"] == f"{BELGIF}internalServerError"
    assert set(answer.json) == {
        "type", "href", "title", "status", "detail", "instance", "code", "id", "message",
    }  # fmt: skip
    assert not re.search("needle|Traceback|Error:|registry|\\.py|subject|sql", answer.text, re.I)


@pytest.fixture
def empty_database(cluster):
    """A database to which no migration was ever applied."""
    name = f"empty_{uuid4().hex[:12]}"
    cluster.create_database(name)
    yield cluster.url("application", name)
    cluster.drop_database(name)


def test_tables_that_are_not_there_are_unexpected_too(
    empty_database, app_with, elsewhere, consumer
):
    there = elsewhere(consumer, app_with(database_url=SecretStr(empty_database)))

    for path in GUARDED:
        answer = there.get(example(path))

        assert answer.status_code == 500, path
        assert answer.json["type"] == f"{BELGIF}internalServerError"
        assert not re.search("relation|table|sql|select", answer.text, re.IGNORECASE)


def test_a_database_that_does_not_answer_is_unavailable(app_with, elsewhere, consumer):
    nowhere = SecretStr("postgresql://application@127.0.0.1:9/registry")
    there = elsewhere(consumer, app_with(database_url=nowhere))

    for path in GUARDED:
        answer = there.get(example(path))

        assert answer.status_code == 503, path
        assert answer.json["type"] == f"{BELGIF}serviceUnavailable"
        assert "127.0.0.1" not in answer.text
        assert int(answer.headers["Retry-After"]) > 0


def test_no_answer_names_the_product_behind_it(consumer):
    for answer in every_kind_of_answer(consumer):
        assert "X-Powered-By" not in answer.headers
        assert "Server" not in answer.headers


# Browsers


PORTAL_ORIGIN = "https://portal.example"
ORIGINS = (PORTAL_ORIGIN, "https://other.example")
ALLOW = "Access-Control-Allow-Origin"


def test_without_a_named_origin_no_browser_is_let_in(consumer):
    for method in ("GET", "OPTIONS"):
        answer = consumer.ask(method, "/ebox/messages", headers={"Origin": PORTAL_ORIGIN})

        assert ALLOW not in answer.headers


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_named_origin_is_repeated_and_the_answer_varies_by_it(
    app_with, elsewhere, consumer, origin
):
    there = elsewhere(consumer, app_with(cors_origins=ORIGINS))

    for path in ("/ebox/messages", "/nonsense", "/ebox/messages?page=0", "/refData/messageTypes"):
        answer = there.get(path, headers={"Origin": origin})

        assert answer.headers.get_all(ALLOW) == [origin], path
        assert answer.headers.get_all("Timing-Allow-Origin") == [origin], path
        assert "Origin" in answer.headers["Vary"]
        exposed = answer.headers["Access-Control-Expose-Headers"]
        seen = {"Content-Disposition", TRACE, "ETag", "Total-Items-Is-Minimum"}
        assert seen <= set(exposed.split(", "))


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_another_origin_is_not_let_in(app_with, elsewhere, consumer, method):
    there = elsewhere(consumer, app_with(cors_origins=ORIGINS))
    strangers = [
        "https://evil.example",
        "http://portal.example",
        "https://portal.example.evil.example",
        "https://portal.example:444",
        "https://xportal.example",
        "https://portalxexample",
        "null",
        "*",
    ]

    for origin in strangers:
        headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        answer = there.ask(method, "/ebox/messages", headers=headers)

        assert ALLOW not in answer.headers, origin
        assert "Timing-Allow-Origin" not in answer.headers, origin


def test_a_preflight_is_answered_without_a_token(app_with):
    app = app_with(cors_origins=ORIGINS)
    headers = {
        "Origin": PORTAL_ORIGIN,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "Authorization, Range, X-Of-A-Later-Portal",
    }

    answer = app.test_client().options(f"{BASE}/ebox/messages", headers=headers)

    assert answer.status_code == 200
    assert answer.headers[ALLOW] == PORTAL_ORIGIN
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    # What the portal wants to send is its own affair (contract 6.42).
    assert allowed == "authorization, range, x-of-a-later-portal"
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("origins", [ORIGINS, ORIGINS[:1]])
def test_an_answer_without_an_origin_varies_by_it_too(app_with, elsewhere, consumer, origins):
    there = elsewhere(consumer, app_with(cors_origins=origins))

    # A cache would hand the answer to whoever came without an Origin to a browser that has one.
    for path in ("/ebox/messages", "/refData/messageTypes", "/nonsense"):
        for headers in ({}, {"Origin": origins[0]}, {"Origin": "https://evil.example"}):
            answer = there.get(path, headers=headers)

            assert answer.headers.get_all("Vary") == ["Origin"], (path, headers)


# Quota


def test_over_the_quota_a_client_is_told_when_to_come_back(app_with, elsewhere, consumer):
    there = elsewhere(consumer, app_with(rate_limit=2))
    allowed = [there.get("/ebox/messages").status_code for _ in range(2)]

    answer = there.get("/ebox/messages")

    assert allowed == [200, 200]
    assert answer.status_code == 429
    assert answer.json["type"] == f"{BELGIF}tooManyRequests"
    assert answer.json["limit"] == 2
    assert answer.headers["Retry-After"] == str(answer.json["retryAfterSec"])
    assert 1 <= answer.json["retryAfterSec"] <= 60
    assert answer.headers["Cache-Control"] == "no-store"


def test_ones_quota_is_not_anothers_and_health_has_none(app_with, elsewhere, consumer, visitor):
    app = app_with(rate_limit=1)
    there, other = elsewhere(consumer, app), elsewhere(visitor(CONSUMER), app)
    assert [there.get("/ebox/messages").status_code for _ in range(2)] == [200, 429]

    assert other.get("/refData/messageTypes").status_code == 200
    assert [there.get("/health").status_code for _ in range(3)] == [200] * 3


def test_every_operation_counts_towards_one_quota(app_with, elsewhere, visitor):
    there = elsewhere(visitor(CONSUMER, REFERENCE), app_with(rate_limit=3))
    paths = ("/ebox/messages", "/refData/messageTypes", "/ebox/messages?page=0", "/ebox/statistics")

    assert [there.get(path).status_code for path in paths] == [200, 200, 400, 429]


def test_json_is_utf_8(consumer, deliver):
    deliver(consumer.ebox, subject={"nl": "België 電子 🇧🇪"})

    answer = consumer.get("/ebox/messages")

    assert orjson.loads(answer.data)["items"][0]["subject"]["nl"] == "België 電子 🇧🇪"
