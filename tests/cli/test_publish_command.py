"""`registry publish`: what goes over the wire, and what the sender is told."""

import hashlib
import json
import os
import re
import tracemalloc
from base64 import urlsafe_b64encode
from types import SimpleNamespace
from urllib.parse import parse_qs
from uuid import UUID

import pytest

FIRST = "3f0b6c1e-5a4d-4f0e-9c53-1d2e7a8b9c10"
DONE = {"messageId": FIRST, "expirationDate": "2027-10-05T14:03:11+02:00"}
DUPLICATE = {"code": "DUPLICATE_PUBLICATION", "message": "used before", "messageId": FIRST}
PDF = b"%PDF-1.7 statement"
LETTER = [
    "--sender", "0412398765", "--recipient", "enterprise:0765432146",
    "--application", "fadDocuments", "--type", "vatStatement", "--subject", "nl=Uw uittreksel",
]  # fmt: skip


@pytest.fixture
def pdf(tmp_path):
    path = tmp_path / "statement.pdf"
    path.write_bytes(PDF)
    return path


@pytest.fixture
def message(tmp_path):
    """Writes a messageToPublish to a file."""

    def write(**members):
        path = tmp_path / "message.json"
        path.write_text(json.dumps({"subject": {"nl": "Hallo"}, **members}))
        return path

    return write


@pytest.fixture
def publish(run, script):
    """Runs `registry publish` towards the script, without long pauses."""

    def publish(*args, **more):
        base = ["--to", f"{script.url}/v3", "--pause", "0.01", "--token", "the-token"]
        return run("publish", *base, *args, **more)

    return publish


def parts(request):
    """The parts of a body, read strictly."""
    boundary = re.search("boundary=(.+)", request.headers["Content-Type"])[1].encode()
    assert request.body.startswith(b"--" + boundary + b"\r\n")
    assert request.body.endswith(b"\r\n--" + boundary + b"--\r\n")
    between = (b"\r\n" + request.body).split(b"\r\n--" + boundary)[1:-1]
    return [part(text.removeprefix(b"\r\n")) for text in between]


def part(text):
    head, _, content = text.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode("ascii").split("\r\n"))
    disposition = dict(re.findall(r'(\w+)="([^"]*)"', headers["Content-Disposition"]))
    return SimpleNamespace(
        name=disposition["name"],
        file_name=disposition.get("filename"),
        media_type=headers["Content-Type"],
        content=content,
    )


def sent(script):
    """The message of the last request."""
    return json.loads(parts(script.requests[-1])[-1].content)


def digest(content):
    value = urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return {"digestValue": value, "digestMethod": "sha_256"}


# What is sent


def test_a_message_is_made_of_options_and_follows_its_documents(script, publish, pdf, tmp_path):
    script.steps = [script.says(DONE)]
    annex = tmp_path / "annex.csv"
    annex.write_bytes(b"a,b\r\n")

    result = publish(
        *LETTER, "--subject", "fr=Votre extrait", "--file", f"statement={pdf}",
        "--file", f"annex={annex}", "--main", "statement",
    )  # fmt: skip

    request = script.requests[0]
    files = parts(request)
    assert result.exit_code == 0
    assert [(p.name, p.file_name, p.media_type, p.content) for p in files[:2]] == [
        ("statement", "statement.pdf", "application/pdf", PDF),
        ("annex", "annex.csv", "text/csv", b"a,b\r\n"),
    ]
    assert (files[2].name, files[2].media_type) == ("messageToPublish", "application/json")
    assert sent(script) == {
        "sender": {"eboxType": "enterprise", "enterpriseNumber": "0412398765"},
        "recipient": {"eboxType": "enterprise", "enterpriseNumber": "0765432146"},
        "subject": {"nl": "Uw uittreksel", "fr": "Votre extrait"},
        "messageTypeId": "vatStatement",
        "senderApplicationId": "fadDocuments",
        "attachments": [
            {"httpPartName": "statement", "isMainContent": True, "digest": digest(PDF)},
            {"httpPartName": "annex", "isMainContent": False, "digest": digest(b"a,b\r\n")},
        ],
    }
    assert request.path == "/v3/ebox/messages"
    assert request.headers["Authorization"] == "Bearer the-token"
    assert "On-Behalf-Of-Enterprise-Number" not in request.headers
    assert "Transfer-Encoding" not in request.headers
    assert UUID(request.headers["Idempotency-Key"].strip('"'))
    assert request.headers["Idempotency-Key"].startswith('"')


