"""The sealed audit trail: calls are recorded, sealed, verified and exported (contract 4.20)."""
