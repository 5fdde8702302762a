import time
import uuid
from datetime import timedelta

import pytest
import time_machine
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from registry.sandbox.federation.clients import ClientRegister, add_client
from registry.sandbox.personas import CONSUMER, PERSONAS, PORTAL, REFERENCE, private_key
from registry.sandbox.tokens import TokenRefused, sign_in


@pytest.fixture
def assertion(federation, enrolled):
    """Signs an assertion of enterprise-consumer, or one that differs as told; times from now."""

    def sign(key=None, algorithm="RS256", **claims):
        now = int(time.time())
        client = PERSONAS["enterprise-consumer"].client_id
        usual = {
            "iss": client,
            "sub": client,
            "aud": federation.token_url,
            "jti": str(uuid.uuid4()),
            "iat": 0,
            "exp": 60,
        }
        claims = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        claims |= {name: now + claims[name] for name in ("iat", "exp") if name in claims}
        key = key or private_key(enrolled.key("enterprise-consumer"), "RS256")
        return jwt.encode({"alg": algorithm}, claims, key, algorithms=[algorithm])

    return sign


@pytest.fixture
def present(federation, http):
    """Asks for a token with this assertion."""

    def post(assertion, **form):
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": JWTBearerClientAssertion.CLIENT_ASSERTION_TYPE,
            "client_assertion": assertion,
            **form,
        }
        return http.post(federation.token_url, data=form)

    return post


def test_a_signed_assertion_gives_an_opaque_token(assertion, present):
    answer = present(assertion())

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    token = answer.json()
    assert token["token_type"] == "Bearer"
    assert token["expires_in"] == 3600
    assert token["scope"] == CONSUMER
    assert "." not in token["access_token"]


@pytest.mark.parametrize("algorithm", ["RS256", "ES384"])
def test_each_client_signs_as_it_registered(algorithm, token):
    persona = next(p.name for p in PERSONAS.values() if p.algorithm == algorithm)

    assert token(persona)


def test_an_assertion_is_used_once(assertion, present):
    signed = assertion()
    present(signed)

    answer = present(signed)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


def test_an_id_is_used_once_until_its_assertion_expires(assertion, present):
    present(assertion(jti="again", exp=300))

    with time_machine.travel(timedelta(seconds=200)):
        refused = present(assertion(jti="again"))
    with time_machine.travel(timedelta(seconds=301)):
        accepted = present(assertion(jti="again"))

    assert (refused.status_code, accepted.status_code) == (400, 200)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 86_000},
        {"iat": -500, "exp": 300},
        {"exp": -5},
        {"exp": None},
        {"aud": "https://oauth.socialsecurity.be"},
        {"aud": None},
        {"jti": None},
        {"sub": None},
        {"sub": "sandbox-nobody", "iss": "sandbox-nobody"},
        {"iss": "sandbox-sender"},
        {"iss": None},
    ],
    ids=str,
)
def test_an_assertion_that_says_something_else_is_refused(claims, assertion, present):
    answer = present(assertion(**claims))

    assert answer.status_code in (400, 401)
    assert answer.json()["error"] == "invalid_client"


def test_ten_minutes_are_not_too_long(assertion, present):
    assert present(assertion(iat=None, exp=600)).status_code == 200


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSAKey.generate_key(2048), "RS256"), (ECKey.generate_key("P-384"), "ES384")],
    ids=["another key", "another algorithm"],
)
def test_only_the_registered_key_signs(key, algorithm, assertion, present):
    answer = present(assertion(key, algorithm))

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


def test_no_assertion_no_token(federation, http):
    answer = http.post(federation.token_url, data={"grant_type": "client_credentials"})

    assert answer.json()["error"] == "invalid_client"


def test_a_token_holds_what_was_asked_for(token, introspect):
    narrow = token("portal-user", scopes=[REFERENCE])

    assert introspect(narrow).json()["scope"] == REFERENCE


def test_without_asking_a_token_holds_all_that_was_granted(token, introspect):
    scope = introspect(token("portal-user")).json()["scope"]

    assert scope.split() == list(PERSONAS["portal-user"].scopes)


