"""Calls of the portal's pages, from the browser to the registry (CORS)."""

from registry.conformance.exchange.exchange import Exchange
from registry.conformance.requirement import Obligation, Untestable, expect, requires
from registry.conformance.workbench import LIST, Workbench

_SOURCE = "contract 4.23 (DOC21): the portal's code calls the provider directly; WHATWG Fetch"
_STRANGER = "https://conformance.invalid"
_HEADERS = "authorization, content-type, idempotency-key, on-behalf-of-enterprise-number"


def _get_origin(bench: Workbench) -> str:
    if bench.origin is None:
        raise Untestable("Give an origin of the portal's pages: --origin.")
    return bench.origin


def _prefly(bench: Workbench, origin: str, method: str, headers: str = _HEADERS) -> Exchange:
    wish = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }
    return bench.ask("OPTIONS", LIST, role=None, headers=wish)


def _split(text: str) -> set[str]:
    return {word.strip().lower() for word in text.split(",") if word.strip()}


@requires(
    "cors-preflight",
    source=_SOURCE,
    mend="Answer OPTIONS without a token with 2xx and Access-Control-Allow-Origin.",
    roles=(),
)
def answer_preflight(bench: Workbench) -> None:
    """A preflight of the portal is answered without a token, for reading."""
    answer = _prefly(bench, _get_origin(bench), "GET", "authorization")
    expect(answer.status in (200, 204), f"A preflight is answered with {answer.status}.")
    permission = answer.header("Access-Control-Allow-Origin")
    expect(permission in (_get_origin(bench), "*"), "The origin of the portal is not allowed.")
    names = _split(answer.header("Access-Control-Allow-Headers"))
    # A star does not cover Authorization.
    expect("authorization" in names, "The header Authorization is not allowed.")


@requires(
    "cors-preflight-change",
    source=_SOURCE,
    mend="Allow PATCH and POST, and the headers that the portal sends with them.",
    roles=(),
)
def answer_preflight_of_change(bench: Workbench) -> None:
    """A preflight allows the portal to change and to reply."""
    for method in ("PATCH", "POST"):
        answer = _prefly(bench, _get_origin(bench), method)
        methods = _split(answer.header("Access-Control-Allow-Methods"))
        permission = method.lower() in methods or "*" in methods or method == "POST"
        expect(permission, f"{method} is not allowed.")
        names = _split(answer.header("Access-Control-Allow-Headers"))
        missing = sorted(_split(_HEADERS) - names) if names != {"*", "authorization"} else []
        expect(not missing, f"Headers are not allowed: {', '.join(missing)}.")


@requires(
    "cors-answer",
    source=_SOURCE,
    mend="Send Access-Control-Allow-Origin with answers and with refusals, else pages cannot read.",
)
def let_portal_read(bench: Workbench) -> None:
    """The portal's page may read what is answered, refusals too."""
    origin = _get_origin(bench)
    for path, status in ((LIST, 200), (f"{LIST}/{bench.nobodys_id}", 404)):
        answer = bench.ask("GET", path, headers={"Origin": origin}).expect_status(status)
        permission = answer.header("Access-Control-Allow-Origin")
        expect(permission in (origin, "*"), f"The portal's page may not read a {status}.")


@requires(
    "cors-expose",
    source=f"{_SOURCE}; Content-Disposition names the file (inferred)",
    mend="Expose Content-Disposition: the portal names downloads by it.",
    obligation=Obligation.SHOULD,
)
def let_portal_name_downloads(bench: Workbench) -> None:
    """The portal's page may read Content-Disposition."""
    answer = bench.ask("GET", LIST, headers={"Origin": _get_origin(bench)})
    names = _split(answer.header("Access-Control-Expose-Headers"))
    expect("content-disposition" in names or "*" in names, "Content-Disposition is not exposed.")


@requires(
    "cors-stranger",
    source="decision 6.42: origins are listed; OWASP ASVS 14.5.3",
    mend="Allow the portal's origins alone; never repeat whatever Origin comes.",
    obligation=Obligation.SHOULD,
)
def keep_strangers_out(bench: Workbench) -> None:
    """Pages of strangers may not call."""
    answers = (
        _prefly(bench, _STRANGER, "GET"),
        bench.ask("GET", LIST, headers={"Origin": _STRANGER}),
    )
    for answer in answers:
        permission = answer.header("Access-Control-Allow-Origin")
        expect(permission not in (_STRANGER, "*"), "A page of a stranger may read the answers.")


@requires(
    "cors-vary",
    source="decision 6.42; WHATWG Fetch: CORS protocol and HTTP caches",
    mend="Send Vary: Origin with every answer that may be cached, with or without an Origin.",
    obligation=Obligation.SHOULD,
)
def vary_by_origin(bench: Workbench) -> None:
    """Any answer that may be cached says that it depends on the origin."""
    origin = _get_origin(bench)
    path = f"{bench.dialect.reference}/messageTypes"
    for headers in ({"Origin": origin}, {}):
        answer = bench.ask("GET", path, headers=headers).expect_status(200)
        open_to_all = answer.header("Access-Control-Allow-Origin") == "*"
        varies = _split(answer.header("Vary")) & {"origin", "*"}
        expect(varies or open_to_all, "Vary does not name Origin.")
