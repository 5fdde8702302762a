"""A set of reference data → its file and logos, always in the same words and order."""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import yaml

from registry.cli.refdata.logos import SUFFIXES
from registry.domain.languages import TranslatedString, fill_gaps
from registry.terminal.whole_files import open_whole

if TYPE_CHECKING:
    from registry.domain.reference_set import (
        ReferenceApplication,
        ReferenceLogo,
        ReferenceOrganization,
        ReferenceSet,
        ReferenceTemplate,
        ReferenceType,
    )

_HEAD: Final = """\
# Reference data: who sends what, in three languages. `registry refdata edit-example` says what each
# member means; `registry refdata import` makes the registry have what this file has, and no more.
"""
_WIDTH: Final = 100  # columns

_Value = str | Mapping[str, "_Value"] | list[str]


def write_reference_files(reference_set: "ReferenceSet", path: Path) -> None:
    """Write the file, and the logos in folders beside it; what is there is replaced.

    The file comes last and in one step: where it is, its logos are. Raises `OSError`.
    """
    for name, content in _list_logos(reference_set):
        logo_path = path.parent / name
        logo_path.parent.mkdir(parents=True, exist_ok=True)
        with open_whole(logo_path) as file:
            file.write(content)
    with open_whole(path) as file:
        file.write(write_yaml(reference_set).encode())


def write_yaml(reference_set: "ReferenceSet") -> str:
    """Write the text of the file."""
    sections: Mapping[str, Mapping[str, Mapping[str, _Value]]] = {
        "organizations": {
            number: _make_organization(number, organization, reference_set)
            for number, organization in sorted(reference_set.organizations.items())
        },
        "applications": {
            identifier: _make_application(identifier, application)
            for identifier, application in sorted(reference_set.applications.items())
        },
        "messageTypes": {
            identifier: _make_type(kind)
            for identifier, kind in sorted(reference_set.message_types.items())
        },
        "templates": {
            identifier: _make_template(template)
            for identifier, template in sorted(reference_set.templates.items())
        },
    }
    texts = (_dump({name: section}) for name, section in sections.items())
    return "\n".join((_HEAD, *texts))


def _make_organization(
    number: str, organization: "ReferenceOrganization", reference_set: "ReferenceSet"
) -> Mapping[str, _Value]:
    sends: dict[str, list[str]] = {}
    for sending in sorted(reference_set.sendings):
        if sending.organization_id == number:
            sends.setdefault(sending.application_id, _Row()).append(sending.message_type_id)
    return _drop_absent(
        shortName=_make_translation(organization.short_name),
        longName=_make_translation(organization.long_name),
        url=_make_translation(organization.url),
        contactBusiness=organization.contact_business,
        contactTechnical=organization.contact_technical,
        logos=_make_logos("organizations", number, organization.logos),
        sends=sends or None,
    )


def _make_application(identifier: str, application: "ReferenceApplication") -> Mapping[str, _Value]:
    return _drop_absent(
        name=_make_translation(application.name),
        description=_make_translation(application.description),
        url=_make_translation(application.url),
        contactBusiness=application.contact_business,
        contactTechnical=application.contact_technical,
        logos=_make_logos("applications", identifier, application.logos),
    )


def _make_type(kind: "ReferenceType") -> Mapping[str, _Value]:
    return _drop_absent(
        name=_make_translation(kind.name),
        description=_make_translation(kind.description),
        validity=kind.validity,
    )


def _make_template(template: "ReferenceTemplate") -> Mapping[str, _Value]:
    return _drop_absent(
        messageType=template.message_type_id,
        name=_make_translation(template.name),
        body=_make_translation(template.body),
    )


def _make_translation(text: TranslatedString | None) -> _Value | None:
    """Make the text as readers get it: without gaps, and once where all languages agree."""
    if not text:
        return None
    whole = fill_gaps(text)
    return whole["nl"] if len(set(whole.values())) == 1 else whole


def _make_logos(
    folder: str, owner: str, logos: Mapping[str, "ReferenceLogo"]
) -> Mapping[str, _Value] | None:
    entries = {
        image_id: _drop_absent(
            file=str(_name_logo(folder, owner, image_id, logo)), language=logo.language
        )
        for image_id, logo in sorted(logos.items())
    }
    return entries or None


def _list_logos(reference_set: "ReferenceSet") -> Iterator[tuple[PurePosixPath, bytes]]:
    owners: tuple[tuple[str, Mapping[str, ReferenceOrganization | ReferenceApplication]], ...] = (
        ("organizations", reference_set.organizations),
        ("applications", reference_set.applications),
    )
    for folder, entries in owners:
        for owner, entry in entries.items():
            for image_id, logo in entry.logos.items():
                yield _name_logo(folder, owner, image_id, logo), logo.content


def _name_logo(folder: str, owner: str, image_id: str, logo: "ReferenceLogo") -> PurePosixPath:
    # Ids come from the database: none may lead out of the folder.
    names = (quote(name, safe="").replace(".", "%2E") for name in (owner, image_id))
    path = PurePosixPath("logos", folder, *names)
    return path.with_name(path.name + SUFFIXES.get(logo.media_type, (".bin",))[0])


def _drop_absent(**members: _Value | None) -> Mapping[str, _Value]:
    return {name: value for name, value in members.items() if value is not None}


class _Row(list[str]):
    """A list that is written in one row."""


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such, and everything that could be a number in quotes."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else '"' if text.isdecimal() else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _represent_row(dumper: yaml.SafeDumper, row: _Row) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", row, flow_style=True)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(_Row, _represent_row)


def _dump(section: Mapping[str, object]) -> str:
    return yaml.dump(
        section,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH,
        default_flow_style=False,
    )
