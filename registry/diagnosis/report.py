"""The report on settings: everything that is wrong with them, offline and online, at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from registry.diagnosis.clocks import ClockReadings
from registry.diagnosis.looks import Look, name_variables, take_looks
from registry.diagnosis.offline import inspect_offline
from registry.diagnosis.plan import plan_looks
from registry.domain.diagnoses import Diagnosis, Severity
from registry.settings import Settings
from registry.settings.environment_checks import LOOPBACK_HOSTS, URL_FIELDS
from registry.settings.examination import Examination, examine_settings

PATIENCE: Final = 15.0  # seconds for all looks together: the longest time-outs of two calls


class Progress(NamedTuple):
    """Ears for how far a report is: how many looks there will be, and each that ended."""

    begin: Callable[[int], None]
    note: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Report:
    """All that was seen; `looks` were taken, `skips` were not, each for variables with a fault."""

    diagnoses: tuple[Diagnosis, ...]
    looks: tuple[str, ...] = ()
    skips: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def has_faults(self) -> bool:
        """Tell if there is more than warnings."""
        return any(each.severity is Severity.FAULT for each in self.diagnoses)


def report_offline(environ: Mapping[str, str]) -> Report:
    """Find what is wrong with the settings, and ask nobody."""
    return Report(tuple(inspect_offline(examine_settings(Settings, environ))))


def report_online(
    environ: Mapping[str, str], progress: Progress, patience: float = PATIENCE
) -> Report:
    """Find what is wrong with the settings, and ask everybody whom they name, all at once.

    Nobody is asked who is not sure to be meant: by a setting that cannot be read, or one of another
    environment.
    """
    examination = examine_settings(Settings, environ)
    unsure, readings = find_unsure_fields(examination), ClockReadings()
    plan = list(plan_looks(examination.settings, readings))
    looks = [each for each in plan if not unsure & set(each.fields)]
    progress.begin(len(looks))
    diagnoses = [
        *inspect_offline(examination),
        *take_looks(looks, patience, progress.note),
        *readings.diagnose(),
    ]
    skips = {each.name: name_reasons(each, unsure) for each in plan if each not in looks}
    return Report(tuple(diagnoses), tuple(each.name for each in looks), skips)


def find_unsure_fields(examination: Examination[Settings]) -> set[str]:
    """Find the settings that are not sure to name whom they mean."""
    fields = set(examination.unreadable)
    for fault in examination.faults:
        if fault.field.endswith("_file"):
            fields.add(fault.field.removesuffix("_file"))
        if fault.field in URL_FIELDS:
            url = getattr(examination.settings, fault.field)
            # What is on this machine is reached through no network: no token of ours is seen.
            if url is None or urlsplit(url).hostname not in LOOPBACK_HOSTS:
                fields.add(fault.field)
    return fields


def name_reasons(look: Look, unsure: set[str]) -> tuple[str, ...]:
    """Name the variables for whose faults a look is not taken."""
    return name_variables([name for name in look.fields if name in unsure])
