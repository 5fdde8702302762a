"""Rules and dashboard: what they name is there, and each alert fires in its incident."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

from registry.telemetry import metrics, neighbour_figures, output, process_figures, worker

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
RULES = "registry.rules.yml"
PLAYS = ("registry.rules.test.yml", "registry-slow.rules.test.yml")
DASHBOARD = ROOT / "deploy" / "grafana" / "registry.json"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")

# Whoever is imported has registered its figures.
COUNTERS = (metrics, neighbour_figures, output, process_figures, worker)
_NAME = re.compile(r"\bregistry_[a-z_]+|\bregistry:[a-z_0-9:]+")
_OF_NOBODY = {"up"}


def load(name):
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def rules():
    return [rule for group in load(RULES)["groups"] for rule in group["rules"]]


ALERTS = [rule for rule in rules() if "alert" in rule]
CASES = {case["name"]: case for name in PLAYS for case in load(name)["tests"]}


def exposed():
    """The names of all that the service, its worker and the backup tell."""
    build = {"registry_build_info"}  # registered when the figures are served
    script = (ROOT / "deploy" / "database" / "backup.sh").read_text(encoding="utf-8")
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    return {*REGISTRY._names_to_collectors, *build, *_NAME.findall(script), *recorded}


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_has_a_section_of_a_page(rule):
    path, _, anchor = rule["annotations"]["runbook"].partition("#")

    assert anchor in anchors(ROOT / path)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_wakes_somebody_or_waits_and_says_why(rule):
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"].endswith(".")


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_is_played_silent_and_firing(rule):
    plays = CASES[rule["alert"]]["alert_rule_test"]

    assert [bool(play["exp_alerts"]) for play in plays] == [False, True]
    assert {play["alertname"] for play in plays} == {rule["alert"]}


def test_no_section_and_no_case_is_of_an_alert_that_is_gone():
    names = {rule["alert"] for rule in ALERTS}
    folder = ROOT / "deploy" / "runbooks" / "alerts"
    sections = {
        heading
        for page in folder.glob("*.md")
        for heading in re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert sections == names
    assert set(CASES) == names


def test_what_rules_ask_for_is_told_by_somebody():
    asked = {name for rule in rules() for name in _NAME.findall(rule["expr"])}

    assert asked - exposed() == set()


def test_what_the_dashboard_asks_for_is_told_by_somebody():
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    queries = [
        target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])
    ]

    assert queries
    assert {name for query in queries for name in _NAME.findall(query)} - exposed() == set()


def test_links_of_these_pages_lead_somewhere():
    folder = ROOT / "deploy" / "runbooks" / "alerts"
    for page in folder.glob("*.md"):
        for link in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), (page.name, link)
            assert not anchor or anchor in anchors(target), (page.name, link)


@needs_promtool
def test_promtool_accepts_the_rules():
    _run("check", "rules", RULES)
    _run("check", "config", "--syntax-only", "prometheus.yml.example")


@needs_promtool
@pytest.mark.parametrize("name", PLAYS)
def test_each_alert_fires_in_its_incident(name):
    _run("test", "rules", name)


def _run(*arguments):
    done = subprocess.run(
        [PROMTOOL, *arguments], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
