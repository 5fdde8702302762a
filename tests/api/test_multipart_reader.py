"""Parts of a body are streamed in any order, and what is no such body is refused early."""

import io
import tracemalloc
from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.wsgi import LimitedStream

from registry.api.requests.multipart import _CODECS, BodyLimits, parse_parts
from registry.domain.errors import Invalid, TooLarge, UnsupportedMediaType

BOUNDARY = "f3d2-boundary"
HEADERS = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
FILE = (
    b'Content-Disposition: form-data; name="%b"; filename="a.pdf"\r\nContent-Type: application/pdf'
)
MESSAGE = b'Content-Disposition: form-data; name="message"\r\nContent-Type: application/json'


class Stream(io.BytesIO):
    """Bytes that come at most `at_once` at a time, as from a network."""

    def __init__(self, content, at_once=65_536):
        super().__init__(content)
        self.at_once = at_once

    def read(self, size=-1):
        return super().read(min(size, self.at_once))


def a_body(*parts, boundary=BOUNDARY, end=b"--\r\n"):
    """A body of (headers, content) pairs."""
    mark = boundary.encode()
    inside = b"".join(b"--%b\r\n%b\r\n\r\n%b\r\n" % (mark, head, body) for head, body in parts)
    return inside + b"--" + mark + end


def a_file(content=b"%PDF", name=b"one"):
    return FILE % name, content


def a_message(content=b"{}"):
    return MESSAGE, content


def reading(stream, headers=HEADERS, **limits):
    return parse_parts(stream, headers, BodyLimits(**limits), message_part="message")


def read(body, headers=HEADERS, at_once=65_536, **limits):
    parts = reading(Stream(body, at_once), headers, **limits)
    return [(part.name, part.file_name, part.media_type, part.read_content()) for part in parts]


def described(*header_lines):
    """How a part is read that has these headers."""
    return read(a_body((b"\r\n".join(header_lines), b"x")))[0][:3]


def refused(body, headers=HEADERS, **limits):
    """The detail of the first fault."""
    with pytest.raises(Invalid) as error:
        read(body, headers, **limits)
    return error.value.issues[0].detail


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_parts_come_in_any_order(order):
    parts = [a_message(), a_file(b"1", b"one"), a_file(b"22", b"two")]

    names = [name for name, *_ in read(a_body(*(parts[number] for number in order)))]

    assert names == [["message", "one", "two"][number] for number in order]


def test_a_part_has_a_name_a_file_name_a_media_type_and_its_bytes():
    assert read(a_body(a_message(b'{"a": 1}'), a_file(b"\r\n--f3d2-bound\r\n\0"))) == [
        ("message", None, "application/json", b'{"a": 1}'),
        ("one", "a.pdf", "application/pdf", b"\r\n--f3d2-bound\r\n\0"),
    ]


@pytest.mark.parametrize("at_once", [1, 2, 3, 5, 16, 17, 18, 19, 100])
def test_it_makes_no_difference_how_the_network_cuts_the_body(at_once):
    body = a_body(a_file(b"\r" * 50 + b"--"), a_message(b'{"a": 1}'), a_file(b"", b"two"))

    assert read(body, at_once=at_once) == read(body)


@given(st.lists(st.binary(max_size=100), max_size=4), st.integers(1, 80))
def test_the_bytes_of_every_file_arrive_as_sent(contents, at_once):
    sent = [a_file(content, b"p%d" % number) for number, content in enumerate(contents)]

    assert [part[3] for part in read(a_body(*sent), at_once=at_once)] == contents


def test_a_body_without_parts_is_empty():
    assert read(b"--" + BOUNDARY.encode() + b"--\r\n") == []


@pytest.mark.parametrize("at_once", [1, 2, 7, 19, 65_536])
@pytest.mark.parametrize("padding", [b" ", b"\t \t", b" " * 256])
def test_white_space_behind_a_boundary_is_dropped(at_once, padding):
    mark = b"--" + BOUNDARY.encode()
    plain = a_body(a_message(), a_file(b"1 \r\n" + mark[:-1] + b" \r\n\t", b"one"), a_file(b""))
    padded = plain.replace(mark + b"\r\n", mark + padding + b"\r\n") + padding

    assert read(padded, at_once=at_once) == read(plain)