def test_a_scope_that_was_not_granted_is_refused(assertion, present):
    answer = present(assertion(), scope=f"{CONSUMER} {PORTAL}")

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_a_refusal_is_told_to_who_signs_in(federation):
    with pytest.raises(TokenRefused, match="invalid_client"):
        sign_in(federation.token_url, "sandbox-nobody", RSAKey.generate_key(2048), "RS256")


def test_an_enterprise_number_loses_its_leading_zero(token, introspect):
    answer = introspect(token("enterprise-consumer")).json()

    now = time.time()
    assert answer.pop("iat") == answer.pop("nbf") <= now < answer.pop("exp") <= now + 3600
    assert uuid.UUID(answer.pop("jti"))
    assert answer.pop("iss").endswith("/REST/oauth/v5")
    assert answer == {
        "active": True,
        "client_id": "sandbox-enterprise-consumer",
        "token_type": "Bearer",
        "sub": "sandbox-enterprise-consumer",
        "aud": "ebox-message-registry",
        "principalAttributes": {"urn:be:fgov:kbo-bce:organization:cbe-number": ["999910048"]},
        "scope": CONSUMER,
    }


def test_a_person_is_the_subject_of_his_token(token, introspect):
    answer = introspect(token("citizen")).json()

    assert answer["sub"] == "01092399676"
    assert answer["principalAttributes"] == {"urn:be:fgov:person:ssin": ["01092399676"]}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Basic YTpi"}, 401),
        ({"Authorization": "Bearer invented"}, 401),
    ],
)
def test_introspection_wants_a_bearer(headers, status, token, introspect):
    assert introspect(token("citizen"), headers).status_code == status


def test_introspection_wants_its_scope(token, introspect, bearer):
    assert introspect(token("citizen"), bearer("sender")).status_code == 403


def test_an_unknown_token_is_not_active(introspect):
    assert introspect("invented").json() == {"active": False}


def test_a_revoked_token_is_not_active(federation, http, token, introspect, assertion):
    own = token("enterprise-consumer")

    answer = http.post(
        federation.token_url.replace("token", "revoke"),
        data={
            "token": own,
            "client_assertion_type": JWTBearerClientAssertion.CLIENT_ASSERTION_TYPE,
            "client_assertion": assertion(),
        },
    )

    assert answer.status_code == 200
    assert introspect(own).json() == {"active": False}


def test_nobody_revokes_the_token_of_another(federation, http, token, introspect, assertion):
    others = token("sender")

    answer = http.post(
        federation.token_url.replace("token", "revoke"),
        data={
            "token": others,
            "client_assertion_type": JWTBearerClientAssertion.CLIENT_ASSERTION_TYPE,
            "client_assertion": assertion(),
        },
    )

    assert answer.json()["error"] == "invalid_grant"
    assert introspect(others).json()["active"] is True


@pytest.fixture
def registration():
    """What the stand-in has to know of a client, and the key it signs with."""
    key = RSAKey.generate_key(2048, {"alg": "RS256", "use": "sig"})
    public = dict(key.as_dict(private=False))
    return key, {"key": public, "subject": "of a test", "scopes": [CONSUMER]}


def test_a_client_is_added_while_the_stand_in_runs(enrolled, federation, registration, introspect):
    key, members = registration
    add_client(enrolled.federation, "added-later", members)

    token = sign_in(federation.token_url, "added-later", key, "RS256")

    assert introspect(token).json()["sub"] == "of a test"


def test_a_file_of_a_client_precedes_clients_json(enrolled, federation, registration, introspect):
    key, members = registration
    client_id = PERSONAS["no-scope"].client_id
    add_client(enrolled.federation, client_id, members)

    token = sign_in(federation.token_url, client_id, key, "RS256")
    (enrolled.federation / "clients" / f"{client_id}.json").unlink()

    assert introspect(token).json()["scope"] == CONSUMER


@pytest.mark.parametrize("client_id", ["../partitions", "", ".hidden", "a/b", "a\0b", "x" * 300])
def test_a_client_id_never_leads_out_of_the_folder(client_id, enrolled):
    register = ClientRegister(enrolled.federation)

    assert register.find_client(client_id) is None
    with pytest.raises(ValueError, match="file"):
        add_client(enrolled.federation, client_id, {})
