"""Where alembic meets our metadata; run by alembic itself, with the connection we gave it."""

from alembic import context

from registry.store import (  # noqa: F401 - each brings its tables
    audit,
    holds,
    messages,
    outbox,
    partitions,
    purge,
    reference,
    routing,
    seals,
    search,
    sent,
    turns,
)
from registry.store.base import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
