"""The chain of a certificate: who issued it, who issued that one."""

from datetime import datetime
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from registry.certificates.file import CertificateFile
from registry.domain.report_lines import Grade, ReportLine

_SUBJECT: Final = "chain"


def judge_chain(file: CertificateFile, now: datetime) -> ReportLine:
    """Judge whether each is followed by the one that issued it, and none of those is over."""
    own, *issuers = file.certificates
    if not issuers:
        return ReportLine(
            _SUBJECT, Grade.PASS, "It is alone; a TLS client may need its issuer behind it."
        )
    chain = file.certificates if file.has_order else _put_in_order(own, issuers)
    if len(chain) < len(file.certificates) or not all(
        _is_issued_by(one, issuer) for one, issuer in pairwise(chain)
    ):
        remedy = "Write them one behind the other: ours, who issued it, who issued that."
        return ReportLine(
            _SUBJECT, Grade.FAIL, "Each is not followed by the one that issued it.", remedy
        )
    old_issuers = [each for each in issuers if now > each.not_valid_after_utc]
    if old_issuers:
        sight = f"The certificate of an issuer expired on {old_issuers[0].not_valid_after_utc:%F}."
        return ReportLine(
            _SUBJECT,
            Grade.FAIL,
            sight,
            "Get the issuer's new certificate, and put it in its place.",
        )
    return ReportLine(
        _SUBJECT, Grade.PASS, f"{len(chain)} certificates, each followed by who issued it."
    )


def _put_in_order(
    own: x509.Certificate, others: list[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """Put those in order that lead from our own upwards; the others are left out."""
    chain, rest = [own], list(others)
    while issuer := next((each for each in rest if _is_issued_by(chain[-1], each)), None):
        rest.remove(issuer)
        chain.append(issuer)
    return tuple(chain)


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
