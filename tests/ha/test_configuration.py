"""The files of deploy/ha are what their programs take, and say what the runbook says."""

import os
import re
import shutil
import subprocess
import tomllib

import pytest
import yaml

from registry.sandbox.servers.seaweed import find_program
from tests.ha.machines import DATA, DEPLOY, WEB, read_env

HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
PATRONI = shutil.which("patroni", path="/usr/bin")


@pytest.fixture(scope="module")
def patroni():
    return yaml.safe_load((DEPLOY / "patroni.yml").read_text())


@pytest.fixture(scope="module")
def dcs(patroni):
    return patroni["bootstrap"]["dcs"]


@pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")
def test_haproxy_takes_its_file():
    outcome = subprocess.run(
        [HAPROXY, "-c", "-f", DEPLOY / "haproxy.cfg"], capture_output=True, text=True, check=False
    )

    assert outcome.returncode == 0, outcome.stderr
    # Names of hosts that nobody knows here are no fault: HAProxy would start all the same.
    others = [
        line
        for line in outcome.stderr.splitlines()
        if "[WARNING]" in line and "could not resolve address" not in line
    ]
    assert others == []


def test_haproxy_asks_every_host():
    text = (DEPLOY / "haproxy.cfg").read_text()

    servers = re.findall(r"^  server (\w+) (\w+):(\d+) check", text, re.MULTILINE)

    by_port = {port: [name for name, host, at in servers if at == port] for *_, port in servers}
    assert all(name == host for name, host, _ in servers)
    assert by_port == {"5432": [*DATA], "8334": [*WEB], "8081": [*WEB]}


def test_haproxy_ends_the_connections_of_a_former_primary():
    section = (DEPLOY / "haproxy.cfg").read_text().partition("listen postgresql")[2]

    assert "OPTIONS /primary" in section
    assert "on-marked-down shutdown-sessions" in section.partition("listen s3")[0]


@pytest.mark.skipif(PATRONI is None, reason="patroni is not installed")
def test_patroni_takes_its_file():
    example = {name: value or "x" for name, value in read_env("patroni.env.example").items()}

    outcome = subprocess.run(
        [PATRONI, "--validate-config", DEPLOY / "patroni.yml"],
        env={**os.environ, **example},
        capture_output=True,
        text=True,
        check=False,
    )

    # It asks for etcd, which is not there; pg_hba is written where Patroni can change it later.
    lines = (outcome.stdout + outcome.stderr).splitlines()
    expected = re.compile(r"etcd\.hosts .{1,80} didn't pass|bootstrap\.pg_hba  is not defined")
    assert [line for line in lines if not expected.match(line)] == []


def test_nothing_is_acknowledged_that_one_host_has_alone(dcs):
    assert dcs["synchronous_mode"] is True
    assert dcs["synchronous_mode_strict"] is True
    assert dcs["postgresql"]["parameters"]["synchronous_commit"] == "on"


def test_a_primary_that_is_cut_off_gives_up_before_it_is_replaced(dcs):
    assert dcs["ttl"] >= dcs["loop_wait"] + 2 * dcs["retry_timeout"]
    assert dcs["ttl"] <= 20, "the outage of half a minute would not be kept"


def test_patroni_uses_the_interface_of_etcd_that_is_safe(patroni):
    assert "etcd" in patroni
    assert "etcd3" not in patroni
    assert read_env("etcd.env.example")["ETCD_ENABLE_V2"] == "true"


def test_postgresql_keeps_persons_out_of_its_log(dcs):
    parameters = dcs["postgresql"]["parameters"]

    assert parameters["log_parameter_max_length"] == 0
    assert parameters["log_parameter_max_length_on_error"] == 0


def test_all_name_the_same_hosts(patroni):
    masters = ",".join(f"{name}:9333" for name in DATA)
    cluster = ",".join(f"{name}=http://{name}:2380" for name in DATA)

    assert patroni["etcd"]["hosts"] == ",".join(f"{name}:2379" for name in DATA)
    assert read_env("etcd.env.example")["ETCD_INITIAL_CLUSTER"] == cluster
    assert read_env("seaweedfs/master.options")["peers"] == masters
    assert read_env("seaweedfs/volume.options")["master"] == masters
    assert read_env("seaweedfs/filer.options")["master"] == masters


def test_each_document_is_on_two_hosts():
    assert read_env("seaweedfs/master.options")["defaultReplication"] == "001"
    assert read_env("seaweedfs/master.options")["telemetry"] == "false"


def test_filers_find_the_primary_by_haproxy():
    settings = tomllib.loads((DEPLOY / "seaweedfs" / "filer.toml").read_text())["postgres2"]

    assert settings["enabled"] is True
    assert (settings["hostname"], settings["port"]) == ("127.0.0.1", 5000)


@pytest.mark.parametrize("kind", ["master", "volume", "filer"])
def test_seaweedfs_knows_every_option(kind):
    usage = subprocess.run(
        [find_program(), "help", kind], capture_output=True, text=True, check=False
    )

    known = set(re.findall(r"^  -([\w.]+)", usage.stdout + usage.stderr, re.MULTILINE))
    assert set(read_env(f"seaweedfs/{kind}.options")) - known == set()


def test_no_password_is_published():
    for file in DEPLOY.rglob("*"):
        if file.is_file():
            pattern = r"(?im)^[^#\n]*password[ \t]*[=:][ \t]*[\"']?[^\s\"'#]+$"
            lines = re.findall(pattern, file.read_text())
            assert [line for line in lines if "scram-sha-256" not in line] == [], file
