"""What callers do: each profile is a script for each of its clients, the same in every run."""

import random
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from registry.sandbox.personas import AGENCY, BAKERY
from tests.bench.scale.eboxes import FilledEbox
from tests.bench.scale.generator import KEY, Step
from tests.bench.scale.site import Site
from tests.bench.scale.wire import make_get, make_request
from tests.service import BASE, PublicationRequest, headers

LIST: Final = f"{BASE}/ebox/messages"
STATISTICS: Final = f"{BASE}/ebox/statistics"
_VISITS: Final = 200  # of each client, before its script begins again
_LISTINGS_A_SESSION: Final = 5  # then the browser is another's, and its cache empty
_REFERENCE: Final = tuple(
    f"{BASE}/refData/{path}"
    for path in (
        "messageTypes/tax-assessment", "messageTypes/contribution-notice",
        "messageTypes/information-letter", "messageTypes/summons",
        "senderApplications/my-minfin", "senderApplications/dmfa",
        "senderApplications/just-on-web", "senderApplications/sandbox-sender",
        "senderOrganizations/0308357159", "senderOrganizations/0206731645",
        "senderOrganizations/0308357753", f"senderOrganizations/{AGENCY.digits}",
    )
)  # fmt: skip


def script_portal(site: Site, database: str, clients: int) -> list[list[Step]]:
    """People in the portal: for each listing three reference items, 0.3 contents, 0.05 details.

    Reference data may be kept for a day, so nobody asks for the same item twice in a session.
    """
    return [_script_person(site, database, seed) for seed in range(clients)]


def script_sweep(site: Site, clients: int) -> list[list[Step]]:
    """Software of enterprises: unread messages page by page, then statistics, e-Box by e-Box."""
    readers = site.populations[0].readers
    scripts = []
    for number in range(clients):
        steps = []
        for ebox in readers[number::clients]:
            token = site.callers.consumer(ebox)
            for page in (1, 2, 3):
                path = f"{LIST}?page={page}&isRead=false"
                steps.append(Step("unread page", make_get(path, token)))
            steps.append(Step("statistics", make_get(STATISTICS, token)))
        scripts.append(steps)
    return scripts


def script_publishing(
    site: Site, clients: int, *, size: int = 20_000, eboxes: int | None = None
) -> list[list[Step]]:
    """Senders: a document of `size` bytes to one e-Box after the other, all readers' or some."""
    token = site.callers.sender()
    document = PublicationRequest(b"%PDF-1.7\n".ljust(size, b"x"))
    steps = []
    for ebox in site.populations[0].readers[:eboxes]:
        body = document.body.replace(BAKERY.digits.encode(), ebox.number.encode())
        named = headers(token, len(body), KEY.decode())
        del named["Host"], named["Content-Length"]
        request = make_request("POST", LIST, headers=named, body=body)
        steps.append(Step("publication", request))
    return [steps[number:] + steps[:number] for number in range(clients)]


def list_contents(site: Site, database: str, ebox: FilledEbox) -> Sequence[UUID]:
    """The messages of an e-Box that a person may read, newest first."""
    rows = site.cluster.ask(database, _IDS, ebox.key)
    return [message_id for (message_id,) in rows]


def _script_person(site: Site, database: str, seed: int) -> list[Step]:
    chance = random.Random(seed)
    steps: list[Step] = []
    ids = {}
    for visit in range(_VISITS):
        if visit % _LISTINGS_A_SESSION == 0:
            ebox = chance.choice(site.populations[0].readers)
            token, cache = site.callers.person(ebox), set()
            if ebox not in ids:
                ids[ebox] = list_contents(site, database, ebox)
        steps.append(Step("listing", make_get(LIST, token)))
        for path in chance.sample(_REFERENCE, 3):
            if path not in cache:
                cache.add(path)
                steps.append(Step("reference item", make_get(path, token)))
        one = f"{LIST}/{chance.choice(ids[ebox][:25])}"
        if chance.random() < 0.3:
            steps.append(Step("content", make_get(f"{one}/attachments/1/content", token)))
        if chance.random() < 0.05:
            steps.append(Step("detail", make_get(one, token)))
    return steps


_IDS: Final = """
SELECT message_id FROM messages WHERE ebox = %s AND is_visible AND expires_at > now()
  AND partition IN ('GENERAL', 'HR') ORDER BY received_at DESC
"""
