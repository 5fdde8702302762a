"""`make bench-list`: what a page of 25 messages costs, beside the least it could cost."""

import statistics
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine

from registry import migrations
from registry.domain.identifiers import Ebox, EboxKind
from registry.sandbox.federation.process import Federation
from registry.sandbox.personas import PERSONAS, enroll
from registry.sandbox.seeds import reference
from registry.sandbox.servers.postgres import Cluster
from registry.sandbox.tokens import fetch
from registry.store.consultation import messages
from tests.bench.load import Target, compare, ratio
from tests.factories import a_file, a_message, an_ebox

_MESSAGES, _OTHERS = 500, 2_000
_ROUNDS, _REQUESTS = 5, 1000
_MOST = 1.5  # the listing against the bare handler
_LIST = "/REST/ebox/enterprise/messageRegistry/v3/ebox/messages"
_CONF = "python:registry.gunicorn"


def main() -> int:
    """Measure, print, and say with the exit code whether the ratio holds."""
    persona = PERSONAS["enterprise-consumer"]
    ebox = Ebox(EboxKind.ENTERPRISE, persona.enterprise.digits)
    with tempfile.TemporaryDirectory() as folder:
        area = Path(folder)
        enroll(area / "keys", area)
        with Cluster(area / "postgres") as cluster, Federation(area) as federation:
            _fill(cluster.url("owner"), ebox)
            token = fetch(federation.token_url, persona, area / "keys")
            measured = _measured(area, cluster, federation, ebox, token)
    for name, figures in measured.items():
        print(f"{name:>8}: {statistics.median(figures):6.2f} ms CPU per request")
    least, median, most = ratio(measured["listing"], measured["bare"])
    print(f"listing / bare: {median:.2f} (from {least:.2f} to {most:.2f}; at most {_MOST})")
    print(f"listing / hello: {ratio(measured['listing'], measured['hello'])[1]:.2f}")
    return 0 if median <= _MOST else 1


def _measured(area, cluster, federation, ebox, token):
    env = {
        "BENCH_DATABASE_URL": cluster.url("owner"),
        "BENCH_EBOX": ebox.key,
        "REGISTRY_ENVIRONMENT": "test",
        "REGISTRY_PUBLIC_URL": "http://localhost",
        "REGISTRY_DATABASE_URL": cluster.url("application"),
        "REGISTRY_S3_BUCKET": "unused",
        "REGISTRY_HASH_KEY": "of a bench, whom nobody looks for at all",
        "REGISTRY_OAUTH_TOKEN_URL": federation.token_url,
        "REGISTRY_OAUTH_INTROSPECT_URL": federation.introspect_url,
        "REGISTRY_OAUTH_CLIENT_ID": PERSONAS["registry"].client_id,
        "REGISTRY_OAUTH_KEY_PATH": str(area / "keys" / "registry.pem"),
    }
    bearer = {"Authorization": f"Bearer {token}"}
    targets = [
        Target("hello", "tests.bench.handlers:hello()", "/", {}, env, _CONF),
        Target("bare", "tests.bench.handlers:bare()", "/", {}, env, _CONF),
        # token cached for the whole run; the quota counts, but high enough not to refuse
        Target(
            "listing",
            "registry.app:create_app()",
            _LIST,
            bearer,
            {**env, "REGISTRY_TOKEN_CACHE_READS": "3600", "REGISTRY_RATE_LIMIT": "10000000"},
            _CONF,
            is_registry=True,
        ),
    ]
    try:
        for target in targets:
            target.start(area)
        return compare(targets, rounds=_ROUNDS, requests=_REQUESTS)
    finally:
        for target in targets:
            target.stop()


def _fill(url, ebox):
    """One e-Box with two documents a message, among others."""
    engine = create_engine(url)
    migrations.upgrade(engine, "registry_application")
    now = datetime.now(UTC)
    with engine.begin() as connection:
        reference.plant(connection)
        for number in range(_MESSAGES + _OTHERS):
            files = [a_file(), a_file(attachment_id="2", is_main=False)]
            message = a_message(ebox, received_at=now - timedelta(minutes=number))
            messages.add(connection, ebox if number < _MESSAGES else an_ebox(), message, files)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
