"""The Flask application: blueprints, problems and headers around the assembled service."""

import os
from typing import Final

import structlog
from flask import Blueprint, Flask, Response, g
from flask_cors import CORS
from werkzeug.exceptions import HTTPException

from registry import wiring
from registry.api import docs, health
from registry.api.authentication import authenticate
from registry.api.bodies import BodyRules
from registry.api.context import EXTENSION
from registry.api.multipart import Limits
from registry.api.negotiation import check_accept
from registry.api.quota import Quota
from registry.api.receiving import LIMITS, RULES
from registry.api.v3 import messages, problems, publishing, reference, webhook
from registry.domain.errors import DocumentUnavailable, RegistryError
from registry.domain.identifiers import EboxKind
from registry.settings import Settings
from registry.telemetry import logs, metrics, requests

_DOCUMENT: Final = "messageregistry-3.yaml"
_log = structlog.get_logger("registry.app")


def create_app(settings: Settings | None = None) -> Flask:
    """Assemble the application; without `settings` they are read from the environment.

    Raises `SettingsError` with everything that is wrong with them.
    """
    settings = settings or Settings.load(os.environ)
    logs.configure(settings.log_level)
    app = Flask("registry", static_folder=None)
    app.extensions[EXTENSION] = wiring.assemble(settings, metrics.introspected)
    app.extensions["quota"] = Quota(settings.rate_limit)
    app.extensions["health"] = health.Health()
    app.extensions[LIMITS] = Limits(
        files=settings.publication_files,
        file=settings.publication_file_size,
        request=settings.publication_request_size,
        message=settings.publication_message_size,
    )
    app.extensions[RULES] = BodyRules(
        subject=settings.publication_subject_length,
        value=settings.publication_value_length,
        label=settings.publication_label_length,
        attachments=settings.publication_files,
        checked=settings.checks_digits,
    )
    app.url_map.merge_slashes = False  # an odd path is not found; it is not redirected
    requests.observe(app)
    for kind in EboxKind:
        base = {
            EboxKind.ENTERPRISE: settings.enterprise_base_path,
            EboxKind.CITIZEN: settings.citizen_base_path,
        }[kind]
        app.register_blueprint(_resources(kind), url_prefix=f"{base}/v3")
        app.register_blueprint(_open(kind), url_prefix=f"{base}/v3")
    app.register_error_handler(RegistryError, _registry_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    _let_browsers_in(app, settings)
    return app


def _resources(kind: EboxKind) -> Blueprint:
    """What needs a token; the name tells version and family (see `api.context`)."""
    blueprint = Blueprint(f"v3-{kind}", __name__)
    blueprint.before_request(authenticate)
    blueprint.before_request(check_accept)
    for resources in (messages, publishing, reference, webhook):
        resources.add_resources(blueprint)
    return blueprint


def _open(kind: EboxKind) -> Blueprint:
    """What anybody may ask."""
    blueprint = Blueprint(f"v3-open-{kind}", __name__)
    health.add_resources(blueprint)
    docs.add_resources(blueprint, _DOCUMENT)
    return blueprint


def _registry_error(error: RegistryError) -> Response:
    if isinstance(error, DocumentUnavailable):
        metrics.DOCUMENTS_UNAVAILABLE.inc()
        _log.error("document unavailable", trace_id=str(g.occurrence))
    elif problems.is_fault(error):
        _log.warning("unavailable", trace_id=str(g.occurrence), detail=error.detail)
    return problems.registry_problem(error, g.occurrence)


def _http_error(error: HTTPException) -> Response:
    return problems.http_problem(error, g.occurrence)


def _unexpected(error: Exception) -> Response:
    _log.error("unexpected", trace_id=str(g.occurrence), exc_info=error)
    return problems.internal_problem(g.occurrence)


def _let_browsers_in(app: Flask, settings: Settings) -> None:
    """The portal's own code calls us from the browser; only named origins may (contract 4.23)."""
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
