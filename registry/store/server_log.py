"""The server's own log: what it would keep of the parameters, in which persons are named."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, text

# Bytes of each parameter that the log has beside a statement; -1 is all of it. The log has a
# statement when log_statement, log_min_duration_statement or their like ask for it: somebody may
# do so on any day, and has then to be the only one who thinks of this.
_LENGTHS: Final = (
    "log_parameter_max_length",
    "log_parameter_max_length_on_error",
    "auto_explain.log_parameter_max_length",
)


def find_telling_settings(connection: Connection) -> Sequence[str]:
    """Find the settings by which parameters would be logged, each as `name is value`."""
    rows = connection.execute(_VALUES, {"names": list(_LENGTHS)})
    return [f"{name} is {value}" for name, value in rows if value not in (None, "0", "0B")]


_VALUES: Final = text("""
SELECT name, current_setting(name, true) FROM unnest(CAST(:names AS text[])) AS name
""")
