"""Units of systemd as text: what they set, what they load, and what they wait for."""

import re
from pathlib import Path

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = DEPLOY / "systemd"
ENVIRONMENTS = DEPLOY / "environments"


def read_directives(unit, name):
    """The values of a directive, in order."""
    text = (UNITS / unit).read_text(encoding="utf-8")
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)


def read_variables(*examples):
    """The variables of examples of environments, those that are commented out left out."""
    lines = [
        line.strip()
        for example in examples
        for line in (ENVIRONMENTS / example).read_text(encoding="utf-8").splitlines()
    ]
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def read_credentials(unit):
    """The names of files that systemd hands to a unit."""
    return {value.partition(":")[0] for value in read_directives(unit, "LoadCredential")}
