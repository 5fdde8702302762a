"""The file of reference data → a set, or all that is wrong with it (contract 2.5)."""

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from registry.cli.refdata.logos import read_logo
from registry.cli.refdata.values import (
    check_id,
    read_line,
    read_lines,
    read_reference,
    read_translation,
    read_url,
    read_validity,
)
from registry.cli.refdata.yaml_nodes import FileFault, FileMember, UnreadableYaml, parse_yaml
from registry.domain.identifiers import EnterpriseNumber, Malformed
from registry.domain.reference_set import (
    ReferenceApplication,
    ReferenceLogo,
    ReferenceOrganization,
    ReferenceSet,
    ReferenceTemplate,
    ReferenceType,
    Sending,
)

_Members = Mapping[str, FileMember]

_COMMON: Final = ("url", "contactBusiness", "contactTechnical", "logos")
_MISSING: Final[Mapping[str, str]] = {}  # a required text whose fault is noted


class FaultyReferenceFile(Exception):
    """The file will not do; `faults` has all that is wrong, in the order of lines."""

    def __init__(self, faults: list[FileFault]) -> None:
        self.faults = sorted(faults)
        super().__init__(f"{len(faults)} faults")


def read_reference_file(path: Path, *, check_digits: bool) -> ReferenceSet:
    """Read a file, and the logos beside it.

    `check_digits`: those of enterprise numbers must fit (contract 6.31). Raises
    `FaultyReferenceFile`, and `OSError` when the file itself cannot be read.
    """
    faults: list[FileFault] = []
    try:
        root = parse_yaml(path.read_bytes(), faults)
    except UnreadableYaml as error:
        raise FaultyReferenceFile([error.fault]) from None
    reference_set = _Reader(path.absolute().parent, check_digits).read(root)
    if faults:
        raise FaultyReferenceFile(faults)
    return reference_set


class _Reader:
    """Reads the members of one file; what is wrong is noted by them."""

    def __init__(self, folder: Path, check_digits: bool) -> None:
        self._folder, self._check_digits = folder, check_digits

    def read(self, root: FileMember) -> ReferenceSet:
        sections = root.read_members(
            ("organizations", "applications", "messageTypes"), ("templates",)
        )
        types = _read_section(sections.get("messageTypes"), check_id)
        applications = _read_section(sections.get("applications"), check_id)
        organizations = {}
        sendings: set[Sending] = set()
        for number, member in _read_section(
            sections.get("organizations"), self._check_number
        ).items():
            members = member.read_members(("shortName",), ("longName", *_COMMON, "sends"))
            organizations[number] = self._make_organization(members)
            sendings |= set(_read_sendings(number, members.get("sends"), applications, types))
        templates = _read_section(sections.get("templates"), check_id)
        return ReferenceSet(
            organizations=organizations,
            applications={key: self._read_application(each) for key, each in applications.items()},
            message_types={key: _read_type(each) for key, each in types.items()},
            templates={key: _read_template(each, types) for key, each in templates.items()},
            sendings=frozenset(sendings),
        )

    def _check_number(self, member: FileMember, number: str) -> None:
        try:
            EnterpriseNumber.parse(number, check_digits=self._check_digits)
        except Malformed as error:
            member.fail(str(error))

    def _make_organization(self, members: _Members) -> ReferenceOrganization:
        return ReferenceOrganization(
            short_name=read_translation(members.get("shortName")) or _MISSING,
            long_name=read_translation(members.get("longName")),
            url=read_translation(members.get("url"), read_url),
            contact_business=_read_contact(members.get("contactBusiness")),
            contact_technical=_read_contact(members.get("contactTechnical")),
            logos=self._read_logos(members.get("logos")),
        )

    def _read_application(self, member: FileMember) -> ReferenceApplication:
        members = member.read_members(("name",), ("description", *_COMMON))
        return ReferenceApplication(
            name=read_translation(members.get("name")) or _MISSING,
            description=read_translation(members.get("description"), read_lines),
            url=read_translation(members.get("url"), read_url),
            contact_business=_read_contact(members.get("contactBusiness")),
            contact_technical=_read_contact(members.get("contactTechnical")),
            logos=self._read_logos(members.get("logos")),
        )

    def _read_logos(self, member: FileMember | None) -> Mapping[str, ReferenceLogo]:
        sections = _read_section(member, check_id)
        logos = {key: read_logo(each, self._folder) for key, each in sections.items()}
        return {key: logo for key, logo in logos.items() if logo is not None}


def _read_section(member: FileMember | None, check: Callable[[FileMember, str], None]) -> _Members:
    """Read entries by their ids, which `check` looks at."""
    entries = {} if member is None else member.read_entries()
    for identifier, entry in entries.items():
        check(entry, identifier)
    return entries


def _read_type(member: FileMember) -> ReferenceType:
    members = member.read_members(("name", "validity"), ("description",))
    number, unit = read_validity(members.get("validity"))
    return ReferenceType(
        name=read_translation(members.get("name")) or _MISSING,
        description=read_translation(members.get("description"), read_lines),
        validity_number=number,
        validity_unit=unit,
    )


def _read_template(member: FileMember, types: Collection[str]) -> ReferenceTemplate:
    members = member.read_members(("name",), ("messageType", "body"))
    kind = members.get("messageType")
    return ReferenceTemplate(
        message_type_id=None if kind is None else read_reference(kind, "message type", types),
        name=read_translation(members.get("name")) or _MISSING,
        body=read_translation(members.get("body"), read_lines),
    )


def _read_sendings(
    number: str, member: FileMember | None, applications: Collection[str], types: Collection[str]
) -> Iterator[Sending]:
    """Read what an organization sends: types of messages by application."""
    entries = {} if member is None else member.read_entries()
    for application, entry in entries.items():
        if application not in applications:
            entry.fail(f"there is no application {application} in this file")
        before: set[str] = set()
        for item in entry.read_list():
            kind = read_reference(item, "message type", types)
            if kind in before:
                item.fail(f"names {kind} again")
            before.add(kind)
            yield Sending(number, application, kind)


def _read_contact(member: FileMember | None) -> str | None:
    return None if member is None else read_line(member)
