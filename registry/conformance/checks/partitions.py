"""Partitions of an enterprise's e-Box, and the rights of people on them."""

from registry.conformance.checks.filters import compare_list
from registry.conformance.requirement import (
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

_V3 = frozenset({V3})
_ENTERPRISE = frozenset({ENTERPRISE})
_RIGHTS = "contract 4.16 (SCEN, GOV): a person sees the partitions he may read, software the whole"
_PEOPLE = (Role.CONSUMER, Role.PERSON)


def _find_locked_message(bench: Workbench) -> Message:
    """Find a message of the e-Box that the person does not see."""
    visible = {message["messageId"] for message in bench.walk_messages(Role.PERSON)}
    for message in bench.walk_messages(Role.CONSUMER):
        if message["messageId"] not in visible:
            return message
    raise Untestable("The person may read every message of the e-Box: put one elsewhere.")


def _name_partition(message: Message) -> str:
    return str(message.get("recipient", {}).get("partition", ""))


@requires(
    "partition-shown",
    source="contract 4.15 (PART): every message is in one partition, GENERAL by default",
    mend="Show recipient.partition with every message of an enterprise.",
    obligation=Obligation.SHOULD,
    versions=_V3,
    families=_ENTERPRISE,
)
def show_partition(bench: Workbench) -> None:
    """Each message says in which partition it is."""
    for message in bench.get_some_messages():
        expect(_name_partition(message), "A message does not say in which partition it is.")


@requires(
    "partition-filter",
    source="contract 1.3 (YS: filtering by partition exists), decision 6.5",
    mend="List the messages of the partitions that are named; several are OR-ed.",
    obligation=Obligation.SHOULD,
    versions=_V3,
    families=_ENTERPRISE,
)
def filter_by_partition(bench: Workbench) -> None:
    """The filter on partitions lists what is in them, of one or of several."""
    messages = bench.get_some_messages()
    names = sorted({_name_partition(message) for message in messages} - {""})
    if not names:
        raise Untestable("No message says in which partition it is.")
    for choice in (names[:1], names[:2]):
        matches = [message for message in messages if _name_partition(message) in choice]
        compare_list(bench, matches, f"{len(choice)} partition(s)", partition=choice)


@requires(
    "partition-unknown",
    source="decision 6.5: an unknown partition is 200 with an empty list",
    mend="Answer a partition that there is not with an empty list.",
    obligation=Obligation.MAY,
    versions=_V3,
    families=_ENTERPRISE,
    roles=(Role.CONSUMER,),
)
def filter_by_unknown_partition(bench: Workbench) -> None:
    """A partition that there is not holds nothing."""
    page = bench.list_messages(Role.CONSUMER, partition="nobody-has-this-partition")
    expect((page.items, page.total) == ([], 0), "A partition that there is not holds messages.")


@requires(
    "partition-list",
    source=_RIGHTS,
    mend="Limit the list of a person to the partitions that the Partition API names for him.",
    roles=_PEOPLE,
    families=_ENTERPRISE,
)
def list_readable_partitions(bench: Workbench) -> None:
    """A person's list is a part of the e-Box: nothing of a partition that he may not read."""
    partition = bench.find_party(Role.PERSON).locked_partition
    everything = {item["messageId"]: item for item in bench.walk_messages(Role.CONSUMER)}
    for message in bench.walk_messages(Role.PERSON):
        inside = message["messageId"] in everything
        expect(inside, "A person sees a message that is not in the e-Box of his enterprise.")
        secret = partition and _name_partition(message) == partition
        expect(not secret, "A person sees a message of a partition that he may not read.")
    if partition and bench.target.version == V3:
        names = {_name_partition(message) for message in everything.values()}
        expect(partition in names or names == {""}, "Software does not see the whole e-Box.")


@requires(
    "partition-message",
    source=f"{_RIGHTS}; SCEN: a message in partitionNoAccess",
    mend="Look at the right on the partition for the message, its documents and its body.",
    roles=_PEOPLE,
    families=_ENTERPRISE,
)
def refuse_message_of_locked_partition(bench: Workbench) -> None:
    """A message in a partition without right is refused, its document too."""
    message = _find_locked_message(bench)
    for ending in ("", "/attachments", "/attachments/1/content", "/body"):
        path = f"{LIST}/{message['messageId']}{ending}"
        bench.get(path, Role.PERSON).expect_status(403, 404)


@requires(
    "partition-refusal",
    source="decision 6.6: one's own e-Box and no right is 403 missingPermission",
    mend="Answer 403 in one's own e-Box, so that a person can ask for the right.",
    roles=_PEOPLE,
    families=_ENTERPRISE,
    obligation=Obligation.MAY,
)
def say_that_right_is_missing(bench: Workbench) -> None:
    """A message in a partition without right is refused with 403."""
    message = _find_locked_message(bench)
    bench.get(f"{LIST}/{message['messageId']}", Role.PERSON).expect_status(403)


@requires(
    "partition-filter-locked",
    source="decision 6.5: a partition without right is 403",
    mend="Refuse a filter that names a partition without right; never list it.",
    roles=_PEOPLE,
    versions=_V3,
    families=_ENTERPRISE,
)
def refuse_filter_of_locked_partition(bench: Workbench) -> None:
    """A person who filters by a partition without right gets none of its messages."""
    name = _name_partition(_find_locked_message(bench))
    answer = bench.get(LIST, Role.PERSON, partition=name)
    if answer.status == 200:
        expect(answer.members()["items"] == [], "The messages of a locked partition are listed.")
    else:
        answer.expect_status(403)


@requires(
    "partition-change",
    source="decision 6.8: a change needs the right on the partition",
    mend="Look at the right on the partition before anything is changed.",
    roles=_PEOPLE,
    profiles=WRITING,
    families=_ENTERPRISE,
)
def refuse_change_in_locked_partition(bench: Workbench) -> None:
    """A person cannot change a message in a partition that he may not read."""
    message, visible = _find_locked_message(bench), bench.dialect.is_visible
    items = [{"messageId": message["messageId"], visible: message[visible]}]
    bench.patch_messages(items, Role.PERSON).expect_status(403, 404)
