"""An outside ledger: what callers were answered, while processes of the service are killed."""
