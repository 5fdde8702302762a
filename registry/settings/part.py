"""A part of the settings, for machines on which the rest has no business."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import create_model

from registry.settings import Settings
from registry.settings.fault import PREFIX


def load_part(environ: Mapping[str, str], is_part: Callable[[str], bool]) -> Settings:
    """Load some settings, by the names of their fields; all others are as if unset.

    Raises `SettingsError`.
    """
    others = [name for name in Settings.model_fields if not is_part(name)]
    variables = {PREFIX + name.upper() for name in others}
    ours = {
        name: text
        for name, text in environ.items()
        if name not in variables and name.removesuffix("_FILE") not in variables
    }
    optional: dict[str, Any] = {
        name: (Any, None) for name in others if Settings.model_fields[name].is_required()
    }
    part = create_model("Part", __base__=Settings, **optional)
    return part.load(ours)
