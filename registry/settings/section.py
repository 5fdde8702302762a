"""A section of the settings: what all of them have in common."""

from pydantic import BaseModel, ConfigDict


class SettingsSection(BaseModel):
    """A section, by itself no model: what validates is made once, for all that is read together.

    Each would otherwise be made when it is imported, which takes longer than all else of a start.
    """

    model_config = ConfigDict(defer_build=True)
