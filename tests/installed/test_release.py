"""A release as an operations team gets it: files in a folder, installed far from any checkout."""

import hashlib
import json
import os
import subprocess
import tarfile

import pytest

from registry import __version__
from registry.cli.deploy.files import list_files
from registry.release.artifacts import make_artifacts
from tests.installed.conftest import CHECKOUT, Environment

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def installed(release, tmp_path_factory):
    """The release, installed as constraints.txt says, by a pip that compares hashes."""
    environment = Environment(tmp_path_factory.mktemp("installed"))
    environment.install("pip>=26.1")
    pinned = f"ebox-message-registry[server]=={__version__}"
    environment.install("-c", release / "constraints.txt", "--find-links", release, pinned)
    return environment


def test_a_release_has_the_same_bytes_whoever_makes_it(release, tmp_path):
    again = tmp_path / "dist"

    make_artifacts(CHECKOUT, again, 1_795_000_000)

    assert (again / "SHA256SUMS").read_text() == (release / "SHA256SUMS").read_text()


def test_all_files_have_their_checksums(release):
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=release, check=True)

    names = {path.name for path in release.iterdir()} - {"SHA256SUMS"}
    assert {line.split()[1] for line in (release / "SHA256SUMS").read_text().splitlines()} == names
    assert len(names) == 4


def test_the_source_has_all_that_a_checkout_has(release):
    (path,) = release.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"uv.lock", "Makefile", "openapi/messageregistry-3.yaml", "tests/conftest.py"} <= names
    assert {"registry/sandbox/pyproject.toml", "deploy/database/roles.sql"} <= names


def test_the_bill_of_materials_names_what_is_installed(release, installed):
    (path,) = release.glob("*.cdx.json")
    bill = json.loads(path.read_text())

    assert (bill["bomFormat"], bill["metadata"]["component"]["version"]) == (
        *("CycloneDX", __version__),
    )
    named = {component["name"] for component in bill["components"]}
    assert installed.list_packages() - {"pip", "setuptools", "ebox-message-registry"} <= named
    assert {"swagger-ui-dist", "@noble/ed25519"} <= named  # which pages in the wheel bring along
    purls = {component.get("purl") for component in bill["components"]}
    assert "pkg:npm/%40noble/ed25519@3.2.0" in purls


def test_what_is_installed_are_the_versions_that_were_tested(release, installed):
    lines = (release / "constraints.txt").read_text().splitlines()
    pinned = {line.split()[0].lower() for line in lines if "==" in line and line[0].isalpha()}

    frozen = installed("pip", "freeze", "--all").lower().replace("_", "-").splitlines()

    ours = [line for line in frozen if not line.startswith(("pip=", "setuptools=", "ebox-"))]
    assert set(ours) <= pinned


def test_a_wheel_that_was_changed_is_not_installed(release, tmp_path, installed):
    (wheel,) = release.glob("*.whl")
    (tmp_path / wheel.name).write_bytes(wheel.read_bytes() + b" ")
    constraints, pinned = release / "constraints.txt", f"ebox-message-registry=={__version__}"

    done = installed.run(
        *("pip", "install", "--no-deps", "--force-reinstall", "--no-index"),
        *("-c", constraints, "--find-links", tmp_path, pinned),
    )

    assert done.returncode == 1
    assert "No matching distribution" in done.stderr or "DO NOT MATCH" in done.stderr


def test_the_program_works_from_there(installed):
    assert installed("registry", "--version") == f"registry, version {__version__}\n"
    assert "REGISTRY_PUBLIC_URL" in installed("registry", "settings", "list")


def test_man_pages_and_completions_are_installed(installed):
    share = installed.folder / "venv" / "share"

    assert (share / "man" / "man1" / "registry-database-migrate.1").is_file()
    assert (share / "bash-completion" / "completions" / "registry").is_file()


def test_the_files_of_a_deployment_come_out_of_the_package(installed):
    installed("registry", "deploy", "files", "--to", "etc")

    folder = installed.folder / "etc"
    known = list_files(CHECKOUT / "deploy")
    for path in known:
        assert (folder / path).read_bytes() == (CHECKOUT / "deploy" / path).read_bytes()
        assert os.access(folder / path, os.X_OK) == os.access(CHECKOUT / "deploy" / path, os.X_OK)
    assert {str(path) for path in set(list_files(folder)) - set(known)} == {"constraints.txt"}


def test_the_database_is_migrated_from_there(installed, cluster):
    name = "of_a_release"
    cluster.create_database(name)
    try:
        told = installed(
            *("registry", "database", "migrate"),
            REGISTRY_DATABASE_OWNER_URL=cluster.url("owner", name),
            REGISTRY_ENVIRONMENT="test",
        )
    finally:
        cluster.drop_database(name)

    assert told.startswith("The database is at revision ")


def test_the_wheel_is_that_of_the_constraints(release):
    (wheel,) = release.glob("*.whl")

    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert f"--hash=sha256:{digest}" in (release / "constraints.txt").read_text()
