"""All requirements, in the order in which they are checked."""

from collections.abc import Collection
from fnmatch import fnmatchcase
from functools import cache
from types import ModuleType
from typing import Final

from registry.conformance.checks import (
    changes,
    cross_origin,
    digests,
    documents,
    errors,
    events,
    file_names,
    filters,
    isolation,
    languages,
    load,
    order_and_paging,
    partitions,
    publication,
    reading,
    reference_data,
    refused_publications,
    replies,
    scenarios,
    schemas,
    search,
    security,
    statistics,
    tokens,
    tolerance,
)
from registry.conformance.requirement import Profile, Requirement
from registry.conformance.target import Target

# Schemas last: they judge what the others have seen.
_THEMES: Final[tuple[ModuleType, ...]] = (
    tokens,
    order_and_paging,
    filters,
    search,
    languages,
    documents,
    reading,
    publication,
    refused_publications,
    digests,
    file_names,
    changes,
    replies,
    events,
    partitions,
    isolation,
    statistics,
    reference_data,
    errors,
    cross_origin,
    security,
    tolerance,
    scenarios,
    load,
    schemas,
)


@cache
def list_requirements() -> tuple[Requirement, ...]:
    """List all of them."""
    return tuple(
        member
        for theme in _THEMES
        for member in vars(theme).values()
        if isinstance(member, Requirement)
    )


def choose_requirements(
    profile: Profile, target: Target, patterns: Collection[str] = ()
) -> tuple[Requirement, ...]:
    """Choose what belongs to a run; `patterns` are ids, or with * groups of them."""
    return tuple(
        requirement
        for requirement in list_requirements()
        if requirement.applies(profile, target.version, target.family)
        and (not patterns or any(fnmatchcase(requirement.id, pattern) for pattern in patterns))
    )


def find_requirement(id_: str) -> Requirement | None:
    """Find one by its id."""
    return next((item for item in list_requirements() if item.id == id_), None)
