"""The Flask application: versions, problems and headers around the assembled service."""

import os

import structlog
from flask import Flask, Response, g
from flask_cors import CORS
from werkzeug.exceptions import HTTPException

from registry import wiring
from registry.api import health
from registry.api.blueprints import V2, V3
from registry.api.context import EXTENSION
from registry.api.quota import Quota
from registry.api.receiving import LIMITS, RULES
from registry.api.requests.json_body import BodyRules
from registry.api.requests.multipart import Limits
from registry.api.responses import problems
from registry.api.responses.problems import SHAPES, Shapes
from registry.api.v2.problems import StatusMessages
from registry.api.v3.problems import problem_json
from registry.domain.errors import DocumentUnavailable, RegistryError
from registry.domain.identifiers import EboxKind
from registry.settings import Settings
from registry.telemetry import logs, metrics, requests

_log = structlog.get_logger("registry.app")


def create_app(settings: Settings | None = None) -> Flask:
    """Assemble the application; without `settings` they are read from the environment.

    Raises `SettingsError` with everything that is wrong with them.
    """
    settings = settings or Settings.load(os.environ)
    logs.configure(settings.log_level)
    app = Flask("registry", static_folder=None)
    app.extensions[EXTENSION] = wiring.assemble(settings, metrics.count_introspection)
    app.extensions["quota"] = Quota(settings.rate_limit)
    app.extensions["health"] = health.Health()
    files = {V3.name: settings.publication_files, V2.name: settings.publication_files_v2}
    app.extensions[LIMITS] = {version: _limits(settings, most) for version, most in files.items()}
    app.extensions[RULES] = {version: _rules(settings, most) for version, most in files.items()}
    app.url_map.merge_slashes = False  # an odd path is not found; it is not redirected
    requests.observe(app)
    bases = {
        EboxKind.ENTERPRISE: settings.enterprise_base_path,
        EboxKind.CITIZEN: settings.citizen_base_path,
    }
    for kind, base in bases.items():
        # Each version below each family: a blueprint has one URL, and knows its kind of e-Box.
        for version in (V3, V2):
            prefix = f"{base}/{version.name}"
            app.register_blueprint(version.resources(kind), url_prefix=prefix)
            app.register_blueprint(version.open(kind), url_prefix=prefix)
    status_messages = StatusMessages(settings.contact, settings.environment)
    shapes = {V3.name: problem_json, V2.name: status_messages.status_message}
    app.extensions[SHAPES] = Shapes(shapes, bases.values())
    app.register_error_handler(RegistryError, _registry_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _internal_error)
    _let_browsers_in(app, settings)
    return app


def _limits(settings: Settings, files: int) -> Limits:
    return Limits(
        files=files,
        file=settings.publication_file_size,
        request=settings.publication_request_size,
        message=settings.publication_message_size,
    )


def _rules(settings: Settings, files: int) -> BodyRules:
    return BodyRules(
        subject=settings.publication_subject_length,
        value=settings.publication_value_length,
        label=settings.publication_label_length,
        attachments=files,
        checked=settings.checks_digits,
    )


def _registry_error(error: RegistryError) -> Response:
    if isinstance(error, DocumentUnavailable):
        metrics.DOCUMENTS_UNAVAILABLE.inc()
        _log.error("document unavailable", trace_id=str(g.occurrence))
    elif problems.is_fault(error):
        _log.warning("unavailable", trace_id=str(g.occurrence), detail=error.detail)
    return problems.shown(problems.registry_problem(error), g.occurrence)


def _http_error(error: HTTPException) -> Response:
    return problems.shown(problems.http_problem(error), g.occurrence)


def _internal_error(error: Exception) -> Response:
    _log.error("unexpected", trace_id=str(g.occurrence), exc_info=error)
    return problems.shown(problems.internal_problem(), g.occurrence)


def _let_browsers_in(app: Flask, settings: Settings) -> None:
    """Admit calls from browsers, of pages of named origins only (contract 4.23)."""
    if settings.cors_origins:
        CORS(
            app,
            origins=list(settings.cors_origins),
            always_send=False,
            vary_header=True,
            methods=["GET", "HEAD", "POST", "PATCH"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "Idempotency-Key",
                "If-None-Match",
                "On-Behalf-Of-Enterprise-Number",
                "Range",
                "BelGov-Trace-Id",
            ],
            expose_headers=[
                "BelGov-Trace-Id",
                "Content-Disposition",
                "Content-Range",
                "ETag",
                "Location",
                "Retry-After",
            ],
            max_age=3600,
        )
