"""An episode: a fault strikes while clients go on, is mended, and everything is held to account."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from tests.ha.clients import compute_digest
from tests.ha.faults import Fault
from tests.ha.fence import Fence, Trespass
from tests.ha.installation import DOCUMENTS, Installation
from tests.ha.ledger import OK, Account, Acknowledgement, Ledger, measure_outage, settle

LIMIT: Final = 30.0  # seconds that an outage may last
_CALM: Final = 5.0  # seconds before a fault and after it is mended

_FILINGS: Final = """
SELECT sent.idempotency_key, messages.message_id::text FROM sent_messages AS sent
JOIN messages USING (message_id)
WHERE sent.idempotency_key = ANY(%s)
  AND EXISTS (SELECT FROM outbox WHERE outbox.message_id = messages.message_id)
"""
_KEYS: Final = """
SELECT message_id::text, blob_key FROM attachments WHERE message_id = ANY(%s::uuid[])
"""
_SEALS: Final = "SELECT sealed_at FROM audit_seals WHERE sealed_at >= %s ORDER BY seal_number"


@dataclass(frozen=True)
class Episode:
    """The figures of one fault; times in seconds.

    `longest` is that of a single request, `seal_gap` the longest time without a new seal,
    `recovery` from the mending until every cluster was whole.
    """

    fault: Fault
    host: str
    primaries: tuple[str | None, str | None]
    read_outage: float
    publish_outage: float
    longest: float
    outcomes: Mapping[str, int]
    account: Account
    seal_gap: float
    recovery: float
    trail: str
    trespass: Trespass | None = None

    @property
    def faults(self) -> list[str]:
        """All that does not hold."""
        before, after = self.primaries
        promises = {
            "an acknowledged publication is not there, once and whole": self.account.is_even,
            "there were no acknowledged publications": self.account.acknowledged > 0,
            f"readers waited longer than {LIMIT:.0f} s": self.read_outage <= LIMIT,
            f"senders waited longer than {LIMIT:.0f} s": self.publish_outage <= LIMIT,
            "other bytes were read": "read other bytes" not in self.outcomes,
            "an acknowledged message was not found": "read 404" not in self.outcomes,
            "the primary is not the one that was expected": self.fault.replaces_primary
            in (None, before != after),
            "the trail does not verify": self.trail == "verifies",
            "the old primary took or served something": self.trespass is None
            or self.trespass.is_fended_off,
        }
        return [fault for fault, holds in promises.items() if not holds]


def run_episode(
    installation: Installation, ledger: Ledger, fault: Fault, report: Callable[[str], None]
) -> Episode:
    """Let a fault strike and mend it, with clients who are there all the time."""
    before = installation.members.primary()
    host = fault.choose(installation)
    if host is None:
        raise ValueError(f"{fault.name}: nobody to strike")
    report(f"{fault.name} ({host})")
    fence = Fence(installation, host) if fault.is_trespassed else None
    if fence:
        fence.open(fault.watch + _CALM)
    time.sleep(_CALM)
    since, sealed_since = time.monotonic(), installation.execute("SELECT clock_timestamp()")[0][0]
    fault.strike(installation, host)
    cut = time.monotonic()
    time.sleep(fault.watch)
    after = installation.members.primary()
    fault.mend(installation, host)
    recovery = installation.wait_until_whole()
    trespass = fence.close(since, cut) if fence else None
    time.sleep(_CALM)
    attempts, until = ledger.attempts(since, time.monotonic()), time.monotonic()
    return Episode(
        fault,
        host,
        (before, after),
        measure_outage(attempts, "read", since, until),
        measure_outage(attempts, "publish", since, until),
        max((each.end - each.began for each in attempts), default=0.0),
        Counter(f"{each.kind} {each.outcome}" for each in attempts if each.outcome != OK),
        hold_to_account(installation, ledger.acknowledgements(since - _CALM)),
        _measure_seal_gap(installation, sealed_since),
        recovery,
        verify_trail(installation),
        trespass,
    )


def hold_to_account(
    installation: Installation, acknowledgements: Sequence[Acknowledgement]
) -> Account:
    """Look for each acknowledged publication: message, event, and every byte of its document."""
    keys = [each.key for each in acknowledgements]
    message_ids = [each.message_id for each in acknowledgements]
    client = installation.s3()
    documents = []
    for message_id, blob_key in installation.execute(_KEYS, message_ids):
        content = client.get_object(Bucket=DOCUMENTS, Key=blob_key)["Body"].read()
        documents.append((message_id, compute_digest(content)))
    client.close()
    return settle(acknowledgements, installation.execute(_FILINGS, keys), documents)


def verify_trail(installation: Installation) -> str:
    """What `registry audit verify` makes of the trail: `verifies`, or its findings."""
    outcome = installation.registry("audit", "verify", "--json")
    if outcome.returncode == 0 and not json.loads(outcome.stdout)["breaks"]:
        return "verifies"
    return (outcome.stdout + outcome.stderr).strip()[-500:]


def _measure_seal_gap(installation: Installation, since: datetime) -> float:
    instants = [since, *(row[0] for row in installation.execute(_SEALS, since))]
    instants.append(installation.execute("SELECT clock_timestamp()")[0][0])
    return max((later - earlier).total_seconds() for earlier, later in pairwise(instants))
