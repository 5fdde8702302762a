"""Publications as old and odd programs write them, in both versions."""

import json

import pytest

from registry.domain.identifiers import EboxKind
from tests.api import publication
from tests.api.publication import BOUNDARY, MESSAGES, PART, Document, body, part
from tests.api.v2 import visiting
from tests.api.v2.visiting import PUBLISH, in_version_2
from tests.factories import an_ebox

FILE = Document(part="upfile1")


def message_3(sender, to, **changes):
    return publication.a_publication(sender.ebox, to, FILE, **changes)


def message_2(sender, to, **changes):
    return visiting.a_publication(to, FILE, **changes)


@pytest.fixture(params=["v3", "v2"])
def post(request, sender):
    """Post a message to an e-Box: `post(to, charset=…, as_type=…, rewrite=…, member=…)`."""

    def send(to, *, charset="utf-8", as_type="application/json", rewrite=bytes, **changes):
        described = message_3 if request.param == "v3" else message_2
        text = json.dumps(described(sender, to, **changes), ensure_ascii=False)
        content = rewrite(body(part(PART, text.encode(charset), media_type=as_type), FILE))
        if request.param == "v3":
            return sender.post(content)
        return in_version_2(sender).post(content, PUBLISH)

    return send


@pytest.mark.parametrize("kind", EboxKind)
def test_a_message_in_latin_1_is_read_as_that(post, reader, kind):
    recipient = reader(an_ebox(kind))

    answer = post(
        recipient.ebox,
        charset="latin-1",
        as_type="text/plain; charset=ISO-8859-1",
        subject={"fr": "D\u00e9cision"},
    )

    assert answer.status_code == 201, answer.text
    message = recipient.get(f"{MESSAGES}/{answer.json['messageId']}").json
    assert message["subject"]["fr"] == "D\u00e9cision"


def test_a_message_in_another_charset_than_it_says_is_refused_by_name(post, nothing_stored):
    with nothing_stored():
        answer = post(an_ebox(), charset="latin-1", subject={"fr": "\u00e9"})

    assert answer.status_code == 400
    assert f"{PART} is not in its charset, utf-8" in answer.text


def test_padded_boundaries_and_folded_headers_are_read(post):
    def rewrite(content):
        padded = content.replace(BOUNDARY.encode() + b"\r\n", BOUNDARY.encode() + b" \t\r\n")
        return padded.replace(b"form-data; ", b"form-data;\r\n ")

    answer = post(an_ebox(), rewrite=rewrite)

    assert answer.status_code == 201, answer.text
