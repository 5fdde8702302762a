"""Parts sent to S3, held against what S3 answers that it stored."""

import base64
import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from registry.blobs.versions import make_checksum


@dataclass
class SentParts:
    """The parts of one upload, by the checksum that every store can look at as they arrive: MD5.

    With `has_crc` each goes out with a CRC-32 too, in a header: boto3 would send it as a trailer.
    """

    has_crc: bool = field(default=False, compare=False)
    size: int = 0  # bytes, all together
    digests: list[bytes] = field(default_factory=list)  # MD5

    @classmethod
    def read(cls, parts: Iterable[tuple[Any, bool]]) -> Self:
        """Take these parts as if they were sent, to compare them with others."""
        sent_parts = cls()
        for part, _ in parts:
            sent_parts.add(part)
        return sent_parts

    def add(self, part: Any) -> dict[str, Any]:
        """Note a part, and make the arguments that have S3 refuse any other bytes for it."""
        checksums = make_checksum(part)
        self.digests.append(base64.b64decode(checksums["ContentMD5"]))
        self.size += len(part)
        if self.has_crc:
            crc = zlib.crc32(part).to_bytes(4)
            checksums["ChecksumCRC32"] = base64.b64encode(crc).decode()
        return checksums

    def has_etag(self, etag: str, *, is_multipart: bool) -> bool:
        """Tell if this is the ETag that most stores give these bytes.

        It is their MD5, or of an upload in parts the MD5 of the MD5s. Stores that encrypt with a
        key of KMS have another, which says nothing.
        """
        own_etag = self.digests[0].hex()
        if is_multipart:
            digest = hashlib.md5(b"".join(self.digests), usedforsecurity=False)
            own_etag = f"{digest.hexdigest()}-{len(self.digests)}"
        return etag.strip('"') == own_etag
