"""The Flask application: versions, problems and headers around the assembled service."""

import os

import structlog
from flask import Flask, Response, g
from flask_cors import CORS
from werkzeug.exceptions import HTTPException

from registry.api.blueprints import V2, V3
from registry.api.costly_slots import CostlySlots
from registry.api.plain_paths import PlainPaths
from registry.api.quota import Quota
from registry.api.requests.json_body import BodyRules
from registry.api.requests.multipart import BodyLimits
from registry.api.responses import problems
from registry.api.responses.json_response import MINIMUM
from registry.api.responses.problem_shapes import ProblemShapes
from registry.api.shared_counts import StoredCounts
from registry.api.state import ApiState, get_state, set_state
from registry.api.v2.problems import StatusMessages
from registry.api.v3 import problems as problems_3
from registry.domain.errors import DocumentNotStored, DocumentUnavailable, RegistryError
from registry.settings import Settings
from registry.telemetry import logs, metrics, neighbour_figures, requests
from registry.telemetry.documents import report_not_stored
from registry.wiring.service import Registry, assemble
from registry.wiring.traces import start_tracing

_log = structlog.get_logger("registry.app")


def create_app(settings: Settings | None = None) -> Flask:
    """Assemble the application; without `settings` they are read from the environment.

    Raises `SettingsError` with everything that is wrong with them.
    """
    settings = settings or Settings.load(os.environ)
    logs.configure(settings.log_level)
    app = Flask("registry", static_folder=None)
    neighbour_figures.observe()
    registry = assemble(settings, metrics.count_introspection)
    set_state(app, _make_state(registry, settings))
    app.url_map.merge_slashes = False  # which would redirect
    app.wsgi_app = PlainPaths(app.wsgi_app, settings.base_paths.values())  # type: ignore[method-assign]
    requests.observe(app)
    if tracer := start_tracing(settings):
        from registry.telemetry.tracing import RequestTracer  # noqa: PLC0415 - an extra

        RequestTracer(tracer).observe(app)
    for kind, base in settings.base_paths.items():
        # Each version below each family: a blueprint has one URL, and knows its kind of e-Box.
        for version in (V3, V2):
            prefix, url = f"{base}/{version.name}", registry.base_url(kind, version.name)
            guarded = version.make_guarded_blueprint(kind, url, has_reset=settings.resets_data_set)
            unguarded = version.make_open_blueprint(kind, url, has_page=settings.has_doc_page)
            for blueprint in (guarded, unguarded):
                app.register_blueprint(blueprint, url_prefix=prefix)
    app.register_error_handler(RegistryError, _registry_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _internal_error)
    _let_browsers_in(app, settings)
    return app


def _make_state(registry: Registry, settings: Settings) -> ApiState:
    files = {V3.name: settings.publication_files, V2.name: settings.publication_files_v2}
    status_messages = StatusMessages(settings.contact, settings.environment)
    shapes = {V3.name: problems_3.render_problem, V2.name: status_messages.render_problem}
    return ApiState(
        registry=registry,
        instance=settings.instance,
        quota=_make_quota(settings),
        costly_slots=CostlySlots(settings.costly_requests),
        refuses_unknown_parameters=settings.refuse_unknown_parameters,
        trusted_proxies=settings.trusted_proxies,
        leaves_documents_to_proxy=settings.accel,
        body_limits={version: _make_limits(settings, most) for version, most in files.items()},
        body_rules={version: _make_rules(settings, most) for version, most in files.items()},
        problem_shapes=ProblemShapes(shapes, settings.base_paths.values()),
    )


def _make_quota(settings: Settings) -> Quota:
    secret, url = settings.hash_key, settings.rate_limit_url
    return Quota(
        settings.rate_limit,
        processes=int(os.environ.get("WEB_CONCURRENCY", "1")),  # which gunicorn's worker sets
        secret=secret.get_secret_value().encode() if secret else b"",
        shared=StoredCounts(url.get_secret_value()) if url else None,
    )


def _make_limits(settings: Settings, files: int) -> BodyLimits:
    return BodyLimits(
        files=files,
        file=settings.publication_file_size,
        request=settings.publication_request_size,
        message=settings.publication_message_size,
    )


def _make_rules(settings: Settings, files: int) -> BodyRules:
    return BodyRules(
        subject=settings.publication_subject_length,
        value=settings.publication_value_length,
        label=settings.publication_label_length,
        attachments=files,
        business_data=settings.publication_business_data,
        business_data_size=settings.publication_business_data_size,
        check_digits=settings.checks_digits,
    )


def _registry_error(error: RegistryError) -> Response:
    if isinstance(error, DocumentNotStored):
        report_not_stored(str(g.occurrence))
    # Of one that cannot be read it is said where it is known which.
    elif problems.is_fault(error) and not isinstance(error, DocumentUnavailable):
        _log.warning("unavailable", trace_id=str(g.occurrence), detail=error.detail)
    return _render(problems.describe_error(error))


def _http_error(error: HTTPException) -> Response:
    return _render(problems.describe_http_error(error))


def _internal_error(error: Exception) -> Response:
    _log.error("unexpected", trace_id=str(g.occurrence), exc_info=error)
    return _render(problems.describe_unexpected_error())


def _render(problem: problems.Problem) -> Response:
    return get_state().problem_shapes.render(problem, g.occurrence)


def _let_browsers_in(app: Flask, settings: Settings) -> None:
    """Admit calls from browsers, of pages of named origins only (contract 4.23, 6.42)."""
    if settings.cors_origins:
        app.after_request(_show_timings)  # after CORS has let the origin in: the last comes first
        CORS(
            app,
            origins=list(settings.cors_origins),
            always_send=False,
            vary_header=False,  # which would leave out answers to those who name no origin
            methods=["GET", "HEAD", "POST", "PATCH"],
            allow_headers="*",  # repeats those that are asked for
            expose_headers=[
                "BelGov-Trace-Id",
                "Content-Disposition",
                "Content-Range",
                "ETag",
                "Location",
                "Retry-After",
                MINIMUM,
            ],
            max_age=3600,
        )
        app.after_request(_vary_by_origin)


def _show_timings(response: Response) -> Response:
    """Let a page that may read the answer know how long it took, and if a cache had it."""
    if origin := response.headers.get("Access-Control-Allow-Origin"):
        response.headers["Timing-Allow-Origin"] = origin
    return response


def _vary_by_origin(response: Response) -> Response:
    """Keep caches from showing a browser what was answered to another origin, or to none."""
    response.vary.add("Origin")
    return response
