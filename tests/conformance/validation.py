"""Every answer of the whole test run is held against the OpenAPI document of its version.

`ContractClient` is the test client of every application in the run (see `tests/conftest.py`); an
answer that the document does not promise fails the test that asked for it.
"""

import json
import re
from datetime import date, datetime
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from flask.testing import FlaskClient
from jsonschema_rs import Draft202012Validator
from werkzeug.datastructures import Headers

from registry.api.docs import load_contract

PROBLEM: Final = "application/problem+json"
METHODS: Final = ("get", "put", "post", "delete", "patch")
# These the document describes for some of the causes of a status only.
_SOMETIMES: Final = {
    ("200", "Total-Items-Is-Minimum"),
    ("403", "WWW-Authenticate"),
    ("503", "Retry-After"),
}
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


class ContractClient(FlaskClient):
    """A test client that lets no answer pass which the contract does not promise."""

    def open(self, *arguments: Any, **options: Any) -> Any:
        """Ask, and hold the answer against the contract."""
        response = super().open(*arguments, **options)
        request = response.request
        # The contract has plain paths; the registry reads others as such (contract 6.43).
        environ = request.environ
        plain_path = request.path
        if "%2f" not in (environ.get("RAW_URI") or environ.get("REQUEST_URI") or "").lower():
            plain_path = re.sub("/{2,}", "/", plain_path)
            plain_path = re.sub("(?<=/ebox/messages)/$", "", plain_path)
        contract, path = _below_base(self.application, plain_path)
        if path is not None and response.history == ():
            # A document may be as large as it wants and is read by the test, if at all.
            body = response.get_data() if "json" in (response.mimetype or "") else None
            status, headers = response.status_code, response.headers
            contract.judge(request.method, path, status, headers, body)
        return response


class Contract:
    """What the OpenAPI document of a version promises."""

    def __init__(self, version: str, document: str) -> None:
        self.version = version
        self.document = load_contract(document)
        self.validator = cache(self._validator)
        self._item = cache(self._find_item)
        self._components = cache(self._closed_components)

    def judge(
        self, method: str, path: str, status: int, headers: Headers, body: bytes | None
    ) -> None:
        """Raise `AssertionError`, naming the operation, unless the contract promises this answer.

        `path` is what follows the base path; `body` may be None where it is not JSON.
        """
        where = f"{method} {path} → {status}"
        trace = headers.get("BelGov-Trace-Id", "")
        assert re.fullmatch(r"[\x21-\x7e]{1,36}", trace), f"{where}: no BelGov-Trace-Id"
        if method == "OPTIONS":
            assert status == 200, where
            return
        response = self._promised(method, path, status)
        assert response is not None, f"{where}: the contract promises no such status"
        self._check_headers(where, status, response, headers)
        self._check_body(where, method, response, headers, body)
        if headers.get("Content-Type", "").startswith(PROBLEM) and body:
            _check_problem(where, status, trace, json.loads(body))
        elif status >= 400 and body:
            _check_status_message(where, trace, json.loads(body))

    def implemented(self) -> set[tuple[str, str]]:
        """Method and path of every operation that is served."""
        return {
            (method.upper(), path)
            for path, item in self.document["paths"].items()
            for method in METHODS
            if method in item
        }

    def resolved(self, node: Any) -> Any:
        """What a `$ref` points to."""
        while isinstance(node, dict) and "$ref" in node:
            found: Any = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            node = found
        return node

    def _validator(self, media: str) -> Draft202012Validator:
        """Compiled from a media type object of the document, given as JSON."""
        schema = json.loads(media).get("schema", {})
        root = {
            "allOf": [_closed(schema)],
            "unevaluatedProperties": False,
            "components": {"schemas": self._components()},
        }
        formats = {
            "date": lambda text: bool(_DATE.fullmatch(text)) and _holds(date.fromisoformat)(text),
            "date-time": lambda text: (
                bool(_DATE_TIME.fullmatch(text)) and _holds(datetime.fromisoformat)(text)
            ),
            "uuid": lambda text: _holds(UUID)(text) and text == text.lower(),
            "uri": lambda text: bool(urlsplit(text).scheme),
        }
        return Draft202012Validator(root, formats=formats, validate_formats=True)

    def _promised(self, method: str, path: str, status: int) -> Any:
        """The response object for a status; None when there is none."""
        item = self._item(path.removesuffix("/") if method == "POST" else path)  # contract 6.22
        operation = item.get("get" if method == "HEAD" else method.lower())
        components = self.document["components"]["responses"]
        if operation is None:
            refusals = {404: "NotFound", 405: "MethodNotAllowed", 401: "Unauthorized"}
            return self.resolved(components[refusals[status]]) if status in refusals else None
        return self.resolved(operation["responses"].get(str(status)))

    def _find_item(self, path: str) -> dict[str, Any]:
        """The path item whose template fits, the one with the fewest parameters first."""
        for template in sorted(self.document["paths"], key=lambda path: path.count("{")):
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path):
                found: dict[str, Any] = self.document["paths"][template]
                return found
        return {}

    def _check_headers(self, where: str, status: int, response: Any, headers: Headers) -> None:
        for name, header in response.get("headers", {}).items():
            if (str(status), name) not in _SOMETIMES:
                assert name in headers, f"{where}: header {name} is missing"
            assert self.resolved(header)["schema"] == {"type": "string"}, f"{where}: {name}"

    def _check_body(
        self, where: str, method: str, response: Any, headers: Headers, body: bytes | None
    ) -> None:
        content = response.get("content", {})
        sent = headers.get("Content-Type", "").partition(";")[0]
        if not content:
            assert not body, f"{where}: there should be no body"
            return
        media = next((key for key in content if _fits(sent, key)), None)
        assert media, f"{where}: {sent or 'no media type'} instead of {', '.join(content)}"
        if method == "HEAD":
            assert not body, f"{where}: an answer to HEAD has no body"
        elif sent.endswith("json") and body is not None:
            faults = self.validator(json.dumps(content[media])).iter_errors(json.loads(body))
            told = [
                f"{'/'.join(map(str, fault.instance_path))}: {fault.message}" for fault in faults
            ]
            assert not told, f"{where}: {told}"

    def _closed_components(self) -> dict[str, Any]:
        """The components as JSON Schema; what belongs to a combination is closed by that."""
        schemas = self.document["components"]["schemas"]
        combined = {
            part["$ref"].rpartition("/")[2]
            for schema in schemas.values()
            if len(schema.get("allOf", ())) > 1
            for part in schema["allOf"]
        }
        closed = {"unevaluatedProperties": False}
        return {
            name: {**_closed(schema), **({} if name in combined else closed)}
            for name, schema in schemas.items()
        }


