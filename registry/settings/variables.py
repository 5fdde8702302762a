"""Environment variables and the files they name → values of settings, with every fault."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, get_args

from pydantic.fields import FieldInfo

from registry.settings.fault import PREFIX, SettingFault

_TEST_PREFIX: Final = "REGISTRY_TEST_"  # what the project's own tests read; not a setting

# Settings that had another name, and what is to be written now.
_FORMER: Final = {"database_prepare": "REGISTRY_DATABASE_POOLER=true is what =false was"}

_ONE_OF_BOTH: Final = "Take one of the two out."
_READABLE: Final = "Have the file there, in UTF-8, for the user that the service runs as to read."
_IN_JSON: Final = "Write it as a JSON object."
_SPELL: Final = "Look for its name in `registry settings list`, or take it out."

_LISTS: Final = frozenset({"cors_origins", "webhook_clients"})
_TABLES: Final = frozenset({"scopes", "citizen_scopes", "webhook_types", "partition_members"})


def gather_values(
    environ: Mapping[str, str], fields: Mapping[str, FieldInfo]
) -> tuple[dict[str, Any], list[SettingFault]]:
    """Gather the values of these fields, and list the faults: those that cannot be read, or are
    no settings.

    Files with a relative name lie where systemd puts the credentials of a unit (systemd.exec,
    "Credentials"), else in the working directory.
    """
    credentials = Path(environ.get("CREDENTIALS_DIRECTORY", ""))
    values: dict[str, Any] = {}
    faults: list[SettingFault] = []
    for name, text in environ.items():
        if not name.startswith(PREFIX) or name.startswith(_TEST_PREFIX) or not text:
            continue
        variable = name.removeprefix(PREFIX).lower()
        is_file = variable.endswith("_file")
        field = variable.removesuffix("_file")
        if field not in fields:
            faults.append(_name_stranger(variable, field))
        elif field in values:
            faults.append(SettingFault(field, "is set itself and by file", _ONE_OF_BOTH))
        else:
            try:
                content = text
                if is_file:
                    content = (credentials / text).read_text(encoding="utf-8").strip()
                values[field] = (
                    credentials / content
                    if _names_file(fields[field])
                    else _parse_value(field, content)
                )
            except (OSError, ValueError) as error:
                remedy = _READABLE if is_file else _IN_JSON
                faults.append(SettingFault(variable, _explain(error), remedy))
    return values, faults


def _names_file(field: FieldInfo) -> bool:
    """Tell if the value is the name of a file, by its type."""
    return Path in (field.annotation, *get_args(field.annotation))


def _name_stranger(variable: str, field: str) -> SettingFault:
    """Name what is no setting; one that was lately says what is written now."""
    if field in _FORMER:
        text = f"there is no such setting any more: {_FORMER[field]}"
        return SettingFault(variable, text, "Write it as it is written now.")
    return SettingFault(variable, "there is no such setting", _SPELL)


def _explain(error: OSError | ValueError) -> str:
    """Explain that a value cannot be read, in words that do not repeat it: it may be secret."""
    if isinstance(error, OSError):
        return str(error.strerror)
    return "is not UTF-8" if isinstance(error, UnicodeError) else "is not valid JSON"


def _parse_value(field: str, text: str) -> Any:
    """Parse a list, with commas between the items, or a table, which is a JSON object."""
    if field in _LISTS:
        return [item.strip() for item in text.split(",") if item.strip()]
    return json.loads(text) if field in _TABLES else text