@pytest.mark.parametrize("behind", [b" x", b" " * 257, b" \n", b"\x0b"])
def test_what_is_no_white_space_or_too_much_is_refused(behind):
    body = a_body(a_file()).replace(b"boundary\r\n", b"boundary" + behind + b"\r\n")

    assert refused(body).startswith("The multipart body is malformed")


@pytest.mark.parametrize("at_once", [1, 7, 65_536])
def test_a_header_may_go_on_in_the_next_line(at_once):
    head = (
        b'Content-Disposition: form-data;\r\n\tname="one";\r\n  filename="a\r\n b.pdf"\r\n'
        b"Content-Type:\r\n application/pdf"
    )

    assert read(a_body((head, b"%PDF")), at_once=at_once) == [
        ("one", "a b.pdf", "application/pdf", b"%PDF")
    ]


def in_charset(name, content):
    head = MESSAGE + b"; charset=" + name
    return next(iter(reading(Stream(a_body((head, content)))))).read_text()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (b"ISO-8859-1", b"D\xe9cision"),
        (b'"windows-1252"', b"D\xe9cision"),
        (b"iso-8859-15", b"D\xe9cision"),
        (b"UTF-8", b"D\xc3\xa9cision"),
        (b"utf-8", b"\xef\xbb\xbfD\xc3\xa9cision"),
        (b"us-ascii", b"D\xc3\xa9cision"),
    ],
)
def test_the_message_is_read_in_its_charset(name, content):
    assert in_charset(name, content) == "D\u00e9cision"


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        (b"utf-8", "message is not in its charset, utf-8"),
        (
            b"klingon",
            f"message has a charset that is none of {', '.join(_CODECS)}",
        ),
    ],
)
def test_a_message_that_is_not_in_its_charset_is_refused_by_name(name, detail):
    with pytest.raises(Invalid) as error:
        in_charset(name, b"D\xe9cision")

    [issue] = error.value.issues
    assert (issue.name, issue.detail) == ("message", detail)


@pytest.mark.parametrize("at_once", [1, 7, 65_536])
@pytest.mark.parametrize("end", [b"--", b"--\r\n", b"--\r\nan epilogue\r\n"])
def test_what_follows_the_last_boundary_is_ignored(end, at_once):
    assert len(read(a_body(a_file(), end=end), at_once=at_once)) == 1


def test_what_is_left_of_a_part_is_skipped():
    body = a_body(a_file(b"a" * 500_000), a_file(b"b" * 500_000, b"two"), a_message(b"{}"))

    seen = []
    for part in reading(Stream(body)):
        seen.append((part.name, len(next(part.chunks)) if part.name == "one" else None))
        if part.name == "message":
            assert part.read_content() == b"{}"

    assert [name for name, _ in seen] == ["one", "two", "message"]
    assert seen[0][1] < 500_000


