"""Clocks of others beside ours: differences that count, and whose they are."""

import pytest

from registry.diagnosis.clocks import ClockReadings, compare_clocks
from registry.domain.diagnoses import Severity

NOON = 1_800_000_000.0


def diagnose(**ahead):
    readings = ClockReadings()
    for name, seconds in ahead.items():
        # A header Date is half a second behind, on average.
        readings.add(name, f"REGISTRY_{name.upper()}_URL", NOON - seconds - 0.5, NOON, NOON)
    return [(each.settings, each.severity) for each in readings.diagnose()]


@pytest.mark.parametrize(
    ("ahead", "severity"),
    [
        (4, None),
        (-4, None),
        (6, Severity.WARNING),
        (-6, Severity.WARNING),
        (31, Severity.FAULT),
        (-31, Severity.FAULT),
    ],
)
def test_beyond_five_seconds_it_is_a_warning_and_beyond_thirty_a_fault(ahead, severity):
    expected = [] if severity is None else [(("REGISTRY_A_URL",), severity)]

    assert diagnose(a=ahead) == expected


def test_a_clock_that_differs_from_the_others_is_told_by_its_setting():
    assert diagnose(a=0, b=60, c=1) == [(("REGISTRY_B_URL",), Severity.FAULT)]


def test_when_all_differ_it_is_this_machine_and_no_setting():
    assert diagnose(a=60, b=61, c=62) == [((), Severity.FAULT)]


def test_the_answer_that_took_least_counts():
    readings = ClockReadings()
    readings.add("a", "REGISTRY_A_URL", NOON, NOON, NOON + 20)
    readings.add("a", "REGISTRY_A_URL", NOON - 60, NOON, NOON)

    assert list(readings.diagnose()) == []


@pytest.mark.parametrize(
    ("there", "before", "after", "ahead"),
    [(0, 0, 20, 0), (20, 0, 20, 0), (0, 5, 25, 5), (40, 0, 20, -20), (0, 7, 7, 7)],
)
def test_what_an_answer_took_is_no_difference(there, before, after, ahead):
    assert compare_clocks(there, before, after) == ahead
