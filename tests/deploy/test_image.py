"""The image and the composition: what their linters say, and that all that is named is there."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.deploy.units import DEPLOY, read_credentials

BIN = Path(sys.executable).parent
COMPOSE = shutil.which("docker-compose")
LANES = ("reading", "publishing")


@pytest.fixture(scope="module")
def services():
    return _read_composition()["services"]


def _read_composition():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


@pytest.mark.skipif(
    not (BIN / "hadolint").exists(), reason="hadolint is not installed: uv sync --group deploy"
)
def test_the_linter_finds_no_fault_in_the_image():
    verdict = subprocess.run(
        [BIN / "hadolint", DEPLOY / "Containerfile"], check=False, capture_output=True, text=True
    )

    assert verdict.returncode == 0, verdict.stdout


@pytest.mark.skipif(COMPOSE is None, reason="docker-compose is not installed")
def test_compose_understands_the_composition(tmp_path):
    for path in (DEPLOY / "compose.yaml", DEPLOY / "database"):
        copy = shutil.copytree if path.is_dir() else shutil.copy
        copy(path, tmp_path / path.name)
    for name in ("registry.env", "worker.env", "owner.env"):
        (tmp_path / name).touch()

    verdict = subprocess.run(
        [COMPOSE, "config", "--quiet"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )

    assert verdict.returncode == 0, verdict.stderr


def test_every_secret_of_a_service_is_one_of_the_composition(services):
    names = set(_read_composition()["secrets"])

    assert {name for service in services.values() for name in service.get("secrets", ())} == names


@pytest.mark.parametrize(
    ("service", "unit"),
    [
        ("reading", "ebox-registry@.service"),
        ("publishing", "ebox-registry@.service"),
        ("worker", "ebox-registry-worker.service"),
        ("migrate", "ebox-registry-migrate.service"),
    ],
)
def test_a_service_is_given_the_secrets_of_its_unit(services, service, unit):
    assert set(services[service]["secrets"]) == read_credentials(unit)


def test_ours_run_on_a_root_that_is_read_only(services):
    ours = {name for name, service in services.items() if service.get("read_only")}

    assert ours == {*LANES, "worker", "migrate", "buckets"}
