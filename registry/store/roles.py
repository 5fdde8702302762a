"""Database roles: for which of them row-level security would not hold."""

from sqlalchemy import Connection


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
