"""Drills: a disaster on a sandbox, and what of it comes back."""
