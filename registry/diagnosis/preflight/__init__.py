"""Preflight: everything that is looked at before a registry goes live, and every week after."""
