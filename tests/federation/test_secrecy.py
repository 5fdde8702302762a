"""Tokens, SSINs and claims are in no log line, error or representation."""

import logging
import traceback

import pytest

from registry.domain.errors import RegistryError
from registry.domain.identifiers import Ebox, EboxKind, EnterpriseNumber, Ssin

TOKEN = "callers-secret-token"
SSIN = "85073003328"
US = EnterpriseNumber("0206731645")
RIGHTS = f"/ebox/{US}/users/{SSIN}/partitions"
CONSENTS = "/citizenEboxConsents/search"
ANNA = Ebox(EboxKind.CITIZEN, SSIN)
SECRETS = (TOKEN, SSIN, "own-token", "echoed-claim", "client_assertion", "eyJ")


@pytest.fixture
def everything(caplog):
    """All that was logged, whatever the logger and its level."""
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)

    def written():
        shown = [caplog.handler.format(record) for record in caplog.records]
        return "\n".join(shown + [repr(vars(record)) for record in caplog.records])

    return written


def shown(error):
    """The error and all that hangs on it, even what a traceback would suppress."""
    texts, chain = [], [error]
    while chain:
        one = chain.pop()
        texts += [str(one), repr(one), repr(vars(one)), *traceback.format_exception(one)]
        chain += [other for other in (one.__cause__, one.__context__) if other is not None]
    return "\n".join(texts)


SAID = f"{TOKEN} {SSIN} own-token-1 echoed-claim"
CLAIMS = {"active": SAID, "client_id": SAID, "items": SAID, "access_token": SAID}
BROKEN = f"HTTP/1.1 200 OK\r\n{SAID}\r\n broken {SAID}\r\n\r\n{SAID}".encode()


def raw(content):
    def write(request):
        request.wfile.write(content)
        request.close_connection = True

    return lambda federation: write


# What throws our secrets back at us, and what makes libraries talk.
ECHOES = {
    "error": lambda f: f.says({"error": SAID, "error_description": SAID}, 400),
    "unauthorized": lambda f: f.says({"error": SAID}, 401),
    "html": lambda f: f.says(SAID.encode()),
    "claims": lambda f: f.says(CLAIMS),
    "types": lambda f: f.says({"active": True, "client_id": "c", "exp": SAID}),
    "redirect": lambda f: f.says(b"", 302, Location=f"/{TOKEN}/{SSIN}/echoed-claim"),
    "ill": lambda f: f.says(SAID.encode(), 503, **{"X-Echo": SAID}),
    "length": lambda f: f.says(SAID.encode(), 200, **{"content-length": SAID}),
    "status": raw(f"{SAID}\r\n\r\n".encode()),
    "headers": raw(BROKEN),
    "silence": lambda f: f.is_silent,
    "reset": lambda f: f.resets,
    "half": lambda f: f.stops_halfway,
    "good": lambda f: f.says({"active": False, "items": []}),
}


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("path", ["/introspect", RIGHTS, "/token"])
def test_no_secret_is_told(federation, introspection, partitions, everything, path, echo):
    federation.on[RIGHTS] = federation.says({"items": []})
    federation.on[path] = ECHOES[echo](federation)
    asking, service = introspection(timeout=0.3), partitions(timeout=0.3)
    federation.knows(TOKEN, sub=SSIN)
    told = []

    for ask in (lambda: asking.caller(TOKEN), lambda: service.rights(US, Ssin(SSIN))):
        try:
            ask()
        except RegistryError as error:
            told.append(shown(error))
    told += [everything(), repr(asking), repr(service), repr(asking.own), str(asking.cache)]

    for secret in SECRETS:
        assert secret not in "\n".join(told)


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("path", [CONSENTS, "/token"])
def test_no_secret_is_told_of_a_recipient(federation, preferences, everything, path, echo):
    federation.on[CONSENTS] = federation.says([])
    federation.on[path] = ECHOES[echo](federation)
    recipients = preferences(timeout=0.3, consents=True)

    recipients.is_digital(ANNA)

    for secret in SECRETS:
        assert secret not in everything() + repr(recipients)


def test_the_log_does_say_what_was_wrong_with_an_answer(federation, introspection, everything):
    federation.on["/introspect"] = federation.says(b"<html>")
    with pytest.raises(RegistryError):
        introspection().caller(TOKEN)

    federation.on["/token"] = federation.says({"error": "invalid_client"}, 401)
    with pytest.raises(RegistryError):
        introspection().caller(TOKEN)

    assert "introspection: not a JSON object" in everything()
    assert "token endpoint: status 401, invalid_client" in everything()


def test_identity_shows_no_key(own):
    assert "RSAKey" not in repr(own()._identity)
