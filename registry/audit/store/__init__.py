"""SQL and S3 of the audit trail."""
