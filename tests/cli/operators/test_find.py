"""`registry find`: by digest, by the hash of a subject, by a file."""

import base64
import hashlib
import json
from uuid import uuid4

import pytest

from registry.domain.identifiers import EboxKind
from tests.factories import a_file, an_ebox


@pytest.fixture
def find(run, environment):
    """Type `registry find …`."""
    return lambda *command, answer=None: run(
        "find", *map(str, command), env=environment, answer=answer
    )


@pytest.fixture
def content():
    """Bytes that nobody else in this run has."""
    return b"%PDF-1.4 " + uuid4().hex.encode()


def found(done):
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def test_a_document_is_found_by_its_digest_and_by_a_copy(find, deliver, content, tmp_path):
    eboxes = [an_ebox(), an_ebox(EboxKind.CITIZEN)]
    ids = [str(deliver(ebox, a_file(content), content=content)) for ebox in eboxes]
    deliver(an_ebox(), a_file())
    sha256 = hashlib.sha256(content)
    copy = tmp_path / "copy.pdf"
    copy.write_bytes(content)

    ways = [
        ("--digest", sha256.hexdigest()),
        ("--digest", base64.urlsafe_b64encode(sha256.digest()).decode()),
        ("--digest", base64.urlsafe_b64encode(sha256.digest()).decode().rstrip("=")),
        ("--file", copy),
    ]
    answers = [found(find(*way, "--json")) for way in ways]

    assert all(answer == answers[0] for answer in answers)
    assert {row["messageId"] for row in answers[0]} == set(ids)
    assert {row["eboxType"] for row in answers[0]} == {"enterprise", "citizen"}
    assert all(row["attachmentIds"] == ["1"] and row["state"] == "present" for row in answers[0])
    printed = find(*ways[0])
    for ebox in eboxes:
        assert ebox.number not in printed.said + json.dumps(answers[0])
    assert all(each in printed.out for each in ids)


def test_a_copy_may_be_piped(find, deliver, content):
    message_id = str(deliver(an_ebox(), a_file(content), content=content))

    answer = found(find("--file", "-", "--json", answer=content))

    assert [row["messageId"] for row in answer] == [message_id]


@pytest.mark.parametrize("language", ["nl", "fr"])
def test_a_subject_is_found_by_the_hash_of_one_of_its_languages(find, deliver, language):
    subject = {each: f"Één onderwerp {uuid4()}" for each in ("nl", "fr")}
    message_id = str(deliver(an_ebox(), subject=subject))
    subject_hash = hashlib.sha256(subject[language].encode()).hexdigest()

    done = find("--subject-hash", subject_hash, "--json")

    assert [row["messageId"] for row in found(done)] == [message_id]
    assert subject[language] not in done.said


def test_what_nobody_has_is_not_found(find):
    done = find("--digest", uuid4().hex * 2)

    assert (done.code, done.out, done.err) == (1, "", "Error: No message has it.\n")


def test_so_many_are_shown_and_no_more(find, deliver, content):
    for _ in range(3):
        deliver(an_ebox(), a_file(content), content=content)

    done = find("--digest", hashlib.sha256(content).hexdigest(), "--limit", 2, "--json")

    assert (done.code, len(json.loads(done.out))) == (0, 2)
    assert "the oldest 2" in done.err


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--digest", "ab"),
        ("--digest", "z" * 64),
        ("--subject-hash", "Aanslagbiljet"),
        ("--digest", "ab" * 32, "--subject-hash", "ab" * 32),
        ("--file", "/nowhere/at/all"),
    ],
)
def test_what_is_typed_wrongly_is_refused(find, words):
    done = find(*words)

    assert done.code == 2
    assert "Aanslagbiljet" not in done.said
