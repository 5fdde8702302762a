"""The audit trail itself: entries, seals over them, and their verification (contract 4.20).

Pure: the standard library and `cryptography` are all it needs, so that `python -m registry.audit`
also runs where the service is not installed.
"""
