"""Services of the federation that answer, and not as they should: what is told of each answer."""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from registry.diagnosis.clocks import ClockReadings
from registry.diagnosis.federal_plan import plan_federation
from registry.domain.diagnoses import Cause
from registry.settings import Settings
from tests.certificates import write_key


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "key.pem"
    path.write_bytes(write_key(rsa.generate_private_key(public_exponent=65537, key_size=2048)))
    return path


@pytest.fixture
def look(federation, key):
    """Look at all services, or at one by its name; gives variables and cause of each diagnosis."""
    for path in ("/", "/partitions", "/preferences/eboxPreferences/search", "/events"):
        federation.on[path] = federation.says([])
    federation.on["/preferences"] = federation.says({"title": "Not Found"}, 404)
    settings = Settings(
        environment="test",
        public_url="http://localhost",
        database_url="postgresql://application@localhost/registry",
        s3_bucket="documents",
        oauth_token_url=f"{federation.url}/token",
        oauth_introspect_url=f"{federation.url}/introspect",
        oauth_client_id="our-client",
        oauth_key_path=key,
        partition_url=federation.url,
        partition_list_path="/partitions",
        federation_url=f"{federation.url}/preferences",
        events_url=f"{federation.url}/events",
    )

    def ask(name=None, **changes):
        plan = plan_federation(settings.model_copy(update=changes), ClockReadings())
        diagnoses = [each for look in plan if name in (None, look.name) for each in look.look()]
        return [(each.settings, each.cause) for each in diagnoses]

    return ask


ADDRESSES = {
    "introspection": ("/introspect", "REGISTRY_OAUTH_INTROSPECT_URL"),
    "Partition API": ("/partitions", "REGISTRY_PARTITION_URL"),
    "preferences": ("/preferences/eboxPreferences/search", "REGISTRY_FEDERATION_URL"),
    "event service": ("/events", "REGISTRY_EVENTS_URL"),
}
SCOPES = {
    "introspection": ("REGISTRY_OAUTH_INTROSPECT_SCOPE",),
    "Partition API": (),
    "preferences": ("REGISTRY_FEDERATION_SCOPE",),
    "event service": ("REGISTRY_EVENTS_SCOPE",),
}


def test_of_services_that_answer_as_they_should_nothing_is_told(look, federation):
    assert look() == []
    assert federation.calls["/token"] == 3  # one for each scope, whoever wants it


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize("status", [401, 403])
def test_a_right_that_is_denied_is_told_with_its_scope(look, federation, name, status):
    path, variable = ADDRESSES[name]
    federation.on[path] = federation.says({"title": "no"}, status)

    assert look(name) == [((variable, *SCOPES[name]), Cause.RIGHT_DENIED)]


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize(
    ("status", "media_type", "cause"),
    [
        (500, "application/json", Cause.SERVICE_ILL),
        (429, "application/json", Cause.SERVICE_ILL),
        (404, "text/html", Cause.ANOTHER_SERVICE),
        (405, "text/html", Cause.ANOTHER_SERVICE),
        (200, "text/html; charset=utf-8", Cause.ANOTHER_SERVICE),
    ],
)
def test_an_answer_of_another_kind_is_told(look, federation, name, status, media_type, cause):
    path, variable = ADDRESSES[name]
    federation.on[path] = federation.says(b"<html></html>", status, **{"Content-Type": media_type})

    assert look(name) == [((variable,), cause)]


def test_an_ebox_that_the_partition_api_does_not_know_is_no_fault(look, federation):
    federation.on["/partitions"] = federation.says({"title": "Not Found"}, 404)

    assert look("Partition API") == []


@pytest.mark.parametrize("status", [400, 409, 422])
def test_an_event_service_that_refuses_no_event_at_all_has_let_us_in(look, federation, status):
    federation.on["/events"] = federation.says({"title": "no events"}, status)

    assert look("event service") == []


@pytest.mark.parametrize("answer", [{"aktive": True}, [], b"yes"])
def test_what_is_no_introspection_is_told(look, federation, answer):
    federation.on["/introspect"] = federation.says(answer)

    assert look("introspection") == [(("REGISTRY_OAUTH_INTROSPECT_URL",), Cause.ANOTHER_SERVICE)]


def test_claims_that_are_not_as_we_read_them_are_told(look, federation):
    federation.on["/introspect"] = federation.says({"active": True, "client_id": 7})

    ((variables, cause),) = look("introspection")

    assert cause is Cause.NOT_FIT
    assert "REGISTRY_ENTERPRISE_CLAIM" in variables


@pytest.mark.parametrize(
    ("body", "status", "cause"),
    [
        ({"error": "invalid_client"}, 401, Cause.CREDENTIALS_REFUSED),
        ({"error": "invalid_grant"}, 400, Cause.CREDENTIALS_REFUSED),
        ({"error": "unauthorized_client"}, 400, Cause.RIGHT_DENIED),
        ({"error": "server_error"}, 500, Cause.SERVICE_ILL),
        ({"token": "no"}, 200, Cause.ANOTHER_SERVICE),
        (b"", 404, Cause.ANOTHER_SERVICE),
    ],
)
def test_why_there_is_no_token_is_told_by_the_authorization_server_alone(
    look, federation, body, status, cause
):
    federation.on["/token"] = federation.says(body, status)
    federation.on["/introspect"] = federation.says({"error": "invalid_token"}, 401)

    causes = {found for _, found in look()}

    assert causes == {cause}


def test_without_a_token_it_is_still_told_who_is_not_there(look, federation):
    federation.on["/token"] = federation.says({"error": "invalid_client"}, 401)

    told = look("Partition API", partition_url="http://nobody.invalid")

    assert told == [(("REGISTRY_PARTITION_URL",), Cause.NAME_NOT_RESOLVED)]


def test_with_a_key_that_cannot_be_used_services_are_reached_all_the_same(
    look, federation, tmp_path
):
    key = tmp_path / "key.pem"
    key.write_text("no key")
    federation.on["/introspect"] = federation.says({"error": "invalid_token"}, 401)

    told = look(oauth_key_path=key, events_url="http://nobody.invalid/events")

    assert told == [(("REGISTRY_EVENTS_URL",), Cause.NAME_NOT_RESOLVED)]
    assert federation.calls["/token"] == 1  # nothing is asked there, it is only reached


def test_without_bearer_the_event_service_knows_us_by_certificate(look, federation):
    federation.on["/events"] = federation.says(b"", 403)

    assert look("event service", events_bearer=False) == [
        (("REGISTRY_EVENTS_URL", "REGISTRY_FEDERATION_CERTIFICATE"), Cause.RIGHT_DENIED)
    ]
    assert "Authorization" not in federation.requests[-1].headers
