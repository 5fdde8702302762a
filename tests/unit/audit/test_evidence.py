"""Evidence of a letter: a package of which no byte can be another."""

import base64
import hashlib
import io
import json
import zipfile
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from registry.audit.__main__ import main
from registry.audit.evidence_page import make_page
from registry.audit.trail import keys
from registry.audit.trail import seal as seals
from registry.audit.trail.chain import SealCopy
from registry.audit.trail.entry import Record
from registry.audit.trail.evidence_package import EvidencePackage, make_package, write_package
from registry.audit.trail.evidence_report import inspect_evidence, name_letter
from registry.audit.trail.export_file import (
    ExportHeader,
    sign_lines,
    write_header,
    write_part_of_seal,
)
from registry.audit.trail.letter_story import LetterStep, tell_story
from registry.audit.trail.verify import FindingKind
from tests.factories import NOON
from tests.unit.audit.trails import KEY, KEYS, OTHER_KEY

LETTER = "0b6f3f8e-5d3c-4c8e-9f59-0a6c1c7f2a11"
DOCUMENT = b"%PDF-1.7 a letter"
DIGEST = base64.urlsafe_b64encode(hashlib.sha256(DOCUMENT).digest()).decode().rstrip("=")


def record(number, method, path, **details):
    members = {
        "API_CALL_DETAILS": {"messageId": LETTER, **details},
        "API_CALL_REQUEST_METHOD": method,
        "API_CALL_REQUEST_URL": path,
        "CLIENT_ID": "a <client>",
        "TIMESTAMP": f"2026-11-27T09:00:{number:02}.000000+01:00",
    }
    time = NOON + timedelta(seconds=number)
    return Record(number, json.dumps(members, separators=(",", ":")), "key:01", None, time)


PUBLICATION = record(
    2,
    "POST",
    "/v3/ebox/messages",
    attachments=[{"size": 17, "digest": {"digestValue": DIGEST, "digestMethod": "sha_256"}}],
)
RETRIEVAL = record(5, "GET", f"/v3/ebox/messages/{LETTER}/attachments/a/content")


def a_proof(private_key=KEY, letter=LETTER, records=(PUBLICATION, RETRIEVAL)):
    """The proof of these entries, which lie under one seal among entries of others."""
    others = [record(number, "GET", "/v3/ebox/messages") for number in (1, 3, 4, 6)]
    entries = sorted([*others, *records])
    made = {"sealed_at": NOON, "key_id": keys.compute_key_id(KEY.public_key())}
    text = seals.write_seal(seals.make_next_seal(None, entries, 10, **made))
    copy = SealCopy(1, text, seals.sign_seal(KEY, text))
    header = ExportHeader(
        begin=NOON,
        end=NOON,
        made_at=NOON,
        public_keys=(KEY.public_key(),),
        about=name_letter(letter),
    )
    lines = [write_header(header), *write_part_of_seal(copy, records)]
    return b"".join(sign_lines(lines, private_key))


def a_page(proof, letter=LETTER):
    return make_page(proof, letter, tell_story([PUBLICATION, RETRIEVAL], letter), KEYS, NOON)


def a_package(private_key=KEY, **choices):
    proof = a_proof(private_key, **choices)
    return write_package(make_package(proof, a_page(proof), private_key))


def repack(package, **files):
    """A package with other files, in the form in which they are made."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        old = {name: archive.read(name) for name in archive.namelist()}
    names = {"manifest": "manifest.json", "page": "evidence.html", "proof": "evidence.jsonl"}
    parts = [files.get(part, old[name]) for part, name in names.items()]
    return write_package(EvidencePackage(*parts))


def test_a_package_tells_its_story_and_holds():
    report = inspect_evidence(a_package(), KEYS)

    assert not report.findings
    assert report.message_id == LETTER
    assert report.signer == keys.compute_key_id(KEY.public_key())
    assert [line.step for line in report.story] == [LetterStep.SUBMISSION, LetterStep.RETRIEVAL]
    assert report.has_document(DOCUMENT)
    assert not report.has_document(DOCUMENT + b" ")


def test_equal_evidence_is_the_same_file():
    assert a_package() == a_package()


def test_each_changed_byte_is_noticed():
    package = a_package()

    # Each byte of what surrounds the files, and some of each file.
    places = sorted(
        {*range(200), *range(0, len(package), 997), *range(len(package) - 400, len(package))}
    )
    unnoticed = [
        place
        for place in places
        if not inspect_evidence(
            package[:place] + bytes([package[place] ^ 1]) + package[place + 1 :], KEYS
        ).findings
    ]

    assert not unnoticed


@pytest.mark.parametrize("length", [0, 1, 100, 10_000, -1])
def test_a_part_of_a_package_is_none(length):
    report = inspect_evidence(a_package()[:length], KEYS)

    assert [finding.kind for finding in report.findings] == [FindingKind.BROKEN_BUNDLE]


def test_what_is_appended_is_noticed():
    assert inspect_evidence(a_package() + b"\n", KEYS).findings


def test_a_page_of_somebody_else_is_noticed():
    package = repack(a_package(), page=b"<p>All is well.")

    assert "not those of its manifest" in str(inspect_evidence(package, KEYS).findings[0])


def test_a_manifest_that_another_key_signed_is_noticed():
    proof = a_proof()
    page = a_page(proof)
    package = write_package(make_package(proof, page, OTHER_KEY))

    assert [each.kind for each in inspect_evidence(package, KEYS).findings] == [
        FindingKind.UNKNOWN_KEY
    ]


def test_a_proof_of_somebody_who_is_not_trusted_is_noticed():
    trusted = keys.make_keyring([OTHER_KEY.public_key()])

    report = inspect_evidence(a_package(), trusted)

    assert FindingKind.UNKNOWN_KEY in {finding.kind for finding in report.findings}


def test_without_a_key_nobody_signs_it_and_that_is_told():
    report = inspect_evidence(a_package(private_key=None), KEYS)

    assert not report.findings
    assert report.signer is None


def test_an_entry_that_does_not_name_the_letter_is_noticed():
    other = "11111111-5d3c-4c8e-9f59-0a6c1c7f2a11"
    proof = a_proof(letter=other)
    package = write_package(make_package(proof, a_page(proof, other), KEY))

    report = inspect_evidence(package, KEYS)

    assert {finding.kind for finding in report.findings} == {FindingKind.FOREIGN}


def test_the_page_shows_no_entry_as_markup():
    assert b"a &lt;client&gt;" in a_page(a_proof())
    assert b"a <client>" not in a_page(a_proof())


def test_auditors_need_no_registry_to_check_it(tmp_path, capsys):
    package, pem = tmp_path / "letter.zip", tmp_path / "key.pem"
    package.write_bytes(a_package())
    pem.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    code = main(["verify", str(package), "--key", str(pem)])

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert lines[0] == f"Letter: {LETTER}"
    assert "A.1 SubmissionAcceptance" in lines[1]
    assert "E.1 ContentHandover" in lines[2]
    assert lines[-1] == "Result: all is as it was sealed and signed."

    package.write_bytes(a_package()[:-1])
    assert main(["verify", str(package), "--key", str(pem)]) == 1
