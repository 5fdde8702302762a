"""The portal's own server: whom it gives tokens, what it lets its page do, what it ships."""

import hashlib
import json
import re
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from werkzeug.test import Client

import registry.sandbox.portal
from registry.sandbox.commands.sandbox import sandbox
from registry.sandbox.portal.policy import read_origin
from registry.sandbox.portal.process import Portal
from registry.sandbox.portal.server import create_app

PAGE = Path(registry.sandbox.portal.__file__).parent / "page"
SCRIPTS = [path for path in PAGE.rglob("*.js") if "vendor" not in path.parts]
HOST = "localhost:8081"
OWN = {"Host": HOST, "Sec-Fetch-Site": "same-origin"}


class Reader(Client):
    """A client that reads each answer to its end, so that no file is left open."""

    def open(self, *arguments, **options):
        return super().open(*arguments, buffered=True, **options)


@pytest.fixture
def client(layout):
    document = layout.read_document()
    document["baseUrls"] = {
        "enterprise": {"v3": "http://localhost:8080/REST/ebox/enterprise/messageRegistry/v3"},
        "citizen": {"v3": "http://localhost:8080/REST/ebox/citizen/messageRegistry/v3"},
    }
    layout.write(document, ready=True)
    return Reader(create_app(layout, HOST))


def connect_sources(answer):
    policy = dict(
        rule.strip().split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split(";")
    )
    return policy["connect-src"].split()


def test_the_page_may_call_its_own_server_and_the_sandboxs_registry(client):
    answer = client.get("/", headers=OWN)

    assert answer.status_code == 200
    assert connect_sources(answer) == ["'self'", "http://localhost:8080"]
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert not re.search(r"unsafe|\*|data:", policy)


@pytest.mark.parametrize(
    "path", ["/", "/main.js", "/look.css", "/words/nl.json", "/personas/", "/x"]
)
def test_every_answer_is_guarded(client, path):
    answer = client.get(path, headers=OWN)

    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_page_for_another_registry_may_call_that_one_alone(client):
    answer = client.get("/?registry=https://ebox.provider.example/REST/v3", headers=OWN)

    assert connect_sources(answer) == ["'self'", "https://ebox.provider.example"]


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Provider.example:8443/REST/v3", "https://provider.example:8443"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("https://a.example; script-src *", None),
        ("https://a.example https://b.example", None),
        ("https://a.example\r\nX: y", None),
        ("https://*", None),
        ("https://someone@a.example/", None),
        ("ftp://a.example/", None),
        ("", None),
    ],
)
def test_only_an_origin_gets_into_the_policy(url, origin):
    assert read_origin(url) == origin


@pytest.mark.parametrize("name", ["portal-user", "representative", "no-scope"])
def test_the_page_gets_a_token_of_each_persona(client, name):
    answer = client.post(f"/personas/{name}/token", headers=OWN)

    assert len(answer.json["token"]) == 48


@pytest.mark.parametrize("name", ["registry", "portal", "mallory"])
def test_nobody_else_is_played(client, name):
    for answer in (
        client.post(f"/personas/{name}/token", headers=OWN),
        client.get(f"/personas/{name}/folders", headers=OWN),
    ):
        assert answer.status_code == 404


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_other_sites_get_no_token(client, site):
    answer = client.post("/personas/portal-user/token", headers={**OWN, "Sec-Fetch-Site": site})

    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["rebound.example:8081", "127.0.0.1:8081", "localhost:9"])
def test_under_another_name_there_is_no_portal(client, host):
    for method, path in (("GET", "/"), ("POST", "/personas/portal-user/token")):
        answer = client.open(path, method=method, headers={**OWN, "Host": host})

        assert answer.status_code == 421
        assert answer.text == f"The portal is at http://{HOST}/\n"