def test_a_citizen_is_written_to_by_his_number(script, publish, pdf):
    script.steps = [script.says(DONE)]
    letter = [*LETTER, "--recipient", "citizen:79.07.23-218.24"]

    publish(*letter, "--file", pdf)

    assert sent(script)["recipient"] == {"eboxType": "citizen", "ssin": "79072321824"}
    assert sent(script)["attachments"][0]["isMainContent"] is True


def test_a_message_of_ones_own_gets_digests_and_part_names(script, publish, message, pdf):
    script.steps = [script.says(DONE)]
    own = {"digestValue": "mine", "digestMethod": "sha_256"}
    path = message(
        attachments=[
            {"isMainContent": True, "isAttachmentSigned": True},
            {"httpPartName": "upfile2", "isMainContent": False, "digest": own},
        ]
    )

    result = publish("--message", path, "--file", pdf, "--file", f"upfile2={pdf}")

    assert result.exit_code == 0
    first, second = sent(script)["attachments"]
    assert first == {
        "httpPartName": "document1",
        "isMainContent": True,
        "isAttachmentSigned": True,
        "digest": digest(PDF),
    }
    assert second["digest"] == own
    assert [p.name for p in parts(script.requests[0])] == [
        "document1",
        "upfile2",
        "messageToPublish",
    ]


def test_a_file_without_part_takes_the_announced_one(script, publish, message, pdf):
    script.steps = [script.says(DONE)]
    path = message(attachments=[{"httpPartName": "upfile1", "isMainContent": True}])

    publish("--message", path, "--file", pdf)

    assert [p.name for p in parts(script.requests[0])] == ["upfile1", "messageToPublish"]


def test_a_message_may_be_its_body_alone(script, publish, message):
    script.steps = [script.says(DONE)]
    body = {"isBodyMainContent": True, "bodyContent": {"nl": "Beste"}}

    assert publish("--message", message(**body)).exit_code == 0
    assert sent(script) == {"subject": {"nl": "Hallo"}, **body}


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("plain name (1).pdf", "plain name (1).pdf"),
        ("Ελλάς.pdf", "%CE%95%CE%BB%CE%BB%CE%AC%CF%82.pdf"),
        ("été.pdf", "%C3%A9t%C3%A9.pdf"),
        ("100%25.pdf", "100%2525.pdf"),
        ('a"b\\c.pdf', "a%22b%5Cc.pdf"),
        ("a\r\nX: y.pdf", "a%0D%0AX%3A%20y.pdf"),
    ],
)
def test_file_names_arrive_whatever_they_are(script, publish, tmp_path, name, written):
    script.steps = [script.says(DONE)]
    path = tmp_path / name
    path.write_bytes(PDF)

    assert publish(*LETTER, "--file", f"main={path}").exit_code == 0
    assert parts(script.requests[0])[0].file_name == written


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("A.PDF", "application/pdf"),
        ("a.htm", "text/html"),
        ("a.xml", "text/xml"),
        ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.bin;text/plain", "text/plain"),
        ("a.pdf;application/x-odd", "application/x-odd"),
    ],
)
def test_media_types_are_guessed_or_given(script, publish, tmp_path, name, media_type):
    script.steps = [script.says(DONE)]
    (tmp_path / name.partition(";")[0]).write_bytes(PDF)

    assert publish(*LETTER, "--file", f"main={tmp_path / name}").exit_code == 0
    assert parts(script.requests[0])[0].media_type == media_type


