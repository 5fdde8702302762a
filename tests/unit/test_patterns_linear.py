"""Every regular expression takes a time that grows with its text, and no faster.

Steps inside the regular expression engine cannot be counted from Python, and seconds say more of
the machine than of the pattern. So the same amount of text is matched twice: sixteen texts, and
one that is sixteen times as long. A linear pattern takes as long for both; a quadratic one takes
sixteen times as long for the second.
"""

import ast
import re
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from time import thread_time
from typing import Final, NamedTuple

import pytest
from marshmallow import ValidationError

REGISTRY: Final = Path(__file__).parents[2] / "registry"
LONGER: Final = 16  # how much longer the long text is
BOUND: Final = 6  # how much more time it may take a character; a quadratic pattern takes LONGER
TRIES: Final = 4  # the machine may be busy with something else
SMALL: Final = 1 << 10  # characters of the first round; it ends for what is worse than linear
LARGE: Final = (1 << 20) // LONGER


class Worst(NamedTuple):
    """How a pattern is used, and texts that come near to matching: a start, repeats, an end."""

    use: str
    texts: tuple[tuple[str, str, str], ...]


def worst(use: str, *texts: tuple[str, str, str]) -> Worst:
    return Worst(use, texts)


PATTERNS: Final = {
    "api.plain_paths:_DOUBLED": worst("sub", ("", "/", ""), ("", "a//", "")),
    "api.requests.body_fields:_DECIMAL": worst(
        "fullmatch", ("-", "1", "x"), ("1.", "1", "x"), (".", "1", "x")
    ),
    "api.requests.body_fields:_LANGUAGE": worst("fullmatch", ("", "a", "")),
    "api.requests.body_fields:_MOMENT": worst("fullmatch", ("2030-01-01T00:00:00.", "0", "z")),
    "api.requests.idempotency_key:_BARE": worst("fullmatch", ("", "a", '"')),
    "api.requests.multipart:_BOUNDARY": worst(
        "findall",
        ("", ';boundary="', ""),
        (";boundary=", '"', ""),
        (";", " ", ""),
        ("", "; boundary=", ""),
        ('; boundary="', "a", ""),
    ),
    "api.requests.multipart:_LEGAL_BOUNDARY": worst("fullmatch", ("", " ", ""), ("", "a", " ")),
    "api.requests.multipart:_LENGTH": worst("fullmatch", ("", "1", "")),
    "api.requests.multipart:_PARAMETER": worst(
        "findall",
        ("", ";a", ""),
        ("", ";a ", ""),
        (";a", " ", ""),
        (";", " ", ""),
        (';a="', "\\", ""),
        ('; a="', '\\"', ""),
        ("", ';a="', ""),
        ("", ';a="\\', ""),
        ("", '; a = "\\"', ""),
        (";a=", " ", '"'),
        ("; ", "a", ""),
    ),
    "api.requests.multipart:_CONTROL": worst("search", ("", "a", "")),
    "api.requests.multipart:_EXTENDED_VALUE": worst(
        "fullmatch", ("utf-8'", "'", ""), ("utf-8'", "a", "")
    ),
    "api.requests.parameter_fields:_INTEGER": worst("fullmatch", ("-", "1", "")),
    "api.requests.parameter_fields:_DATE": worst("fullmatch", ("", "2030-01-01", "")),
    "api.requests.parameter_fields:_UUID": worst("fullmatch", ("00000000", "-0000", "")),
    "api.requests.strict_json:_UNSTORABLE": worst("search", ("", "a", "")),
    "api.requests.validators:BIC": worst("call", ("", "A", "")),
    "api.requests.validators:CURRENCY": worst("call", ("", "A", "")),
    "api.requests.validators:ENTERPRISE": worst("call", ("", "0", "")),
    "api.requests.validators:IBAN": worst("call", ("AA00", "A", "")),
    "api.requests.validators:NAME": worst("call", ("", "a", "")),
    "api.requests.validators:SHORT": worst("call", ("", "a", "")),
    "api.v3.schemas.parameters:_TEXT": worst("call", ("", "a", "")),
    "api.responses.preconditions:_TAG": worst(
        "findall", ("", '"', ""), ("", "W/", ""), ('"', "a", "")
    ),
    "api.responses.json_response:_WEIGHT": worst("fullmatch", ("q=1.", "0", "")),
    "api.responses.downloads:_ONE_RANGE": worst(
        "fullmatch", ("bytes=", " ", ""), ("bytes=1-", " ", "x")
    ),
    "audit.terms:_TOKEN": worst(
        "findall", ("", '"subject_token_hashed":"', ""), ('"subject_token_hashed":"', "a", "")
    ),
    "audit.terms:_UUID": worst("findall", ("", "a", ""), ("", "01234567-", "")),
    "cli.audit.options:_MONTHS": worst("fullmatch", ("2030-01", "..2030-01", "")),
    "cli.audit.options:_HASH": worst("fullmatch", ("", "a", "")),
    "cli.refdata.values:_ID": worst("fullmatch", ("", "a", ""), ("a", "-", " ")),
    "cli.refdata.values:_VALIDITY": worst("fullmatch", ("", "1", ""), ("1 year", "s", "")),
    "conformance.checks.documents:_CONTENT_RANGE": worst(
        "fullmatch", ("bytes ", "1", ""), ("bytes 1-", "1", ""), ("bytes 1-1/", "1", "x")
    ),
    "conformance.checks.documents:_ENTITY_TAG": worst("fullmatch", ('"', "a", "")),
    "conformance.checks.isolation:_OCCURRENCE": worst(
        "sub", ("", "0123abcd-0000-0000-0000-0123456789a-", ""), ("", "a", "")
    ),
    "conformance.checks.reference_data:_MAX_AGE": worst("search", ("", "max-age=", "")),
    "conformance.checks.security:_MAX_AGE": worst("search", ("", "max-age=", "")),
    "conformance.checks.security:_VERSION_NUMBER": worst("search", ("", "1", ""), ("", "1.", "")),
    "conformance.contract.response_judge:_DATE_TIME": worst(
        "fullmatch", ("2030-01-01T00:00:00.", "0", "z")
    ),
    "conformance.contract.response_judge:_URI": worst(
        "fullmatch", ("a", "a", ""), ("a:", "a", " "), ("", "a:", " ")
    ),
    "conformance.exchange.masking:_NUMBER": worst(
        "sub", ("", "1", ""), ("", "0123456789-", ""), ("", "a", "")
    ),
    "conformance.target:_VERSION": worst("fullmatch", ("v3", ".1", "x")),
    "domain.document_keys:_KEY": worst(
        "fullmatch", ("documents/", "a", ""), ("", "documents/", "")
    ),
    "domain.document_keys:_RECORD_KEY": worst("fullmatch", ("records/", "a", "")),
    "domain.file_signatures:_HTML": worst("match", ("", "<", "")),
    "domain.file_signatures:_XML": worst("match", ("", "<", "")),
    "domain.file_signatures:_POSTSCRIPT_PDF": worst("match", ("%!PS-Adobe-", "1", " PDF-")),
    "domain.filenames:_PERCENT_ESCAPES": worst(
        "sub", ("", "%00", "%"), ("", "%", ""), ("", "%0", "")
    ),
    "domain.identifiers:_ENTERPRISE": worst("fullmatch", ("", "0", "")),
    "domain.identifiers:_SSIN": worst("fullmatch", ("", "0", "")),
    "domain.personal_data:_NUMBER": worst(
        "sub",
        ("", "1", ""),
        ("", "1 ", ""),
        ("", "85.07.30-033.28", ""),
        ("", "85 07 30 033 2", ""),
        ("", "%85%07", ""),
        ("", "0123abcd-0000-0000-0000-0123456789a-", ""),
        ("", "a", ""),
        ("", "a" * 63 + "-", ""),
    ),
    "domain.zip_directory:_LOCAL_HEADER": worst("finditer", ("", "PK\3\4", ""), ("", "PK\3", "")),
    "federation.event_service:_PAGE": worst(
        "match", ("", " ", ""), ("<!doctype", " ", ""), ("", " <", "")
    ),
    "http_client.access_token:BEARER": worst(
        "fullmatch", ("", "a", "!"), ("", "=", "a"), ("a", "=", "a")
    ),
    "http_client.retry_after:_SECONDS": worst("fullmatch", ("", "0", "x")),
    "sandbox.federation.clients:_FILE_NAME": worst("fullmatch", ("", "a", "")),
    "sandbox.federation.eventservice:_NUMBER": worst("fullmatch", ("", "0", "")),
    "sandbox.federation.eventservice:_UUID": worst("fullmatch", ("00000000", "-0000", "")),
    "sandbox.federation.eventservice:_INSTANT": worst("fullmatch", ("2030", "-01", "")),
    "sandbox.federation.faults:SERVICES": worst(
        "match", ("/", "/", ""), ("/partition/ebox/", "a", "")
    ),
    "sandbox.portal.policy:_ORIGIN": worst(
        "fullmatch", ("https://", "a", ""), ("https://[", ":", ""), ("https://a/", "a", "\n")
    ),
    "sandbox.servers.binaries:_DIGITS": worst("search", ("", "a", "")),
    "sandbox.servers.processes:_PORT_IN_USE": worst(
        "search", ("", "port 1 ", ""), ("port ", "1", ""), ("", "address already in ", "")
    ),
    "sender.command:_KEY": worst("fullmatch", ("", "a", "")),
    "sender.message:_TYPE": worst(
        "fullmatch", ("a", ";", ""), ("a;", " ", ""), ("", "; a/", ""), ("", ";a/a", ";")
    ),
    "sender.message:_PART": worst("fullmatch", ("", "a", ""), ("", "a=", "")),
    "telemetry.masking:_SECRETS": worst(
        "sub",
        ("", "eyJ", ""),
        ("", "eyJa", " ."),
        ("", "eyJ.", ""),
        ("", "eyJa.", ""),
        ("eyJa", ".", ""),
        ("", "-eyJa", ""),
        ("", "bearer", ""),
        ("bearer", " ", ""),
        ("", "bearer ", ""),
        ("", 'Bearer "', ""),
    ),
    "api.responses.downloads:_ACCENTS": worst("sub", ("", "\u0300", ""), ("", "a\u0300", "")),
    "api.responses.downloads:_UNSAFE": worst("sub", ("", "é", ""), ("", "a", "")),
    "domain.filenames:_ENCODED_WORDS": worst(
        "fullmatch",
        ("", "=?a?b?c?=", "x"),
        ("=?", "a", ""),
        ("=?a?q?", "a", ""),
        ("", "=?a?b?c?= ", "=?"),
    ),
    "serving.arrival:_LENGTH": worst(
        "search",
        ("", "\r\ncontent-length: 1", ""),
        ("\r\ncontent-length:", " ", "x"),
        ("\r\ncontent-length: 1", " ", "x"),
    ),
    "serving.arrival:_UNMEASURED": worst("search", ("", "\r\ntransfer-encoding", "")),
    "certificates.subject:_NUMBER": worst(
        "fullmatch", ("urn:be:fgov:kbo-bce:organization:cbe-number:", "0", "x")
    ),
    "settings.environment_checks:_TRIAL_WORDS": worst("search", ("", "www", ""), ("", "-", "")),
    "diagnosis.bundle_mask:_USER_INFO": worst("search", ("", "://", ""), ("://", "a", "")),
    "diagnosis.bundle_mask:_WORD": worst("fullmatch", ("", "a", "_")),
    "diagnosis.preflight.upkeep:_NAME": worst("fullmatch", ("base-", "0", "")),
    "telemetry.requests:_NAME": worst("fullmatch", ("", "a", "1")),
    "telemetry.requests:_TRACE_ID": worst("fullmatch", ("", "a", "")),
}


