"""Habits of clients of all ages, which are no reason to refuse them."""

from registry.conformance.requirement import V3, Obligation, expect, requires
from registry.conformance.workbench import LIST, Workbench

_SOURCE = "decision 6.32: unknown names are ignored on consultation"


@requires(
    "tolerance-parameters",
    source=_SOURCE,
    mend="Ignore query parameters that you do not know.",
    obligation=Obligation.SHOULD,
)
def ignore_unknown_parameters(bench: Workbench) -> None:
    """Query parameters that nobody knows change nothing."""
    plain = bench.list_messages(pageSize=2)
    other = bench.list_messages(pageSize=2, conformance="1", sort="subject")
    expect(plain.ids == other.ids, "An unknown parameter changes the list.")


@requires(
    "tolerance-headers",
    source="RFC 9110 section 5.1: unknown header fields are ignored",
    mend="Ignore headers that you do not know.",
)
def ignore_unknown_headers(bench: Workbench) -> None:
    """Headers that nobody knows change nothing."""
    bench.ask("GET", LIST, headers={"X-Conformance": "1", "Priority": "u=1"}).expect_status(200)


@requires(
    "tolerance-accept",
    source="RFC 9110 section 12.5.1",
    mend="Answer application/json to whoever takes it in any way: */*, application/*, with q.",
)
def take_any_accept_of_json(bench: Workbench) -> None:
    """JSON is sent to whoever takes it, in whatever way that is said."""
    ways = ("application/json", "application/*", "*/*;q=0.1", "text/html, application/json;q=0.5")
    for text in ways:
        answer = bench.ask("GET", LIST, headers={"Accept": text}).expect_status(200)
        expect(answer.media_type == "application/json", f"It is {answer.media_type}.")


@requires(
    "tolerance-former-names",
    source=f"{_SOURCE}; the names of 2.1 work as aliases in v3",
    mend="Read readStatus, visible and registeredMail as the names of version 3.",
    obligation=Obligation.MAY,
    versions=frozenset({V3}),
)
def take_former_names(bench: Workbench) -> None:
    """Filters by their names of 2.1 filter, or are ignored; they are not refused."""
    now = bench.list_messages(isRead="false", pageSize=100)
    former = bench.list_messages(readStatus="false", pageSize=100)
    expect(former.total in (now.total, len(bench.walk_messages())), "It lists something else.")


@requires(
    "tolerance-slashes",
    source="decision 6.43: doubled slashes are read as one, never redirected",
    mend="Read // before a segment as /: the portal joins URLs that way.",
    obligation=Obligation.MAY,
)
def take_doubled_slashes(bench: Workbench) -> None:
    """Doubled slashes in a path are read as one."""
    bench.get(f"/{LIST}", pageSize="1").expect_status(200)
    bench.get(f"/{bench.dialect.reference}/messageTypes").expect_status(200)


@requires(
    "tolerance-head",
    source="RFC 9110 section 9.1: GET and HEAD are for all",
    mend="Answer HEAD wherever GET is answered.",
    obligation=Obligation.SHOULD,
)
def answer_head_of_list(bench: Workbench) -> None:
    """HEAD of the list is answered, without a body."""
    answer = bench.ask("HEAD", LIST).expect_status(200)
    expect(not answer.body, "An answer to HEAD has a body.")
