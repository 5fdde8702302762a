"""Clients of the federal services, one service a file."""