def test_folders_are_those_that_the_partition_api_has(client):
    def folders(name):
        return client.get(f"/personas/{name}/folders", headers=OWN).json["folders"]

    assert folders("portal-user") == ["GENERAL", "partitionB", "partitionToDelete"]
    assert "partitionNoAccess" in folders("enterprise-consumer")
    assert folders("representative") == ["GENERAL"]
    assert folders("citizen") == []


def test_personas_are_told_with_their_e_boxes(client):
    personas = {
        each["name"]: each for each in client.get("/personas/", headers=OWN).json["personas"]
    }

    assert personas["representative"]["mandator"] == personas["sender"]["number"]
    assert personas["citizen"]["baseUrl"].endswith("/citizen/messageRegistry/v3")
    assert [name for name, each in personas.items() if each["sends"]] == [
        "sender",
        "representative",
    ]


@pytest.mark.parametrize("path", ["/../server.py", "/%2e%2e/server.py", "/words/../../server.py"])
def test_nothing_beside_the_page_is_served(client, path):
    assert client.get(path, headers=OWN).status_code == 404


def test_the_process_serves_its_page_at_the_address_that_it_tells(layout, tmp_path):
    with Portal(layout, log=tmp_path / "portal.log") as portal, requests.Session() as session:
        session.trust_env = False
        answer = session.get(portal.url, timeout=10)

    assert answer.status_code == 200
    assert "main.js" in answer.text


def test_the_command_tells_where_the_portal_is(layout, monkeypatch):
    document = layout.read_document()
    layout.write({**document, "portalUrl": "http://localhost:8081/"}, ready=True)
    monkeypatch.setenv("BROWSER", "true")

    answer = CliRunner().invoke(sandbox, ["portal", "--dir", str(layout.directory)])

    assert answer.exit_code == 0
    assert answer.output.startswith("http://localhost:8081/\n")


# The files


def test_the_four_languages_have_the_same_texts_with_the_same_members():
    texts = {path.stem: json.loads(path.read_text("utf-8")) for path in PAGE.glob("words/*.json")}

    assert set(texts) == {"nl", "fr", "de", "en"}
    for name, english in texts["en"].items():
        members = set(re.findall(r"{\w+}", english))
        for language, each in texts.items():
            assert set(re.findall(r"{\w+}", each[name])) == members, (language, name)
            assert each[name].strip(), (language, name)
    assert len({tuple(each) for each in texts.values()}) == 1


def test_every_text_that_is_said_is_there_and_every_one_that_is_there_is_said():
    texts = json.loads((PAGE / "words" / "en.json").read_text("utf-8"))
    scripts = "\n".join(path.read_text("utf-8") for path in SCRIPTS)

    names = set(re.findall(r'say\("([a-zA-Z.-]+)"', scripts))
    words = set(re.findall(r"[a-zA-Z.-]+", " ".join(re.findall(r'"[a-zA-Z.-]+"', scripts))))

    assert names <= set(texts)
    # Some are named by a table, or by a name with something behind it.
    composed = {name for name in texts if re.match(r"(persona|inspector)\.", name)}
    assert set(texts) - composed <= names | words


def test_what_is_of_others_is_as_their_packages_have_it():
    lines = (PAGE / "vendor" / "README.md").read_text("utf-8").splitlines()
    table = [line.strip("| ").split(" | ") for line in lines if line.startswith("| `")]

    digests = {name.strip("`"): digest.strip("`") for name, _, _, digest in table}

    assert digests == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (PAGE / "vendor").glob("*.js")
    }
    for name in ("preact", "htm"):
        assert (PAGE / "vendor" / f"{name}.LICENSE").stat().st_size > 500


def test_the_page_names_no_other_host():
    """What it is made of comes along: it loads nothing from elsewhere, at home or offline."""
    for path in [*SCRIPTS, PAGE / "index.html", *PAGE.glob("*.css")]:
        hosts = re.findall(r"https?://[a-z0-9.-]+\.[a-z]{2,}", path.read_text("utf-8"))
        assert set(hosts) <= {"https://ebox.provider.example"}, path
