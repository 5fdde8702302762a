"""Words of the Partition API and the webhook, as far as they can be guessed (contract 3.2, 3.5).

The federation's pages do not show them all, so each is a setting with likely synonyms.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Member(StrEnum):
    """A member that we look for, by the name that is most likely."""

    ENTERPRISE = "enterpriseNumber"
    ITEMS = "items"  # of an answer that is a list
    PARTITION = "partition"
    RIGHTS = "rights"
    MANDATE = "hasMandate"
    RULES = "orderedRoutingRules"
    MESSAGE_TYPE = "messageTypeId"
    APPLICATION = "senderApplicationId"
    ORGANIZATION = "senderOrganizationId"
    NO_CRITERION = "routingRuleId"  # of a rule, and without influence on what it matches


class EventKind(StrEnum):
    """A change that the webhook tells, by its effect here."""

    RULES = "routingRules"
    RIGHTS = "partitionUserRights"
    PARTITION_CREATED = "partitionCreated"
    PARTITION_DELETED = "partitionDeleted"


MEMBER_NAMES: Final[Mapping[Member, tuple[str, ...]]] = {
    Member.ENTERPRISE: ("enterpriseNumber", "enterpriseId", "cbeNumber"),
    Member.ITEMS: ("items", "partitions"),
    Member.PARTITION: ("partition", "targetPartition", "partitionName"),
    Member.RIGHTS: ("rights", "userRights"),
    Member.MANDATE: ("hasMandate",),
    Member.RULES: ("orderedRoutingRules", "routingRules", "items"),
    Member.MESSAGE_TYPE: ("messageTypeId",),
    Member.APPLICATION: ("senderApplicationId",),
    Member.ORGANIZATION: ("senderOrganizationId",),
    Member.NO_CRITERION: (
        *("routingRuleId", "id", "enterpriseNumber", "priority", "order", "name", "description"),
        *("creationDate", "modificationDate"),
    ),
}

# Types of CloudEvents; one that ends with a dot stands for all that begin so.
_FAMILY: Final = "be.eboxenterprise.v1."
EVENT_TYPES: Final[Mapping[EventKind, tuple[str, ...]]] = {
    EventKind.RULES: (f"{_FAMILY}routingRule.",),
    EventKind.RIGHTS: (f"{_FAMILY}partitionUserRight.",),
    EventKind.PARTITION_CREATED: (f"{_FAMILY}partition.created", f"{_FAMILY}partition.added"),
    EventKind.PARTITION_DELETED: (f"{_FAMILY}partition.deleted", f"{_FAMILY}partition.removed"),
}
