"""Reference data: what types, applications and organizations are called, and for how long."""

import re
from typing import Any, Final

from registry.conformance.requirement import Obligation, Untestable, expect, requires
from registry.conformance.workbench import Workbench, make_path

_MAX_AGE: Final = re.compile(r"max-age=(\d{1,9})", re.ASCII)
_CACHING = "contract 4.18 (DOC21): significant cache headers on reference data"
_PARTS = (
    ("messageTypes", "messageTypeId"),
    ("senderApplications", "applicationId"),
    ("senderOrganizations", "organizationId"),
)


def _read_first(bench: Workbench, part: str) -> dict[str, Any]:
    members = bench.get(f"{bench.dialect.reference}/{part}").expect_status(200).members()
    if not members["items"]:
        raise Untestable(f"There are no {part}.")
    return dict(members["items"][0])


@requires(
    "reference-lists",
    source="contract 1.2 operations 14 to 16: mandatory",
    mend="Serve the three lists, each with items and totalItems.",
)
def list_reference_data(bench: Workbench) -> None:
    """Message types, applications and organizations are listed."""
    for part, _ in _PARTS:
        members = bench.get(f"{bench.dialect.reference}/{part}").expect_status(200).members()
        whole = isinstance(members["items"], list) and members["totalItems"] >= len(
            members["items"]
        )
        expect(whole, f"{part}: totalItems is less than there are items.")


@requires(
    "reference-items",
    source="contract 4.19: the portal asks for the three items of every message",
    mend="Serve each item by its id, as the list shows it.",
)
def show_reference_items(bench: Workbench) -> None:
    """Each item has a path of its own, and is the same there."""
    for part, name in _PARTS:
        item = _read_first(bench, part)
        path = f"{bench.dialect.reference}/{part}{make_path(str(item[name]))}"
        alone = bench.get(path).expect_status(200).members()
        expect(alone == item, f"{part}: an item by its own path differs from the list.")


@requires(
    "reference-of-messages",
    source="contract 4.19: every message is shown with type, application and organization",
    mend="Have reference data of everything that a message names.",
)
def know_what_messages_name(bench: Workbench) -> None:
    """Everything that a message names can be looked up."""
    messages, dialect = bench.get_some_messages(), bench.dialect
    names = {f"messageTypes{make_path(str(item['messageTypeId']))}" for item in messages}
    names |= {
        f"senderApplications{make_path(str(item['senderApplicationId']))}"
        for item in messages
        if item.get("senderApplicationId")
    }
    for path in sorted(names)[:20]:
        bench.get(f"{dialect.reference}/{path}").expect_status(200)


@requires(
    "reference-unknown",
    source="contract 1.3: 404",
    mend="Answer an id that there is not with 404.",
)
def miss_unknown_item(bench: Workbench) -> None:
    """An item that there is not is answered with 404."""
    for part, _ in _PARTS:
        bench.get(f"{bench.dialect.reference}/{part}/nobody-has-this").expect_status(404)


@requires(
    "reference-caching",
    source=_CACHING,
    mend="Send Cache-Control: public, max-age=86400 or the like with reference data.",
)
def let_reference_data_be_kept(bench: Workbench) -> None:
    """Reference data may be kept by whoever has read them."""
    for part, _ in _PARTS:
        text = (
            bench.get(f"{bench.dialect.reference}/{part}")
            .expect_status(200)
            .header("Cache-Control")
        )
        age = _MAX_AGE.search(text)
        expect(age and int(age[1]) >= 60, f"{part}: no max-age of a minute or more.")
        expect(
            "no-store" not in text, f"{part}: no-store forbids to keep what is meant to be kept."
        )


@requires(
    "reference-validator",
    source="RFC 9110 section 13.1.2; RFC 9111 section 4.3",
    mend="Send an ETag with reference data, and 304 to whoever holds it.",
    obligation=Obligation.SHOULD,
)
def validate_reference_data(bench: Workbench) -> None:
    """Reference data that were kept are confirmed with 304."""
    path = f"{bench.dialect.reference}/messageTypes"
    tag = bench.get(path).expect_status(200).header("ETag")
    expect(tag, "Reference data have no ETag.")
    bench.ask("GET", path, headers={"If-None-Match": tag}).expect_status(304)


@requires(
    "messages-not-kept",
    source="contract 4.18 (inferred): messages and contents are private, no-store",
    mend="Send Cache-Control: no-store with messages and documents: they are personal data.",
    obligation=Obligation.SHOULD,
)
def keep_messages_from_caches(bench: Workbench) -> None:
    """Messages are kept by no cache."""
    text = bench.list_messages(pageSize=1).exchange.header("Cache-Control")
    expect("no-store" in text, "The list of messages may be kept: there is no no-store.")
