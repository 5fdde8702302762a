"""CPU of a listing beside the least it could cost, and its rate beside Kinto's."""

import json
import statistics
from contextlib import closing
from http.client import HTTPConnection
from typing import Final

from registry.sandbox.servers.processes import LOOPBACK
from tests.bench.load import Target, compare, ratio
from tests.bench.scale.bench import Bench
from tests.bench.scale.generator import Load, Step
from tests.bench.scale.peers import kinto
from tests.bench.scale.profiles import LIST
from tests.bench.scale.verdicts import Comparison, Verdict
from tests.bench.scale.wire import make_get
from tests.service import CONF

_REQUESTS: Final = 400  # of each in a round
_WORKERS, _THREADS, _CLIENTS = 2, 8, 8
_RECORDS: Final = 60  # of Kinto's collection, as many as a small e-Box has messages


def measure_costs(bench: Bench) -> None:
    """Hello, the bare handler and the full listing, each in gunicorn with one worker, in turn."""
    site, database = bench.site, bench.site.name_database(bench.largest)
    reader = bench.largest.readers[0]
    env = {
        **site.env(database),
        "BENCH_DATABASE_URL": site.cluster.url("owner", database),
        "BENCH_EBOX": reader.key,
    }
    bearer = {"Authorization": f"Bearer {site.callers.consumer(reader)}"}
    targets = [
        Target("hello", "tests.bench.handlers:hello()", "/", {}, env, CONF),
        Target("bare", "tests.bench.handlers:bare()", "/", {}, env, CONF),
        Target("listing", "registry.app:create_app()", LIST, bearer, env, CONF, is_registry=True),
    ]
    try:
        for target in targets:
            target.start(bench.folder)
        measured = compare(targets, rounds=bench.rounds, requests=_REQUESTS)
    finally:
        for target in targets:
            target.stop()
    values = {name: statistics.median(figures) for name, figures in measured.items()}
    bench.compare(Comparison("CPU of Python for a listing of 25", "ms", values))
    least, median, most = ratio(measured["listing"], measured["bare"])
    parts = {f"{name}, ms": value for name, value in values.items()}
    bench.judge(Verdict("bare", median, parts, (least, most)))


def measure_kinto(bench: Bench) -> None:
    """The same 25 messages from Kinto, in as many processes, by as many clients, in turn."""
    site, database = bench.site, bench.site.name_database(bench.largest)
    version = kinto.ENVIRONMENT.make()
    site.cluster.ask("postgres", "DROP DATABASE IF EXISTS kinto WITH (FORCE)")
    site.cluster.create_database("kinto")
    token = site.callers.consumer(bench.largest.readers[0])
    served = site.serve(database, workers=_WORKERS)
    url = site.cluster.url("owner", "kinto")
    with kinto.Kinto(bench.folder, url, workers=_WORKERS, threads=_THREADS) as peer:
        records = _list_messages(served.port, token)
        peer.fill([records[number % len(records)] for number in range(_RECORDS)])
        site.cluster.ask("kinto", "VACUUM ANALYZE")
        requests = {
            "registry": (served.port, make_get(LIST, token)),
            f"Kinto {version}": (peer.port, make_get(kinto.LIST, headers=kinto.HEADERS)),
        }
        rates: dict[str, list[float]] = {name: [] for name in requests}
        for number in range(bench.rounds + 1):
            for name, (port, request) in requests.items():
                scripts = [[Step(name, request)]] * _CLIENTS
                load = Load(port, scripts, seconds=bench.seconds)
                rate = bench.generator.run(load).rate
                if number:
                    rates[name].append(rate)
    served.stop()
    ours, theirs = rates.values()
    least, median, most = ratio(ours, theirs)
    values = {name: statistics.median(each) for name, each in rates.items()}
    bench.compare(Comparison("Listings of 25 messages, 2 workers, 8 clients", "requests/s", values))
    parts = {f"{name}, requests/s": value for name, value in values.items()}
    bench.judge(Verdict("kinto", median, parts, (least, most)))


def _list_messages(port: int, token: str) -> list[dict]:
    """Messages as our listing shows them, without the id, which Kinto gives itself."""
    with closing(HTTPConnection(LOOPBACK, port, timeout=60)) as connection:
        connection.request("GET", LIST, headers={"Authorization": f"Bearer {token}"})
        return json.loads(connection.getresponse().read())["items"]
