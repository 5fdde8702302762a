"""The OpenAPI documents that answers are held against; they come in the wheel."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml

from registry.conformance.requirement import V2, V3

_NAMES: Final = {V2: "messageregistry-2.1.yaml", V3: "messageregistry-3.yaml"}


@cache
def load_document(version: str) -> dict[str, Any]:
    """Load the document of a version; in a checkout it lies beside the package."""
    inside = files("registry") / "openapi" / _NAMES[version]
    beside = Path(__file__).parents[3] / "openapi" / _NAMES[version]
    text = inside.read_text("utf-8") if inside.is_file() else beside.read_text("utf-8")
    members: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return members
