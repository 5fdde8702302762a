"""Fitness of a certificate for the federation: each property by itself, with its mend."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from registry.certificates.chain import judge_chain
from registry.certificates.file import CertificateFile
from registry.certificates.subject import FederationEnvironment, find_environments, find_number
from registry.domain.report_lines import Grade, ReportLine

SOON: Final = 30  # days, in which a new one can be had
_ASK_ANEW: Final = "Ask for a new one: registry certificate request."
_SHA2: Final = (hashes.SHA224, hashes.SHA256, hashes.SHA384, hashes.SHA512)
_CURVES: Final = ("secp384r1", "secp521r1")


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePurpose:
    """The purpose of a certificate: for this enterprise, in this environment; None for any."""

    number: str | None = None
    environment: FederationEnvironment | None = None


def judge_certificates(
    file: CertificateFile,
    key: PrivateKeyTypes | None,
    purpose: CertificatePurpose,
    now: datetime,
) -> Iterator[ReportLine]:
    """Judge the certificate of a file, with the others in it, beside the key, at an instant."""
    own = file.own
    if own is None:
        remedy = "Name the file with the certificate."
        yield ReportLine("certificate", Grade.FAIL, "There is no certificate in it.", remedy)
        return
    yield _judge_validity(own, now)
    yield judge_chain(file, now)
    yield _judge_issuer(own, purpose)
    yield _judge_key(own, key)
    yield _judge_algorithm(own)
    yield _judge_signature(own)
    yield _judge_usage(own)
    yield _judge_number(own, purpose)
    yield _judge_environment(own, purpose)


def count_days(certificate: x509.Certificate, now: datetime) -> int:
    """Count the whole days that a certificate is valid from now; below 0 once it is over."""
    return (certificate.not_valid_after_utc - now).days


def _judge_validity(own: x509.Certificate, now: datetime) -> ReportLine:
    begins, ends = own.not_valid_before_utc, own.not_valid_after_utc
    days = count_days(own, now)
    if now > ends:
        return _fail("validity", f"It expired on {ends:%F}, {-days} days ago.", _ASK_ANEW)
    if now < begins:
        remedy = "Use the one before it until then, and look at this machine's clock."
        return _fail("validity", f"It is valid from {begins:%F} on, not yet.", remedy)
    sight = f"It is valid for {days} days, until {ends:%F}."
    if days < SOON:
        return ReportLine("validity", Grade.WARN, sight, _ASK_ANEW)
    return _pass("validity", sight)


def _judge_issuer(own: x509.Certificate, purpose: CertificatePurpose) -> ReportLine:
    if own.issuer != own.subject:
        return _pass("issuer", "Somebody else issued it.")
    remedy = "Have it issued by an authority that the federation trusts: send it a request."
    is_real = "PRD" in (purpose.environment, *find_environments(own.subject))
    grade = Grade.FAIL if is_real else Grade.WARN
    return ReportLine("issuer", grade, "It is signed by itself.", remedy)


def _judge_key(own: x509.Certificate, key: PrivateKeyTypes | None) -> ReportLine:
    if key is None:
        return ReportLine("key", Grade.WARN, "No key is beside it.", "Name its key: --key FILE.")
    if own.public_key() != key.public_key():
        remedy = "Put the key of this certificate beside it, or the certificate of this key."
        return _fail("key", "The key is not that of the certificate.", remedy)
    return _pass("key", "The key is that of the certificate.")


def _judge_algorithm(own: x509.Certificate) -> ReportLine:
    key = own.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        sight, is_fit = f"RSA of {key.key_size} bits.", 2048 <= key.key_size <= 4096
    elif isinstance(key, ec.EllipticCurvePublicKey):
        sight, is_fit = f"EC on {key.curve.name}.", key.curve.name in _CURVES
    else:
        sight, is_fit = "It is neither RSA nor EC.", False
    if is_fit:
        return _pass("algorithm", sight)
    remedy = "Make a key of RSA with 2048 to 4096 bits, or EC on P-384 or P-521, and ask anew."
    return _fail("algorithm", sight, remedy)


def _judge_signature(own: x509.Certificate) -> ReportLine:
    algorithm = own.signature_hash_algorithm
    if isinstance(algorithm, _SHA2):
        return _pass("signature", f"Its signature is over {algorithm.name}.")
    name = algorithm.name if algorithm else "no hash"
    return _fail("signature", f"Its signature is over {name}, not SHA-2.", _ASK_ANEW)


def _judge_usage(own: x509.Certificate) -> ReportLine:
    remedy = "Ask for a certificate with the key usage digitalSignature."
    try:
        usage = own.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        sight = "It does not say what its key is for."
        return ReportLine("key usage", Grade.WARN, sight, remedy)
    except ValueError:
        return _fail("key usage", "Its extensions cannot be read.", remedy)
    if not usage.digital_signature:
        return _fail("key usage", "Its key is not for signatures.", remedy)
    return _pass("key usage", "Its key is for signatures (digitalSignature).")


def _judge_number(own: x509.Certificate, purpose: CertificatePurpose) -> ReportLine:
    number = find_number(own.subject)
    subject = "enterprise number"
    if number is None:
        remedy = "Use one whose subject has the OU urn:be:fgov:kbo-bce:organization:cbe-number:…"
        grade = Grade.FAIL if purpose.number else Grade.WARN
        return ReportLine(subject, grade, "Its subject has no enterprise number.", remedy)
    if purpose.number not in (None, number):
        remedy = f"Use the certificate of {purpose.number}, or correct the number."
        return _fail(subject, f"It is one of enterprise {number}.", remedy)
    return _pass(subject, f"It is one of enterprise {number}.")


def _judge_environment(own: x509.Certificate, purpose: CertificatePurpose) -> ReportLine:
    names = find_environments(own.subject)
    sight = f"It is one of {' and '.join(names)}." if names else "Its subject names no environment."
    if len(names) == 1 and purpose.environment in (None, names[0]):
        return _pass("environment", sight)
    wish = purpose.environment or "ACC or PRD"
    remedy = f"Use the certificate whose subject has the one OU {wish}: each has its own."
    grade = Grade.FAIL if purpose.environment or names else Grade.WARN
    return ReportLine("environment", grade, sight, remedy)


def _pass(subject: str, sight: str) -> ReportLine:
    return ReportLine(subject, Grade.PASS, sight)


def _fail(subject: str, sight: str, remedy: str) -> ReportLine:
    return ReportLine(subject, Grade.FAIL, sight, remedy)
