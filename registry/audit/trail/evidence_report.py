"""The contents of a package of evidence, checked with nothing but a public key."""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from registry.audit.trail.evidence_package import EvidencePackage, check_manifest, read_package
from registry.audit.trail.export_file import EntryLine, read_line
from registry.audit.trail.inspect_export import Inspection
from registry.audit.trail.keys import BadSignature, Keys, UnknownKey
from registry.audit.trail.letter_story import (
    LetterStep,
    StoryLine,
    find_step,
    read_members,
    tell_story,
)
from registry.audit.trail.untrusted_json import DamagedText
from registry.audit.trail.verify import Finding, FindingKind

_ABOUT: Final = "message "  # and the id, in the header of the proof


@dataclass(kw_only=True)
class EvidenceReport:
    """The letter, its story and what is wrong with the proof; no findings where nothing is.

    `digests` are the SHA-256 of the letter's documents in base64url, as its publication has them.
    `signer` is the key that signed the package as a whole; each seal is signed in any case.
    """

    message_id: str | None = None
    signer: str | None = None
    keys: Keys = field(default_factory=dict)
    story: Sequence[StoryLine] = ()
    digests: Sequence[str] = ()
    findings: list[Finding] = field(default_factory=list)

    def has_document(self, document: bytes) -> bool:
        """Say whether this is a document of the letter, to the byte."""
        digest = base64.urlsafe_b64encode(hashlib.sha256(document).digest()).decode().rstrip("=")
        return digest in {value.rstrip("=") for value in self.digests}


def name_letter(message_id: str) -> str:
    """Name the letter as the header of a proof does."""
    return f"{_ABOUT}{message_id}"


def inspect_evidence(file: bytes, keyring: Keys | None = None) -> EvidenceReport:
    """Check the file of a package.

    None as keys takes those that it brings, which shows that it agrees with itself and not who made
    it. What is wrong is in the findings; nothing is raised for it.
    """
    report = EvidenceReport()
    try:
        package = read_package(file)
    except DamagedText as error:
        report.findings.append(_make_finding(FindingKind.BROKEN_BUNDLE, str(error)))
        return report
    inspection = Inspection(keyring)
    lines = package.proof.splitlines(keepends=True)
    findings = [each for each in inspection.check_lines(lines) if not each.is_known]
    report.findings += findings
    report.keys = inspection.keys
    _check_signer(report, package)
    about = (inspection.header and inspection.header.about) or ""
    if not about.startswith(_ABOUT):
        detail = "The proof does not say which letter it is about."
        report.findings.append(_make_finding(FindingKind.BROKEN_BUNDLE, detail))
        return report
    report.message_id = about.removeprefix(_ABOUT)
    _tell_of_letter(report, report.message_id, list(_read_entries(lines)))
    return report


def _check_signer(report: EvidenceReport, package: EvidencePackage) -> None:
    try:
        report.signer = check_manifest(package, report.keys)
    except UnknownKey as error:
        report.findings.append(_make_finding(FindingKind.UNKNOWN_KEY, str(error)))
    except BadSignature as error:
        report.findings.append(_make_finding(FindingKind.BAD_SIGNATURE, str(error)))
    except DamagedText as error:
        report.findings.append(_make_finding(FindingKind.BROKEN_BUNDLE, str(error)))


def _tell_of_letter(report: EvidenceReport, message_id: str, entries: Sequence[EntryLine]) -> None:
    for entry in entries:
        if message_id not in entry.record.text.lower():
            detail = "It does not name the letter."
            finding = Finding(FindingKind.FOREIGN, None, (entry.record.number,), detail)
            report.findings.append(finding)
    report.story = tell_story((entry.record for entry in entries), message_id)
    report.digests = [digest for entry in entries for digest in _read_digests(entry, message_id)]


def _read_entries(lines: Sequence[bytes]) -> Iterator[EntryLine]:
    """Read the entries again, past what is damaged: that was told before."""
    for line in lines[1:]:
        try:
            part = read_line(line)
        except DamagedText:
            continue
        if isinstance(part, EntryLine):
            yield part


def _read_digests(entry: EntryLine, message_id: str) -> Iterator[str]:
    """Read the digests of the documents, if the entry is that of the letter's publication."""
    members = read_members(entry.record.text)
    if find_step(members, message_id) is not LetterStep.SUBMISSION:
        return
    match members.get("API_CALL_DETAILS"):
        case {"attachments": [*attachments]}:
            yield from filter(None, map(_read_digest, attachments))


def _read_digest(attachment: Any) -> str | None:
    match attachment:
        case {"digest": {"digestValue": str(digest)}}:
            return digest
    return None


def _make_finding(kind: FindingKind, detail: str) -> Finding:
    return Finding(kind, None, detail=detail)