@pytest.mark.parametrize(
    ("written", "file_name"),
    [
        (b'filename="letter.pdf"', "letter.pdf"),
        (b"filename=letter.pdf", "letter.pdf"),
        (b'FileName="letter.pdf"', "letter.pdf"),
        ('filename="r\u00f4le.pdf"'.encode(), "r\u00f4le.pdf"),
        (b'filename="r\xf4le.pdf"', "r\u00f4le.pdf"),
        (b"filename=r\xf4le.pdf", "r\u00f4le.pdf"),
        (b'filename="%E2%82%AC.pdf"', "\u20ac.pdf"),
        (b"filename*=UTF-8''50%2520korting.pdf", "50%20korting.pdf"),
        (b'filename="50%2520korting.pdf"', "50%20korting.pdf"),
        (b'filename="=?utf-8?B?w6kucGRm?="', "\u00e9.pdf"),
        (b'filename="=?iso-8859-1?q?r=F4le_1.pdf?="', "r\u00f4le 1.pdf"),
        (b'filename="=?utf-8?B?w6k=?= =?utf-8?q?=C3=A9.pdf?="', "\u00e9\u00e9.pdf"),
        (b'filename="=?no-such?B?w6kucGRm?="', "=?no-such?B?w6kucGRm?="),
        (b'filename="=?utf-8?B?/?="', "=?utf-8?B?/?="),
        (b"filename*=UTF-8''%E2%82%AC.pdf", "\u20ac.pdf"),
        (b"filename*=utf-8'nl'%E2%82%AC.pdf", "\u20ac.pdf"),
        (b"filename*=iso-8859-1''r%F4le.pdf", "r\u00f4le.pdf"),
        (b"filename=\"e.pdf\"; filename*=UTF-8''%E2%82%AC.pdf", "\u20ac.pdf"),
        (b"filename*=UTF-8''%E2%82%AC.pdf; filename=\"e.pdf\"", "\u20ac.pdf"),
        (b"filename=\"e.pdf\"; filename*=UTF-8''%FF.pdf", "e.pdf"),
        (b"filename=\"e.pdf\"; filename*=koi8-r''%E2.pdf", "e.pdf"),
        (
            b"filename=\"a; filename*=UTF-8''evil; name=b.pdf\"",
            "a; filename*=UTF-8''evil; name=b.pdf",
        ),
        (b'filename="say \\"hi\\".pdf"', 'say "hi".pdf'),
        (b'filename="say %22hi%22.pdf"', 'say "hi".pdf'),
        (b'filename=""', None),
        (b"size=3", None),
    ],
)
def test_a_file_name_is_read_however_it_is_written(written, file_name):
    disposition = b'Content-Disposition: form-data; name="one"; ' + written

    assert described(disposition) == ("one", file_name, None)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_file_name_survives_the_extended_notation(name):
    written = f"filename*=UTF-8''{quote(name, safe='')}".encode()

    found = described(b'Content-Disposition: form-data; name="one"; ' + written)

    assert found[1] == name


@pytest.mark.parametrize(
    ("line", "media_type"),
    [
        (b"Content-Type: text/csv", "text/csv"),
        (b"content-type: TEXT/CSV; charset=utf-8", "text/csv"),
        (b"Content-Type:application/pdf", "application/pdf"),
        (b"Content-Type: ", None),
        (b"X-Other: 1", None),
    ],
)
def test_a_media_type_is_read_without_its_parameters(line, media_type):
    assert described(b'Content-Disposition: form-data; name="one"', line)[2] == media_type


@pytest.mark.parametrize(
    ("written", "name"),
    [(b'"one"', "one"), (b"one", "one"), ('"\u00e9\u00e9n"'.encode(), "\u00e9\u00e9n")],
)
def test_the_name_of_a_part_is_read_however_it_is_written(written, name):
    assert described(b"Content-Disposition: form-data; name=" + written)[0] == name


def test_a_body_that_ends_too_soon_is_refused_wherever_it_ends():
    body = a_body(a_file(), a_message(), end=b"--")

    for end in range(len(body)):
        assert refused(body[:end]).startswith("The multipart body is malformed")


def test_a_client_gone_before_its_content_length_is_refused():
    body = a_body(a_file(b"x" * 1000))
    stream = LimitedStream(io.BytesIO(body[:500]), len(body))

    with pytest.raises(Invalid, match="incorrect"):
        [part.read_content() for part in reading(stream)]


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "text/plain; boundary=x",
        "multipart/mixed; boundary=x",
        "multipart/form-datas; boundary=x",
    ],
)
def test_another_content_type_is_not_supported(content_type):
    with pytest.raises(UnsupportedMediaType):
        read(a_body(a_file()), {"Content-Type": content_type})


def test_no_content_type_is_not_supported():
    with pytest.raises(UnsupportedMediaType, match="Content-Type none"):
        read(a_body(a_file()), {})


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity"])
def test_a_compressed_body_is_not_supported(encoding):
    with pytest.raises(UnsupportedMediaType, match=encoding):
        read(a_body(a_file()), {**HEADERS, "Content-Encoding": encoding})


