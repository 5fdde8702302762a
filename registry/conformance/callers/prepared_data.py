"""Data that were prepared for the federation's scenarios, by the names of the scenarios."""

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedData:
    """Names of partitions, a word of a title, and the id of a message that was sent."""

    main: str = "GENERAL"
    readable: str = "partitionB"
    to_delete: str = "partitionToDelete"
    no_access: str = "partitionNoAccess"
    title: str = "test"
    sent_message: str = ""

    @classmethod
    def from_table(cls, table: dict[str, Any]) -> "PreparedData":
        """Make it of the table [scenarios]; raises `KeyError` with a name that there is not."""
        names = {field.name for field in fields(cls)}
        for name in table:
            if name not in names:
                raise KeyError(name)
        return cls(**{name: str(text) for name, text in table.items()})
