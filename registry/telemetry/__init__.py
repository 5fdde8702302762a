"""Logs and metrics: hooks around the service, never called by rules."""
