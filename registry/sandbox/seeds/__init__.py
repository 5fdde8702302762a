"""Contents of a fresh sandbox: reference data, the consultation scenarios, a citizen's letter."""
