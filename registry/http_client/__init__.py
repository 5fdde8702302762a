"""Calls to other services: deadlines, tokens of our own, a breaker."""
