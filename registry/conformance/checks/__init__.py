"""Checks, a module for each theme; the themes are listed in `catalogue`."""