def find_patterns() -> set[str]:
    """Name each call that makes a pattern; one that is no constant of a module is named by line."""
    names = set()
    for path in REGISTRY.rglob("*.py"):
        module = ".".join(path.relative_to(REGISTRY).with_suffix("").parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        # `matching` makes patterns for its callers, which are looked at in its place.
        machinery = [node for node in tree.body if getattr(node, "name", "") == "matching"]
        inside = {id(child) for node in machinery for child in ast.walk(node)}
        for statement in tree.body:
            for node in ast.walk(statement):
                if id(node) in inside or not isinstance(node, ast.Call):
                    continue
                if _makes_a_pattern(node):
                    target = getattr(statement, "target", None)
                    names.add(f"{module}:{target.id if target is not None else node.lineno}")
    return names


def _makes_a_pattern(node: ast.Call) -> bool:
    maker = ast.unparse(node.func)
    is_text = bool(node.args) and isinstance(node.args[0], ast.Constant)  # no expression of SQL
    return re.match(r"re\.(?!escape)", maker) is not None or (maker == "matching" and is_text)


def make_attempts(name: str) -> list[Callable[[str], object]]:
    """Make what is done to a text with the pattern, as the module does it."""
    module, _, constant = name.partition(":")
    value = getattr(import_module(f"registry.{module}"), constant)
    use = PATTERNS[name].use
    if use == "call":
        return [lambda text: _survive(value, text)]
    patterns = value.values() if isinstance(value, dict) else (value,)
    return [_make_attempt(pattern, use) for pattern in patterns]


def _survive(check, text):
    with suppress(ValidationError):
        check(text)


def _make_attempt(pattern, use):
    method = getattr(pattern, use)

    def attempt(text):
        subject = text.encode("latin-1") if isinstance(pattern.pattern, bytes) else text
        match use:
            case "sub":
                method(lambda match: match[0], subject)
            case "finditer":
                for _ in method(subject):
                    pass
            case _:
                method(subject)

    return attempt


def make_text(parts, size):
    start, repeat, end = parts
    return start + repeat * (size // len(repeat)) + end


def measure(attempt, text, times):
    begin = thread_time()
    for _ in range(times):
        attempt(text)
    return thread_time() - begin


def is_linear(attempt, parts, size):
    """Tell if a long text takes about as long as many short ones that are as long together."""
    short, long = make_text(parts, size), make_text(parts, size * LONGER)
    return any(
        measure(attempt, long, 1) <= BOUND * measure(attempt, short, LONGER) + 1e-4
        for _ in range(TRIES)
    )


def test_every_pattern_is_here():
    assert find_patterns() == {*PATTERNS}


@pytest.mark.long
@pytest.mark.parametrize("name", PATTERNS)
def test_worst_input_takes_linear_time(name):
    for attempt in make_attempts(name):
        for parts in PATTERNS[name].texts:
            assert is_linear(attempt, parts, SMALL), parts  # first, or the next takes for ever
            assert is_linear(attempt, parts, LARGE), parts


def test_measure_sees_a_quadratic_pattern():
    attempt = _make_attempt(re.compile("a+b"), "search")
    assert not is_linear(attempt, ("", "a", ""), SMALL)
