"""Facts that a publication depends on: reference data, and the recipient's routing rules."""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, exists, select

from registry.domain.identifiers import Ebox
from registry.domain.retention import Unit
from registry.domain.routing import Rule
from registry.store.publication.routing_rules import routing_rules
from registry.store.reference import (
    message_templates,
    message_types,
    sender_configurations,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Ids of the reference data that a message names, and the number of its sender."""

    message_type_id: str
    organization_id: str
    application_id: str | None
    message_template_id: str | None


class ValidityPeriod(NamedTuple):
    """Time that messages of a type stay: so many days, months or years (contract 4.5)."""

    number: int
    unit: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationFacts:
    """Facts about the references of a message.

    `validity_period` is None for an unknown message type. `is_own_application`: the application is
    configured for the organization, with whatever type. `is_configured`: organization, application
    and type may be used together. `rules` are those of the recipient in their order,
    None when nobody knows them yet.
    """

    validity_period: ValidityPeriod | None
    has_template: bool
    is_own_application: bool
    is_configured: bool
    rules: tuple[Rule, ...] | None


def find_facts(connection: Connection, references: References, recipient: Ebox) -> PublicationFacts:
    """Find all facts in one statement; the recipient's e-Box is the one that is named."""
    # Scalar subqueries, not joins: each fact stands by itself when the others are missing.
    kind, pairing = message_types.c, sender_configurations.c
    is_of_pair = (
        pairing.organization_id == references.organization_id,
        pairing.application_id == references.application_id,
    )
    is_of_type = kind.message_type_id == references.message_type_id
    row = connection.execute(
        select(
            select(kind.validity_number).where(is_of_type).scalar_subquery().label("number"),
            select(kind.validity_unit).where(is_of_type).scalar_subquery().label("unit"),
            exists()
            .where(message_templates.c.message_template_id == references.message_template_id)
            .label("has_template"),
            exists().where(*is_of_pair).label("is_own_application"),
            exists()
            .where(*is_of_pair, pairing.message_type_id == references.message_type_id)
            .label("is_configured"),
            # With the rules, which would else cost every publication a round trip more.
            select(routing_rules.c.rules)
            .where(routing_rules.c.ebox == recipient)
            .scalar_subquery()
            .label("rules"),
        )
    ).one()
    return PublicationFacts(
        validity_period=None if row.number is None else ValidityPeriod(row.number, row.unit),
        has_template=row.has_template,
        is_own_application=row.is_own_application,
        is_configured=row.is_configured,
        rules=row.rules,
    )
