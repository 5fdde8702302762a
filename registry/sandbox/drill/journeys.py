"""The main journeys after a restore: list, read a document, publish, seal."""

import hashlib
import time
from collections.abc import Sequence
from typing import Final

from registry.sandbox.demo.tour import Visitor, must
from registry.sandbox.drill.examiner import Examiner, TrailVerdict
from registry.sandbox.drill.ledger import Acknowledgement
from registry.sandbox.servers.processes import pause

_PATIENCE: Final = 60.0  # seconds until new entries are under a seal


def walk(reader: Visitor, lines: Sequence[Acknowledgement]) -> None:
    """List the e-Box, and read the documents of these messages, old and new.

    Raises `DemoFailed` when anything is not as it was acknowledged.
    """
    page = reader.get("/ebox/messages", pageSize=1).json()
    must(page["totalItems"] > 0, "The e-Box has messages")
    for line in lines:
        _read(reader, line)


def _read(reader: Visitor, line: Acknowledgement) -> None:
    path = f"/ebox/messages/{line.message_id}/attachments"
    (attachment,) = reader.get(path).json()["items"]
    content = reader.get(f"{path}/{attachment['attachmentId']}/content").content
    must(
        hashlib.sha256(content).hexdigest() == line.digest,
        f"The document of {line.message_id} is the one that was sent",
    )


def await_seals(examiner: Examiner, before: TrailVerdict) -> TrailVerdict:
    """Wait until there are more seals than before, and all is verified; raises `DemoFailed`."""
    deadline = time.monotonic() + _PATIENCE
    while (trail := examiner.verify_trail()).seals <= before.seals:
        must(time.monotonic() < deadline, "Sealing goes on")
        pause(0.5)
    return trail
