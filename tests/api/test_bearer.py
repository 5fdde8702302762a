"""Bearer tokens: who is let in, who is not, and what they are told."""

import time
from datetime import UTC, datetime, timedelta

import pytest
import requests
import time_machine
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion, private_key_jwt_sign

from registry.sandbox.federation.addresses import OAUTH
from registry.sandbox.personas import (
    CITIZEN_PORTAL,
    CITIZEN_REFERENCE,
    CONSUMER,
    PERSONAS,
    PORTAL,
    REFERENCE,
    SENDER,
    private_key,
)
from registry.sandbox.tokens import fetch
from tests.api.contract import is_open, served
from tests.conftest import V3
from tests.factories import a_person, an_ebox, an_enterprise
from tests.log_lines import written_lines

BASE = V3[an_ebox().kind]
LIST = f"{BASE}/ebox/messages"
REALM = 'Bearer realm="e-Box MessageRegistry"'
INVALID = f'{REALM}, error="invalid_token", error_description="The access token is invalid"'
EXPIRED = f'{REALM}, error="invalid_token", error_description="The access token expired"'


def problem(answer):
    """Status, name of the problem's type, and challenge."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    name = answer.json["type"].removeprefix("urn:problem-type:belgif:")
    return answer.status_code, name, answer.headers.get("WWW-Authenticate")


NONE = [
    None,
    "",
    " ",
    "Bearer",
    "Bearer ",
    "Bearer    ",
    "Basic dXNlcjpwYXNz",
    "Digest username=x",
    "bearer",
    "Token abc",
    "abc",
    "BearerX abc",
    "Bearer\tabc",
    "Negotiate abc, Bearer abc",
]
GARBAGE = [
    "Bearer nonsense",
    "Bearer a b",
    "Bearer a,b",
    "Bearer a, Bearer b",
    'Bearer "abc"',
    "Bearer =",
    "Bearer a=b",
    "Bearer é",
    "Bearer a\x7fb",
    "Bearer a;b",
    "Bearer <script>",
    "Bearer ${jndi:ldap://x}",
    "Bearer %00",
    "Bearer null",
    "Bearer ../../etc/passwd",
    f"Bearer {'a' * 8192}",
    f"Bearer {'a' * 8193}",
    f"Bearer {'a' * 65_536}",
    f"Bearer a{'=' * 65_536}",
    "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
    "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
]


@pytest.mark.parametrize("header", NONE)
def test_without_a_bearer_token_the_challenge_names_no_error(app, header):
    headers = {} if header is None else {"Authorization": header}

    answer = app.test_client().get(LIST, headers=headers)

    assert problem(answer) == (401, "noAccessToken", REALM)


@pytest.mark.parametrize("header", GARBAGE, ids=lambda header: header[:40])
def test_a_token_that_is_none_is_invalid(app, header):
    answer = app.test_client().get(LIST, headers={"Authorization": header})

    assert problem(answer) == (401, "invalidAccessToken", INVALID)


def test_two_tokens_are_none(app, consumer):
    headers = [("Authorization", f"Bearer {consumer.token}")] * 2

    answer = app.test_client().get(LIST, headers=headers)

    assert problem(answer) == (401, "invalidAccessToken", INVALID)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_written_in_any_case(app, consumer, scheme):
    headers = {"Authorization": f"{scheme} {consumer.token}"}

    assert app.test_client().get(LIST, headers=headers).status_code == 200


@pytest.mark.parametrize("way", ["query", "form", "cookie"])
def test_a_token_anywhere_but_in_the_header_is_not_looked_at(app, consumer, way):
    client = app.test_client()
    client.set_cookie("access_token", consumer.token if way == "cookie" else "x")
    sent = {
        "query": {"query_string": {"access_token": consumer.token}},
        "form": {"data": {"access_token": consumer.token}},
        "cookie": {},
    }[way]

    answer = client.get(LIST, **sent)

    assert problem(answer) == (401, "noAccessToken", REALM)
    assert consumer.token not in answer.text


@pytest.mark.parametrize(
    ("method", "path"), [(method, path) for method, path, _ in served() if not is_open(path)]
)
def test_every_operation_but_the_open_ones_wants_a_token(app, method, path):
    for base in V3.values():
        answer = app.test_client().open(base + path, method=method)

        assert problem(answer) == (401, "noAccessToken", REALM)


def test_a_token_that_expires_while_it_is_remembered_has_expired(app, visitor):
    reader = visitor(CONSUMER, lifetime=20)
    assert reader.get("/ebox/messages").status_code == 200

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=25)):
        answer = reader.get("/ebox/messages")

    assert problem(answer) == (401, "expiredAccessToken", EXPIRED)


def test_a_token_that_was_expired_all_along_is_invalid(visitor):
    reader = visitor(CONSUMER, lifetime=-60)

    assert problem(reader.get("/ebox/messages")) == (401, "invalidAccessToken", INVALID)


def test_a_token_is_not_used_before_its_time(consumer):
    with time_machine.travel(datetime.now(UTC) - timedelta(seconds=15)):
        answer = consumer.get("/ebox/messages")

    assert problem(answer) == (401, "invalidAccessToken", INVALID)


@pytest.fixture
def revoked(federation):
    """A token that its holder gave back."""
    sender, keys = PERSONAS["sender"], federation.directory / "keys"
    token = fetch(federation.token_url, sender, keys)
    assertion = private_key_jwt_sign(
        private_key(keys / "sender.pem", sender.algorithm),
        sender.client_id,
        federation.token_url,
        alg=sender.algorithm,
        claims={"exp": int(time.time()) + 60},
    )
    form = {
        "token": token,
        "client_assertion_type": JWTBearerClientAssertion.CLIENT_ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    answer = requests.post(f"{federation.base_url}{OAUTH}/revoke", data=form, timeout=5)
    assert answer.status_code == 200
    return token


def test_a_revoked_token_is_invalid(app, revoked):
    answer = app.test_client().get(
        f"{BASE}/refData/messageTypes", headers={"Authorization": f"Bearer {revoked}"}
    )

    assert problem(answer) == (401, "invalidAccessToken", INVALID)


@pytest.mark.parametrize(
    ("expected", "status"),
    [
        ({"token_audience": "https://our.example"}, 200),
        ({"token_audience": "https://another.example"}, 401),
        ({"token_issuer": "https://another.example"}, 401),
    ],
)
def test_a_token_for_somebody_else_or_by_somebody_else_is_invalid(
    app_with, elsewhere, visitor, expected, status
):
    reader = visitor(CONSUMER, audience="https://our.example")

    answer = elsewhere(reader, app_with(**expected)).get("/ebox/messages")

    assert answer.status_code == status
    assert status == 200 or problem(answer) == (401, "invalidAccessToken", INVALID)


@pytest.mark.parametrize(
    ("path", "scopes", "required"),
    [
        ("/ebox/messages", (), [CONSUMER, PORTAL]),
        ("/ebox/messages", (SENDER, REFERENCE), [CONSUMER, PORTAL]),
        ("/ebox/statistics", (REFERENCE,), [CONSUMER, PORTAL]),
        ("/refData/messageTypes", (PORTAL,), [CONSUMER, REFERENCE]),
        ("/refData/messageTypes", (), [CONSUMER, REFERENCE]),
        ("/ebox/messages", (CONSUMER + "s", CONSUMER[:-1], "documentconsumer"), [CONSUMER, PORTAL]),
    ],
)
def test_a_missing_scope_is_named_in_body_and_challenge_alike(visitor, path, scopes, required):
    answer = visitor(*scopes).get(path)

    status, name, challenge = problem(answer)
    assert (status, name) == (403, "missingScope")
    assert sorted(answer.json["requiredScopes"]) == sorted(required)
    assert challenge == (
        f'{REALM}, error="insufficient_scope",'
        ' error_description="Missing scope to perform request",'
        f' scope="{" ".join(answer.json["requiredScopes"])}"'
    )


@pytest.mark.parametrize("path", ["/ebox/messages", "/ebox/statistics"])
def test_a_token_that_names_no_owner_of_an_ebox_has_no_permission(app, party, path):
    token = party(CONSUMER, CITIZEN_PORTAL, CITIZEN_REFERENCE)
    headers = {"Authorization": f"Bearer {token}"}
    client = app.test_client()

    for base in V3.values():
        answer = client.get(base + path, headers=headers)

        assert problem(answer) == (403, "missingPermission", None)
        assert client.get(f"{base}/refData/messageTypes", headers=headers).status_code == 200


def test_an_enterprise_has_no_citizens_ebox_nor_a_citizen_an_enterprises(app, party):
    client = app.test_client()
    enterprise = party(CONSUMER, CITIZEN_PORTAL, enterprise=an_enterprise())
    citizen = party(PORTAL, CITIZEN_PORTAL, person=a_person())
    bases = {kind.value: base for kind, base in V3.items()}

    for token, base in ((enterprise, bases["citizen"]), (citizen, bases["enterprise"])):
        headers = {"Authorization": f"Bearer {token}"}

        answer = client.get(f"{base}/ebox/messages", headers=headers)

        assert problem(answer) == (403, "missingPermission", None)


SICK = {
    "error": (503, "serviceUnavailable"),
    "reset": (503, "serviceUnavailable"),
    "slow": (503, "serviceUnavailable"),
    "dribble": (503, "serviceUnavailable"),
    "html": (502, "badGateway"),
    "garbage": (502, "badGateway"),
    "lie": (502, "badGateway"),
}


@pytest.mark.parametrize("service", ["introspect", "token"])
@pytest.mark.parametrize("fault", SICK)
def test_a_sick_authorization_server_is_never_a_pass_and_never_the_clients_fault(
    app_with, elsewhere, consumer, faults, service, fault
):
    there = elsewhere(consumer, app_with(oauth_timeout=0.3))
    faults(**{service: fault})

    answer = there.get("/ebox/messages")

    assert problem(answer) == (*SICK[fault], None)
    assert answer.headers["Retry-After"] == "5"
    assert consumer.token not in answer.text


def test_an_authorization_server_that_is_gone_is_unavailable(app_with, elsewhere, consumer):
    nowhere = "http://127.0.0.1:9/introspect"
    there = elsewhere(consumer, app_with(oauth_introspect_url=nowhere, oauth_timeout=0.5))

    assert problem(there.get("/ebox/messages")) == (503, "serviceUnavailable", None)


def test_a_registry_whose_own_token_is_refused_does_not_blame_the_client(
    app_with, elsewhere, consumer
):
    there = elsewhere(consumer, app_with(oauth_introspect_scope=REFERENCE))

    status, name, challenge = problem(there.get("/ebox/messages"))

    assert (status, name, challenge) == (502, "badGateway", None)


def test_a_caller_who_is_known_is_served_while_the_authorization_server_is_down(
    app_with, elsewhere, consumer, faults
):
    there = elsewhere(consumer, app_with())
    assert there.get("/ebox/messages").status_code == 200
    faults(introspect="error", token="error")

    assert there.get("/ebox/messages").status_code == 200


def test_no_token_is_ever_logged_or_repeated(app_with, elsewhere, consumer, faults):
    with written_lines() as lines:
        app = app_with(log_level="DEBUG", oauth_timeout=0.3)
        there = elsewhere(consumer, app)
        strange = "strange-token-0123456789"
        answers = [
            there.get("/ebox/messages"),
            there.get("/ebox/messages?page=0"),
            there.get("/ebox/messages/nonsense"),
            there.get(f"/ebox/messages?access_token={there.token}"),
            there.get(f"/refData/messageTypes/{there.token}"),
            app.test_client().get(f"{LIST}?access_token={there.token}"),
            app.test_client().get(LIST, headers={"Authorization": f"Basic {there.token}"}),
            app.test_client().get(LIST, headers={"Authorization": f"Bearer {strange}"}),
        ]
        for fault in ("error", "lie", "reset", "garbage"):
            faults(introspect=fault)
            headers = {"Authorization": f"Bearer {strange}-{fault}"}
            answers.append(app.test_client().get(LIST, headers=headers))

    written = "".join(lines)
    assert written.count('"event":"request"') == len(answers)
    assert "introspection" in written
    assert there.token not in written
    assert strange not in written
    told = "".join(f"{answer.headers}" for answer in answers)
    told += "".join(answer.text for answer in answers[5:])
    assert there.token not in told
    assert strange not in told
