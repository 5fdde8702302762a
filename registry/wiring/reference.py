"""Assembly of the import of reference data, which needs the owner's role and no other service."""

from collections.abc import Iterator
from contextlib import contextmanager

from registry.audit.log import AuditLog
from registry.services.reference_import import ReferenceImport
from registry.settings import Settings
from registry.wiring.clock import now
from registry.wiring.database import make_engine
from registry.wiring.pseudonyms import NoPseudonyms


@contextmanager
def open_reference_import(settings: Settings, operator: str) -> Iterator[ReferenceImport]:
    """Give the import for the block; raises `SettingsError` without the owner's URL."""
    engine = make_engine(settings, "owner")
    try:
        # No e-Box is named in what it records.
        yield ReferenceImport(engine, AuditLog(NoPseudonyms(), now, operator))
    finally:
        engine.dispose()
