"""The registry over HTTP with the sandbox's personas and letters, and whatever stands before it."""

import threading
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine
from werkzeug.serving import WSGIRequestHandler, make_server

from registry.api.state import get_state
from registry.app import create_app
from registry.conformance.callers.access import GivenToken, SignedAccess, load_key
from registry.conformance.callers.callers import Callers, Party
from registry.conformance.catalogue import choose_requirements
from registry.conformance.requirement import Profile, Role
from registry.conformance.run.ruling import Judgement
from registry.conformance.run.session import RunWish, conduct_run
from registry.conformance.target import make_target
from registry.domain.identifiers import EboxKind
from registry.sandbox.federation.clients import add_client
from registry.sandbox.personas import AGENCY, BAKERY, CITIZEN, PERSONAS, SENDER
from registry.sandbox.seeds.__main__ import _plant
from registry.sandbox.seeds.scenarios import seeds
from registry.sandbox.servers.processes import LOOPBACK
from registry.wiring.storage import make_document_store
from tests.databases import migrated_database

ORIGIN = "https://portal.example"
ROLES = {
    "enterprise": {
        Role.CONSUMER: "enterprise-consumer",
        Role.PERSON: "portal-user",
        Role.OTHER: "other-enterprise",
        Role.SENDER: "sender",
        Role.NO_SCOPE: "no-scope",
        Role.FEDERATION: "portal",
    },
    "citizen": {
        Role.PERSON: "citizen",
        Role.OTHER: "other-enterprise",
        Role.SENDER: "sender",
        Role.NO_SCOPE: "no-scope",
    },
}
FACTS = {
    Role.CONSUMER: {"number": BAKERY.digits},
    Role.SENDER: {
        "number": AGENCY.digits,
        "application": "sandbox-sender",
        "message_type": "information-letter",
    },
}


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def version_string(self):
        return "registry"

    def log(self, *_):
        """Say nothing."""


@dataclass
class Front:
    """What listens: the application, with a fault before it or none."""

    app: object = None
    fault: object = None
    server: object = field(init=False)

    def __post_init__(self):
        self.server = make_server(LOOPBACK, 0, self, threaded=True, request_handler=_Handler)

    @property
    def origin(self):
        return f"http://{LOOPBACK}:{self.server.port}"

    def __call__(self, environ, start_response):
        app = self.fault(self.app) if self.fault else self.app
        return app(environ, start_response)


@pytest.fixture(scope="module")
def planted(cluster, settings):
    """A database with the letters of the sandbox; gives the settings of a registry on it."""
    with migrated_database(cluster, "yardstick") as urls:
        names = {
            "database_url": urls.application,
            "database_owner_url": urls.owner,
            "database_worker_url": urls.worker,
        }
        ours = settings.model_copy(
            update={name: SecretStr(url) for name, url in names.items()}
            | {"cors_origins": (ORIGIN,)}
        )
        owner, blobs = create_engine(urls.owner), make_document_store(settings)
        for seed in seeds():
            _plant(owner, blobs, seed)
        owner.dispose()
        yield ours


@pytest.fixture(scope="module")
def stand(planted):
    """Serve a registry: `stand(**settings)` gives its front."""
    fronts = []

    def serve(**changes):
        front = Front()
        ours = planted.model_copy(update={"public_url": front.origin, **changes})
        front.app = create_app(ours)
        threading.Thread(target=front.server.serve_forever, args=(0.02,), daemon=True).start()
        fronts.append(front)
        return front

    yield serve
    for front in fronts:
        front.server.shutdown()
        front.server.server_close()
        get_state(front.app).registry.dispose()


@pytest.fixture(scope="module")
def front(stand):
    """The registry as it is."""
    return stand()


@pytest.fixture(scope="session")
def expired(federation):
    """A token that holds for a second, and did."""
    persona = PERSONAS["enterprise-consumer"]
    key = (federation.directory / "keys" / f"{persona.name}.pem").read_bytes()
    registration = {
        "key": dict(load_key(key, "RS256").as_dict(private=False)),
        "subject": "short",
        "scopes": list(persona.scopes),
        "enterprise": BAKERY.digits,
        "lifetime": -1,
    }
    add_client(federation.directory, "short-lived", registration)
    access = SignedAccess(token_url=federation.token_url, client_id="short-lived", key=key)
    return access.fetch_token()[0]


@pytest.fixture(scope="session")
def callers(federation, expired):
    """The callers of a family."""

    def make(family):
        parties = {
            role: _make_party(federation, role, persona) for role, persona in ROLES[family].items()
        }
        if family == EboxKind.CITIZEN:
            person = parties[Role.PERSON]
            parties[Role.PERSON] = Party(
                role=Role.PERSON, access=person.access, number=CITIZEN.digits
            )
        parties[Role.EXPIRED] = Party(role=Role.EXPIRED, access=GivenToken(expired))
        return Callers(parties)

    return make


def _make_party(federation, role, name):
    persona = PERSONAS[name]
    access = SignedAccess(
        token_url=federation.token_url,
        client_id=persona.client_id,
        key=(federation.directory / "keys" / f"{name}.pem").read_bytes(),
        algorithm=persona.algorithm,
        scope=SENDER if role is Role.SENDER else "",
        revoke_url=federation.token_url.removesuffix("token") + "revoke",
    )
    more = {"locked_partition": "partitionNoAccess"} if role is Role.PERSON else {}
    return Party(role=role, access=access, **FACTS.get(role, {}), **more)


@pytest.fixture(scope="session")
def examine(callers):
    """Run a profile against a front; gives the report."""

    def run(
        front, family="enterprise", version="v3", profile="production", *, only=(), watch=_ignore
    ):
        base = f"{front.origin}/REST/ebox/{family}/messageRegistry/{version}"
        target = make_target(base)
        wish = RunWish(
            target=target,
            profile=Profile(profile),
            callers=callers(family),
            patience=30,
            time=500,
            origin=ORIGIN,
            may_read=True,
        )
        requirements = choose_requirements(wish.profile, target, only)
        return conduct_run(wish, requirements, watch)

    return run


def _ignore(_):
    """Let rulings pass."""


def failures(report):
    """The ids of what is not met, with what was seen."""
    return {
        ruling.requirement.id: ruling.text
        for ruling in report.rulings
        if ruling.judgement is Judgement.FAIL
    }


def untested(report):
    return {
        ruling.requirement.id: ruling.text
        for ruling in report.rulings
        if ruling.judgement is Judgement.NOT_TESTABLE
    }
