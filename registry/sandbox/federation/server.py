"""The stand-ins put together, as an application and as a server of its own."""

import json
import logging
from collections.abc import Iterable
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask
from werkzeug.serving import BaseWSGIServer, make_server

from registry.sandbox.federation import authorization, eventservice, partitions, preferences
from registry.sandbox.federation.addresses import FEDERATION, HEALTH, OAUTH, PARTITION
from registry.sandbox.federation.authorization import Authority
from registry.sandbox.federation.clients import ClientRegister
from registry.sandbox.federation.event_store import EventStore
from registry.sandbox.federation.faults import Faults
from registry.sandbox.federation.records import JsonFile
from registry.sandbox.servers.processes import LOOPBACK


def create_app(directory: Path, origin: str) -> WSGIApplication:
    """The whole federation; `directory` holds what `personas.enroll` writes, and events.jsonl.

    `origin` is where clients find it, https://127.0.0.1:8443 perhaps.
    """
    app = Flask("federation")
    issuer = f"{origin}{OAUTH}"
    protector = authorization.install(app, Authority(ClientRegister(directory), issuer))
    register, mandates, preferences_file = (
        JsonFile(directory / f"{name}.json") for name in ("partitions", "mandates", "preferences")
    )
    app.register_blueprint(
        partitions.partition_api(register, mandates, protector), url_prefix=PARTITION
    )
    app.register_blueprint(
        preferences.federation_ws(preferences_file, protector), url_prefix=FEDERATION
    )
    store = EventStore(directory / "events.jsonl")
    app.register_blueprint(eventservice.event_service(store, protector))
    app.add_url_rule(HEALTH, view_func=lambda: {"status": "UP"})
    return Faults(_BehindTls(app))


class _BehindTls:
    """The federation ends TLS in front; Authlib rightly refuses plain HTTP otherwise."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._app({**environ, "wsgi.url_scheme": "https"}, start_response)


def make(directory: Path, port: int) -> BaseWSGIServer:
    """A server, bound to loopback alone: a thread a connection, so that slow ones hinder nobody."""
    app = create_app(directory, f"http://{LOOPBACK}:{port}")
    return make_server(LOOPBACK, port, app, threaded=True)


def serve(directory: Path, port: int) -> None:
    """Serve until killed; says so on standard output as one JSON line."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # nothing that could hold a token
    server = make(directory, port)
    print(json.dumps({"listening": f"http://{LOOPBACK}:{port}"}), flush=True)  # noqa: T201 - its log
    server.serve_forever()
