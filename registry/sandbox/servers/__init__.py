"""PostgreSQL, SeaweedFS and their processes, for throw-away use."""
