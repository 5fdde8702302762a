"""The audit trail: what is written, how it is sealed, and how anybody checks it (contract 4.20).

Only the standard library and `cryptography` are needed, so that `python -m registry.audit.trail`
also runs where the service is not installed.
"""
