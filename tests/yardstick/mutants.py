"""Faults before our own registry: each is a WSGI middleware, or a setting."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlencode

from werkzeug.test import run_wsgi_app

LIST = "/ebox/messages"
MESSAGE = re.compile(r"/ebox/messages/[0-9a-f-]{36}$")
CONTENT = re.compile(r"/ebox/messages/[0-9a-f-]{36}/attachments/[^/]+/content$")
NOBODY = "00000000-0000-4000-8000-0123456789ab"


@dataclass
class Request:
    """What came, to be changed before it goes on."""

    environ: dict

    @property
    def method(self):
        return self.environ["REQUEST_METHOD"]

    @property
    def path(self):
        return "/" + self.environ["PATH_INFO"].partition("/messageRegistry/")[2].partition("/")[2]

    @property
    def query(self):
        return dict(parse_qsl(self.environ.get("QUERY_STRING", ""), keep_blank_values=True))

    @query.setter
    def query(self, pairs):
        self.environ["QUERY_STRING"] = urlencode(pairs, doseq=True)

    def header(self, name):
        return self.environ.get(f"HTTP_{name.upper().replace('-', '_')}", "")

    def drop(self, name):
        self.environ.pop(f"HTTP_{name.upper().replace('-', '_')}", None)

    def read(self):
        """The body, which can be read again."""
        size = int(self.environ.get("CONTENT_LENGTH") or 0)
        content = self.environ["wsgi.input"].read(size)
        self.write(content)
        return content

    def write(self, content):
        self.environ["wsgi.input"] = BytesIO(content)
        self.environ["CONTENT_LENGTH"] = str(len(content))

    @property
    def is_list(self):
        return self.method == "GET" and self.path.rstrip("/") == LIST


@dataclass
class Reply:
    """What the registry says, to be changed before it is sent."""

    status: int
    headers: dict
    body: bytes

    @property
    def members(self):
        return json.loads(self.body)

    @members.setter
    def members(self, content):
        self.body = json.dumps(content).encode()

    @property
    def is_json(self):
        return "json" in self.headers.get("Content-Type", "") and bool(self.body)


def ask(app, request, **changes):
    """Pass a request on; changes are of its environment."""
    environ = {**request.environ, **changes}
    body, status, headers = run_wsgi_app(app, environ, buffered=True)
    return Reply(int(status.split()[0]), dict(headers), b"".join(body))


def answer(start_response, request, reply):
    keep = request.method == "HEAD" or reply.status in (204, 304)
    headers = {name: text for name, text in reply.headers.items() if name != "Content-Length"}
    if not keep:
        headers["Content-Length"] = str(len(reply.body))
    elif "Content-Length" in reply.headers and request.method == "HEAD":
        headers["Content-Length"] = reply.headers["Content-Length"]
    start_response(f"{reply.status} Mutant", list(headers.items()))
    return [b"" if keep else reply.body]


def around(work: Callable[[Any, Request], Reply]):
    """Make a middleware of what is done with a request, given the application."""

    def make(app):
        def serve(environ, start_response):
            request = Request(environ)
            return answer(start_response, request, work(app, request))

        return serve

    return make


def before(change: Callable[[Request], None]):
    """Change requests."""

    def work(app, request):
        change(request)
        return ask(app, request)

    return around(work)


def after(change: Callable[[Request, Reply], None]):
    """Change answers."""

    def work(app, request):
        reply = ask(app, request)
        change(request, reply)
        return reply

    return around(work)


def refuse(request, status):
    body = {"code": "REFUSED", "id": "0c7a1f0e-6f0b-4c7f-9b51-5b7f3a2d9f10", "message": "no"}
    body |= {"type": "urn:problem-type:belgif:no", "title": "no", "status": status}
    body["instance"] = f"urn:uuid:{body['id']}"
    return Reply(status, {"Content-Type": "application/problem+json"}, json.dumps(body).encode())


@dataclass(frozen=True)
class Mutant:
    """A fault; `caught_by` are the requirements that it breaks, and no others do."""

    name: str
    caught_by: set
    make: Any = None
    settings: dict = field(default_factory=dict)
    profile: str = "production"


def _relist(app, request, choose):
    """Answer a plain page of the list with another choice of all messages."""
    query = request.query
    if not request.is_list or set(query) - {"page", "pageSize", "conformance", "sort"}:
        return ask(app, request)
    reply = ask(app, request)
    if reply.status == 200:
        page, size = int(query.get("page", 1)), int(query.get("pageSize", 25))
        items = choose(_list_all(app, request), page, size)
        reply.members = {**reply.members, "items": items}
    return reply


def _list_all(app, request):
    items = []
    for page in range(1, 10):
        whole = ask(app, request, QUERY_STRING=f"pageSize=100&page={page}").members["items"]
        items += whole
        if len(whole) < 100:
            break
    return items


def oldest_first(app, request):
    return _relist(app, request, lambda items, page, size: items[::-1][(page - 1) * size :][:size])


def overlapping_pages(app, request):
    def choose(items, page, size):
        start = (page - 1) * size
        return items[max(0, start - (size > 1 and page > 1)) :][:size]

    return _relist(app, request, choose)


def total_of_page(request, reply):
    if request.is_list and reply.status == 200:
        reply.members = {**reply.members, "totalItems": len(reply.members["items"])}


def largest_page(request):
    size = request.query.get("pageSize", "")
    if size.isdigit() and not 1 <= int(size) <= 100:
        request.query = {**request.query, "pageSize": min(100, int(size)) or 25}


def missing_page(app, request):
    reply = ask(app, request)
    far = request.is_list and request.query.get("page", "").rjust(5, "0") > "01000"
    return refuse(request, 404) if far and reply.status == 200 else reply


def without(*names):
    def change(request):
        kept = {
            name: text
            for name, text in request.query.items()
            if not (name in names and text in ("true", "false"))
        }
        if len(kept) < len(request.query):
            request.query = kept

    return change


def inclusive_day(request):
    text = request.query.get("receivedBefore", "")
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text) and text > "2000":
        day = date.fromisoformat(text) + timedelta(days=1)
        request.query = {**request.query, "receivedBefore": day.isoformat()}


def any_date(request):
    query = request.query
    kept = {
        name: text
        for name, text in query.items()
        if not name.endswith(("After", "Before")) or _is_day(text)
    }
    if kept != query:
        request.query = kept


def _is_day(text):
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def language_of_its_own(request):
    if request.query.get("q") and "qlang" not in request.query:
        request.query = {**request.query, "qlang": "nl"}


def case_counts(request):
    text = request.query.get("q", "")
    if any(letter.isupper() for letter in text[1:]) and text[:1].islower():
        request.query = {**request.query, "q": "qqxxzzqqxxzz"}


def words_alone(request, reply):
    text = request.query.get("q", "").lower()
    if not request.is_list or reply.status != 200 or not text.isalpha():
        return
    language = request.query.get("qlang", "nl")
    members = reply.members
    items = [
        item
        for item in members["items"]
        if text not in (subject := item["subject"][language].lower())
        or text in re.findall(r"\w+", subject)
    ]
    gone = len(members["items"]) - len(items)
    reply.members = {"items": items, "totalItems": members["totalItems"] - gone}


def wildcards(request):
    if re.fullmatch(r"[%_]+", request.query.get("q", "")):
        kept = {name: text for name, text in request.query.items() if name not in ("q", "qlang")}
        request.query = kept


def walk(node, change):
    """Change every object of JSON."""
    if isinstance(node, dict):
        change(node)
        for child in node.values():
            walk(child, change)
    elif isinstance(node, list):
        for child in node:
            walk(child, change)


def each(change):
    """Change every object of every answer that is JSON."""

    def apply(request, reply):
        if reply.is_json and reply.status < 300:
            members = reply.members
            walk(members, change)
            reply.members = members

    return after(apply)


def empty_german(node):
    if "subject" in node:
        node["subject"] = {**node["subject"], "de": ""}


def other_digest(node):
    if "digestValue" in node:
        value = node["digestValue"]
        node["digestValue"] = value[1:42] + value[0] + value[42:]


def inner_address(node):
    if "contentHref" in node:
        node["contentHref"] = re.sub(r"^http://[^/]+", "http://inner:8080", node["contentHref"])


def bytes_as_size(node):
    if "size" in node and "fileName" in node:
        node["size"] *= 1024


def of_documents(change):
    def apply(request, reply):
        if CONTENT.search(request.path) and reply.status in (200, 206):
            change(reply.headers)

    return after(apply)


def forbidden_stranger(app, request):
    reply = ask(app, request)
    mine = MESSAGE.search(request.path) and NOBODY not in request.path and request.method == "GET"
    if mine and reply.status == 404:
        reply.status = 403
    return reply


@dataclass
class Impostor:
    """Asks with the software's token where a person's is not enough."""

    pattern: Any
    query: Any = None

    def __post_init__(self):
        self.token = ""

    def __call__(self, app):
        def work(app, request):
            if request.path == LIST and request.query.get("pageSize") == "1":
                # The first contact is the software's, whose token is remembered.
                self.token = self.token or request.header("Authorization")
            reply = ask(app, request)
            if reply.status == 403 and self.pattern.search(request.path):
                mine = ask(app, request, HTTP_AUTHORIZATION=self.token)
                return mine if mine.status == 200 else reply
            return reply

        return around(work)(app)


def one_more_unread(node):
    if "numberOfUnreadMessages" in node:
        node["numberOfUnreadMessages"] += 1


def headers_of(pattern, change):
    def apply(request, reply):
        if re.search(pattern, request.path):
            change(reply.headers)

    return after(apply)


def same_id(request, reply):
    if reply.is_json and reply.status >= 400:
        reply.members = {**reply.members, "id": "0c7a1f0e-6f0b-4c7f-9b51-5b7f3a2d9f10"}


def no_allow(request, reply):
    if reply.status == 405:
        reply.headers.pop("Allow", None)


def any_origin(request, reply):
    if request.header("Origin"):
        reply.headers["Access-Control-Allow-Origin"] = request.header("Origin")


def capital_bearer(app, request):
    if request.header("Authorization").startswith("bearer"):
        request.drop("Authorization")
    return ask(app, request)


def token_of_query(request):
    if token := request.query.get("access_token"):
        request.environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"


def no_challenge(request, reply):
    reply.headers.pop("WWW-Authenticate", None)


def strict_slashes(app, request):
    return refuse(request, 404) if "//" in request.environ["PATH_INFO"] else ask(app, request)


def no_head_of_list(app, request):
    is_list = request.method == "HEAD" and request.path == LIST
    return refuse(request, 405) if is_list else ask(app, request)


def cookie(request, reply):
    if request.is_list:
        reply.headers["Set-Cookie"] = "session=1; Path=/"


def health_with_token(app, request):
    if request.path == "/health" and not request.header("Authorization"):
        return refuse(request, 404)
    return ask(app, request)


def narrow_accept(app, request):
    wide = request.header("Accept") == "application/*"
    return refuse(request, 406) if wide and request.is_list else ask(app, request)


def no_if_range(request):
    request.drop("If-Range")


def no_range(request):
    request.drop("Range")


def no_validator(request):
    if CONTENT.search(request.path):
        request.drop("If-None-Match")


def trace_echo(app, request):
    if request.method == "TRACE":
        text = request.header("X-Conformance").encode()
        return Reply(200, {"Content-Type": "message/http"}, b"X-Conformance: " + text)
    return ask(app, request)


def leak(request, reply):
    if reply.is_json and reply.status == 404:
        reply.members = {**reply.members, "detail": "Traceback (most recent call last)"}


READERS = [
    Mutant("the oldest first", {"order-newest-first"}, around(oldest_first)),
    Mutant("pages overlap", {"paging-complete"}, around(overlapping_pages)),
    Mutant("the total is that of the page", {"paging-total"}, after(total_of_page)),
    Mutant("any size of page", {"paging-bounds"}, before(largest_page)),
    Mutant("a page behind the last is missing", {"paging-beyond"}, around(missing_page)),
    Mutant(
        "no filter on registered mail", {"filter-registered"}, before(without("isRegisteredMail"))
    ),
    Mutant("no filter on what is visible", {"filter-visible"}, before(without("isVisible"))),
    Mutant("days up to their end", {"filter-received-day"}, before(inclusive_day)),
    Mutant("any text is a date", {"filter-syntax"}, before(any_date)),
    Mutant(
        "a search in Dutch by default", {"search-language-missing"}, before(language_of_its_own)
    ),
    Mutant("a search minds the case", {"search-case"}, before(case_counts)),
    Mutant("a search for words", {"search-substring"}, after(words_alone)),
    Mutant("a search with wildcards", {"search-literal"}, before(wildcards)),
    Mutant("no German", {"language-messages"}, each(empty_german)),
    Mutant("another digest", {"document-digest"}, each(other_digest)),
    Mutant("an inner address", {"document-href"}, each(inner_address)),
    Mutant("sizes in bytes", {"document-size"}, each(bytes_as_size)),
    Mutant(
        "documents inline",
        {"document-disposition"},
        of_documents(lambda headers: headers.update({"Content-Disposition": "inline; filename=x"})),
    ),
    Mutant(
        "documents may be guessed at",
        {"document-nosniff"},
        of_documents(lambda headers: headers.pop("X-Content-Type-Options")),
    ),
    Mutant("no ranges", {"range-part", "range-impossible"}, before(no_range)),
    Mutant("If-Range is not looked at", {"range-if-range"}, before(no_if_range)),
    Mutant("documents are always sent again", {"document-validator"}, before(no_validator)),
    Mutant("strangers learn what there is", {"isolation-message"}, around(forbidden_stranger)),
    Mutant("documents of any partition", {"partition-message"}, Impostor(CONTENT)),
    Mutant("one unread too many", {"statistics-messages"}, each(one_more_unread)),
    Mutant(
        "reference data are not kept",
        {"reference-caching"},
        headers_of("^/refData", lambda headers: headers.pop("Cache-Control", None)),
    ),
    Mutant(
        "messages may be kept",
        {"messages-not-kept"},
        headers_of("^/ebox/messages$", lambda headers: headers.pop("Cache-Control", None)),
    ),
    Mutant("refusals have one id", {"error-id"}, after(same_id)),
    Mutant("no methods with a 405", {"error-method"}, after(no_allow)),
    Mutant("refusals show the insides", {"error-echo"}, after(leak)),
    Mutant("pages of anybody", {"cors-stranger"}, after(any_origin)),
    Mutant(
        "caches do not know of origins",
        {"cors-vary"},
        headers_of("", lambda headers: headers.pop("Vary", None)),
    ),
    Mutant(
        "unknown parameters are refused",
        {"tolerance-parameters"},
        settings={"refuse_unknown_parameters": True},
    ),
    Mutant("schemes are capital", {"token-scheme-case"}, around(capital_bearer)),
    Mutant("tokens in the query", {"token-in-query"}, before(token_of_query)),
    Mutant("a 401 without a challenge", {"token-challenge"}, after(no_challenge)),
    Mutant("slashes are counted", {"tolerance-slashes"}, around(strict_slashes)),
    Mutant("no HEAD", {"tolerance-head"}, around(no_head_of_list)),
    Mutant("a cookie", {"security-cookies"}, after(cookie)),
    Mutant("TRACE", {"security-trace"}, around(trace_echo)),
    Mutant("health for some", {"health-open"}, around(health_with_token)),
    Mutant("a narrow Accept", {"tolerance-accept"}, around(narrow_accept)),
]


def drop_digest(request):
    if request.method == "POST" and request.path == LIST:
        request.write(re.sub(rb', "digest": \{[^}]*\}', b"", request.read()))


def no_key(request):
    request.drop("Idempotency-Key")


def message_first(app, request):
    if request.method == "POST" and request.path.rstrip("/") == LIST:
        part = re.search(rb'form-data; name="([^"]*)"', request.read())
        if part and part[1] != b"messageToPublish":
            return refuse(request, 400)
    return ask(app, request)


def raw_names(request):
    if request.method == "POST" and request.path == LIST:
        change = lambda name: name[0].replace(b"%", b"%25")  # noqa: E731
        request.write(re.sub(rb'filename="[^"]*"', change, request.read()))


def opens_all(app, request):
    """A look at a message opens its first document."""
    reply = ask(app, request)
    if MESSAGE.search(request.path) and request.method == "GET" and reply.status == 200:
        path = f"{request.environ['PATH_INFO']}/attachments/1/content"
        ask(app, request, PATH_INFO=path, RAW_URI=path, REQUEST_URI=path)
    return reply


def one_by_one(app, request):
    if request.method != "PATCH" or request.path != LIST:
        return ask(app, request)
    try:
        items = json.loads(request.read())["items"]
    except (ValueError, TypeError, KeyError):
        return ask(app, request)
    replies = []
    for item in items:
        request.write(json.dumps({"items": [item], "totalItems": 1}).encode())
        replies.append(ask(app, request))
    return next((reply for reply in replies if reply.status >= 300), replies[-1])


def known_events(app, request):
    if request.path == "/eventNotifications" and b".v9." in request.read():
        return refuse(request, 400)
    return ask(app, request)


def hides_nothing(request):
    if request.method == "PATCH" and request.path == LIST:
        request.write(request.read().replace(b'"isVisible": false', b'"isVisible": true'))


def plain_success(request, reply):
    if request.method == "POST" and request.path.rstrip("/") == LIST and reply.status == 201:
        reply.status = 200


WRITERS = [
    Mutant(
        "digests are not looked at",
        {"digest-mismatch", "digest-spelling", "digest-plain-base64", "refused-leaves-nothing"},
        before(drop_digest),
        profile="acceptance",
    ),
    Mutant(
        "keys are not looked at",
        {"idempotency-same", "idempotency-other-content"},
        before(no_key),
        profile="acceptance",
    ),
    Mutant(
        "the message comes first",
        {"publish-parts-order"},
        around(message_first),
        profile="acceptance",
    ),
    Mutant(
        "names are not decoded",
        {"file-name-encoded", "file-name-sent"},
        before(raw_names),
        profile="acceptance",
    ),
    Mutant(
        "a look is a reading", {"read-by-nothing-else"}, around(opens_all), profile="acceptance"
    ),
    Mutant("one by one", {"change-all-or-none"}, around(one_by_one), profile="acceptance"),
    Mutant("nothing is hidden", {"hide"}, before(hides_nothing), profile="acceptance"),
    Mutant(
        "known events alone", {"event-unknown-type"}, around(known_events), profile="acceptance"
    ),
    Mutant(
        "200 for what was made",
        {"publish-receipt", "schema-rest"},
        after(plain_success),
        profile="acceptance",
    ),
    Mutant(
        "short subjects",
        {"limit-subject"},
        settings={"publication_subject_length": 300},
        profile="acceptance",
    ),
]
