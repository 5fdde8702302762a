"""Database roles: for which of them row-level security would not hold."""

from sqlalchemy import Connection


def find_application_fault(connection: Connection) -> str | None:
    """Say why row-level security does not show the role one e-Box at a time, if so.

    It is the second lock on every e-Box, and must be on before anyone is let in.
    """
    if fault := unsafe_role(connection):
        return fault
    if sees_every_ebox(connection):
        return "The database role sees every e-Box, as only the worker may."
    return None


def find_worker_fault(connection: Connection) -> str | None:
    """Say why the role is not the worker's, which is safe and sees every e-Box, if so."""
    if fault := unsafe_role(connection):
        return fault
    # With the application's role it would find nothing to do, and look healthy.
    if not sees_every_ebox(connection):
        return "The database role is not the worker's: it sees one e-Box."
    return None


def unsafe_role(connection: Connection) -> str | None:
    """Why row-level security would not hold for the role that is connected, if so.

    The second lock counts only for a role that is no superuser, may not bypass row-level
    security, does not own the tables, and may not become a role of which this is untrue.
    """
    row = connection.exec_driver_sql(
        "SELECT bool_or(rolsuper OR rolbypassrls) AS mighty,"
        " bool_or(oid IN (SELECT relowner FROM pg_class WHERE relname = 'messages')) AS owner"
        " FROM pg_roles WHERE pg_has_role(oid, 'MEMBER')"
    ).one()
    if row.mighty:
        return "The database role is a superuser or may bypass row-level security."
    return "The database role owns the tables." if row.owner else None


def sees_every_ebox(connection: Connection) -> bool:
    """Whether a policy shows the connected role the rows of all e-Boxes, as it does the worker."""
    return bool(
        connection.exec_driver_sql(
            "SELECT EXISTS (SELECT FROM pg_policy p, unnest(p.polroles) AS role"
            " WHERE p.polname = 'every_ebox' AND pg_has_role(role, 'MEMBER'))"
        ).scalar_one()
    )
