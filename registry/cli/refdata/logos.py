"""Logos beside the file: small pictures of the types that the contract allows."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import imagesize

from registry.domain.languages import LANGUAGES
from registry.domain.reference_set import ReferenceLogo

if TYPE_CHECKING:
    from registry.cli.refdata.yaml_nodes import FileMember

_LONGEST_PATH: Final = 400  # characters
_LARGEST: Final = 64 << 10  # bytes
_SIDE: Final = 100  # pixels that a logo has fewer of, each way (contract 2.3)
# Media types by how a file begins. SVG is in the contract's list and not in its rule for logos: it
# may carry a program, which a browser would run as ours.
_SIGNATURES: Final[Mapping[bytes, str]] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"\xff\xd8\xff": "image/jpeg",
}
SUFFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "image/png": (".png",),
    "image/gif": (".gif",),
    "image/jpeg": (".jpg", ".jpeg"),
}


def read_logo(member: "FileMember", folder: Path) -> ReferenceLogo | None:
    """Read a logo from `folder` or below; None when something is wrong with it, which is noted."""
    members = member.read_members(("file",), ("language",))
    language = members["language"].read_text(2) if "language" in members else None
    if language and language not in LANGUAGES:
        members["language"].fail(f"must be one of {', '.join(LANGUAGES)}")
    if "file" not in members:
        return None
    content = _read_file(members["file"], folder)
    if content is None:
        return None
    media_type = _find_type(members["file"], content)
    if media_type is None:
        return None
    return ReferenceLogo(media_type=media_type, content=content, language=language or None)


def _read_file(member: "FileMember", folder: Path) -> bytes | None:
    name = member.read_text(_LONGEST_PATH)
    if not name:
        return None
    try:
        path = (folder / name).resolve()
        if Path(name).is_absolute() or not path.is_relative_to(folder.resolve()):
            member.fail("must be a path below the folder of this file")
        elif not path.is_file():  # a pipe would keep us waiting
            member.fail(f"names {name}, where there is no file")
        elif path.stat().st_size > _LARGEST:
            member.fail(f"names {name}, which is larger than {_LARGEST >> 10} KiB")
        else:
            return path.read_bytes()
    except OSError as error:
        member.fail(f"names {name}, which cannot be read: {error.strerror}")
    return None


def _find_type(member: "FileMember", content: bytes) -> str | None:
    """Find the media type that the bytes show; None, and noted, when they will not do."""
    name = str(member.node.value)
    media_type = next(
        (kind for start, kind in _SIGNATURES.items() if content.startswith(start)), None
    )
    width, height = imagesize.get(BytesIO(content)) if media_type else (0, 0)
    if media_type is None or min(width, height) < 1:
        member.fail(f"names {name}, which is no PNG, GIF or JPEG")
    elif Path(name).suffix.lower() not in SUFFIXES[media_type]:
        member.fail(f"names {name}, which is {media_type} by its bytes")
    elif max(width, height) >= _SIDE:
        member.fail(
            f"names {name} of {width} by {height} pixels; a logo has fewer than {_SIDE} each way"
        )
    else:
        return media_type
    return None
