"""Callers: the parts that callers play, and how each gets its token."""
