"""The whole installation of deploy/ha on one machine, and the federation's stand-ins outside."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

import boto3
import psycopg
from botocore.config import Config
from psycopg import sql
from sqlalchemy import create_engine

from registry import migrations
from registry.sandbox.federation.process import Federation
from registry.sandbox.personas import AUDIT_KEY, PERSONAS, enroll
from registry.sandbox.seeds import reference
from registry.sandbox.servers.processes import Process, StartFailed
from registry.sandbox.tokens import fetch
from tests.ha.machines import DATA, PASSWORD, ROOT, WEB, DataMachine, Machine, WebMachine
from tests.ha.members import Members, read_url
from tests.ha.network import Network

PATIENCE: Final = 300.0  # seconds until everything that was started or mended is whole
DOCUMENTS, SEALS = "documents", "seals"
OUTSIDE: Final = "outside"  # a database that the trespasser writes to

_RELAY: Final = """
defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
listen federation
  bind {address}:{port}
  server here 127.0.0.1:{port}
"""
_IDENTITY: Final = {
    "name": "registry",
    "credentials": [{"accessKey": "registry", "secretKey": PASSWORD}],
    "actions": ["Admin", "Read", "Write", "List", "Tagging"],
}


class Installation:
    """Three data hosts and two web hosts; `with` starts all but the registries."""

    def __init__(self, area: Path) -> None:
        self.area = area
        self.network = Network(area, (*DATA, *WEB))
        self.data = {name: DataMachine(self.network[name]) for name in DATA}
        self.web = {name: WebMachine(self.network[name]) for name in WEB}
        self.members = Members({name: self.network[name].address for name in DATA})
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.network)
            for machine in (*self.data.values(), *self.web.values()):
                stack.callback(self._end, machine)
            self._start_federation(stack)
            for data in self.data.values():
                data.start()
            for web in self.web.values():
                web.start_haproxy()
                web.start_watch()
            self.wait_until_whole()
            self._prepare_database()
            self._start_filers()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def env(self) -> dict[str, str]:
        """The settings of the registries, whose PostgreSQL and S3 are those of their HAProxy."""
        federation = self.federation
        return {
            "REGISTRY_ENVIRONMENT": "test",
            "REGISTRY_PUBLIC_URL": "http://localhost",
            **self.database_settings("127.0.0.1:5000"),
            "REGISTRY_HASH_KEY": "of a throw-away service, whom nobody looks for",
            "REGISTRY_EVENTS_URL": self._outside(federation.events_url),
            "REGISTRY_S3_ENDPOINT": "http://127.0.0.1:8333",
            "REGISTRY_S3_BUCKET": DOCUMENTS,
            "REGISTRY_S3_ACCESS_KEY": "registry",
            "REGISTRY_S3_SECRET_KEY": PASSWORD,
            "REGISTRY_AUDIT_BUCKET": SEALS,
            "REGISTRY_AUDIT_KEY_PATH": str(self.area / "keys" / AUDIT_KEY),
            "REGISTRY_AUDIT_SEAL_EVERY": "1",
            "REGISTRY_OAUTH_TOKEN_URL": self._outside(federation.token_url),
            "REGISTRY_OAUTH_INTROSPECT_URL": self._outside(federation.introspect_url),
            "REGISTRY_OAUTH_AUDIENCE": federation.token_url,
            "REGISTRY_OAUTH_CLIENT_ID": PERSONAS["registry"].client_id,
            "REGISTRY_OAUTH_KEY_PATH": str(self.area / "keys" / "registry.pem"),
            "REGISTRY_PARTITION_URL": self._outside(federation.partition_url),
            "REGISTRY_RATE_LIMIT": "0",
            "no_proxy": "*",
        }

    def database_settings(self, hosts: str, options: str = "") -> dict[str, str]:
        """The settings that lead to PostgreSQL at these hosts and ports, with these options."""
        pattern = f"postgresql://{{}}:{PASSWORD}@{hosts}/registry{options}"
        return {
            "REGISTRY_DATABASE_URL": pattern.format("registry_service"),
            "REGISTRY_DATABASE_WORKER_URL": pattern.format("registry_clock"),
        }

    def start_registries(self, settings: Mapping[str, str]) -> None:
        """Start both, or start them again with other settings, and wait for their answers."""
        for web in self.web.values():
            web.start_registry({**self.env, **settings})
            web.start_worker({**self.env, **settings})
        urls = [f"http://{self.network[name].address}:8080/" for name in WEB]
        ready = "REST/ebox/enterprise/messageRegistry/v3/health/ready"
        self.wait_until(lambda: all(read_url(url + ready) for url in urls), "the registries")

    def registry(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `registry …` on web1."""
        command = self.network["web1"].command(sys.executable, "-m", "registry", *arguments)
        env = {**os.environ, **self.env}
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    def token(self, persona: str) -> str:
        """A fresh token."""
        return fetch(self.federation.token_url, PERSONAS[persona], self.area / "keys")

    def execute(self, statement: str, *parameters: Any, database: str = "registry") -> list[Any]:
        """The rows of a statement, which the primary gets as superuser."""
        with self._connect(database) as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def s3(self) -> Any:
        """A client of web1's filer."""
        return boto3.client(
            "s3",
            endpoint_url=f"http://{self.network['web1'].address}:8334",
            region_name="eu-west-1",
            aws_access_key_id="registry",
            aws_secret_access_key=PASSWORD,
            config=Config(s3={"addressing_style": "path"}, proxies={}),
        )

    def wait_until_whole(self) -> float:
        """Wait for every member of every cluster; gives the seconds it took."""
        return self.wait_until(self.members.are_whole, "the clusters", PATIENCE)

    @staticmethod
    def wait_until(is_so: Callable[[], object], what: str, patience: float = 60) -> float:
        """Wait for something; gives the seconds it took, raises `StartFailed` after `patience`."""
        began = time.monotonic()
        while not is_so():
            if time.monotonic() - began > patience:
                raise StartFailed(f"{what}: not there after {patience:.0f} seconds")
            time.sleep(0.25)
        return time.monotonic() - began

    def _end(self, machine: Machine) -> None:
        """End all on a machine at once: nothing is needed again, and politeness takes minutes."""
        self.network.end_processes(machine.name)
        machine.stop()

    def _outside(self, url: str) -> str:
        return url.replace("127.0.0.1", self.network.outside)

    def _connect(self, database: str) -> psycopg.Connection[Any]:
        primary = self.members.primary()
        if primary is None:
            raise StartFailed("There is no primary.")
        return psycopg.connect(
            host=self.network[primary].address,
            dbname=database,
            user="postgres",
            password=PASSWORD,
            autocommit=True,
        )

    def _start_federation(self, stack: ExitStack) -> None:
        """Start the stand-ins, which listen on our loopback, and what leads the hosts to them."""
        enroll(self.area / "keys", self.area)
        self.federation = stack.enter_context(Federation(self.area))
        relay = self.area / "relay.cfg"
        relay.write_text(_RELAY.format(address=self.network.outside, port=self.federation.port))
        process = Process("relay", self.area / "relay.log")
        stack.callback(process.stop)
        process.start(["/usr/sbin/haproxy", "-f", relay])

    def _prepare_database(self) -> None:
        """Do what deploy/ha/README.md has an administrator do once."""
        primary = self.network[self.members.primary() or ""].address
        variables = [f"{role}_password={PASSWORD}" for role in ("owner", "application", "worker")]
        options = [part for variable in variables for part in ("-v", variable)]
        roles = ROOT / "deploy" / "database" / "roles.sql"
        command = ["psql", "-h", primary, "-U", "postgres", "-v", "ON_ERROR_STOP=1", *options]
        env = {**os.environ, "PGPASSWORD": PASSWORD}
        subprocess.run([*command, "-f", roles], env=env, check=True, capture_output=True)
        with self._connect("postgres") as connection:
            password = sql.Literal(PASSWORD)
            role = sql.SQL("CREATE ROLE seaweedfs LOGIN PASSWORD {}").format(password)
            connection.execute(role)
            connection.execute("CREATE DATABASE seaweedfs OWNER seaweedfs")
            connection.execute(f"CREATE DATABASE {OUTSIDE} OWNER registry_service")
        self.execute("CREATE TABLE attempts (number bigint PRIMARY KEY)", database=OUTSIDE)
        self.execute("GRANT ALL ON attempts TO registry_service", database=OUTSIDE)
        engine = create_engine(
            f"postgresql://registry_owner:{PASSWORD}@{primary}/registry", isolation_level=None
        )
        migrations.upgrade(engine, "registry_application")
        with engine.begin() as connection:
            reference.plant(connection)
        engine.dispose()

    def _start_filers(self) -> None:
        identities = self.area / "s3.json"
        identities.write_text(json.dumps({"identities": [_IDENTITY]}))
        for web in self.web.values():
            web.start_filer(identities)
        urls = [f"http://{self.network[name].address}:8334/healthz" for name in WEB]
        self.wait_until(lambda: all(read_url(url) is not None for url in urls), "the filers")
        client = self.s3()
        client.create_bucket(Bucket=DOCUMENTS)
        client.create_bucket(Bucket=SEALS, ObjectLockEnabledForBucket=True)
        client.close()
