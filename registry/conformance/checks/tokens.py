"""Access tokens: missing, made up, expired, given back, of too little scope."""

from registry.conformance.callers.access import NoAccess, SignedAccess
from registry.conformance.requirement import (
    WRITING,
    Obligation,
    Role,
    Untestable,
    expect,
    requires,
)
from registry.conformance.workbench import LIST, Workbench

_INTROSPECTION = "contract 3.1: the provider introspects the token (RFC 7662) and checks `active`"


@requires(
    "token-missing",
    source="contract 1.3, FAQ: 401 when the token is missing",
    mend="Answer 401 before anything else is looked at, whatever the path.",
    roles=(),
)
def refuse_without_token(bench: Workbench) -> None:
    """A call without a token is answered with 401."""
    bench.get(LIST, None).expect_status(401)
    bench.get(f"{LIST}/{bench.nobodys_id}", None).expect_status(401)


@requires(
    "token-challenge",
    source="RFC 6750 section 3; RFC 9110 section 11.6.1",
    mend="Send `WWW-Authenticate: Bearer` with every 401.",
    roles=(),
)
def challenge_callers(bench: Workbench) -> None:
    """A 401 says how to authenticate: WWW-Authenticate names Bearer."""
    answer = bench.get(LIST, None)
    scheme = answer.header("WWW-Authenticate").partition(" ")[0]
    if answer.status != 401:
        raise Untestable("A call without a token is not answered with 401.")
    expect(scheme.lower() == "bearer", "A 401 has no WWW-Authenticate that begins with Bearer.")


@requires(
    "token-made-up",
    source=_INTROSPECTION,
    mend="Introspect every token; one that is not active opens nothing.",
    roles=(),
)
def refuse_made_up_token(bench: Workbench) -> None:
    """A token that nobody issued is answered with 401."""
    headers = {"Authorization": "Bearer registry-conformance-made-this-up"}
    bench.ask("GET", LIST, role=None, headers=headers).expect_status(401)


@requires(
    "token-other-scheme",
    source="RFC 6750 section 2.1",
    mend="Take nothing but the scheme Bearer, and a token after it.",
    roles=(),
)
def refuse_other_scheme(bench: Workbench) -> None:
    """Credentials of another scheme, and an empty token, are answered with 401."""
    for text in ("Basic cmVnaXN0cnk6Y29uZm9ybWFuY2U=", "Bearer", "Bearer "):
        bench.ask("GET", LIST, role=None, headers={"Authorization": text}).expect_status(401)


@requires(
    "token-scheme-case",
    source="RFC 9110 section 11.1: a scheme is named whatever the case",
    mend="Compare the scheme without regard to upper and lower case.",
    obligation=Obligation.SHOULD,
)
def take_any_case_of_scheme(bench: Workbench) -> None:
    """`bearer` is taken as `Bearer` is."""
    headers = {"Authorization": f"bearer {bench.get_token(Role.READER)}"}
    bench.ask("GET", LIST, role=None, headers=headers).expect_status(200)


@requires(
    "token-in-query",
    source="RFC 9700 section 4.3.2: no tokens in query parameters",
    mend="Read the token from the Authorization header alone: URLs end in logs.",
    obligation=Obligation.SHOULD,
)
def refuse_token_in_query(bench: Workbench) -> None:
    """A token in the query is no token."""
    token = bench.get_token(Role.READER)
    bench.get(LIST, None, access_token=token).expect_status(401)


@requires(
    "token-expired",
    source=_INTROSPECTION,
    mend="Take `active` and `exp` of the introspection as they are; cache no longer than `exp`.",
    roles=(Role.EXPIRED,),
)
def refuse_expired_token(bench: Workbench) -> None:
    """A token that has expired is answered with 401."""
    bench.get(LIST, Role.EXPIRED).expect_status(401)


@requires(
    "token-revoked",
    source=f"{_INTROSPECTION}; RFC 7009",
    mend="Introspect a token that was not seen before; its form and signature prove nothing.",
)
def refuse_revoked_token(bench: Workbench) -> None:
    """A token that its client has given back is answered with 401."""
    access = bench.find_party(Role.READER).access
    if not isinstance(access, SignedAccess) or not access.revoke_url:
        raise Untestable("The reader has no key, or no revoke_url where a token is given back.")
    try:
        token, _ = access.fetch_token()
        access.revoke(token)
    except NoAccess as error:
        raise Untestable(str(error)) from None
    headers = {"Authorization": f"Bearer {token}"}
    bench.ask("GET", LIST, role=None, headers=headers).expect_status(401)


@requires(
    "scope-missing",
    source="contract 1.4, FAQ: 403 when the token is valid and its scope is missing",
    mend="Answer 403 when no scope of the token opens the operation.",
    roles=(Role.NO_SCOPE,),
)
def refuse_without_scope(bench: Workbench) -> None:
    """A token without a scope of the registry is answered with 403."""
    bench.get(LIST, Role.NO_SCOPE).expect_status(403)
    bench.get(f"{bench.dialect.reference}/messageTypes", Role.NO_SCOPE).expect_status(403)


@requires(
    "scope-of-senders",
    source="contract 1.4: publicationsender publishes, and reads nothing",
    mend="Let the scope of publication open no consultation.",
    roles=(Role.SENDER,),
)
def let_senders_read_nothing(bench: Workbench) -> None:
    """The scope by which a sender publishes does not open a list of messages."""
    bench.get(LIST, Role.SENDER).expect_status(403)


@requires(
    "scope-of-readers",
    source="contract 1.4, DCON: Document Consumers have no method of the tag Publication",
    mend="Let no scope of consultation open a publication, but for replies in 2.1.",
    roles=(Role.READER, Role.SENDER),
    profiles=WRITING,
)
def let_readers_publish_nothing(bench: Workbench) -> None:
    """Whoever reads an e-Box cannot publish with the same scope."""
    office = bench.post_office
    message = office.make_message("refused", ())
    office.post(message, (), role=Role.READER).expect_status(400, 403)
