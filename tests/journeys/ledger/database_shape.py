"""The shape of a database: all that a migration makes, as lines that can be compared."""

from typing import Final

import psycopg

_SHAPE: Final = b"""
SELECT concat_ws(' ', 'column', table_name, column_name, data_type, is_nullable, column_default)
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL
-- One that was built halfway is not valid.
SELECT concat_ws(' ', 'index', pg_get_indexdef(indexrelid), indisvalid, indisready)
FROM pg_index JOIN pg_class c ON c.oid = indexrelid
WHERE c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT concat_ws(' ', 'function', pg_get_functiondef(p.oid), p.proacl::text) FROM pg_proc p
WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT concat_ws(' ', 'policy', tablename, policyname, roles::text, cmd, qual, with_check)
FROM pg_policies
UNION ALL
SELECT concat_ws(' ', 'relation', relname, relkind, relrowsecurity, relforcerowsecurity,
  relacl::text)
FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL
SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT concat_ws(' ', 'revision', version_num) FROM alembic_version
"""


def read_shape(connection: psycopg.Connection) -> frozenset[str]:
    """Read the shape of the database that one is connected to."""
    return frozenset(str(line) for (line,) in connection.execute(_SHAPE))
