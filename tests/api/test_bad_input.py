"""Bad input: every parameter of every operation, each way of getting it wrong, is a 400.

The matrix is made from the OpenAPI document, so that a new parameter is in it from the start.
"""

import re
from urllib.parse import quote, unquote_to_bytes
from uuid import uuid4

import pytest

from registry.api.state import get_state
from registry.app import create_app
from registry.sandbox.personas import CERTIFICATION, CONSUMER, REFERENCE, SENDER, WEBHOOK
from tests.api.contract import is_open, parameters, served
from tests.conformance.validation import resolved
from tests.conftest import V3
from tests.factories import a_file, an_ebox

BASE = V3[an_ebox().kind]
OPERATIONS = {
    f"{method} {path}": operation
    for method, path, operation in served()
    if not path.startswith("/health")
}
GOOD = {
    "messageId": str(uuid4()),
    "attachmentId": "1",
    "messageTypeId": "tax-assessment",
    "senderApplicationId": "my-minfin",
    "senderOrganizationId": "0308357159",
    "messageTemplateId": "tax-reminder",
    "imageId": "logo",
    "qlang": "nl",
}
# Bytes that are no text for anybody, percent-encoded: of every parameter.
NEVER = {
    "NUL": "a%00b",
    "lone surrogate": "%ED%A0%80",
    "invalid UTF-8": "%FF%FE",
    "overlong UTF-8": "%C0%AF",
    "control character": "a%07b",
    "line break": "a%0D%0Ab",
    "10 kB": "1" * 10_240,
    "10 kB of another script": quote("\u0663" * 2_000),
}
# What a schema of this type, format or name forbids.
WRONG = {
    "integer": [
        "abc",
        "1.5",
        "1e3",
        "0x1",
        "0",
        "-1",
        "+1",
        " 1",
        "1 ",
        "\uff11",
        "\u0663",
        "2147483648",
    ],
    "boolean": ["yes", "TRUE", "True", "1", "0", "null", "truefalse", "\uff54rue"],
    "date": [
        "yesterday",
        "2026-02-30",
        "2026-13-01",
        "0000-01-01",
        "10000-01-01",
        "2026-1-1",
        "20260101",
        "2026-W01-1",
        "01/02/2026",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00Z",
        "\uff12\uff10\uff12\uff16-01-01",
        "2026-01-01 ",
    ],
    "uuid": [
        "1",
        "00000000-0000-0000-0000-00000000000",
        "00000000-0000-0000-0000-0000000000000",
        "AAAAAAAA-0000-0000-0000-000000000000",
        "{00000000-0000-0000-0000-000000000000}",
        "00000000000000000000000000000000",
        "urn:uuid:00000000-0000-0000-0000-000000000000",
        "\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0660-0000-0000-0000-000000000000",
        "g0000000-0000-0000-0000-000000000000",
    ],
    "name": [
        "a b",
        "é",
        "a;b",
        "a\\b",
        "'",
        '"',
        "%",
        "a,b",
        "\uff11",
        "a\u200bb",
        "<script>",
        "${x}",
    ],
    "enterprise": [
        "1",
        "03083571590",
        "2308357159",
        "0308.357.159",
        "BE0308357159",
        "\uff10308357159",
    ],
    "language": ["en", "NL", "nl-BE", "nl,fr", "*", "n", "\uff4el"],
}

# They read their bodies and queries as 2.1 does (contract 6.34).
AS_IN_2_1 = {"POST /linkEboxMessage", "POST /searchMessageStatus"}


def kind_of(parameter):
    """Which of the wrong values fit, and how long a value may be."""
    schema = resolved(parameter["schema"])
    schema = resolved(schema.get("items", schema))
    pattern = schema.get("pattern", "")
    if schema.get("format") in ("uuid", "date"):
        return schema["format"], None
    if schema.get("enum"):
        return "language", None
    if pattern.startswith("^[0-1]"):
        return "enterprise", None
    longest = re.search(r"\{1,(\d+)\}", pattern)
    if longest:
        return "name", int(longest[1])
    return schema["type"], schema.get("maxLength")


def wrong_values(parameter):
    """Each wrong value, percent-encoded, under the name of what is wrong with it."""
    kind, longest = kind_of(parameter)
    yield from NEVER.items()
    for value in WRONG.get(kind, []):
        yield f"{kind} {value}", quote(value, safe="")
    if longest:
        yield "over-long", "a" * (longest + 1)
    if parameter["in"] == "query":
        if parameter["name"] != "q":  # an empty text is no search
            yield "empty", ""
        if "maximum" in resolved(parameter["schema"]):
            yield "over maximum", str(resolved(parameter["schema"])["maximum"] + 1)


def matrix(where):
    """Path, parameter and value of each wrong request."""
    return [
        pytest.param(
            path,
            parameter["name"],
            value,
            id=f"{operation['operationId']}-{parameter['name']}-{what}",
        )
        for path, operation in OPERATIONS.items()
        for parameter in parameters(operation, where)
        for what, value in wrong_values(parameter)
    ]


