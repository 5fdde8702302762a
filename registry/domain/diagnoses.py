"""Diagnoses of a registry that is to be run: what was seen, why it is so, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """The weight of a diagnosis: a fault keeps something from working, a warning may do so."""

    FAULT = "fault"
    WARNING = "warning"


class Cause(StrEnum):
    """Causes by which programs tell diagnoses apart; people read the reason beside it."""

    SETTING_WRONG = "settingWrong"
    SETTING_MISSING = "settingMissing"
    KEY_UNUSABLE = "keyUnusable"
    CERTIFICATE_UNFIT = (
        "certificateUnfit"  # of ours: expired, of another key, of another enterprise
    )

    NAME_NOT_RESOLVED = "nameNotResolved"
    CONNECTION_REFUSED = "connectionRefused"
    UNREACHABLE = "unreachable"
    TIME_OUT = "timeOut"
    CONNECTION_CUT = "connectionCut"
    PROXY_IN_THE_WAY = "proxyInTheWay"
    TLS_MISSING = "tlsMissing"
    CERTIFICATE_UNKNOWN = "certificateUnknownToAuthority"  # of theirs, as the next three
    CERTIFICATE_EXPIRED = "certificateExpired"
    CERTIFICATE_EARLY = "certificateNotYetValid"
    CERTIFICATE_OF_ANOTHER = "certificateOfAnotherName"
    OUR_CERTIFICATE_REFUSED = "ourCertificateRefused"
    CALL_FAILED = "callFailed"

    CREDENTIALS_REFUSED = "credentialsRefused"
    RIGHT_DENIED = "rightDenied"
    ANOTHER_SERVICE = "anotherService"
    SERVICE_ILL = "serviceIll"
    NOT_THERE = "notThere"
    NOT_FIT = "notFit"
    SCHEMA_MISSING = "schemaMissing"
    SCHEMA_OLD = "schemaOld"
    SCHEMA_NEWER = "schemaNewer"
    ROLE_UNSAFE = "roleUnsafe"
    POOLER_MET = "poolerMet"
    CLOCK_WRONG = "clockWrong"
    CHECK_FAILED = "checkFailed"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that is wrong: `settings` are variables, none where it is the machine's own.

    `observation` says of whom it was seen, `reason` why it is so, `remedy` what to do. None of them
    repeats a secret.
    """

    settings: tuple[str, ...]
    observation: str
    cause: Cause
    reason: str
    remedy: str
    severity: Severity = Severity.FAULT
