"""SQL of deletion: the purge and legal holds."""