def paths_with_query():
    for path, operation in OPERATIONS.items():
        for parameter in parameters(operation, "query"):
            yield path, parameter


@pytest.fixture(scope="module")
def ask(app, party):
    """Ask for a raw, percent-encoded path below the base path; see `make_asker`."""
    return make_asker(app, party)


@pytest.fixture(scope="module")
def ask_strictly(settings, party):
    """Ask so where unknown parameters are refused."""
    app = create_app(settings.model_copy(update={"refuse_unknown_parameters": True}))
    yield make_asker(app, party)
    get_state(app).registry.dispose()


def make_asker(app, party):
    """Ask for a raw, percent-encoded path below the base path, as a server hands it on.

    `path` may begin with a method and a space; it is GET otherwise.
    """
    token = party(CONSUMER, REFERENCE, SENDER, WEBHOOK, CERTIFICATION, enterprise=an_ebox().number)
    client = app.test_client()

    def get(path, query="", **headers):
        method, _, path = path.rpartition(" ")
        raw = unquote_to_bytes(BASE + path).decode("latin1")
        return client.open(
            BASE,
            method=method or "GET",
            headers={"Authorization": f"Bearer {token}", **headers},
            environ_overrides={"PATH_INFO": raw, "RAW_URI": BASE + path, "QUERY_STRING": query},
        )

    return get


def fill_path(path, **values):
    """The path with its parameters filled in."""
    for name, value in {**GOOD, **values}.items():
        path = path.replace(f"{{{name}}}", value)
    return path


def faults(answer):
    """Where and name of each fault of a 400."""
    assert answer.status_code == 400, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["type"] == "urn:problem-type:belgif:badRequest"
    return [(issue["in"], issue["name"]) for issue in answer.json["issues"]]


@pytest.mark.parametrize(("path", "name", "value"), matrix("query"))
def test_a_wrong_value_in_the_query_is_named(ask, path, name, value):
    needed = "&qlang=nl" if name == "q" else ""

    answer = ask(fill_path(path), f"{name}={value}{needed}")

    assert faults(answer) == [("query", name)]


@pytest.mark.parametrize(("path", "name", "value"), matrix("path"))
def test_an_id_of_an_impossible_shape_is_an_id_of_nothing(ask, path, name, value):
    answer = ask(fill_path(path, **{name: value}))

    # What is asked of the body or the sender's rights may come before the id is looked for.
    assert answer.status_code in (404, 400, 403, 415)
    assert ("path", name) not in [
        (issue["in"], issue["name"])
        for issue in answer.json.get("issues", [])
        if answer.status_code != 404
    ]


@pytest.mark.parametrize("value", ["", "%2F", "a%2Fb", "..%2F..", "."])
@pytest.mark.parametrize("path", [path for path in OPERATIONS if "{" in path])
def test_a_path_that_is_taken_apart_or_empty_leads_nowhere(ask, path, value):
    for name in re.findall(r"\{(\w+)\}", path):
        answer = ask(fill_path(path, **{name: value}))

        # An empty messageId leaves the collection, and its slashes count once; a point is the id of
        # nothing, which is looked for when the body has been read.
        assert answer.status_code in (400, 404) or (answer.status_code, name, value) in [
            (200, "messageId", ""),
            (405, "messageId", ""),
            (415, "messageId", "."),
        ]
        if answer.status_code == 200:
            assert answer.json == {"items": [], "totalItems": 0}
        else:
            assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        pytest.param(path, parameter, id=f"{path}-{parameter['name']}")
        for path, parameter in paths_with_query()
        if resolved(parameter["schema"]).get("type") != "array"
    ],
)
def test_a_parameter_given_twice_is_named(ask, path, parameter):
    name = parameter["name"]
    good = {"q": "x", "messageTypeId": "x", "senderApplicationId": "x"}.get(name) or GOOD.get(name)
    if good is None:
        kind, _ = kind_of(parameter)
        good = {"integer": "1", "boolean": "true", "date": "2026-01-01"}[kind]
    needed = "&qlang=nl" if name == "q" else ""

    answer = ask(fill_path(path), f"{name}={good}&{name}={good}{needed}")

    assert faults(answer) == [("query", name)]


@pytest.mark.parametrize("path", ["/ebox/messages", "/ebox/statistics"])
def test_one_wrong_value_among_many_right_ones_is_named(ask, path):
    query = "partition=GENERAL&partition=not%20this&partition=partitionB"

    answer = ask(path, query)

    assert faults(answer) == [("query", "partition")]
    assert answer.json["issues"][0]["value"] == "not this"


@pytest.mark.parametrize("path", ["/ebox/messages", "/ebox/statistics"])
def test_more_partitions_than_the_contract_allows_are_too_many(ask, path):
    def query(count):
        return "&".join(f"partition=p{number}" for number in range(count))

    assert ask(path, query(100)).status_code == 200
    assert faults(ask(path, query(101))) == [("query", "partition")]


