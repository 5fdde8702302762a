"""GET …/doc/: the page for people; `tests/browser` looks at it in a browser."""

import hashlib
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from registry.api import doc_page
from registry.domain.identifiers import EboxKind
from tests.conformance.bases import V2
from tests.conftest import V3

BASES = [*V3.values(), *V2.values()]
BASE = V3[EboxKind.ENTERPRISE]
FOLDER = Path(doc_page.__file__).parent / "swagger_ui"


def visit(app):
    """A client whose answers are held against no contract: the page is in none."""
    return FlaskClient(app, app.response_class)


def list_files(page):
    """List the URLs of all that a page loads at once, but for what is in it."""
    urls = re.findall(r'<(?:script|link)[^>]* (?:src|href)="([^"]+)"', page)
    return [url for url in urls if not url.startswith("data:")]


@pytest.fixture
def page(app):
    return visit(app).get(f"{BASE}/doc/")


@pytest.mark.parametrize("base", BASES)
def test_each_interface_has_a_page_that_shows_its_own_document(app, base):
    answer = visit(app).get(f"{base}/doc/")

    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    assert f'data-document="{base}/doc/openapi.json" data-base="{base}"' in answer.text


@pytest.mark.parametrize("base", BASES)
def test_all_that_a_page_loads_is_there(app, base):
    client = visit(app)
    files = list_files(client.get(f"{base}/doc/").text)

    assert len(files) == 4
    for url in files:
        assert url.startswith(f"{base}/doc/")
        answer = client.get(url)
        kind = "css" if url.endswith(".css") else "javascript"
        assert (answer.status_code, answer.content_type) == (200, f"text/{kind}; charset=utf-8")


def test_the_pages_know_one_another(page):
    pages = re.findall(r'<a href="([^"]+)/doc/"', page.text)

    assert sorted(pages) == sorted(BASES)
    assert f'<a href="{BASE}/doc/" aria-current="page">Enterprises v3</a>' in page.text


def test_a_page_loads_nothing_from_elsewhere_and_is_in_no_frame(page):
    policy = page.headers["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    assert rules == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_a_page_has_no_script_and_no_style_of_its_own(page):
    assert re.findall(r"<script[^>]*>([^<]+)</script>", page.text) == []
    assert re.findall(r"<style|style=| on[a-z]+=", page.text) == []


def test_whoever_has_the_page_asks_if_it_is_still_the_same(app, page):
    tag = page.headers["ETag"]
    again = visit(app).get(f"{BASE}/doc/", headers={"If-None-Match": tag})

    assert page.headers["Cache-Control"] == "no-cache"
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Content-Security-Policy"]


def test_files_are_kept_since_a_changed_one_has_another_url(app, page):
    url = list_files(page.text)[0]
    answer = visit(app).get(url)

    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_a_file_of_another_version_of_the_page_is_not_there(app, page):
    url = list_files(page.text)[0]
    older = re.sub(r"/[0-9a-f]{16}/", "/0123456789abcdef/", url)

    assert older != url
    assert app.test_client().get(older).status_code == 404
    assert app.test_client().get(url.rpartition("/")[0] + "/LICENSE").status_code == 404


def test_the_slash_at_the_end_may_be_missing(app, page):
    assert visit(app).get(f"{BASE}/doc").data == page.data


def test_a_client_that_takes_no_page_is_told(app):
    answer = visit(app).get(f"{BASE}/doc/", headers={"Accept": "application/json"})

    assert answer.status_code == 406


@pytest.mark.parametrize(
    ("changes", "is_there"),
    [
        ({"environment": "production"}, False),
        ({"environment": "acceptation"}, True),
        ({"environment": "test", "doc_page": False}, False),
        ({"environment": "production", "doc_page": True}, True),
    ],
)
def test_in_production_the_page_is_there_if_the_setting_says_so(app_with, changes, is_there):
    client = visit(app_with(**changes))

    assert (client.get(f"{BASE}/doc/").status_code == 200) is is_there


@pytest.mark.parametrize("base", BASES)
def test_where_there_is_no_page_it_is_as_any_path_that_is_not_there(app_with, page, base):
    client = app_with(doc_page=False).test_client()
    paths = ["/doc/", "/doc", list_files(page.text)[0].removeprefix(BASE)]

    for path in paths:
        answer, unknown = client.get(base + path), client.get(f"{base}/nothing")
        assert answer.status_code == unknown.status_code == 404
        assert strip_ids(answer) == strip_ids(unknown)
    assert client.get(f"{base}/doc/openapi.json").status_code == 200


def strip_ids(answer):
    """An answer without what is another each time."""
    trace = answer.headers["BelGov-Trace-Id"]
    headers = [pair for pair in answer.headers if pair[0] != "BelGov-Trace-Id"]
    return headers, answer.text.replace(trace, "")


def test_swagger_ui_is_as_it_was_published_with_its_licence():
    sums = (FOLDER / "SHA256SUMS").read_text().splitlines()

    names = {line.split()[1] for line in sums}
    assert names | {"README.md", "SHA256SUMS"} == {path.name for path in FOLDER.iterdir()}
    for line in sums:
        digest, name = line.split()
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name
