"""Framing of a multipart body as other programs write it: padded delimiters and folded headers."""

from collections.abc import Iterable, Iterator
from typing import Final

from multipart import PushMultipartParser

_LONGEST_PADDING: Final = 256  # characters; with more it is not taken for one
_BLANK: Final = b" \t"


def drop_padding(chunks: Iterable[bytes], boundary: str) -> Iterator[bytes]:
    """Drop the white space between a delimiter and the end of its line (RFC 2046, 5.1.1).

    The body gets a line end in front, since each delimiter but perhaps the first begins with one.
    """
    delimiter = b"\r\n--" + boundary.encode()
    rest = b"\r\n"
    for chunk in chunks:
        ready = rest + chunk
        if delimiter in ready:
            content, *others = ready.split(delimiter)
            ready = delimiter.join([content, *map(_strip_padding, others)])
        end = _find_end(ready, delimiter)
        ready, rest = ready[:end], ready[end:]
        if ready:
            yield ready
    if rest:
        yield rest


class UnfoldingParser(PushMultipartParser):  # type: ignore[misc] # it has no types
    """A strict parser that reads a header over several lines as one (RFC 5322, 2.2.3)."""

    def _on_segment_headerline(self, line: bytes) -> None:
        if line[:1] in (b" ", b"\t") and self._segment_headerlist and line.strip(_BLANK):
            name, value = self._segment_headerlist.pop()
            line = f"{name}: {value} ".encode(self.header_charset) + line.strip(_BLANK)
        super()._on_segment_headerline(line)


def _strip_padding(behind: bytes) -> bytes:
    """Strip the padding off what stands behind a delimiter, if the line ends there."""
    line_end = behind[: _LONGEST_PADDING + 2].lstrip(_BLANK)
    return behind.lstrip(_BLANK) if line_end.startswith(b"\r\n") else behind


def _find_end(ready: bytes, delimiter: bytes) -> int:
    """Find where a delimiter begins of which the next chunk may have the rest, or else the end."""
    start = ready.rfind(delimiter)
    if start >= 0:
        padding = ready[start + len(delimiter) :].removesuffix(b"\r")
        if len(padding) <= _LONGEST_PADDING and not padding.strip(_BLANK):
            return start
    start = ready.rfind(b"\r", max(0, len(ready) - len(delimiter) + 1))
    return start if start >= 0 and delimiter.startswith(ready[start:]) else len(ready)
