"""Faults of settings that are seen without asking anybody, more than the service starts by."""

from collections.abc import Callable, Iterator
from typing import Final

from registry.domain.diagnoses import Cause, Diagnosis, Severity
from registry.domain.errors import KeyUnusable, SettingsError
from registry.settings import Settings
from registry.settings.examination import Examination
from registry.settings.fault import PREFIX, SettingFault
from registry.settings.owners import OwnCertificate
from registry.wiring.certificates import read_certificates
from registry.wiring.federation import make_identity
from registry.wiring.storage import choose_seal_settings
from registry.wiring.tls_files import find_tls_file_faults
from registry.wiring.trail_keys import load_former_pseudonyms, load_keyring, load_private_key
from registry.wiring.worker import WORKER_FIELDS

_MISSING: Final = "is needed and not set"
_HASH_KEY_REMEDY: Final = (
    "Set it to 32 random characters or more, and keep them as long as the proofs of deletion."
)
_KEY_REMEDY: Final = "Have there the right file, for the user that the service runs as to read."


def inspect_offline(examination: Examination[Settings]) -> Iterator[Diagnosis]:
    """Find everything; a setting that cannot be read is told once, as such."""
    settings = examination.settings
    names: set[tuple[str, str]] = set()
    for fault in (*examination.faults, *_find_more_faults(examination)):
        if (fault.field, fault.text) not in names:
            names.add((fault.field, fault.text))
            yield _describe(fault)
    yield from _inspect_buckets(settings)
    yield from _inspect_keys(examination)
    yield from _inspect_certificates(settings)


def _find_more_faults(examination: Examination[Settings]) -> Iterator[SettingFault]:
    settings, unreadable = examination.settings, examination.unreadable
    yield from find_tls_file_faults(settings)
    needs = {"hash_key", *(WORKER_FIELDS if settings.database_worker_url else ())}
    for field in sorted(needs - unreadable):
        if getattr(settings, field) is None:
            remedy = _HASH_KEY_REMEDY if field == "hash_key" else "Set it: the worker needs it."
            yield SettingFault(field, _MISSING, remedy)


def _inspect_buckets(settings: Settings) -> Iterator[Diagnosis]:
    is_one_store = choose_seal_settings(settings).s3_endpoint == settings.s3_endpoint
    is_one_name = settings.audit_bucket and settings.audit_bucket == settings.s3_bucket
    if is_one_name and is_one_store:
        yield Diagnosis(
            ("REGISTRY_AUDIT_BUCKET", "REGISTRY_S3_BUCKET"),
            "One bucket is named for seals and for documents.",
            Cause.SETTING_WRONG,
            "Whoever may delete documents there could delete what proves it.",
            "Have a bucket of its own made for seals, with Object Lock and other rights.",
        )


def _describe(fault: SettingFault) -> Diagnosis:
    if fault.text in ("Field required", _MISSING):
        sight, cause, reason = "It is not set.", Cause.SETTING_MISSING, "It has no default."
    else:
        sight, cause = f"Refused: {fault.text}.", Cause.SETTING_WRONG
        reason = "The service does not start with it."
    return Diagnosis((fault.variable,), sight, cause, reason, fault.remedy)


def _inspect_keys(examination: Examination[Settings]) -> Iterator[Diagnosis]:
    settings = examination.settings
    loads: dict[str, Callable[[Settings], object]] = {}
    if "oauth_key_path" not in examination.unreadable:
        loads["oauth_key_path"] = make_identity
    if settings.audit_key_path:
        loads["audit_key_path"] = load_private_key
    if settings.audit_public_keys:
        loads["audit_public_keys"] = load_keyring
    if settings.audit_former_hash_keys:
        loads["audit_former_hash_keys"] = load_former_pseudonyms
    for field, load in loads.items():
        try:
            load(settings)
        except (KeyUnusable, SettingsError) as error:
            variable = PREFIX + field.upper()
            observation = "The key cannot be used."
            yield Diagnosis((variable,), observation, Cause.KEY_UNUSABLE, str(error), _KEY_REMEDY)


def _inspect_certificates(settings: Settings) -> Iterator[Diagnosis]:
    certificates = read_certificates(settings)
    for variable, certificate in certificates.items():
        yield from _inspect_certificate(variable, certificate, settings.environment)
    numbers = {each.number for each in certificates.values() if each.number}
    if len(numbers) > 1:
        yield Diagnosis(
            tuple(certificates),
            "Our certificates are of several enterprises.",
            Cause.CERTIFICATE_UNFIT,
            f"Their numbers are {', '.join(sorted(numbers))}.",
            "Name the certificates of the one that runs this registry.",
        )


def _inspect_certificate(
    variable: str, certificate: OwnCertificate, environment: str
) -> Iterator[Diagnosis]:
    # That of mutual TLS was found out with the files that TLS needs.
    if certificate.fits_key is False and variable == "REGISTRY_OAUTH_KEY_PATH":
        yield Diagnosis(
            (variable,),
            "Key and certificate are not of one pair.",
            Cause.CERTIFICATE_UNFIT,
            "The certificate was made for another key than the one beside it.",
            "Put the key of this certificate into the file, or the certificate of this key.",
        )
    if environment != "production" and "PRD" in certificate.units:
        yield Diagnosis(
            (variable, "REGISTRY_ENVIRONMENT"),
            "The certificate is one of production.",
            Cause.CERTIFICATE_UNFIT,
            f"Its OU says PRD, and REGISTRY_ENVIRONMENT {environment}.",
            "Name the certificate of this environment: each has one of its own.",
        )
    if certificate.ends_soon:
        yield Diagnosis(
            (variable,),
            f"The certificate is valid until {certificate.ends_at:%F}, no longer.",
            Cause.CERTIFICATE_UNFIT,
            "From then on the federation does not know us.",
            "Ask for a new one now, and replace the file: no restart is needed.",
            Severity.WARNING,
        )
