"""A pooler before PostgreSQL."""

import os
from contextlib import contextmanager

from registry.sandbox.servers.postgres import APPLICATION, OWNER, WORKER
from registry.sandbox.servers.processes import LOOPBACK, Process, free_port, is_free


@contextmanager
def a_pgbouncer(cluster, folder, database, *more):
    """Debian's pgbouncer in transaction mode, as it comes, with `more` lines of configuration."""
    port, users = free_port(), folder / "users.txt"
    users.write_text("".join(f'"{name}" ""\n' for name in (APPLICATION, WORKER, OWNER)))
    lines = [
        "[databases]",
        f"{database} = host={LOOPBACK} port={cluster.port}",
        "[pgbouncer]",
        f"listen_addr = {LOOPBACK}",
        f"listen_port = {port}",
        "unix_socket_dir =",
        "auth_type = trust",
        f"auth_file = {users}",
        "pool_mode = transaction",
        "default_pool_size = 2",
        *more,
    ]
    (folder / "pgbouncer.ini").write_text("\n".join(lines))
    command = ["pgbouncer", folder / "pgbouncer.ini"]
    if os.geteuid() == 0:  # which it refuses to run as
        command[1:1] = ["-u", "nobody"]
    process = Process("pgbouncer", folder / "log")
    process.start(command)
    process.wait_until(lambda: not is_free(port), timeout=10)
    try:
        yield port
    finally:
        process.stop()
