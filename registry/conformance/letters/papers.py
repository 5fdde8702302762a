"""Documents to publish, small and made here."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

from registry.conformance.contract.dialect import Dialect

_PDF_HEAD = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
_OBJECTS = (
    b"<</Type/Catalog/Pages 2 0 R>>",
    b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A document in a part of a publication; without `file_name` the part names none."""

    part: str
    content: bytes
    file_name: str | None
    media_type: str | None = "application/pdf"
    is_main: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 in base64url (RFC 4648 section 5)."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.content).digest()).decode()

    def announce(self, dialect: Dialect, **changes: Any) -> dict[str, Any]:
        """Make its entry among the attachments of a publication."""
        digest = {"digestValue": self.digest, "digestMethod": "sha_256"}
        entry = {"httpPartName": self.part, dialect.is_main: self.is_main, "digest": digest}
        return {**entry, **changes}


def make_pdf(text: str) -> bytes:
    """Make a PDF of one empty page; `text` is in a comment, so that no two are alike."""
    pieces, offsets = [_PDF_HEAD, f"% {text}\n".encode()], []
    for number, content in enumerate(_OBJECTS, start=1):
        offsets.append(sum(map(len, pieces)))
        pieces.append(b"%d 0 obj%sendobj\n" % (number, content))
    start = sum(map(len, pieces))
    rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    pieces.append(b"xref\n0 4\n0000000000 65535 f \n%s" % rows)
    pieces.append(b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start)
    return b"".join(pieces)


def make_main(mark: str, **changes: Any) -> Paper:
    """Make a main document."""
    facts = {
        "part": "upfile1",
        "content": make_pdf(mark),
        "file_name": "brief.pdf",
        "is_main": True,
    }
    return Paper(**{**facts, **changes})


def make_annex(mark: str, **changes: Any) -> Paper:
    """Make a document that is no main one."""
    content = make_pdf(f"{mark} annex")
    return Paper(**{"part": "upfile2", "content": content, "file_name": "bijlage.pdf", **changes})
