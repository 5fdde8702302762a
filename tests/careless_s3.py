"""A store that speaks S3, looks at no checksum, and may change what it gets."""

import hashlib
import re
from contextlib import contextmanager
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fake_s3 import a_fake_s3

_UPLOAD = b"<R><UploadId>1</UploadId></R>"


def digest_of(content):
    return hashlib.md5(content, usedforsecurity=False)


class CarelessStore:
    """Objects in memory, each as `change` makes it of what was sent.

    Its ETags are MD5, or with `has_odd_etags` something else, as those of stores that encrypt.
    """

    def __init__(self):
        self.objects, self.parts = {}, {}
        self.has_odd_etags = False
        self.change = lambda content: content

    def answer(self, request):
        """Answer a request of boto3."""
        url = urlsplit(request.path)
        key, query = unquote(url.path).split("/", 2)[2], parse_qs(url.query, keep_blank_values=True)
        getattr(self, request.command.lower())(request, key, query)

    def put(self, request, key, query):
        content = self.change(request.body)
        if "partNumber" in query:
            self.parts[int(query["partNumber"][0])] = content
        else:
            self.objects[key] = content
        request.say(200, ETag=self.make_etag(digest_of(content).hexdigest()))

    def post(self, request, key, query):
        if "uploads" in query:
            request.say(200, _UPLOAD, Content_Type="application/xml")
            return
        parts = [self.parts[number] for number in sorted(self.parts)]
        self.objects[key] = b"".join(parts)
        self.parts.clear()
        digests = b"".join(digest_of(part).digest() for part in parts)
        etag = self.make_etag(f"{digest_of(digests).hexdigest()}-{len(parts)}")
        request.say(200, f"<R><ETag>{etag}</ETag></R>".encode(), Content_Type="application/xml")

    def get(self, request, key, _query):
        if key not in self.objects:
            request.say(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        content = self.objects[key]
        if "Range" not in request.headers:
            request.say(200, content)
            return
        first, last = map(int, re.findall("[0-9]+", request.headers["Range"]))
        span = content[first : last + 1]
        request.say(206, span, Content_Range=f"bytes {first}-{last}/{len(content)}")

    def delete(self, request, key, _query):
        self.objects.pop(key, None)
        request.say(204)

    def make_etag(self, digest):
        return '"0123456789abcdef0123456789abcdef"' if self.has_odd_etags else f'"{digest}"'


@contextmanager
def a_careless_s3():
    """The store, and where it is."""
    store = CarelessStore()
    with a_fake_s3() as server:
        server.answer = store.answer
        yield store, server.endpoint
