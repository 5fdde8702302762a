"""Parts of a multipart/form-data body (RFC 7578), streamed and in any order.

Bytes in, parts out: a file is never held, in memory or on disk. The framework's own form parser
stays untouched.
"""

import re
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import unquote_to_bytes

from multipart import (
    MultipartError,
    ParserLimitReached,
    content_disposition_unquote,
)
from werkzeug.exceptions import ClientDisconnected

from registry.api.requests.multipart_framing import UnfoldingParser, drop_padding
from registry.domain.errors import Invalid, Issue, TooLarge, UnsupportedMediaType
from registry.domain.filenames import decode_name

FORM: Final = "multipart/form-data"

_CHUNK: Final = 64 * 1024  # bytes read at once
_LONGEST_NAME: Final = 255  # characters of a part's name
_IDENTITIES: Final = frozenset({"", "identity", "binary", "8bit", "7bit"})
_BOUNDARY: Final = re.compile(r';\s*boundary=(?:"([^"]+)"|([^\s;"]+))', re.ASCII | re.IGNORECASE)
_LEGAL_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
# A parameter of Content-Disposition; of a value without quotes browsers and curl leave nothing out.
_PARAMETER: Final = re.compile(
    r';\s*([\w!#$&+.^`|~*-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;"]*)', re.ASCII
)
_CODECS: Final = {  # of Python, by the name of the charset that a part may have
    "utf-8": "utf-8-sig",
    "us-ascii": "utf-8",
    "iso-8859-1": "latin-1",
    "iso-8859-15": "iso8859-15",
    "windows-1252": "cp1252",
}
_LENGTH: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_EXTENDED_VALUE: Final = re.compile(
    r"(utf-8|iso-8859-1)'[^']*'(.*)", re.DOTALL | re.IGNORECASE
)  # RFC 8187


