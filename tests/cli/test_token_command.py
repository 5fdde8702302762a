"""`registry token`: a bearer token for a private key."""

from urllib.parse import parse_qs

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

GRANTED = {"access_token": "new-token", "token_type": "Bearer", "expires_in": 3600}


def asked(script):
    form = parse_qs(script.requests[-1].body.decode())
    return {name: values[0] for name, values in form.items()}


def test_a_token_is_got_by_signing(script, run, pem, private_key):
    script.steps = [script.says(GRANTED, 200)]

    result = run("token", "--token-url", f"{script.url}/token", "--client-id", "us", "--key", pem)

    form = asked(script)
    proof = jwt.decode(
        form["client_assertion"], RSAKey.import_key(private_key), algorithms=["RS256"]
    )
    assert (result.exit_code, result.stdout, result.stderr) == (0, "new-token\n", "")
    assert form["grant_type"] == "client_credentials"
    assert "scope" not in form
    assert proof.claims["iss"] == proof.claims["sub"] == "us"
    assert proof.claims["aud"] == f"{script.url}/token"


def test_scopes_audience_and_a_locked_key_are_options(script, run, p12, private_key):
    script.steps = [script.says(GRANTED, 200)]
    key, password = p12

    result = run(
        "token", "--token-url", script.url, "--client-id", "us", "--key", key,
        "--key-password-file", password, "--scope", "a", "--scope", "b", "--audience", "there",
    )  # fmt: skip

    form = asked(script)
    proof = jwt.decode(
        form["client_assertion"], RSAKey.import_key(private_key), algorithms=["RS256"]
    )
    assert result.exit_code == 0
    assert form["scope"] == "a b"
    assert proof.claims["aud"] == "there"


REFUSALS = {
    "invalid_client": "the one registered",
    "invalid_scope": "was not granted",
    "unauthorized_client": "may not ask",
    "something": "status 400",
}


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_is_explained_without_repeating_it(script, run, pem, code):
    script.steps = [script.says({"error": code, "error_description": "echoed-secret"}, 400)]

    result = run("token", "--token-url", script.url, "--client-id", "us", "--key", pem)

    assert (result.exit_code, result.stdout) == (1, "")
    assert REFUSALS[code] in result.stderr
    assert "echoed-secret" not in result.stderr


def test_a_server_that_is_down_is_another_matter(script, run, pem):
    script.steps = [script.says(b"", 503)]

    result = run("token", "--token-url", script.url, "--client-id", "us", "--key", pem)

    assert (result.exit_code, result.stdout) == (3, "")
    assert "status 503" in result.stderr


@pytest.mark.parametrize("missing", ["--token-url", "--client-id", "--key"])
def test_all_three_are_needed(run, pem, missing):
    given = {"--token-url": "http://127.0.0.1:1", "--client-id": "us", "--key": str(pem)}
    del given[missing]

    result = run("token", *[word for pair in given.items() for word in pair])

    assert result.exit_code == 2
    assert "--token-url, --client-id and --key" in result.stderr


def test_a_key_that_cannot_be_used_is_a_wrong_option(run, tmp_path, p12):
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("garbage")
    url = ("--token-url", "http://127.0.0.1:1", "--client-id", "us")

    assert "not a private key" in run("token", *url, "--key", garbage).stderr
    assert "wrong password" in run("token", *url, "--key", p12[0]).stderr
    assert run("token", *url, "--key", garbage).exit_code == 2
    assert run("token", *url, "--key", tmp_path / "nowhere.pem").exit_code == 2
    assert (
        run("token", "--token-url", "ftp://x", "--client-id", "us", "--key", garbage).exit_code == 2
    )


def test_help_tells_a_newcomer_what_to_type(run):
    told = " ".join(run("token", "--help").stdout.split())

    assert "--client-id my:client:id --key my.p12" in told
    assert "Exit code 1: the server refuses" in told
