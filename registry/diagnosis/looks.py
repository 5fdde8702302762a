"""Looks at neighbours, all of them at the same time, each with an end."""

import queue
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from threading import Thread

from registry.domain.diagnoses import Cause, Diagnosis


@dataclass(frozen=True, slots=True)
class Look:
    """A look at one thing, which gives what is wrong with it.

    `fields` are the settings that say where it is: without them, or with a fault in one of them,
    there is nobody to ask.
    """

    name: str
    look: Callable[[], Iterable[Diagnosis]]
    fields: tuple[str, ...]


_Outcome = tuple[int, list[Diagnosis]]


def take_looks(
    looks: Sequence[Look],
    patience: float,
    note: Callable[[str], None] = lambda _: None,
) -> list[Diagnosis]:
    """Take all at once, and give what they found in their order; `note` is told of each end.

    Within `patience` seconds: what has not ended then is a fault itself. Its thread ends with the
    process.
    """
    outcomes: queue.SimpleQueue[_Outcome] = queue.SimpleQueue()
    for number, look in enumerate(looks):
        arguments = (number, look, outcomes)
        Thread(target=_do, args=arguments, name=look.name, daemon=True).start()
    ends, diagnoses = time.monotonic() + patience, dict[int, list[Diagnosis]]()
    while len(diagnoses) < len(looks):
        try:
            number, outcome = outcomes.get(timeout=max(0.0, ends - time.monotonic()))
        except queue.Empty:
            break
        diagnoses[number] = outcome
        note(looks[number].name)
    late = ([_report_late(look, patience)] for look in looks)
    return [
        diagnosis
        for number, otherwise in enumerate(late)
        for diagnosis in diagnoses.get(number, otherwise)
    ]


def _do(number: int, look: Look, outcomes: "queue.SimpleQueue[_Outcome]") -> None:
    try:
        outcome = list(look.look())
    except Exception as error:  # noqa: BLE001 - none keeps another from looking
        outcome = [_report_breakdown(look, error)]
    outcomes.put((number, outcome))


def _report_late(look: Look, patience: float) -> Diagnosis:
    return Diagnosis(
        name_variables(look.fields),
        f"The look at the {look.name} has not ended after {patience:g} seconds.",
        Cause.TIME_OUT,
        "It takes connections and does not get on, or names are not resolved in time.",
        "Look whether it is well, and at what lies between; `--patience` gives it longer.",
    )


def _report_breakdown(look: Look, error: Exception) -> Diagnosis:
    # Not its words, which could repeat what is secret.
    return Diagnosis(
        name_variables(look.fields),
        f"The look at the {look.name} failed itself.",
        Cause.CHECK_FAILED,
        f"{type(error).__name__} was raised, which nobody expected.",
        "Report it to whoever maintains this program.",
    )


def name_variables(fields: Collection[str]) -> tuple[str, ...]:
    """Name the variables of these settings."""
    return tuple(f"REGISTRY_{field.upper()}" for field in fields)
