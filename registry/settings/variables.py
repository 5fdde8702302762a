"""Environment variables and the files they name → values of settings, with every fault."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

PREFIX: Final = "REGISTRY_"
_TEST_PREFIX: Final = "REGISTRY_TEST_"  # what the project's own tests read; not a setting

# Settings that had another name, and what is to be written now.
_FORMER: Final = {"database_prepare": "REGISTRY_DATABASE_POOLER=true is what =false was"}

_LISTS: Final = frozenset({"cors_origins", "webhook_clients"})
_TABLES: Final = frozenset({"scopes", "citizen_scopes", "webhook_types", "partition_members"})


def gather_values(
    environ: Mapping[str, str], fields: Collection[str]
) -> tuple[dict[str, Any], list[str]]:
    """Gather the values of these fields, and list the faults: those that cannot be read, or are
    no settings.
    """
    values: dict[str, Any] = {}
    faults: list[str] = []
    for name, text in environ.items():
        if not name.startswith(PREFIX) or name.startswith(_TEST_PREFIX) or not text:
            continue
        field = name.removeprefix(PREFIX).lower()
        is_file = field.endswith("_file")
        field = field.removesuffix("_file")
        if field not in fields:
            hint = f" any more: {_FORMER[field]}" if field in _FORMER else ""
            faults.append(f"{name}: there is no such setting{hint}")
        elif field in values:
            faults.append(f"{PREFIX}{field.upper()}: is set itself and by file")
        else:
            try:
                content = Path(text).read_text(encoding="utf-8").strip() if is_file else text
                values[field] = _parse_value(field, content)
            except (OSError, ValueError) as error:
                faults.append(f"{name}: {_explain(error)}")
    return values, faults


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
