"""All tables there are, and which of them are kept by e-Box."""

import pkgutil
from importlib import import_module

from sqlalchemy import Table

from registry import store
from registry.store import reference
from registry.store.schema import metadata

for module in pkgutil.walk_packages(store.__path__, f"{store.__name__}."):
    import_module(module.name)

REFERENCE = {table.name for table in vars(reference).values() if isinstance(table, Table)}
# The worker's own: proofs name the e-Box by a keyed hash, the others know of none.
WORKERS = {
    "audit_seals",
    "audit_sheaves",
    "deletions",
    "document_rounds",
    "doomed_documents",
    "suspensions",
    "turns",
}
# What the service may add to and not read; of no e-Box, though it names them by keyed hashes.
AUDIT = {"audit_entries"}
BY_EBOX = [
    table for table in metadata.sorted_tables if table.name not in REFERENCE | WORKERS | AUDIT
]
# Of the few large e-Boxes alone, some rows each.
IN_ONE_PIECE = {"large_eboxes", "message_counts", "message_count_changes"}
PARTITIONED = [table for table in BY_EBOX if table.name not in IN_ONE_PIECE]
