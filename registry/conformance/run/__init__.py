"""A run of checks: who is there, what is checked in which order, and what came of it."""