@pytest.mark.parametrize("query", ["nosuch=1", "Page=1", "page%5B%5D=1", "pag%C3%A9=1", "=1", "x"])
@pytest.mark.parametrize("path", [path for path in OPERATIONS if path not in AS_IN_2_1])
def test_an_unknown_parameter_is_named_where_a_setting_has_it_refused(ask_strictly, path, query):
    name = query.partition("=")[0]

    answer = ask_strictly(fill_path(path), query)

    assert faults(answer) == [("query", unquote_to_bytes(name).decode())]
    (issue,) = answer.json["issues"]
    assert issue["type"] == "urn:problem-type:belgif:input-validation:unknownInput"


@pytest.mark.parametrize("name", ["%00", "%ED%A0%80", "%FF", "a" * 10_240, "%0D%0A", "\u0663"])
@pytest.mark.parametrize("path", ["/ebox/messages", "/ebox/statistics", "/refData/messageTypes"])
def test_an_unknown_parameter_is_known_for_one_whatever_its_name(ask, ask_strictly, path, name):
    query = f"{quote(name, safe='%')}=1"

    answer = ask_strictly(path, query)

    assert len(faults(answer)) == 1
    assert len(answer.data) < 2_000
    assert ask(path, query).status_code == 200


def test_an_unknown_header_is_no_fault(ask):
    assert ask("/ebox/messages", **{"X-Foo": "1"}).status_code == 200


def test_all_faults_of_a_request_are_told_at_once(ask_strictly):
    query = "page=0&pageSize=101&isRead=maybe&receivedAfter=never&nosuch=1&q=a&partition=%20&page=2"

    answer = ask_strictly("/ebox/messages", query)

    assert sorted(faults(answer)) == [
        ("query", "isRead"),
        ("query", "nosuch"),
        ("query", "page"),
        ("query", "page"),
        ("query", "pageSize"),
        ("query", "partition"),
        ("query", "qlang"),
        ("query", "receivedAfter"),
    ]


def test_the_language_is_missed_even_when_the_text_is_wrong_too(ask):
    answer = ask("/ebox/messages", f"q={'a' * 201}")

    assert sorted(faults(answer)) == [("query", "q"), ("query", "qlang")]


def test_a_fault_says_what_is_wrong_with_which_value(ask):
    answer = ask("/ebox/messages", "pageSize=abc")

    (issue,) = answer.json["issues"]
    assert issue == {
        "type": "urn:problem-type:belgif:input-validation:schemaViolation",
        "href": "https://www.belgif.be/specification/rest/api-guide/issues/schemaViolation.html",
        "title": "Input isn't valid with respect to schema",
        "detail": "pageSize is not a whole number",
        "in": "query",
        "name": "pageSize",
        "value": "abc",
    }
    assert answer.json["code"] == "INVALID_INPUT"
    assert answer.json["message"] == issue["detail"]


def test_a_huge_value_is_not_repeated(ask):
    answer = ask("/ebox/messages", f"pageSize={'9' * 10_240}")

    assert faults(answer) == [("query", "pageSize")]
    assert len(answer.data) < 2_000


@pytest.mark.parametrize("scope", [CONSUMER, REFERENCE])
def test_whoever_may_not_ask_is_not_told_what_is_wrong(visitor, scope):
    stranger = visitor(scope)
    path = "/refData/messageTypes?page=0" if scope != REFERENCE else "/ebox/messages?page=0"

    answer = stranger.get(path)

    assert answer.status_code == (400 if scope == CONSUMER else 403)


@pytest.mark.parametrize(
    "value",
    ["", "nonsense", '"', '"unfinished', "W/", ",,,", "*,*", "\x00", "é", "9" * 10_000, "=-,-="],
)
@pytest.mark.parametrize(
    "header", ["Range", "If-Range", "If-None-Match", "If-Match", "If-Modified-Since"]
)
def test_nonsense_in_a_conditional_header_is_no_fault(consumer, deliver, header, value):
    message = deliver(consumer.ebox, a_file())
    content = f"/ebox/messages/{message}/attachments/1/content"

    for path in (content, "/refData/messageTypes", "/refData/messageTypes/tax-assessment"):
        answer = consumer.get(
            path, environ_overrides={f"HTTP_{header.upper().replace('-', '_')}": value}
        )

        assert answer.status_code in (200, 304), (path, answer.text)


def test_every_parameter_of_the_document_is_in_the_matrix():
    asked = {parameter.values[1] for where in ("path", "query") for parameter in matrix(where)}

    known = {
        parameter["name"]
        for path, operation in OPERATIONS.items()
        if not is_open(path)
        for where in ("path", "query")
        for parameter in parameters(operation, where)
    }

    assert asked == known
    assert len(known) >= 20
