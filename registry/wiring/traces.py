"""Assembly of traces, where a setting names a collector."""

from typing import TYPE_CHECKING

from registry.domain.errors import SettingsError
from registry.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer


def start_tracing(settings: Settings) -> "Tracer | None":
    """Tell the collector of calls from now on; gives what else may tell it, None without one.

    Nothing is imported without one. Raises `SettingsError` when the extra is not installed.
    """
    if settings.traces_url is None:
        return None
    try:
        # What takes long to import, and need not be there.
        from registry.telemetry import tracing  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        raise SettingsError(["REGISTRY_TRACES_URL: needs the extra [traces]"]) from None
    tracer = tracing.make_tracer(settings.traces_url, settings.traces_share)
    tracing.observe_calls(tracer)
    return tracer
