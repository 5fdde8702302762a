"""A whole local federation: real PostgreSQL and S3, stand-ins for the federal services."""