@pytest.mark.parametrize(
    "parameters",
    [
        "",
        "; boundary=",
        '; boundary=""',
        "; charset=utf-8",
        "; boundary=" + "x" * 71,
        '; boundary="a\tb"',
        '; boundary="a "',
        "; boundary=\u00e9",
        "; boundary=a; boundary=b",
    ],
)
def test_a_body_needs_a_valid_boundary(parameters):
    body = a_body(a_file())

    fault = refused(body, {"Content-Type": f"multipart/form-data{parameters}"})

    assert fault == "Content-Type has no valid boundary"


@pytest.mark.parametrize("boundary", ["x", "x" * 70, "----=_Part_1_2.3", "a b", "'()+_,-./:=?"])
@pytest.mark.parametrize(
    "template",
    ['multipart/form-data; boundary="{}"', 'MULTIPART/Form-Data ;charset=x;Boundary="{}"'],
)
def test_every_legal_boundary_is_read(boundary, template):
    body = a_body(a_file(), boundary=boundary)

    assert len(read(body, {"Content-Type": template.format(boundary)})) == 1


def test_a_wrong_boundary_is_found_out_at_once():
    stream = Stream(a_body(a_file(b"x" * 5_000_000), boundary="other"))

    with pytest.raises(Invalid):
        list(reading(stream))

    assert stream.tell() <= 65_536


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Type: application/pdf",
        b"Content-Disposition: form-data",
        b'Content-Disposition: form-data; name=""',
        b'Content-Disposition: form-data; name="%b"' % (b"x" * 256),
        b'Content-Disposition: form-data; filename="a.pdf"',
        b'Content-Disposition: attachment; name="one"',
        b'Content-Disposition: form-data; name="one"; name="two"',
        b'Content-Disposition: form-data; name="one"; filename="a"; FILENAME="b"',
        b'Content-Disposition: form-data; name="one"\r\nContent-Disposition: form-data; name="two"',
        b'Content-Disposition: form-data; name="one"\r\nContent-Type: a/b\r\nContent-Type: c/d',
        b' Content-Disposition: form-data; name="one"',
        b'Content-Disposition: form-data; name="one";\r\n name="two"',
        b'Content-Disposition: form-data; name="one"\r\n \t',
        b'Content-Disposition: form-data; name="one"\nContent-Type: a/b',
        b'Content-Disposition: form-data; name="one"; filename="a\0b"',
        b"no colon",
        b'Content-Disposition: form-data; name="one"\r\nContent-Length: -1',
        b'Content-Disposition: form-data; name="one"\r\nContent-Length: 99',
        b'Content-Disposition: form-data; name="one"\r\nContent-Length: 2',
    ],
)
def test_a_part_with_the_wrong_headers_is_refused(head):
    assert refused(a_body((head, b"x" * 10))).startswith("The multipart body is malformed")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"Content-Encoding: gzip", "one has a Content-Encoding that is not supported"),
        (
            b"Content-Transfer-Encoding: base64",
            "one has a Content-Transfer-Encoding that is not supported",
        ),
        (b"Content-Type: multipart/mixed; boundary=y", "one is itself a multipart body"),
    ],
)
def test_an_encoded_or_nested_part_is_refused(line, fault):
    head = b'Content-Disposition: form-data; name="one"\r\n' + line

    assert refused(a_body((head, b"x"))) == fault


def test_a_part_may_say_that_it_is_not_encoded():
    head = b'Content-Disposition: form-data; name="one"\r\nContent-Transfer-Encoding: binary'

    assert len(read(a_body((head, b"x")))) == 1


def test_two_messages_are_refused():
    fault = refused(a_body(a_message(), a_file(), a_message()))

    assert fault == "message is given more than once"


def test_a_thousand_files_are_refused_at_the_first_too_many():
    stream = Stream(a_body(*[a_file(b"x" * 10_000)] * 1_000))

    seen = []
    with pytest.raises(Invalid, match="incorrect"):
        seen.extend(part.name for part in reading(stream, files=3))

    assert len(seen) == 3
    assert stream.tell() <= 2 * 65_536


