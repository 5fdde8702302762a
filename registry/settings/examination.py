"""All that can be said of settings without asking anybody: what they are, and what is wrong."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from pydantic import ValidationError, create_model

from registry.settings.contradictions import find_contradictions
from registry.settings.environment_checks import find_faults
from registry.settings.fault import SettingFault
from registry.settings.variables import gather_values

if TYPE_CHECKING:
    from registry.settings import Settings

S = TypeVar("S", bound="Settings")


class Examination(NamedTuple, Generic[S]):
    """Settings with all their faults; those of `unreadable` fields have their default, or None."""

    settings: S
    faults: tuple[SettingFault, ...]
    unreadable: frozenset[str]


def examine_settings(model: type[S], environ: Mapping[str, str]) -> Examination[S]:
    """Read the settings, with everything that is wrong with them at once."""
    values, faults = gather_values(environ, model.model_fields)
    unreadable: set[str] = set()
    try:
        settings = model.model_validate(values)
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_context=False):
            name = str(fault["loc"][0])
            faults.append(_describe(name, fault["type"], fault["msg"]))
            unreadable.add(name)
        settings = _load_rest(model, values, unreadable)
    # What contradicts a setting that cannot be read may be right with it.
    if not faults:
        faults += find_contradictions(settings)
    if "environment" not in unreadable:
        faults += find_faults(settings)
    return Examination(settings, tuple(faults), frozenset(unreadable))


def _describe(name: str, kind: str, message: str) -> SettingFault:
    text = message.removeprefix("Value error, ")  # which pydantic adds to our words
    if kind != "missing":
        return SettingFault(name, text)
    variable = SettingFault(name, text).variable
    return SettingFault(name, text, f"Set it, or {variable}_FILE to a file that has the value.")


def _load_rest(model: type[S], values: Mapping[str, Any], unreadable: Collection[str]) -> S:
    """Load the settings that are right by themselves, to look for other faults among them."""
    required: dict[str, Any] = {
        name: (Any, None) for name in unreadable if model.model_fields[name].is_required()
    }
    rest = create_model("Rest", __base__=model, **required)
    return rest.model_validate(
        {name: value for name, value in values.items() if name not in unreadable}
    )
