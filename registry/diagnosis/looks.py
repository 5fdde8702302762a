"""Looks at neighbours, all of them at the same time, each with an end."""

import queue
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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


def run_at_once(
    works: Mapping[str, Callable[[], None]],
    patience: float,
    note: Callable[[str], None] = lambda _: None,
) -> frozenset[str]:
    """Run all at the same time, and give the names of those that ended; `note` is told of each.

    Within `patience` seconds. What has not ended then goes on in a thread that ends with the
    process; nothing may be raised.
    """
    ends: queue.SimpleQueue[str] = queue.SimpleQueue()

    def run(name: str, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            ends.put(name)

    for name, work in works.items():
        Thread(target=run, args=(name, work), name=name, daemon=True).start()
    latest, names = time.monotonic() + patience, set[str]()
    while len(names) < len(works):
        try:
            name = ends.get(timeout=max(0.0, latest - time.monotonic()))
        except queue.Empty:
            break
        names.add(name)
        note(name)
    return frozenset(names)


def take_looks(
    looks: Sequence[Look],
    patience: float,
    note: Callable[[str], None] = lambda _: None,
) -> list[Diagnosis]:
    """Take all at once, and give what they found in their order; `note` is told of each end.

    Within `patience` seconds: what has not ended then is a fault itself.
    """
    return [
        diagnosis
        for diagnoses in take_each_look(looks, patience, note).values()
        for diagnosis in diagnoses
    ]


def take_each_look(
    looks: Sequence[Look], patience: float, note: Callable[[str], None]
) -> dict[str, list[Diagnosis]]:
    """Take all at once, as `take_looks`; gives what each found, by its name."""
    diagnoses: dict[str, list[Diagnosis]] = {}

    def take(look: Look) -> None:
        try:
            diagnoses[look.name] = list(look.look())
        except Exception as error:  # noqa: BLE001 - none keeps another from looking
            diagnoses[look.name] = [_report_breakdown(look, error)]

    ends = run_at_once({look.name: partial(take, look) for look in looks}, patience, note)
    return {
        look.name: diagnoses[look.name] if look.name in ends else [_report_late(look, patience)]
        for look in looks
    }


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
