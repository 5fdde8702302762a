"""One file a step, in order; alembic finds them by their revision."""
