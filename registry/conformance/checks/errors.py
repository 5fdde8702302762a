"""Refusals: their form, and what they do not tell."""

from typing import Final

from registry.conformance.exchange.exchange import Exchange
from registry.conformance.exchange.request_body import MERGE_PATCH, make_raw_body
from registry.conformance.requirement import V2, V3, Obligation, Role, expect, requires
from registry.conformance.workbench import LIST, Workbench

# What gives a server's insides away.
_INSIDES: Final = (
    *(b"Traceback (most", b"Exception in thread", b".java:", b".kt:", b"System.NullReference"),
    *(b"org.springframework", b"ORA-0", b"SQLSTATE", b"psycopg", b"node_modules", b"/usr/lib"),
)


def _collect_refusals(bench: Workbench) -> list[Exchange]:
    """Collect refusals; calls that are not refused where they must be are for other checks."""
    answers = (
        bench.get(LIST, None),
        bench.get(LIST, pageSize="0"),
        bench.get(f"{LIST}/{bench.nobodys_id}"),
    )
    return [answer for answer in answers if answer.status >= 400]


@requires(
    "error-form",
    source="contract 2.8, 5 (FAQ): {code, id, message}; decision 6.2: in v3 as well",
    mend="Give every refusal a JSON body with code, id and message; a UUID as id.",
)
def form_refusals(bench: Workbench) -> None:
    """A refusal is JSON with code, id and message."""
    for answer in _collect_refusals(bench):
        members = answer.members()
        missing = [name for name in ("code", "id", "message") if not members.get(name)]
        expect(not missing, f"A {answer.status} has no {', '.join(missing)}.")


@requires(
    "error-problem",
    source="BRG err-problem: application/problem+json (RFC 9457); decision 6.2",
    mend="Send problems as application/problem+json with type, title and status.",
    obligation=Obligation.SHOULD,
    versions=frozenset({V3}),
)
def describe_problems(bench: Workbench) -> None:
    """A refusal of version 3 is a problem in the sense of RFC 9457."""
    for answer in _collect_refusals(bench):
        expect(answer.media_type == "application/problem+json", f"It is {answer.media_type}.")
        members = answer.members()
        expect(members.get("status") == answer.status, f"A {answer.status} names another status.")
        expect(members.get("type") and members.get("title"), "A problem has no type or no title.")


@requires(
    "error-media-type",
    source="contract 2.8 (2.1): StatusMessage",
    mend="Send StatusMessage as application/json in version 2.1.",
    versions=frozenset({V2}),
)
def send_status_messages(bench: Workbench) -> None:
    """A refusal of version 2.1 is application/json."""
    for answer in _collect_refusals(bench):
        expect(answer.media_type == "application/json", f"It is {answer.media_type}.")


@requires(
    "error-id",
    source="BRG err-problem: instance; contract 2.8: id names the occurrence",
    mend="Give each refusal an id of its own, which is in the log too.",
)
def name_occurrences(bench: Workbench) -> None:
    """Each refusal has an id of its own."""
    path = f"{LIST}/{bench.nobodys_id}"
    ids = [bench.get(path).expect_status(404).members()["id"] for _ in range(2)]
    expect(ids[0] != ids[1], "Two refusals have the same id.")


@requires(
    "error-method",
    source="RFC 9110 section 15.5.6",
    mend="Answer a method that a path does not have with 405 and Allow.",
    obligation=Obligation.SHOULD,
)
def refuse_wrong_method(bench: Workbench) -> None:
    """A method that a path does not have is answered with 405, and those that it has."""
    answer = bench.ask("DELETE", LIST).expect_status(405)
    expect("GET" in answer.header("Allow"), "A 405 has no Allow with the methods there are.")


@requires(
    "error-path",
    source="RFC 9110 section 15.5.5",
    mend="Answer paths that there are not with 404, in the same form as every refusal.",
    obligation=Obligation.SHOULD,
)
def miss_unknown_path(bench: Workbench) -> None:
    """A path that there is not is answered with 404 in the form of every refusal."""
    answer = bench.get("/nothing/of/this/name").expect_status(404)
    expect(answer.media_type.endswith("json"), f"A 404 is {answer.media_type or 'without a type'}.")


@requires(
    "error-echo",
    source="OWASP ASVS 7.4.1; contract 4.20: no over-logging",
    mend="Never show stack traces, SQL or names of inner parts in an answer.",
)
def tell_nothing_of_insides(bench: Workbench) -> None:
    """A refusal tells nothing of the insides of the registry."""
    strange = ("%00", "'", "../../../etc/passwd", "<script>")
    answers = [bench.get(f"{LIST}/{text}") for text in ("%00", "%27", "%3Cscript%3E")]
    answers += [bench.get(LIST, q=text, qlang="nl") for text in strange]
    for answer in answers:
        expect(answer.status < 500, f"{answer.place} answers {answer.status}.")
        is_open = any(words in answer.body for words in _INSIDES)
        expect(not is_open, "A refusal shows the insides of the program.")


@requires(
    "error-body-syntax",
    source="RFC 9110 section 15.5.1; BRG: 400 for what cannot be read",
    mend="Answer a body that is no JSON with 400.",
)
def refuse_broken_json(bench: Workbench) -> None:
    """A change that is no JSON is answered with 400."""
    for content in (b"{", b"", b"[]"):
        bench.ask("PATCH", LIST, body=make_raw_body(content, MERGE_PATCH)).expect_status(400)


@requires(
    "error-body-type",
    source="RFC 9110 section 15.5.16",
    mend="Answer a body of another media type with 415.",
    obligation=Obligation.SHOULD,
)
def refuse_other_media_type(bench: Workbench) -> None:
    """A change that is XML is answered with 415."""
    body = make_raw_body(b"<a/>", "application/xml")
    bench.ask("PATCH", LIST, body=body).expect_status(415)


@requires(
    "error-large-head",
    source="RFC 6585 section 5, RFC 9110 section 15.5.15",
    mend="Refuse requests that are too long with a 4xx, and go on serving.",
    obligation=Obligation.SHOULD,
    roles=(Role.READER,),
)
def survive_long_query(bench: Workbench) -> None:
    """A query that is far too long is refused with a 4xx, and the next call is answered."""
    answer = bench.get(LIST, q="x" * 100_000, qlang="nl")
    expect(400 <= answer.status < 500, f"A query of 100,000 characters gives {answer.status}.")
    bench.list_messages(pageSize=1)
