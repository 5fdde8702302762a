"""systemd's own tools accept the units, and each is given what its settings ask for."""

import shutil
import subprocess

import pytest

from registry.settings import Settings
from registry.settings.part import load_part
from registry.worker.threads import PATIENCE
from tests.deploy.units import UNITS, read_credentials, read_directives, read_variables

GUNICORN = 3  # seconds that gunicorn waits longer for its workers than they for requests
EXPOSURE = "20"  # of 100, as `systemd-analyze security` counts
NAMES = sorted(path.name for path in UNITS.iterdir())
SERVICES = [name for name in NAMES if name.endswith(".service")]
PROGRAMS = ("bin/registry", "bin/gunicorn", "deploy/database/backup.sh")
# The examples that each service's EnvironmentFile is copied from.
EXAMPLES = {
    "ebox-registry@.service": ("{}.env.example",),
    "ebox-registry-worker.service": ("{}.env.example", "{}.worker.env.example"),
    "ebox-registry-migrate.service": ("{}.env.example", "owner.env.example"),
    "ebox-registry-verify.service": ("verify.env.example",),
}
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not installed"
)


def analyze(*words):
    command = ["systemd-analyze", *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


@pytest.fixture
def root(tmp_path):
    """A file system on which the registry is installed, and nothing else."""
    folder = tmp_path / "etc/systemd/system"
    shutil.copytree(UNITS, folder)
    for program in [*(f"opt/ebox-registry/{name}" for name in PROGRAMS), "bin/kill"]:
        path = tmp_path / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    for name in ("sockets", "timers", "multi-user", "network-online", "sysinit", "basic"):
        (folder / f"{name}.target").write_text(f"[Unit]\nDescription={name}\n")
    return tmp_path


@needs_systemd
@pytest.mark.parametrize("unit", [name for name in NAMES if "@" not in name])
def test_systemd_finds_no_fault_in_the_units(root, unit):
    verdict = analyze("verify", f"--root={root}", "--man=no", unit)

    complaints = [line for line in verdict.stderr.splitlines() if "ebox-registry" in line]
    assert complaints == []


@needs_systemd
@pytest.mark.parametrize("lane", ["reading", "publishing"])
def test_systemd_finds_no_fault_in_the_unit_of_a_lane(root, lane):
    verdict = analyze("verify", f"--root={root}", "--man=no", f"ebox-registry@{lane}.service")

    assert [line for line in verdict.stderr.splitlines() if "ebox-registry" in line] == []


@needs_systemd
@pytest.mark.parametrize("unit", SERVICES)
def test_a_service_is_exposed_as_little_as_its_work_allows(unit):
    verdict = analyze(
        "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", str(UNITS / unit)
    )

    assert verdict.returncode == 0, verdict.stdout[-200:]


@pytest.mark.parametrize("environment", ["acc", "prd"])
@pytest.mark.parametrize("unit", EXAMPLES)
def test_a_service_is_given_each_file_that_its_example_names(unit, environment):
    variables = read_variables(*(name.format(environment) for name in EXAMPLES[unit]))
    files = {
        text
        for name, text in variables.items()
        if name.endswith(("_FILE", "_PATH")) and not text.startswith("/")
    }

    assert files
    assert read_credentials(unit) == files


def test_the_web_servers_are_given_no_secret_of_the_worker():
    worker = read_credentials("ebox-registry-worker.service")
    web = read_credentials("ebox-registry@.service")

    assert worker - web == {"database-worker-url", "audit.pem"}


def test_a_reload_checks_the_settings_first():
    first, then = read_directives("ebox-registry@.service", "ExecReload")

    assert first == "/opt/ebox-registry/bin/registry settings check"
    assert then == "/bin/kill -HUP $MAINPID"


def test_systemd_waits_for_gunicorn():
    longest = Settings.model_fields["stop_timeout"].default + GUNICORN
    (patience,) = read_directives("ebox-registry@.service", "TimeoutStopSec")

    assert longest + 5 <= int(patience) <= longest + 15


def test_systemd_waits_for_the_worker():
    (patience,) = read_directives("ebox-registry-worker.service", "TimeoutStopSec")

    assert int(patience) >= PATIENCE + 5


def test_the_auditors_machine_has_what_verification_asks_for(tmp_path):
    environ = {**read_variables("verify.env.example"), "CREDENTIALS_DIRECTORY": str(tmp_path)}
    (tmp_path / "verify-database-url").write_text(
        "postgresql://somebody:secret@db.example/registry"
    )
    (tmp_path / "verify-s3-secret-key").write_text("secret")

    settings = load_part(environ, "worker database", "seals", "trail")

    assert settings.audit_public_keys is not None
    assert settings.audit_key_path is None
