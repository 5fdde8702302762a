"""Watches over calls: who observes them neither fails nor stops them."""

import gc

import pytest

from registry.domain.errors import Unavailable, UpstreamInvalid
from registry.telemetry import watch
from registry.telemetry.watch import Watch
from tests.log_lines import told


class Notes:
    """Keeps what it was told."""

    def __init__(self):
        self.calls = []

    def begin(self, it):
        return f"{it.operation} of {it.neighbour}"

    def end(self, it, note, seconds):
        self.calls.append((note, it.outcome, seconds >= 0))


class Broken:
    def begin(self, *_):
        raise ValueError("cannot begin")

    def end(self, *_):
        raise ValueError("cannot end")


@pytest.fixture
def attached():
    """Attach observers until the test is over."""
    observers = []

    def attach(observer):
        watch.attach(observer)
        observers.append(observer)
        return observer

    yield attach
    for observer in observers:
        watch.detach(observer)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "ok"),
        (Unavailable, "unavailable"),
        (UpstreamInvalid, "invalid"),
        (KeyError, "failed"),
    ],
)
def test_a_call_is_told_by_how_it_ended(attached, error, outcome):
    notes = attached(Notes())

    try:
        with Watch("storage", "GetObject"):
            if error:
                raise error
    except (Unavailable, UpstreamInvalid, KeyError):
        pass

    assert notes.calls == [("GetObject of storage", outcome, True)]


def test_whoever_knows_better_says_how_it_ended(attached):
    notes = attached(Notes())

    with Watch("event service", "tell") as it:
        it.outcome = "refused"

    assert notes.calls == [("tell of event service", "refused", True)]


def test_an_observer_that_fails_stops_nobody(attached):
    attached(Broken())
    notes = attached(Notes())

    with told(), Watch("storage", "GetObject"):
        done = True

    assert done
    assert len(notes.calls) == 1


def test_a_reading_is_taken_as_long_as_its_owner_lives():
    owner = Notes()
    watch.show(owner, "registry_threads", lambda it: 7 + len(it.calls), lane="tests")

    def read():
        return [each.value for each in watch.take_readings() if each.labels == {"lane": "tests"}]

    assert read() == [7]
    del owner
    gc.collect()
    assert read() == []


def test_a_reading_that_cannot_be_taken_hides_no_other():
    broken, well = Notes(), Notes()
    watch.show(broken, "registry_threads", lambda it: it.nothing, lane="broken")
    watch.show(well, "registry_threads", lambda it: 1, lane="well")

    with told():
        lanes = {reading.labels.get("lane") for reading in watch.take_readings()}

    assert "well" in lanes
    assert "broken" not in lanes