def test_an_empty_document_is_sent_as_it_is(script, publish, tmp_path):
    script.steps = [script.says(DONE)]
    (tmp_path / "empty.txt").touch()

    assert publish(*LETTER, "--file", tmp_path / "empty.txt").exit_code == 0
    assert sent(script)["attachments"][0]["digest"] == digest(b"")


@pytest.mark.parametrize("end", ["", "/", "/ebox/messages", "/ebox/messages/"])
def test_the_address_may_be_that_of_the_operation(script, run, pdf, end):
    script.steps = [script.says(DONE)]

    run("publish", "--to", f"{script.url}/v3{end}", "--token", "t", *LETTER, "--file", pdf)

    assert script.requests[0].path == "/v3/ebox/messages"


def test_mandate_and_key_go_into_headers(script, publish, pdf):
    script.steps = [script.says(DONE)]

    publish(
        *LETTER, "--file", pdf, "--on-behalf-of", "0888.901.268", "--idempotency-key", "order-7"
    )

    headers = script.requests[0].headers
    assert headers["On-Behalf-Of-Enterprise-Number"] == "0888901268"
    assert headers["Idempotency-Key"] == '"order-7"'


def test_a_document_of_any_size_takes_no_memory(script, publish, tmp_path):
    path = tmp_path / "large.zip"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 64 * 1024 * 1024)
    script.steps = [script.digests(DONE)]
    tracemalloc.start()

    result = publish(*LETTER, "--file", f"large={path}")

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result.exit_code == 0
    assert int(script.requests[0].headers["Content-Length"]) > 64 * 1024 * 1024
    assert peak < 16 * 1024 * 1024


# What is tried again


