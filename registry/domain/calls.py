"""The call that is being answered: who asks, how, and what he is told if all goes well."""

from dataclasses import dataclass

from registry.domain.access import Caller


@dataclass(frozen=True, slots=True)
class Call:
    """A request as the audit trail knows it (contract 4.20).

    `url` is path and query without what was searched for; `status` that of the answer, which goes
    out only when the trail has the call.
    """

    caller: Caller
    method: str
    url: str
    status: int = 200