def test_as_many_files_as_allowed_are_read_and_the_message_is_none():
    assert len(read(a_body(a_file(), a_message(), a_file()), files=2)) == 3


@pytest.mark.parametrize(
    "head",
    [
        b'Content-Disposition: form-data; name="' + b"x" * 1_048_576 + b'"',
        b'Content-Disposition: form-data; name="one"\r\nX-Long: ' + b"x" * 1_048_576,
        b'Content-Disposition: form-data; name="one"' + b"\r\nX-A: b" * 10,
    ],
)
def test_long_or_many_headers_are_refused_before_they_are_read(head):
    stream = Stream(a_body((head, b"x")))

    with pytest.raises(TooLarge) as error:
        list(reading(stream))

    assert error.value.limit == 8192
    assert stream.tell() <= 2 * 65_536


def test_a_file_is_cut_off_at_its_limit():
    stream = Stream(a_body(a_file(b"x" * 10_000_000)))
    parts = reading(stream, file=200_000)
    taken = []

    with pytest.raises(TooLarge, match="A file must not exceed 200000 bytes") as error:
        taken.extend(next(parts).chunks)

    assert error.value.limit == 200_000
    assert sum(map(len, taken)) <= 200_000
    assert stream.tell() <= 200_000 + 2 * 65_536


def test_a_file_that_says_beforehand_that_it_is_too_large_is_not_begun():
    head = FILE % b"one" + b"\r\nContent-Length: 300000"
    stream = Stream(a_body((head, b"x" * 300_000)))

    with pytest.raises(TooLarge):
        list(reading(stream, file=200_000))

    assert stream.tell() <= 65_536


@pytest.mark.parametrize("limit", ["file", "request", "message"])
def test_what_is_just_small_enough_is_read(limit):
    body = a_body(a_file(b"x" * 100_000), a_message(b"y" * 1000))

    assert len(
        read(body, **{limit: {"file": 100_000, "request": len(body), "message": 1000}[limit]})
    )
    with pytest.raises(TooLarge):
        read(body, **{limit: {"file": 99_999, "request": len(body) - 1, "message": 999}[limit]})


def test_a_skipped_file_is_held_to_its_limit_too():
    with pytest.raises(TooLarge):
        list(reading(Stream(a_body(a_file(b"x" * 1001), a_message())), file=1000))


def test_a_request_that_says_beforehand_that_it_is_too_large_is_not_begun():
    stream = Stream(a_body(a_file()))

    with pytest.raises(TooLarge, match="A request must not exceed 2 GiB"):
        list(reading(stream, {**HEADERS, "Content-Length": str(2**31 + 1)}))

    assert stream.tell() == 0


def test_a_request_without_length_is_cut_off_at_its_limit():
    stream = Stream(a_body(*[a_file(b"x" * 100_000)] * 20))

    with pytest.raises(TooLarge, match="A request"):
        [part.read_content() for part in reading(stream, request=500_000)]

    assert stream.tell() <= 500_000 + 65_536


def test_memory_stays_flat_whatever_the_size():
    class Endless(io.RawIOBase):
        def __init__(self, size):
            self.left = [b"--%b\r\n%b\r\n\r\n" % (BOUNDARY.encode(), FILE % b"one")]
            self.left += [b"x" * 65_536] * (size // 65_536)

        def read(self, size=-1):
            return self.left.pop(0) if self.left else b"\r\n--" + BOUNDARY.encode() + b"--"

    stream = Endless(64 << 20)
    tracemalloc.start()

    total = sum(len(chunk) for part in reading(stream) for chunk in part.chunks)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 64 << 20
    assert peak < 1 << 20


@given(st.binary(max_size=200), st.integers(1, 50))
def test_any_bytes_are_read_or_refused_in_our_own_words(noise, at_once):
    mark = b"--" + BOUNDARY.encode()
    for body in (noise, mark + noise, mark + b"\r\n" + noise, a_body((FILE % b"x", noise))[:-3]):
        with suppress(Invalid, TooLarge):
            read(body, at_once=at_once)