def test_every_try_has_the_same_key_and_body(script, publish, pdf):
    script.steps = [script.breaks, script.says({}, 503), script.breaks_halfway, script.says(DONE)]

    result = publish(*LETTER, "--file", pdf, "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["tries"] == 4
    assert len(set(script.keys())) == 1
    assert script.requests[0].body == script.requests[3].body
    assert "with the same" not in result.stdout
    assert result.stderr.count("trying again") == 3


def test_a_duplicate_after_a_lost_answer_is_the_first_ones_success(script, publish, pdf):
    script.steps = [script.breaks, script.says(DUPLICATE, 409)]

    result = publish(*LETTER, "--file", pdf)

    assert result.exit_code == 0
    assert f"earlier try, whose answer was lost: message {FIRST}" in result.stdout


def test_a_duplicate_that_no_earlier_try_can_have_made_is_refused(script, publish, pdf):
    script.steps = [script.says({}, 429, Retry_After="0"), script.says(DUPLICATE, 409)]

    result = publish(*LETTER, "--file", pdf, "--idempotency-key", "order-7")

    assert result.exit_code == 1
    assert FIRST in result.stderr
    assert "leave --idempotency-key out" in result.stderr


def test_a_quota_is_waited_for(script, publish, pdf):
    script.steps = [script.says({}, 429, Retry_After="1"), script.says(DONE)]

    result = publish(*LETTER, "--file", pdf)

    assert result.exit_code == 0
    assert "status 429: trying again in 1.0 s (1 of 4)" in result.stderr


@pytest.mark.parametrize("after", ["3600", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_nobody_waits_for_hours(script, publish, pdf, after):
    script.steps = [script.says({}, 503, Retry_After=after)]

    result = publish(*LETTER, "--file", pdf)

    assert result.exit_code == 3
    assert len(script.requests) == 1
    assert "It asks to wait" in result.stderr


def test_giving_up_tells_how_to_go_on(script, publish, pdf):
    script.steps = [script.says(b"<html>", 502)]

    result = publish(*LETTER, "--file", pdf, "--retries", "2")

    assert result.exit_code == 3
    assert len(script.requests) == 3
    assert f"--idempotency-key {script.keys()[0].strip(chr(34))}" in result.stderr


def test_nobody_listening_is_given_up(run, pdf):
    result = run(
        "publish", "--to", "http://127.0.0.1:1/v3", "--token", "t", "--pause", "0.01",
        "--retries", "1", *LETTER, "--file", pdf, "--json",
    )  # fmt: skip

    assert result.exit_code == 3
    assert json.loads(result.stdout) | {"idempotencyKey": "", "advice": ""} == {
        "outcome": "gaveUp",
        "said": "no connection",
        "tries": 2,
        "idempotencyKey": "",
        "advice": "",
    }


def test_an_answer_that_never_comes_is_given_up(script, publish, pdf):
    script.steps = [lambda request: request.rfile.read()]

    result = publish(*LETTER, "--file", pdf, "--retries", "0", "--timeout", "0.3")

    assert result.exit_code == 3
    assert "no answer in time" in result.stderr


@pytest.mark.parametrize(
    ("status", "answer"), [(501, {}), (505, {}), (500, {"code": "NOT_IMPLEMENTED"})]
)
def test_what_is_final_is_not_tried_again(script, publish, pdf, status, answer):
    script.steps = [script.says(answer, status)]

    assert publish(*LETTER, "--file", pdf).exit_code == 1
    assert len(script.requests) == 1


def test_a_document_that_changes_meanwhile_is_not_sent(script, publish, tmp_path):
    path = tmp_path / "growing.txt"
    path.write_bytes(b"x" * 1000)

    def grows(request):
        with path.open("ab") as file:
            file.write(b"more")
        script.breaks(request)

    script.steps = [grows, script.says(DONE)]

    result = publish(*LETTER, "--file", path)

    assert result.exit_code == 2
    assert "changed while it was being sent" in result.stderr


# What the sender is told


def test_what_is_published_is_told(script, publish, pdf):
    script.steps = [script.says(DONE)]

    result = publish(*LETTER, "--file", pdf)

    assert result.stdout == f"Published: message {FIRST}, expires 2027-10-05T14:03:11+02:00.\n"
    assert result.stderr == ""


def test_a_recipient_who_is_not_digital_is_no_error(script, publish, pdf):
    script.steps = [script.says({**DONE, "code": "NO_DIGITAL_USER", "message": "never opened"})]

    result = publish(*LETTER, "--file", pdf)
    as_json = publish(*LETTER, "--file", pdf, "--json")

    assert result.exit_code == 0
    assert "the recipient has never opened the e-Box" in result.stdout
    assert json.loads(as_json.stdout) == {
        "outcome": "published",
        **DONE,
        "code": "NO_DIGITAL_USER",
        "status": 201,
        "idempotencyKey": script.keys()[1].strip('"'),
        "tries": 1,
        "isDuplicate": False,
    }


REFUSALS = [
    (401, None, "expired", "get a new one"),
    (403, "MISSING_SCOPE", "This operation needs another scope", "lacks the scope"),
    (403, "MISSING_PERMISSION", "No right", "a mandate"),
    (400, "INVALID_INPUT", "0412398765 is not a valid company", "Crossroads Bank"),
    (400, "INVALID_SENDER", "Invalid message configuration", "not authorised together"),
    (
        400,
        "INVALID_SENDER",
        "Invalid sender: user credentials does not match payload",
        "not that of your token",
    ),
    (400, "DIGEST_DO_NOT_MATCH", "Issue with Digest", "base64url"),
    (501, "NOT_IMPLEMENTED", "Multiple languages provided when only one expected", "one language"),
    (
        400,
        "INVALID_INPUT",
        "No main content attachment. Exactly one is expected",
        "must be the main content",
    ),
    (
        400,
        "INVALID_INPUT",
        "Too many main content. Exactly one is expected",
        "may be the main content",
    ),
    (
        400,
        "INVALID_INPUT",
        "Attachment mime type is not valid. See spec for list of available mime types",
        "one of the 15",
    ),
    (
        400,
        "INVALID_INPUT",
        "Json Attachments number is inconsistent with number of parts",
        "for every attachment",
    ),
    (
        400,
        "INVALID_INPUT",
        "Some json attachment info do not match any file upload part",
        "Each httpPartName",
    ),
    (400, "INVALID_INPUT", "Missing mediaType or fileName in part", "stands between"),
    (400, None, "Invalid Schema: required keys not found: [subject]", "that is required"),
    (400, "MALWARE_FOUND", "A document contains malware", "malware"),
    (404, None, "", "ends in /v3"),
    (409, "DUPLICATE_PUBLICATION", "used before", "leave --idempotency-key out"),
    (413, "PAYLOAD_TOO_LARGE", "A file must not exceed 1 GiB", "larger"),
    (415, None, "", "kind of request"),
    (418, None, "", "does not know this answer"),
]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_each_known_refusal_is_explained_in_a_sentence(script, publish, pdf, refusal):
    status, code, text, explained = refusal
    script.steps = [script.says({"code": code, "message": text}, status)]

    result = publish(*LETTER, "--file", pdf)

    assert result.exit_code == 1
    assert result.stdout == ""
    assert explained in result.stderr
    assert text in result.stderr
    assert len(script.requests) == 1


def test_the_issues_of_a_problem_are_told_without_their_values(script, publish, pdf):
    issue = {"name": "messageToPublish.subject", "detail": "is required", "value": "79072321824"}
    problem = {
        "type": "urn:problem-type:belgif:badRequest",
        "detail": "79072321824 is wrong \u202e\rgnorw",
        "issues": [issue],
    }
    script.steps = [script.says(problem, 400)]

    result = publish(*LETTER, "--file", pdf)

    assert "messageToPublish.subject: is required" in result.stderr
    assert "79072321824" not in result.stderr
    assert "is wrong   gnorw" in result.stderr


def test_a_refusal_in_the_middle_of_a_document_is_heard(script, publish, tmp_path):
    path = tmp_path / "large.zip"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 8 * 1024 * 1024)
    script.steps = [script.refuses_early({"code": "PAYLOAD_TOO_LARGE"}, 413)]

    result = publish(*LETTER, "--file", path)

    assert result.exit_code == 1
    assert "larger than this registry takes" in result.stderr


@pytest.mark.parametrize("answer", [b"<html>", b"", b"[]", {"messageId": 7}])
def test_a_success_that_names_no_message_is_none(script, publish, pdf, answer):
    script.steps = [script.says(answer, 201)]

    assert publish(*LETTER, "--file", pdf).exit_code == 1


def test_a_redirect_does_not_get_the_token(script, publish, pdf):
    script.steps = [script.says(b"", 307, Location=f"{script.url}/elsewhere")]

    result = publish(*LETTER, "--file", pdf)

    assert result.exit_code == 1
    assert "sent elsewhere" in result.stderr
    assert len(script.requests) == 1


# Whose token


def test_the_token_is_got_with_the_key_when_it_is_given(script, run, pem, pdf):
    granted = {"access_token": "fresh-token", "token_type": "Bearer", "expires_in": 3600}
    script.steps = [script.says(granted, 200), script.says(DONE)]

    result = run(
        "publish", "--to", f"{script.url}/v3/", "--token-url", f"{script.url}/token",
        "--client-id", "us", "--key", pem, "--scope", "s", *LETTER, "--file", pdf,
    )  # fmt: skip

    assert result.exit_code == 0
    assert parse_qs(script.requests[0].body.decode())["scope"] == ["s"]
    assert script.requests[1].headers["Authorization"] == "Bearer fresh-token"
    assert script.requests[1].path == "/v3/ebox/messages"


def test_a_refused_key_is_refused_and_a_silent_server_given_up(script, run, pem, pdf):
    args = [
        "publish", "--to", f"{script.url}/v3", "--token-url", script.url, "--client-id", "us",
        "--key", pem, "--retries", "1", "--pause", "0.01", *LETTER, "--file", pdf,
    ]  # fmt: skip

    script.steps = [script.says({"error": "invalid_client"}, 401)]
    refused = run(*args)
    script.steps = [script.says(b"", 503)]
    given_up = run(*args)

    assert (refused.exit_code, given_up.exit_code) == (1, 3)
    assert "the one registered" in refused.stderr
    assert "No access token" in given_up.stderr
    assert len(script.requests) == 3


def test_the_token_may_come_by_environment_or_standard_input(script, run, pdf):
    script.steps = [script.says(DONE)]
    base = ["publish", "--to", script.url, *LETTER, "--file", pdf]

    run(*base, env={"EBOX_TOKEN": "from-environment"})
    run(*base, "--token", "-", input="from-input\n")

    assert [request.headers["Authorization"] for request in script.requests] == [
        "Bearer from-environment",
        "Bearer from-input",
    ]


def test_neither_token_nor_file_name_is_told(script, publish, tmp_path):
    path = tmp_path / "medical-report.pdf"
    path.write_bytes(PDF)
    script.steps = [script.breaks, script.says({}, 503), script.says(b"<html>", 400)]

    result = publish(*LETTER, "--recipient", "citizen:79072321824", "--file", path)

    told = result.stdout + result.stderr
    assert result.exit_code == 1
    for secret in ("the-token", "medical-report", "79072321824"):
        assert secret not in told


# What cannot be sent


def unsendable(pdf, message, tmp_path):
    odd = tmp_path / "a.bin"
    odd.touch()
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    announced = message(attachments=[{"httpPartName": "upfile1", "isMainContent": True}])
    return {
        "add ;TYPE": [*LETTER, "--file", odd],
        "there is no file": [*LETTER, "--file", "main=nowhere.pdf"],
        "same part": [*LETTER, "--file", f"a={pdf}", "--file", f"a={pdf}"],
        "part of the message itself": [*LETTER, "--file", f"messageToPublish={pdf}"],
        "of several": [*LETTER, "--file", f"a={pdf}", "--file", f"b={pdf}"],
        "Give a --file": LETTER,
        "--main names no part": [*LETTER, "--file", f"a={pdf}", "--main", "b"],
        "add --file for it": ["--message", announced, "--file", f"other={pdf}"],
        "not a JSON object": ["--message", broken],
        "leave out the options": ["--message", announced, *LETTER],
        "also --recipient": ["--sender", "0412398765", "--file", pdf],
        "enterprise:NUMBER or citizen": [*LETTER, "--recipient", "0412398765", "--file", pdf],
        "ten digits": [*LETTER, "--sender", "7", "--file", pdf],
        "eleven digits": [*LETTER, "--recipient", "citizen:7", "--file", pdf],
        "nl=…": [*LETTER, "--subject", "Hallo", "--file", pdf],
        "--on-behalf-of": [*LETTER, "--file", pdf, "--on-behalf-of", "7"],
        "plain ASCII": [*LETTER, "--file", pdf, "--idempotency-key", 'a"b'],
        "http or https": [*LETTER, "--file", pdf, "--to", "example.org"],
        "Give --token": [*LETTER, "--file", pdf, "--token", "not a token"],
        "together": [*LETTER, "--file", pdf, "--client-id", "us"],
    }


def test_what_cannot_be_sent_is_said_before_anything_is(script, publish, pdf, message, tmp_path):
    script.steps = [script.says(DONE)]

    for fault, args in unsendable(pdf, message, tmp_path).items():
        result = publish(*args)
        assert result.exit_code == 2, fault
        assert fault in " ".join(result.stderr.split()), fault
    assert script.requests == []


def test_help_tells_a_newcomer_what_to_type(run):
    result = run("publish", "--help")

    assert "--recipient enterprise:0765432146" in result.stdout
    assert "Exit codes: 0 published" in result.stdout
