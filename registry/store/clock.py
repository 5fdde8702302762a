"""The clock of the database, one for all machines."""

from datetime import datetime

from sqlalchemy import Connection, func, select


def read_clock(connection: Connection) -> datetime:
    """Read what the database's clock says this moment, aware."""
    instant: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return instant
