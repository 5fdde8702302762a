"""Our settings, keys and certificates, judged without asking anybody."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from registry.diagnosis.offline import inspect_offline
from registry.diagnosis.preflight.checks import make_line
from registry.domain.diagnoses import Cause, Diagnosis
from registry.domain.report_lines import Grade, ReportLine
from registry.settings import Settings
from registry.settings.examination import Examination
from registry.wiring.certificates import read_certificates

# How the federation calls its environments, and how we do (contract 3.1).
ENVIRONMENTS: Final = {"ACC": "acceptation", "PRD": "production"}
_VARIABLE: Final = "REGISTRY_ENVIRONMENT"
_OF_CERTIFICATES: Final = {"REGISTRY_OAUTH_KEY_PATH", "REGISTRY_FEDERATION_CERTIFICATE"}
_KEYS: Final = (Cause.KEY_UNUSABLE, Cause.CERTIFICATE_UNFIT)


def judge_environment(value: str | None, wish: str | None) -> ReportLine:
    """Judge whether the environment that was named is the one for which settings are."""
    right_value = ENVIRONMENTS.get(wish or "", value)
    if value and value == right_value:
        return ReportLine("environment", Grade.PASS, f"{_VARIABLE} says {value}.")
    question = f", and {wish} was asked for" if wish else ""
    sight = f"{_VARIABLE} says {value or 'nothing'}{question}."
    remedy = f"Set {_VARIABLE}={right_value or '…'}, or name no other environment."
    return ReportLine("environment", Grade.FAIL, sight, remedy)


def judge_settings(examination: Examination[Settings]) -> Iterator[ReportLine]:
    """Judge settings, and apart from them keys and certificates with the days that they have."""
    diagnoses = list(inspect_offline(examination))
    of_keys = [each for each in diagnoses if _is_of_keys(each)]
    others = [each for each in diagnoses if not _is_of_keys(each)]
    yield make_line("settings", others, "They are complete, and do not contradict each other.")
    yield make_line("keys and certificates", of_keys, _describe_days(examination.settings))


def _is_of_keys(diagnosis: Diagnosis) -> bool:
    return diagnosis.cause in _KEYS or bool(_OF_CERTIFICATES.intersection(diagnosis.settings))


def _describe_days(settings: Settings) -> str:
    now = datetime.now(UTC)
    days = [
        f"{variable}: {(each.ends_at - now).days} days left, until {each.ends_at:%F}."
        for variable, each in read_certificates(settings).items()
    ]
    return " ".join(days) or "Keys can be used; no certificate is beside them that could expire."