VERSION_3: Final = Contract("v3", "messageregistry-3.yaml")
VERSION_2: Final = Contract("v2", "messageregistry-2.1.yaml")
# What most tests are about.
DOCUMENT: Final = VERSION_3.document
judge: Final = VERSION_3.judge
implemented: Final = VERSION_3.implemented
resolved: Final = VERSION_3.resolved
validator: Final = VERSION_3.validator


def _below_base(app: Any, path: str) -> tuple[Contract, str | None]:
    """The contract of a path and what follows its base; None for another application."""
    state = app.extensions.get("registry")
    for root in state.registry.roots.values() if state else ():
        for promised in (VERSION_3, VERSION_2):
            base = f"{urlsplit(root).path}/{promised.version}"
            if f"{path}/".startswith(f"{base}/"):
                return promised, path.removeprefix(base)
    return VERSION_3, path if state else None


def _check_problem(where: str, status: int, trace: str, problem: dict[str, Any]) -> None:
    """What a schema cannot say of a problem."""
    assert problem["status"] == status, f"{where}: the problem says {problem['status']}"
    assert problem["instance"] == f"urn:uuid:{problem['id']}", f"{where}: {problem['instance']}"
    assert problem["id"] == trace, f"{where}: the problem and the header name two occurrences"


def _check_status_message(where: str, trace: str, told: dict[str, Any]) -> None:
    """What a schema cannot say of one; bad health has no id."""
    assert told.get("id", trace) == trace, f"{where}: error and header name two occurrences"


def _fits(sent: str, key: str) -> bool:
    kind, _, sub = key.partition("/")
    return sent == key or (sub == "*" and kind in ("*", sent.partition("/")[0]) and bool(sent))


def _holds(parse: Any) -> Any:
    def check(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return check


def _closed(node: Any) -> Any:
    """OpenAPI 3.0 → JSON Schema 2020-12: what may be null says so by its type."""
    if isinstance(node, list):
        return [_closed(child) for child in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _closed(child) for key, child in node.items() if key != "nullable"}
    if node.get("nullable") is True:
        plain["type"] = [node["type"], "null"]
    return plain
