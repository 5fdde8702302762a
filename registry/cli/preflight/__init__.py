"""`registry preflight`: the report before a registry goes live, and every week after."""
