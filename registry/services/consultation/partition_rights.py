"""Rights on partitions: kept here, or asked of the federation."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection

from registry.domain.access import Caller, ScopeTable
from registry.domain.errors import (
    Invalid,
    Issue,
    IssueKind,
    PermissionMissing,
    Unavailable,
    UpstreamInvalid,
)
from registry.domain.identifiers import Ebox, EnterpriseNumber, Ssin
from registry.domain.partitions import GENERAL, WHOLE_EBOX, Rights
from registry.store.consultation import partition_rights
from registry.store.consultation.partition_rights import StoredRights
from registry.store.publication import routing_rules
from registry.store.transactions import Transactions


class PartitionService(Protocol):
    """The federation's service for partitions; raises `Unavailable` and `UpstreamInvalid`."""

    def rights(self, enterprise: EnterpriseNumber, person: Ssin) -> frozenset[str]:
        """The partitions that the person may consult."""
        ...

    def partitions(self, enterprise: EnterpriseNumber) -> frozenset[str]:
        """The partitions that the enterprise has."""
        ...


@dataclass(frozen=True)
class PartitionRights:
    """Opens an e-Box for a caller, with the partitions he may read.

    A person's rights are asked of the federation and kept beside the messages, so that a look-up
    shares the transaction with what it protects (contract 6.17). They are asked for again after
    `fresh_for`; while nobody answers, those kept serve until they are `grace` old.
    """

    transactions: Transactions
    federation: PartitionService
    scopes: ScopeTable
    fresh_for: timedelta
    grace: timedelta
    now: Callable[[], datetime]

    @contextmanager
    def open_ebox(
        self, caller: Caller, ebox: Ebox, *, plans_once: bool = False
    ) -> Iterator[tuple[Connection, Rights]]:
        """Open a transaction on the e-Box, with the caller's rights in it.

        `plans_once` is what `Transactions` takes.
        Raises `Unavailable` when the rights are not kept here and cannot be had: never a guess,
        and `PermissionMissing` for a caller who is neither software nor a person.
        """
        person = self.scopes.limit(caller, ebox)
        with self.transactions(ebox, plans_once=plans_once) as connection:
            if person is None:
                yield connection, WHOLE_EBOX
                return
            stored = partition_rights.find_rights(connection, ebox, person)
            if stored is not None and self._age(stored) < self.fresh_for:
                yield connection, stored.rights
                return
        rights = self._fetch(ebox, person, stored)
        with self.transactions(ebox, plans_once=plans_once) as connection:
            yield connection, rights

    def find_partitions(
        self, caller: Caller, ebox: Ebox, wanted: Collection[str]
    ) -> frozenset[str]:
        """Find partitions that exist, as far as `wanted` needs it; a person's rights know the rest.

        Raises `Unavailable` and `UpstreamInvalid`; no transaction may be open meanwhile.
        """
        general = frozenset({GENERAL})
        if general.issuperset(wanted) or self.scopes.limit(caller, ebox) is not None:
            return general
        return general | self.federation.partitions(EnterpriseNumber(ebox.number))

    def check_sender_partition(
        self, caller: Caller, ebox: Ebox, partition: str | None, *, otherwise: str | None
    ) -> str | None:
        """Give the partition that a reply is sent from; None stands for GENERAL.

        It must exist, else `Invalid` is raised, and the caller must have the right on it, else
        `PermissionMissing` (contract 6.40). Somebody who names none and has no right on GENERAL
        sends from `otherwise`, so that he can read his reply and its answers.
        """
        partitions = self.find_partitions(caller, ebox, [partition] if partition else [])
        with self.open_ebox(caller, ebox) as (_, rights):
            if partition is None:
                return None if rights.allow(GENERAL) else otherwise
            if partition not in partitions | rights.existing:
                name, kind = "sender.partition", IssueKind.REFERENCED_RESOURCE_NOT_FOUND
                raise Invalid([Issue("body", name, f"{name} does not exist", kind, partition)])
            if not rights.allow(partition):
                raise PermissionMissing("The caller has no right on the partition to send from.")
            return partition

    def _fetch(self, ebox: Ebox, person: Ssin, stored: StoredRights | None) -> Rights:
        """Ask the federation, and keep its answer; no transaction is open meanwhile."""
        asked_at = self.now()
        try:
            enterprise = EnterpriseNumber(ebox.number)
            readable = self.federation.rights(enterprise, person)
            rights = Rights(readable, readable | self.federation.partitions(enterprise))
        except (Unavailable, UpstreamInvalid):
            if stored is None or self._age(stored) >= self.grace:
                raise
            return stored.rights
        with self.transactions(ebox) as connection:
            newest = routing_rules.find_event_times(connection, ebox).received_at
            if newest is None or newest < asked_at:  # else they may have changed meanwhile
                partition_rights.keep_rights(connection, ebox, person, rights, now=asked_at)
        return rights

    def _age(self, stored: StoredRights) -> timedelta:
        return self.now() - stored.fetched_at
