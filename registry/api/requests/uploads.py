"""A multipart body on its way in: files are stored as they come, the rest is understood."""

from types import TracebackType
from typing import Final

import structlog
from flask import g, request
from marshmallow import Schema

from registry.api.context import registry
from registry.api.requests import strict_json
from registry.api.requests.body import body_limits, body_rules
from registry.api.requests.json_body import load
from registry.api.requests.multipart import parse_parts
from registry.domain.drafts import Draft, StagedFile
from registry.domain.errors import Invalid, Issue, RegistryError, Unavailable
from registry.domain.identifiers import Ebox
from registry.telemetry import metrics
from registry.telemetry.harmless import harmless

_log: Final = structlog.get_logger("registry.documents")


class ArrivingPublication:
    """Reads the body of this request; within the block the files wait to be claimed.

    `part` is the one that describes the message, read by `schema`; `owner` is the e-Box of whoever
    publishes or replies. No file stays behind when it cannot be read, or when the block refuses it
    or finds that its note is gone;
    of any other failure nobody knows whether the message was filed before, so that its files are
    left to the sweep, which does know. Raises what `parse_parts`, `Upload.stage` and the schema
    raise.
    """

    def __init__(self, part: str, schema: Schema, owner: Ebox) -> None:
        self._part, self._schema = part, schema
        self._upload = registry().uploads.begin(owner)

    def __enter__(self) -> tuple[Draft, tuple[StagedFile, ...]]:
        try:
            draft = self._take()
        # Also when the worker is told to stop: nobody else knows of these files before the sweep.
        except BaseException:
            self._upload.discard()
            raise
        return draft, tuple(self._upload.files)

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if kind is None:
            self._report_unscanned()
        elif issubclass(kind, RegistryError) and kind is not Unavailable:
            self._upload.discard()

    def _take(self) -> Draft:
        draft, issues = None, [Issue("body", self._part, f"{self._part} is missing")]
        parts = parse_parts(
            request.stream, dict(request.headers), body_limits(), message_part=self._part
        )
        for part in parts:
            if part.name == self._part:
                members = strict_json.parse(part.read_text().encode())
                draft, issues = load(self._schema, members, rules=body_rules())
            else:
                self._upload.stage(part.name, part.file_name, part.media_type, part.chunks)
        if draft is None:
            raise Invalid(issues)
        complete_draft: Draft = draft
        return complete_draft

    @harmless
    def _report_unscanned(self) -> None:
        """Count and log what was filed without a whole look; by its key it can be looked at."""
        for file in self._upload.files:
            if not file.is_scanned:
                metrics.DOCUMENTS_UNSCANNED.inc()
                _log.warning("document not scanned", trace_id=str(g.occurrence), key=file.blob_key)
