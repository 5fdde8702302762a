"""Use cases of deletion: the purge and legal holds."""
