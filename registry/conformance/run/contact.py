"""The first contact: is there a registry at all, and does it know the callers?"""

import socket
import ssl
from typing import Final

import requests

from registry.conformance.exchange.browser import Unreachable
from registry.conformance.exchange.exchange import Exchange
from registry.conformance.requirement import Role, Unmet, Untestable
from registry.conformance.workbench import LIST, Workbench, read_page


class NoRegistry(Exception):
    """There is no registry to test; the text is the one sentence that says why."""


def meet_registry(bench: Workbench) -> None:
    """See that a registry answers; raises `NoRegistry`."""
    try:
        answer = bench.get(LIST, None)
        _check_answer(bench, answer)
    except Unreachable as error:
        raise NoRegistry(_explain(bench, error)) from None


def _check_answer(bench: Workbench, answer: Exchange) -> None:
    has_reader = bench.callers.find(Role.READER) is not None
    if not has_reader:
        if answer.status != 401:
            raise NoRegistry(_describe(bench, answer, "without a token", "401"))
        return
    try:
        listing = bench.get(LIST, pageSize=1)
    except Untestable as reason:
        raise NoRegistry(str(reason)) from None
    if listing.status == 401 and answer.status == 401:
        raise NoRegistry(f"{_name(bench)} refuses the token of the reader: {_say(listing)}.")
    if listing.status == 403:
        raise NoRegistry(f"{_name(bench)} does not let the reader list messages: {_say(listing)}.")
    try:
        read_page(listing.expect_status(200))
    except Unmet:
        right_answer = "200 with a list of messages"
        raise NoRegistry(_describe(bench, listing, "with a token", right_answer)) from None


def _describe(bench: Workbench, answer: Exchange, how: str, right_answer: str) -> str:
    return (
        f"{_name(bench)} answers, but not as a MessageRegistry: GET {LIST} {how} gives"
        f" {_say(answer)}, not {right_answer}. Is {bench.target.base} the base URL?"
    )


def _say(answer: Exchange) -> str:
    return f"{answer.status} {answer.media_type or 'without a media type'}"


def _name(bench: Workbench) -> str:
    return bench.target.origin.partition("://")[2]


# The first that fits, from the cause that says most.
_SENTENCES: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (ssl.SSLCertVerificationError, "The certificate of {name} is not to be trusted: {why}."),
    (ssl.SSLError, "{name} does not speak TLS as it should."),
    (socket.gaierror, "No address is known of {name}: is the host name right?"),
    (ConnectionRefusedError, "Nobody listens at {name}: the connection is refused."),
    (requests.exceptions.ProxyError, "{name} cannot be reached through the proxy that is set."),
    (requests.exceptions.ConnectTimeout, "{name} does not take a connection in time."),
    (requests.exceptions.Timeout, "{name} takes the connection and says nothing in time."),
)


def _explain(bench: Workbench, error: Unreachable) -> str:
    name, causes = _name(bench), _list_causes(error.cause)
    if error.cause is None:
        return f"{name} says nothing in time."
    for kind, sentence in _SENTENCES:
        for cause in causes:
            if isinstance(cause, kind):
                why = getattr(cause, "verify_message", "")
                return sentence.format(name=name, why=why)
    return f"{name} gives no answer that is HTTP ({type(error.cause).__name__})."


def _list_causes(error: BaseException | None) -> list[BaseException]:
    """List an error and all that it came from; urllib3 hides the last in `reason` or `args`."""
    causes: list[BaseException] = []
    waiting = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and cause not in causes:
            causes.append(cause)
            waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None)]
            waiting += [item for item in cause.args if isinstance(item, BaseException)]
    return causes
