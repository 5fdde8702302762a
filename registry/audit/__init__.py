"""The sealed audit trail: recorded, sealed, verified and exported (contract 4.20)."""
