"""A fault of a setting, by which something is refused: named, explained, and how it is mended."""

from typing import Final, NamedTuple

PREFIX: Final = "REGISTRY_"


class SettingFault(NamedTuple):
    """What is wrong with a setting, by the name of its field, or of it with `_file` behind it.

    Neither `text` nor `remedy` repeats a value that may be secret.
    """

    field: str
    text: str
    remedy: str = "Correct it; `registry settings list` says what there is."

    @property
    def variable(self) -> str:
        """The name of the variable."""
        return PREFIX + self.field.upper()

    def __str__(self) -> str:
        """The fault in a line."""
        return f"{self.variable}: {self.text}"
