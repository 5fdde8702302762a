"""Hiding and moving messages: all or nothing."""

from typing import Final

from registry.conformance.exchange.request_body import JSON, make_json_body
from registry.conformance.requirement import (
    CITIZEN,
    ENTERPRISE,
    V3,
    WRITING,
    Obligation,
    Role,
    Untestable,
    expect,
    requires,
)
from registry.conformance.workbench import LIST, Message, Workbench

_LETTERS: Final = (Role.READER, Role.SENDER)
_V3: Final = frozenset({V3})
_GENERAL: Final = "GENERAL"


def _look(bench: Workbench, message_id: str) -> Message:
    return bench.get(f"{LIST}/{message_id}").expect_status(200).members()


@requires(
    "hide",
    source="contract 1.3 operation 2 (2.1): PATCH /ebox/messages, visible",
    mend="Take a merge patch of visibility, and answer with 200.",
    roles=_LETTERS,
    profiles=WRITING,
)
def hide_and_show(bench: Workbench) -> None:
    """A message can be hidden and shown again; hidden ones are still listed."""
    letter, visible = bench.post_office.publish(), bench.dialect.is_visible
    for value in (False, True):
        items = [{"messageId": letter.message_id, visible: value}]
        bench.patch_messages(items).expect_status(200, 204)
        message = _look(bench, letter.message_id)
        expect(message[visible] is value, f"It was to be {visible}={value}, and is not.")
        is_listed = letter.message_id in bench.list_messages(pageSize=10).ids
        expect(is_listed, "A hidden message is not in the list any more.")
    bench.forget_messages()


@requires(
    "hide-plain-json",
    source="decision 6.7: application/json as well as merge-patch",
    mend="Take application/json for changes, too.",
    roles=_LETTERS,
    profiles=WRITING,
    obligation=Obligation.MAY,
)
def take_plain_json(bench: Workbench) -> None:
    """A change may come as application/json."""
    letter = bench.post_office.get_letter("plain")
    items = [{"messageId": letter.message_id, bench.dialect.is_visible: True}]
    body = make_json_body({"items": items, "totalItems": 1}, JSON)
    bench.ask("PATCH", LIST, body=body).expect_status(200, 204)


@requires(
    "change-all-or-none",
    source="decision 6.7: all validated first, all or nothing",
    mend="Check every message before the first is changed, in one transaction.",
    roles=_LETTERS,
    profiles=WRITING,
    obligation=Obligation.SHOULD,
)
def change_all_or_none(bench: Workbench) -> None:
    """No message is changed when one of several cannot be."""
    letter, visible = bench.post_office.get_letter("plain"), bench.dialect.is_visible
    items = [
        {"messageId": letter.message_id, visible: False},
        {"messageId": bench.nobodys_id, visible: False},
    ]
    bench.patch_messages(items).expect_status(400, 404)
    expect(_look(bench, letter.message_id)[visible] is True, "One of two was changed.")


@requires(
    "change-unknown",
    source="contract 1.3 operation 2 (2.1): 404",
    mend="Answer the change of a message that is not there with 404.",
    profiles=WRITING,
)
def miss_unknown_message_of_change(bench: Workbench) -> None:
    """The change of a message that is not there is answered with 404."""
    items = [{"messageId": bench.nobodys_id, bench.dialect.is_visible: False}]
    bench.patch_messages(items).expect_status(404)


def _find_other_partition(bench: Workbench) -> str:
    for message in bench.walk_messages(Role.CONSUMER):
        name = str(message.get("recipient", {}).get("partition", _GENERAL))
        if name != _GENERAL:
            return name
    raise Untestable("The e-Box has no message outside GENERAL, so no other partition is known.")


@requires(
    "move",
    source="contract 1.3 operation 2, 4.15 (SCEN: messages to move), decision 6.7",
    mend="Take partition in a change, and move the message.",
    roles=(Role.CONSUMER, Role.SENDER),
    profiles=WRITING,
    versions=_V3,
    families=frozenset({ENTERPRISE}),
    obligation=Obligation.SHOULD,
)
def move_and_back(bench: Workbench) -> None:
    """A message can be moved to another partition, and to GENERAL."""
    other = _find_other_partition(bench)
    letter = bench.post_office.get_letter("plain")
    for name in (_GENERAL, other, _GENERAL):
        items = [{"messageId": letter.message_id, "partition": name}]
        bench.patch_messages(items, Role.CONSUMER).expect_status(200, 204)
        partition = _look(bench, letter.message_id)["recipient"]["partition"]
        expect(partition == name, "It was moved, and is in another partition.")
    bench.forget_messages()


@requires(
    "move-unknown",
    source="decision 6.8: the target must exist",
    mend="Refuse partitions that the Partition API does not name, with 400.",
    roles=(Role.CONSUMER, Role.SENDER),
    profiles=WRITING,
    versions=_V3,
    families=frozenset({ENTERPRISE}),
    obligation=Obligation.SHOULD,
)
def refuse_unknown_partition(bench: Workbench) -> None:
    """A message cannot be moved to a partition that there is not."""
    letter = bench.post_office.get_letter("plain")
    items = [{"messageId": letter.message_id, "partition": "nobody-has-this-partition"}]
    bench.patch_messages(items, Role.CONSUMER).expect_status(400, 404)


@requires(
    "move-locked",
    source="decision 6.8: consultation right on the source and the target partition",
    mend="Look at the rights of a person on both partitions.",
    roles=(Role.CONSUMER, Role.PERSON, Role.SENDER),
    profiles=WRITING,
    versions=_V3,
    families=frozenset({ENTERPRISE}),
)
def refuse_move_to_locked_partition(bench: Workbench) -> None:
    """A person cannot move a message into a partition that he may not read."""
    partition = bench.find_party(Role.PERSON).locked_partition
    if not partition:
        raise Untestable("Nothing says which partition the person may not read.")
    letter = bench.post_office.get_letter("plain")
    items = [{"messageId": letter.message_id, "partition": partition}]
    bench.patch_messages(items, Role.PERSON).expect_status(403, 404)


@requires(
    "move-citizen",
    source="contract 4.15: citizens have no partitions",
    mend="Refuse partition in changes of citizens' messages with 400.",
    roles=_LETTERS,
    profiles=WRITING,
    versions=_V3,
    families=frozenset({CITIZEN}),
    obligation=Obligation.SHOULD,
)
def refuse_move_of_citizen(bench: Workbench) -> None:
    """A citizen's message cannot be moved."""
    letter = bench.post_office.get_letter("plain")
    items = [{"messageId": letter.message_id, "partition": _GENERAL}]
    bench.patch_messages(items).expect_status(400)
