"""Calls, as the audit trail knows them."""

from dataclasses import dataclass

from registry.domain.access import Caller


@dataclass(frozen=True, slots=True)
class Call:
    """A request: the caller, its method and URL, and the status of its answer (contract 4.20).

    `url` is path and query without the text of a search. The answer with this `status` goes out
    only when the trail has the call. `trace_id` is that of W3C Trace Context, by which the call is
    found in the logs of all who had to do with it.
    """

    caller: Caller
    method: str
    url: str
    status: int = 200
    trace_id: str | None = None
