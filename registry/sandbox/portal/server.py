"""A small server of the portal's files, and of what its page cannot get: tokens and folders."""

import logging
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, abort, jsonify, request, send_from_directory
from werkzeug.serving import BaseWSGIServer, make_server

from registry.sandbox import tokens
from registry.sandbox.layout import Layout
from registry.sandbox.portal import folders, roles
from registry.sandbox.portal.policy import make_policy
from registry.sandbox.servers.processes import LOOPBACK

_PAGE: Final = Path(__file__).parent / "page"
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def create_app(layout: Layout, host: str) -> Flask:
    """The portal of this sandbox.

    `host` is the only name under which it answers, localhost:8081 perhaps.
    """
    app = Flask("portal", static_folder=None)

    @app.before_request
    def refuse_strangers() -> None:
        """Give tokens to nobody but our own page: not to other sites, nor under a rebound name."""
        if request.path == "/health":
            return
        if request.host != host:
            abort(Response(f"The portal is at http://{host}/\n", 421, mimetype="text/plain"))
        sites = {request.headers.get("Sec-Fetch-Site", "same-origin"), "same-origin"}
        if request.path.startswith("/personas/") and len(sites) > 1:
            abort(403)

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers.update(_HEADERS)
        response.headers["Content-Security-Policy"] = make_policy(_find_registry(layout))
        return response

    _add_files(app)
    _add_personas(app, layout)
    return app


def _find_registry(layout: Layout) -> str:
    """Find the registry that the page may call: named by its address, or the sandbox's."""
    named = request.args.get("registry")
    return named or roles.base_url(layout.read_any_document(), "enterprise")


def _add_files(app: Flask) -> None:
    app.add_url_rule("/health", view_func=lambda: {"status": "UP"})

    @app.get("/")
    def index() -> Response:
        return send_from_directory(_PAGE, "index.html")

    @app.get("/<path:name>")
    def file(name: str) -> Response:
        return send_from_directory(_PAGE, name)


def _add_personas(app: Flask, layout: Layout) -> None:
    @app.get("/personas/")
    def show_personas() -> Response:
        return jsonify(personas=roles.describe(layout.read_any_document()))

    @app.post("/personas/<name>/token")
    def give_token(name: str) -> Response:
        return jsonify(token=_fetch_token(layout, name))

    @app.get("/personas/<name>/folders")
    def show_folders(name: str) -> Response:
        document = layout.read_any_document()
        role = roles.find(name) or abort(404)
        return jsonify(folders=folders.ask(document, role, _fetch_token(layout, name)))


def _fetch_token(layout: Layout, name: str) -> str:
    role: Any = roles.find(name) or abort(404)
    return tokens.fetch(layout.read_any_document()["tokenUrl"], role.persona, layout.keys)


def make(layout: Layout, port: int) -> BaseWSGIServer:
    """A server on loopback alone."""
    return make_server(LOOPBACK, port, create_app(layout, f"localhost:{port}"), threaded=True)


def serve(layout: Layout, port: int) -> None:
    """Serve until killed."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    make(layout, port).serve_forever()
