"""What a fresh sandbox holds: reference data, the consultation scenarios, a citizen's letter."""