class Readable(Protocol):
    """A stream that a body is read from, such as `request.stream`."""

    def read(self, size: int, /) -> bytes:
        """Read at most `size` bytes, none at the end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLimits:
    """Limits of a body, in bytes but for `files` (contract 6.24)."""

    files: int = 20
    file: int = 1 << 30
    request: int = 2 << 30
    message: int = 1 << 20  # the part that describes the message
    header: int = 8 << 10  # one header of a part


@dataclass(frozen=True, slots=True)
class Part:
    """One part; `media_type` in lower case, without parameters but for `charset`.

    `file_name` is as its sender wrote it, but for the encoding of the header. The chunks have to be
    consumed before the next part is asked for; what is left then is read and thrown away.
    """

    name: str
    file_name: str | None
    media_type: str | None
    chunks: Iterator[bytes]
    charset: str | None = None

    def read_content(self) -> bytes:
        """Read all of it, for a part that is known to be small."""
        return b"".join(self.chunks)

    def read_text(self) -> str:
        """Read a small part as text in the charset that it names, else UTF-8 (RFC 7578, 4.5)."""
        charset = (self.charset or "utf-8").lower()
        codec = _CODECS.get(charset)
        if codec is None:
            supported = ", ".join(_CODECS)
            raise _refuse_part(self.name, f"has a charset that is none of {supported}")
        try:
            return self.read_content().decode(codec)
        except UnicodeDecodeError:
            raise _refuse_part(self.name, f"is not in its charset, {charset}") from None


def parse_parts(
    stream: Readable, headers: Mapping[str, str], limits: BodyLimits, *, message_part: str
) -> Iterator[Part]:
    """Parse the parts as they come; the one named `message_part` is no file, and may come but once.

    `headers` are the request's. Raises `UnsupportedMediaType`, `Invalid` for what is no such body
    or ends too soon, and `TooLarge` as soon as a limit is passed: from the next part, or from the
    next chunk of this one.
    """
    boundary = _read_boundary(headers)
    # Before a byte is read; a body that does not say its length is measured as it comes.
    _check_length(headers, limits)
    events = _parse_events(stream, boundary, limits)
    has_message, files = False, 0
    for segment in events:
        part = _make_part(segment, events, limits, message_part)
        if part.name != message_part:
            files += 1
        elif has_message:
            raise _refuse_part(message_part, "is given more than once")
        has_message = has_message or part.name == message_part
        if files > limits.files:
            raise _refuse_part(part.name, f"is one file too many: at most {limits.files} are read")
        yield part
        # The parser reaches the next part only by way of the rest of this one.
        for _ in part.chunks:
            pass


def _read_boundary(headers: Mapping[str, str]) -> str:
    content_type = headers.get("Content-Type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != FORM:
        raise UnsupportedMediaType(f"Content-Type {media_type or 'none'} is not supported")
    encoding = headers.get("Content-Encoding", "").strip().lower()
    if encoding not in _IDENTITIES:
        raise UnsupportedMediaType(f"Content-Encoding {encoding} is not supported")
    boundaries: list[str] = [one or other for one, other in _BOUNDARY.findall(content_type)]
    # Of two boundaries a proxy may take the other one, and see other parts than we do.
    if len(boundaries) != 1 or not _LEGAL_BOUNDARY.fullmatch(boundaries[0]):
        raise Invalid([Issue("header", "Content-Type", "Content-Type has no valid boundary")])
    return boundaries[0]


def _check_length(headers: Mapping[str, str], limits: BodyLimits) -> None:
    length = headers.get("Content-Length", "")
    if _LENGTH.fullmatch(length) and int(length) > limits.request:
        raise TooLarge(limits.request, "A request")


def _parse_events(stream: Readable, boundary: str, limits: BodyLimits) -> Iterator[Any]:
    """Give what the parser makes of the bytes: for each part its segment, its chunks, and None."""
    # Latin-1 takes every byte; names are decoded by what each of them turns out to be.
    parser = UnfoldingParser(
        boundary, max_header_size=limits.header, header_charset="latin-1", strict=True
    )
    event = None
    try:
        for chunk in drop_padding(_read_chunks(stream, limits), boundary):
            for event in parser.parse(chunk):
                yield event
            if event is None and _is_complete(parser):
                return  # what follows the last boundary is no part of it (RFC 2046, 5.1.1)
        parser.close()
    except ParserLimitReached:
        raise TooLarge(limits.header, "The headers of a part") from None
    except MultipartError as error:
        raise _refuse_body(str(error)) from None


def _is_complete(parser: UnfoldingParser) -> bool:
    """Tell if the last boundary has been read; a parser tells only while it closes."""
    try:
        # A copy, since a parser that is closed reads no further.
        copy(parser).close()
    except MultipartError:
        return False
    return True


def _read_chunks(stream: Readable, limits: BodyLimits) -> Iterator[bytes]:
    total = 0
    try:
        while chunk := stream.read(_CHUNK):
            total += len(chunk)
            if total > limits.request:
                raise TooLarge(limits.request, "A request")
            yield chunk
    except ClientDisconnected:
        raise _refuse_body("the body is shorter than its Content-Length") from None


class _Content(Iterator[bytes]):
    """The chunks of the part that is being read, up to its limit."""

    def __init__(self, events: Iterator[Any], limit: int, what: str) -> None:
        self._events, self._limit, self._what = events, limit, what
        self._size = 0
        self._is_over = False

    def __next__(self) -> bytes:
        chunk = None if self._is_over else next(self._events)
        if chunk is None:
            self._is_over = True
            raise StopIteration
        self._size += len(chunk)
        if self._size > self._limit:
            raise TooLarge(self._limit, self._what)
        return bytes(chunk)


def _make_part(segment: Any, events: Iterator[Any], limits: BodyLimits, message_part: str) -> Part:
    headers = _read_headers(segment.headerlist)
    parameters = _parse_parameters(headers.get("content-disposition", ""))
    name = _decode(parameters.get("name", ""))
    if not 0 < len(name) <= _LONGEST_NAME:
        raise _refuse_body(f"a part has no name of 1 to {_LONGEST_NAME} characters")
    _check_encoding(name, headers)
    is_message = name == message_part
    limit, what = (limits.message, name) if is_message else (limits.file, "A file")
    if int(headers.get("content-length", 0)) > limit:  # the parser has seen to it that it is digits
        raise TooLarge(limit, what)
    content = _Content(events, limit, what)
    media_type = segment.content_type or None
    return Part(name, _find_file_name(parameters), media_type, content, segment.charset)


def _read_headers(pairs: list[tuple[str, str]]) -> dict[str, str]:
    headers = {name.lower(): value for name, value in pairs}
    # Of two values every reader may take another.
    if len(headers) < len(pairs):
        raise _refuse_body("a part has a header twice")
    if any(map(_CONTROL.search, headers.values())):
        raise _refuse_body("a header of a part has a control character")
    return headers


def _check_encoding(name: str, headers: Mapping[str, str]) -> None:
    # The digest is that of the bytes that arrive, so nothing is unpacked (RFC 7578, 4.7).
    for header in ("content-encoding", "content-transfer-encoding"):
        if headers.get(header, "").strip().lower() not in _IDENTITIES:
            raise _refuse_part(name, f"has a {header.title()} that is not supported")
    # Several files below one name come as several parts (RFC 7578, 4.3).
    if headers.get("content-type", "").strip().lower().startswith("multipart/"):
        raise _refuse_part(name, "is itself a multipart body")


def _parse_parameters(disposition: str) -> dict[str, str]:
    """Parse the parameters of a Content-Disposition, unquoted; none may come twice."""
    matches = _PARAMETER.findall(disposition)
    parameters = {
        name.lower(): content_disposition_unquote(value.strip(), name.lower() == "filename")
        for name, value in matches
    }
    if len(parameters) < len(matches):
        raise _refuse_body("a Content-Disposition has a parameter twice")
    return parameters


def _find_file_name(parameters: Mapping[str, str]) -> str | None:
    """Find `filename*` where it can be read (RFC 6266, 4.3), else `filename`; None for neither.

    Each is decoded once, by its own rule.
    """
    match = _EXTENDED_VALUE.fullmatch(parameters.get("filename*", ""))
    if match:
        try:
            return unquote_to_bytes(match[2]).decode(match[1]) or None
        except UnicodeDecodeError:
            pass
    return decode_name(_decode(parameters.get("filename", ""))) or None


def _decode(text: str) -> str:
    """Decode a value of a header: UTF-8 where it is that, else the ISO-8859-1 it was read as."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeDecodeError:
        return text


def _refuse_body(fault: str) -> Invalid:
    return Invalid([Issue("body", "body", f"The multipart body is malformed: {fault}")])


def _refuse_part(name: str, fault: str) -> Invalid:
    return Invalid([Issue("body", name, f"{name} {fault}")])
