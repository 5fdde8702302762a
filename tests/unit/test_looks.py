"""Looks are taken at once: none ends another, and each has an end."""

from threading import Event

import pytest

from registry.diagnosis.looks import Look, take_looks
from registry.domain.diagnoses import Cause, Diagnosis

SECRET = "correct-horse-battery"
WELL = Diagnosis(("REGISTRY_A",), "Seen.", Cause.NOT_THERE, "Why.", "What to do.")


@pytest.fixture
def hanging():
    """A look that does not end before the test does."""
    over = Event()
    yield Look("one that hangs", lambda: over.wait(60) and [], ("b_url",))
    over.set()


def break_down():
    raise RuntimeError(SECRET)


def test_all_are_taken_in_their_order_whatever_becomes_of_others(hanging):
    notes = []
    looks = [
        Look("a", lambda: [WELL], ("a",)),
        Look("one that breaks down", break_down, ("c_url",)),
        hanging,
        Look("nothing wrong", list, ()),
    ]

    diagnoses = take_looks(looks, 1, notes.append)

    assert [(each.settings, each.cause) for each in diagnoses] == [
        (("REGISTRY_A",), Cause.NOT_THERE),
        (("REGISTRY_C_URL",), Cause.CHECK_FAILED),
        (("REGISTRY_B_URL",), Cause.TIME_OUT),
    ]
    assert SECRET not in repr(diagnoses)
    assert set(notes) == {"a", "one that breaks down", "nothing wrong"}


def test_where_there_is_nothing_to_look_at_nothing_is_waited_for():
    assert take_looks([], 60) == []
