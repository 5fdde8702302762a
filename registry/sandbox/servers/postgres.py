"""A throw-away PostgreSQL cluster on a loopback port, as root and as an ordinary user."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import psycopg
from psycopg import sql

from registry.sandbox.servers.binaries import Binaries, lend
from registry.sandbox.servers.processes import (
    LOOPBACK,
    Process,
    StartFailed,
    on_free_ports,
    sweep,
    unsweep,
)
from registry.sandbox.servers.server import START_TIMEOUT, Server

DATABASE: Final = "registry"
OWNER: Final = "owner"
APPLICATION: Final = "application"
APPLICATION_ROLE: Final = "registry_application"
WORKER: Final = "worker"
WORKER_ROLE: Final = "registry_worker"
SUPERUSER: Final = "postgres"

_SETTINGS: Final = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # a path over 107 bytes breaks sockets, and TCP is enough
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_parameter_max_length": "0",  # as deploy/runbooks/database.md asks for
}
_FORGETFUL: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Account:
    """The system user that PostgreSQL runs as: it refuses root."""

    uid: int
    gid: int
    other: bool  # than the one we are

    @classmethod
    def choose(cls) -> Self:
        """Ourselves, or for root `postgres`, else `nobody`; raises `StartFailed`."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), other=False)
        for name in ("postgres", "nobody"):
            with suppress(KeyError):
                entry = pwd.getpwnam(name)
                return cls(entry.pw_uid, entry.pw_gid, other=True)
        raise StartFailed("PostgreSQL refuses root, and there is no user postgres or nobody.")

    def command(self, *parts: str | Path) -> list[str | Path]:
        """The command line that runs these parts as this user."""
        if not self.other:
            return list(parts)
        user = [f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"]
        return ["setpriv", *user, "--", *parts]

    def may(self, test: str, path: Path) -> bool:
        """Tell if this user passes `test` (-x, -w…) on the path, folders above included."""
        command = self.command("test", test, path)
        return subprocess.run(command, check=False, capture_output=True).returncode == 0


class Cluster(Server):
    """One PostgreSQL server; its data is in `directory`, or in the temporary folder.

    The latter when the user it runs as cannot reach `directory`; that data goes at `stop`.
    `durable` keeps fsync on, for tests that kill the server; `binaries` are those found on this
    machine unless given. A cluster that was stopped and is started again has its data still, on
    another port.
    """

    def __init__(
        self, directory: Path, *, durable: bool = False, binaries: Binaries | None = None
    ) -> None:
        self.directory = directory.absolute()
        self.durable = durable
        self.port = 0
        self._binaries = binaries
        self._account = Account.choose()
        self._area: Path | None = None
        # SIGINT is PostgreSQL's fast shutdown: clients are cut off, nothing committed is lost.
        log = self.directory / "postgres.log"
        super().__init__(Process("PostgreSQL", log, polite=signal.SIGINT, grace=10))

    def url(self, user: str = OWNER, database: str = DATABASE) -> str:
        """URL of this database for this user; nobody needs a password on loopback."""
        return f"postgresql://{user}@{LOOPBACK}:{self.port}/{database}"

    def start(self) -> Self:
        """Make the data if there is none, start, and `provision`.

        Raises `StartFailed`, or `PostgresMissing` when no server is installed.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        try:
            data = self._data()
            if not (data / "PG_VERSION").exists():
                self._initialise(data)
            on_free_ports(1, lambda ports: self._serve(data, *ports))
            self.provision()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the server, cutting off its clients, and drop what lies in the temporary folder."""
        super().stop()
        if self._area is not None:
            shutil.rmtree(self._area, ignore_errors=True)
            unsweep(self._area)
            self._area = None

    def list_settings(self) -> Mapping[str, str]:
        """List the settings of the server, but for its port."""
        return {**_SETTINGS, **({} if self.durable else _FORGETFUL)}

    def provision(self, database: str = DATABASE) -> None:
        """Create the roles and an empty database where they are not there yet.

        `owner` owns the database and may create roles, no more; `application` logs in and is a
        member of `registry_application`, to which migrations grant what the service needs;
        `worker` is a member of that and of `registry_worker`, which sees every e-Box.
        """
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            role_names = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            for role, statement in _roles(connection.info.server_version).items():
                if role not in role_names:
                    connection.execute(statement)
            database_row = connection.execute(
                "SELECT FROM pg_database WHERE datname = %s", [database]
            )
            if database_row.fetchone() is None:
                self.create_database(database)

    def create_database(self, database: str, *, template: str = "template1") -> None:
        """A database of `owner`, empty or a copy of another that nobody is connected to."""
        self._execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                sql.Identifier(database), sql.Identifier(OWNER), sql.Identifier(template)
            )
        )

    def drop_database(self, database: str) -> None:
        """Remove it, disconnecting whoever uses it."""
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _data(self) -> Path:
        """The data folder, given to the account; in the temporary folder if it must be."""
        data = self.directory / "data"
        data.mkdir(mode=0o700, exist_ok=True)
        self._give(data)
        if self._account.may("-x", data):
            return data
        data.rmdir()
        self._area = Path(tempfile.mkdtemp(prefix="registry-postgres-"))
        sweep(self._area)
        self._give(self._area)
        data = self._area / "data"
        data.mkdir(mode=0o700)
        self._give(data)
        return data

    def _give(self, path: Path) -> None:
        if self._account.other:
            os.chown(path, self._account.uid, self._account.gid)

    def _command(self, program: str, *arguments: str | Path) -> list[str | Path]:
        """Give the command line that runs a program of PostgreSQL as its user."""
        if self._binaries is None:
            self._binaries = Binaries.find()
        if not self._account.may("-x", self._binaries.directory / "postgres"):
            self._binaries = lend(self._binaries)
        return self._account.command(self._binaries.directory / program, *arguments)

    def _initialise(self, data: Path) -> None:
        options = ["-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
        if not self.durable:
            options.append("--no-sync")
        command = self._command("initdb", "-D", data, *options)
        log = self.directory / "initdb.log"
        Process("initdb", log).start(command, cwd=data.parent).finish(timeout=START_TIMEOUT)

    def _serve(self, data: Path, port: int) -> None:
        self.port = port
        settings = {**self.list_settings(), "port": str(port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = self._command("postgres", "-D", data, *options)
        self._process.start(command, cwd=data.parent)
        try:
            self._process.wait_until(lambda: _is_ready(data), timeout=START_TIMEOUT)
        except StartFailed:
            self._process.stop()
            raise


def _is_ready(data: Path) -> bool:
    """Look where pg_ctl does: at the eighth line of the lock file. A connection could reach another
    server that has our port.
    """
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready"


def _roles(version: int) -> dict[str, str]:
    """The statement that makes each role; `version` as the server counts, 150004 for 15.4."""
    return {
        OWNER: f"CREATE ROLE {OWNER} LOGIN CREATEROLE",
        APPLICATION_ROLE: _create_role_for_grants(APPLICATION_ROLE, version),
        WORKER_ROLE: _create_role_for_grants(WORKER_ROLE, version),
        APPLICATION: f"CREATE ROLE {APPLICATION} LOGIN IN ROLE {APPLICATION_ROLE}",
        WORKER: f"CREATE ROLE {WORKER} LOGIN IN ROLE {APPLICATION_ROLE}, {WORKER_ROLE}",
    }


def _create_role_for_grants(role: str, version: int) -> str:
    """A role to which migrations grant what a process needs."""
    # From 16 on, CREATEROLE alone no longer rules over a role that another one made. INHERIT and
    # SET stay off: the owner is to be nobody whom a row-level policy names.
    admin = f"; GRANT {role} TO {OWNER} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE"
    return f"CREATE ROLE {role} NOLOGIN" + (admin if version >= 160_000 else "")
