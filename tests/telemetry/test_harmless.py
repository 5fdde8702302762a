"""What observes does not change what it observes, whatever goes wrong in it."""

import threading

from flask import Flask, g
from prometheus_client import REGISTRY

from registry.telemetry import requests, worker
from registry.worker.jobs import Job, JobContext, Step
from registry.worker.runner import JobRunner
from tests.log_lines import told
from tests.worker.test_performing import HOUR


def test_an_answer_stands_though_nobody_can_note_it():
    app = Flask("odd")
    requests.observe(app)

    @app.get("/")
    def answer():
        g.caller = "no caller at all"
        return "committed", 201

    with told() as lines:
        response = app.test_client().get("/")

    assert (response.status_code, response.text) == (201, "committed")
    assert "BelGov-Trace-Id" in response.headers
    assert [line["event"] for line in lines] == ["not noted"]
    assert "AttributeError" in lines[0]["exception"]


def test_a_duty_goes_on_though_nobody_can_count_what_it_does():
    done = []

    def work(_):
        for number in range(3):
            done.append(number)
            yield Step({"told": -1})  # a counter goes up only

    stop = threading.Event()
    context = JobContext(None, stop.is_set)

    with told() as lines:
        pause = JobRunner(Job("odd", HOUR, work, is_by_clock=False), context, stop).attempt()

    assert (pause, done) == (None, [0, 1, 2])
    assert [line["event"] for line in lines] == [*["not noted"] * 3, "done"]


def test_what_can_be_noted_is():
    labels = {"outcome": "told"}
    before = REGISTRY.get_sample_value("registry_events_total", labels)

    worker.count_results({"told": 2, "unheard of": 1})

    assert REGISTRY.get_sample_value("registry_events_total", labels) == before + 2
